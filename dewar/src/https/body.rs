use super::budget::BudgetFull;
use super::client_wait::ClientWait;
use super::drain::Drain;
use super::held_body::HeldBody;
use super::limits::RequestLimits;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Why reading a body stopped early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// Too many body bytes are in flight: for the connection, the address, or in all.
    #[error("too many bytes of request bodies at once")]
    Busy,
    /// The connection broke or the framing is wrong.
    #[error("the body was interrupted: {0}")]
    Broken(#[source] Box<dyn StdError + Send + Sync>),
    /// More bytes than the limit.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The body took too long in all, or arrived slower than the minimum rate.
    #[error("the body arrived too slowly")]
    TooSlow,
}

impl BodyError {
    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// Finds a `BodyError` among the sources of another error, such as `axum::Error`.
    ///
    /// ```
    /// use dewar::https::BodyError;
    /// let error = axum::Error::new(BodyError::TooLarge { limit: 10 });
    /// assert_eq!(BodyError::find(&error).map(|found| found.status().as_u16()), Some(413));
    /// ```
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

/// A body with limits on its size, its total time and its rate.
///
/// tower-http's timeout is for each frame, so one byte a second keeps a body alive for ever. Here every byte buys
/// waiting time: the grace period plus the time of the received bytes at the minimum rate must cover the wait. Time in
/// which the handler does not read is not counted.
#[derive(Debug)]
pub(crate) struct Bounded<B> {
    inner: B,
    limit: u64,
    /// Set if the reader may read past the limit and discard.
    drain: Option<Drain>,
    /// Counts the received bytes while they are held.
    held: Option<HeldBody>,
    received: u64,
    grace: Duration,
    rate: u64,
    end: Instant,
    waiting: ClientWait,
    timer: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl<B> Bounded<B> {
    pub(crate) fn new(inner: B, limits: &RequestLimits, waiting: ClientWait) -> Self {
        Self {
            inner,
            limit: limits.body_bytes,
            drain: None,
            held: None,
            received: 0,
            grace: limits.body_grace,
            rate: limits.body_rate.max(1),
            end: Instant::now() + limits.body_timeout,
            waiting,
            timer: None,
            over: false,
        }
    }

    /// Lets the reader read past the limit.
    pub(crate) fn drained(mut self, drain: Option<Drain>) -> Self {
        self.drain = drain;
        self
    }

    /// Counts the bytes for the connection and the address.
    pub(crate) fn counted(mut self, held: Option<HeldBody>) -> Self {
        self.held = held;
        self
    }

    /// When the current wait becomes too long.
    fn patience(&self) -> Instant {
        let millis = self.received.saturating_mul(1000) / self.rate;
        let bought = self.grace.saturating_add(Duration::from_millis(millis));
        let left = bought.saturating_sub(self.waiting.total());
        Instant::now()
            .checked_add(left)
            .map_or(self.end, |by_rate| by_rate.min(self.end))
    }

    fn accept(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        if let Some(data) = frame.data_ref() {
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.received = self.received.saturating_add(length);
            if let Some(held) = &self.held {
                held.arrive(length).map_err(|BudgetFull| BodyError::Busy)?;
            }
        }
        let readable = self.drain.as_ref().map_or(self.limit, Drain::readable);
        if self.received > readable {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        Ok(frame)
    }
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) else {
            this.waiting.begin();
            let until = this.patience();
            // A timer that is reset to "now" would fire a tick later and be reset again, for ever.
            if until > Instant::now() {
                let timer = this
                    .timer
                    .get_or_insert_with(|| Box::pin(sleep_until(until)));
                timer.as_mut().reset(until);
                ready!(timer.as_mut().poll(context));
            }
            this.over = true;
            this.waiting.end();
            return Poll::Ready(Some(Err(BodyError::TooSlow)));
        };
        this.waiting.end();
        let Some(frame) = frame else {
            return Poll::Ready(None);
        };
        let frame = match frame {
            Ok(_) if Instant::now() > this.end => Err(BodyError::TooSlow),
            Ok(frame) => this.accept(frame),
            Err(error) => Err(BodyError::Broken(error.into())),
        };
        this.over = frame.is_err();
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for Bounded<B> {
    // Dropped during a wait: the handler stopped reading, and the time after that is its own.
    fn drop(&mut self) {
        self.waiting.end();
        if let Some(held) = &self.held {
            held.end();
        }
    }
}

#[cfg(test)]
mod tests;
