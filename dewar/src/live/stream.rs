//! The bytes of one connection. Nothing is begun before the client can take it: hyper asks for the next bytes when those
//! before are on their way, so a client that reads nothing holds one event. A rendering that was begun is a task of its own, which
//! goes on, or reaches its time limit, whatever the client does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::{EndReason, News};
use super::frame::{self, EventName};
use super::handle::Live;
use super::hub::Place;
use super::outputs::SourceKind;
use super::rows::{Position, Published};
use crate::database::reading;
use crate::pages::{Error, ErrorKind, RequestContext, render_part};
use crate::secrets::random;

/// How long a connection lasts before its client opens the next one; up to a half more, so that not all come back at once. A
/// connection of HTTP/2 that is to close (`RequestLimits::age`) waits no longer for it.
pub(super) const LASTS: Duration = Duration::from_secs(15 * 60);
/// How long a client waits at least before it comes back; up to four times that.
const RETRY: Duration = Duration::from_secs(1);
/// How long the part of a page may take.
const RENDERED_WITHIN: Duration = Duration::from_secs(10);
/// The time between two renderings of the same part: events that come faster are shown together.
const RENDERED_EVERY: Duration = Duration::from_millis(200);

/// A rendering under way; it ends with the connection.
struct PartRendering(JoinHandle<Result<String, Error>>);

