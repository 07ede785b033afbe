//! Health checks: answers the liveness and readiness probes of a load balancer or an orchestrator. They have a listener of their
//! own, off unless `https.health` sets its address: the listener for visitors serves TLS for named hosts only, and a probe comes
//! by IP address.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Method, Request, StatusCode, header};
use tokio::sync::{Mutex, watch};
use tower::Service;

use super::metrics::Metrics;
use super::rooms::Dewar;
use crate::database::Db;
use crate::https::RequestLimits;

/// How long a result of the database is reused: a thousand probes cost it as much as one.
const STANDS: Duration = Duration::from_secs(1);

/// How long the database may take to admit a writer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most probes at the same time. A further probe closes the oldest connection, so that incomplete requests do not delay
/// complete ones.
const CONNECTIONS: usize = 32;

/// Readiness: whether a load balancer may send visitors. Anybody who reaches the address sees at most two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    Database,
    Node,
    Stopping,
    Yes,
}

impl Ready {
    const fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Database => (StatusCode::SERVICE_UNAVAILABLE, "database\n"),
            Self::Node => (StatusCode::SERVICE_UNAVAILABLE, "node\n"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            Self::Yes => (StatusCode::OK, "ok\n"),
        }
    }
}

/// The responses to probes.
#[derive(Clone, Debug)]
pub(super) struct Health(Arc<HealthProbe>);

#[derive(Debug)]
struct HealthProbe {
    dewar: Dewar,
    metrics: Option<Arc<Metrics>>,
    stopped: watch::Receiver<()>,
    last: Mutex<Option<(Instant, Ready)>>,
}

impl Health {
    /// `stopped` changes when the program is stopped.
    pub(super) fn new(
        dewar: &Dewar,
        metrics: Option<Arc<Metrics>>,
        stopped: watch::Receiver<()>,
    ) -> Self {
        Self(Arc::new(HealthProbe {
            dewar: dewar.clone(),
            metrics,
            stopped,
            last: Mutex::default(),
        }))
    }

    /// The limits of its listener.
    pub(super) fn limits(limits: &RequestLimits) -> RequestLimits {
        let mut limits = limits.clone();
        limits.connections = CONNECTIONS;
        // All probes may come from one address, and a closed connection counts for another moment.
        limits.connections_per_address = 2 * CONNECTIONS;
        limits.handler_timeout = PATIENCE * 2;
        limits.drain_timeout = Duration::from_secs(1);
        limits
    }

    async fn answer(&self, method: &Method, path: &str) -> Response {
        if ![Method::GET, Method::HEAD].contains(method) {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        if let ("/metrics", Some(metrics)) = (path, &self.0.metrics) {
            let dewar = &self.0.dewar;
            let counts = tokio::time::timeout(PATIENCE, dewar.jobs().counts());
            let jobs = counts.await.ok().and_then(Result::ok);
            let mut response = plain(StatusCode::OK, metrics.text(dewar, jobs));
            let exposition = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, exposition);
            return response;
        }
        let (status, text) = match path {
            "/healthz" => (StatusCode::OK, "ok\n"),
            "/readyz" => self.ready().await.answer(),
            _ => (StatusCode::NOT_FOUND, "nothing here\n"),
        };
        plain(status, text)
    }

    async fn ready(&self) -> Ready {
        let HealthProbe {
            dewar,
            stopped,
            last,
            ..
        } = &*self.0;
        // If the sender is gone, the program is stopping too.
        if stopped.has_changed().unwrap_or(true) {
            return Ready::Stopping;
        }
        // Probes that come meanwhile wait for the same result.
        let mut last = last.lock().await;
        if let Some((at, ready)) = *last
            && at.elapsed() < STANDS
        {
            return ready;
        }
        let ready = match tokio::time::timeout(PATIENCE, writes(dewar.db())).await {
            // A program that lost the name of its node would write over the record of another one.
            Ok(true) if !dewar.rooms().node.is_held() => Ready::Node,
            Ok(true) => Ready::Yes,
            Ok(false) | Err(_) => Ready::Database,
        };
        *last = Some((Instant::now(), ready));
        ready
    }
}

/// Whether the database admits a writer. It writes nothing: the transaction is rolled back.
async fn writes(db: &Db) -> bool {
    let tried = async { db.begin().await?.rollback().await };
    match tried.await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "the database accepts no writes: the program is not ready");
            false
        }
    }
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl<B: Send + 'static> Service<Request<B>> for Health {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let health = self.clone();
        let (parts, _) = request.into_parts();
        Box::pin(async move { Ok(health.answer(&parts.method, parts.uri.path()).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_have_few_connections_whatever_visitors_have() {
        let limits = Health::limits(&RequestLimits {
            connections: 5_000,
            connections_per_address: 5_000,
            ..RequestLimits::default()
        });
        assert_eq!(limits.connections, CONNECTIONS);
        assert_eq!(limits.connections_per_address, 2 * CONNECTIONS);
        assert_eq!(limits.handler_timeout, PATIENCE * 2);
    }

    /// Probes in quick succession query the database once.
    #[tokio::test]
    async fn an_answer_of_the_database_stands_for_its_time_and_no_longer() {
        let (_stop, stopped) = watch::channel(());
        let root = tempfile::tempdir().unwrap();
        let opened = crate::app::tests::app(root.path(), &[], &[])
            .plan()
            .0
            .open();
        let health = Health::new(&opened.await.unwrap().dewar, None, stopped);
        let now = Instant::now();
        for (at, ready) in [
            (now + PATIENCE * 1_000, Ready::Database),
            (now.checked_sub(STANDS).unwrap(), Ready::Yes),
        ] {
            *health.0.last.lock().await = Some((at, Ready::Database));
            assert_eq!(health.ready().await, ready);
        }
    }
}