impl PartRendering {
    fn begin(work: impl Future<Output = Result<String, Error>> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for PartRendering {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The events that a client missed, and from where on it follows.
#[derive(Debug, Default)]
pub(super) struct Following {
    missed: VecDeque<Published>,
    /// Events up to this place have been passed on.
    after: Position,
    reload: bool,
}

impl Following {
    /// The events that were missed are gone: the client reads everything again.
    pub(super) fn reload() -> Self {
        Self {
            reload: true,
            ..Self::default()
        }
    }

    pub(super) fn after(after: Position, missed: Vec<Published>) -> Self {
        Self {
            missed: missed.into(),
            after,
            reload: false,
        }
    }
}

/// One connection.
pub(super) struct Stream {
    live: Live,
    place: Place,
    context: RequestContext,
    source: SourceKind,
    following: Following,
    rendering: Option<PartRendering>,
    /// The part with which the connection begins.
    first: Option<String>,
    /// The route's path, for a handler that only reads.
    route: &'static str,
    has_begun: bool,
    is_over: bool,
    beat: Instant,
    until: Instant,
}

/// What the stream waited for.
enum Step {
    Beat,
    End(EndReason),
    News(News),
    Rendered(Result<String, Error>),
}

impl Stream {
    /// Begins a connection. Of a page it renders the first part.
    ///
    /// # Errors
    /// The part fails: the response says how.
    pub(super) async fn begin(
        (live, place, context): (Live, Place, RequestContext),
        source: SourceKind,
        following: Following,
        route: &'static str,
    ) -> Result<Self, Error> {
        let now = Instant::now();
        let mut stream = Self {
            beat: now + live.0.hub.config().heartbeat,
            until: now + up_to(LASTS, 1.5),
            live,
            place,
            context,
            source,
            following,
            rendering: None,
            first: None,
            route,
            has_begun: false,
            is_over: false,
        };
        stream.render_after(Duration::ZERO);
        if stream.rendering.is_some() {
            stream.first = Some(rendered(&mut stream.rendering).await?);
        }
        Ok(stream)
    }

    pub(super) fn into_bytes(
        self,
    ) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Send {
        stream::unfold(self, |mut stream| async move {
            let bytes = stream.next().await?;
            Some((Ok(bytes), stream))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        if !self.has_begun {
            self.has_begun = true;
            return Some(frame::retry(up_to(RETRY, 4.0)));
        }
        loop {
            if let Some(reason) = self.has_ended() {
                return Some(self.end(reason));
            }
            if let Some(html) = self.first.take() {
                return Some(self.frame(EventName::Page, None, &html));
            }
            if std::mem::take(&mut self.following.reload) {
                return Some(self.frame(EventName::Reload, None, ""));
            }
            if let Some(missed) = self.following.missed.pop_front() {
                match self.shown(&missed) {
                    Some(bytes) => return Some(bytes),
                    None => continue,
                }
            }
            let step = self.step().await;
            if let Some(bytes) = self.take(step) {
                return Some(bytes);
            }
        }
    }

    /// The end, if the connection has come to it. Every turn asks this first: a client that always has more to take gets nothing
    /// after it.
    fn has_ended(&self) -> Option<EndReason> {
        let is_old = || (Instant::now() >= self.until).then_some(EndReason::Renew);
        self.place.connection.has_ended().or_else(is_old)
    }

    /// Waits for the next step. The end comes first: after it, no event is sent.
    async fn step(&mut self) -> Step {
        let connection = &self.place.connection;
        tokio::select! {
            biased;
            reason = connection.ended() => Step::End(reason),
            () = sleep_until(self.until) => Step::End(EndReason::Renew),
            () = sleep_until(self.beat) => Step::Beat,
            rendered = rendered(&mut self.rendering) => Step::Rendered(rendered),
            news = connection.news(), if self.rendering.is_none() => Step::News(news),
        }
    }

    fn take(&mut self, step: Step) -> Option<Bytes> {
        match step {
            Step::Beat => Some(self.sent(frame::heartbeat())),
            Step::End(reason) => Some(self.end(reason)),
            Step::News(News::Missed) => match self.source {
                SourceKind::Events(_) => Some(self.frame(EventName::Reload, None, "")),
                SourceKind::Page(_) => {
                    self.render_after(RENDERED_EVERY);
                    None
                }
            },
            Step::News(News::Event(published)) => match self.source {
                // Those up to there were among the events that the client had missed.
                SourceKind::Events(_) if published.at <= self.following.after => None,
                SourceKind::Events(_) => self.shown(&published),
                SourceKind::Page(_) => {
                    self.render_after(RENDERED_EVERY);
                    None
                }
            },
            Step::Rendered(Ok(html)) => Some(self.frame(EventName::Page, None, &html)),
            Step::Rendered(Err(error)) => {
                let is_fault = matches!(error.kind(), ErrorKind::Internal | ErrorKind::Launch);
                if is_fault {
                    tracing::error!(?error, route = self.route, "a part of a page failed");
                }
                // Its reader may no longer see it, or it will be there again later: the handler says so to the next connection.
                Some(self.end(EndReason::Renew))
            }
        }
    }

    /// Begins to render the part, for a source that is one.
    fn render_after(&mut self, wait: Duration) {
        let SourceKind::Page(part) = &self.source else {
            return;
        };
        let (part, context) = (Arc::clone(part), self.context.clone());
        let connection = Arc::clone(&self.place.connection);
        let renders = Arc::clone(&self.live.0.renders);
        let begin = Instant::now() + wait;
        let rendering = async move {
            sleep_until(begin).await;
            let _permit = renders.acquire().await;
            // Before the rows are read: an event that comes after this renders the part again.
            connection.forget();
            let page = timeout(RENDERED_WITHIN, part()).await;
            let page = page.map_err(|_| Error::busy(RENDERED_WITHIN))??;
            render_part(page, &context)
        };
        // The scope is inside the task, which inherits none.
        let rendering = PartRendering::begin(reading(Some(self.route), rendering));
        self.rendering = Some(rendering);
    }

    fn shown(&mut self, published: &Published) -> Option<Bytes> {
        let SourceKind::Events(show) = &self.source else {
            return None;
        };
        let shown = show(&published.event)?;
        Some(self.frame(EventName::Message, Some(published.at), &shown))
    }

    fn frame(&mut self, name: EventName, at: Option<Position>, data: &str) -> Bytes {
        self.sent(frame::event(name, at, data))
    }

    /// The time until the next heartbeat begins again.
    fn sent(&mut self, bytes: Bytes) -> Bytes {
        self.beat = Instant::now() + self.live.0.hub.config().heartbeat;
        bytes
    }

    fn end(&mut self, reason: EndReason) -> Bytes {
        self.is_over = true;
        let data = match reason {
            EndReason::Over => "over",
            EndReason::Renew => "renew",
            EndReason::Restart => "restart",
        };
        frame::event(EventName::End, None, data)
    }
}

/// The result of a rendering; never without one.
async fn rendered(rendering: &mut Option<PartRendering>) -> Result<String, Error> {
    let Some(PartRendering(task)) = rendering else {
        return std::future::pending().await;
    };
    let done = task.await;
    *rendering = None;
    done.map_err(Error::internal)?
}

/// A random time from this one to as many times it.
pub(super) fn up_to(least: Duration, times: f64) -> Duration {
    let [byte] = random::<1>();
    least.mul_f64(1.0 + (times - 1.0) * f64::from(byte) / 255.0)
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    /// A client that takes nothing more keeps neither the rendering waiting nor its permit.
    ///
    /// ASVS: V15.2.2
    #[tokio::test]
    async fn a_rendering_goes_on_unasked_and_ends_with_its_connection() {
        let (done, is_done) = oneshot::channel();
        let unasked = PartRendering::begin(async move {
            done.send(()).unwrap();
            Ok(String::new())
        });
        is_done.await.unwrap();
        drop(unasked);
        let renders = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&renders).acquire_owned().await.unwrap();
        let endless = PartRendering::begin(async move {
            let _permit = permit;
            std::future::pending().await
        });
        drop(endless);
        assert!(renders.acquire().await.is_ok());
    }
}
