//! What the statements of one request cost, and which of them failed: for the developer's page. In production nothing is counted.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::Either;

use super::Error;

/// The longest text of a failed statement.
const LONGEST: usize = 400;

tokio::task_local! {
    /// The tally of the request under way, in development.
    static TALLY: Arc<Tally>;
}

/// The statements of one request.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    statements: AtomicU64,
    nanoseconds: AtomicU64,
    failed: Mutex<Option<String>>,
}

impl Tally {
    /// Counts the statements of this work.
    pub(crate) async fn over<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        TALLY.scope(self, work).await
    }

    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub(crate) fn took(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// The first statement that failed, with `?` for its values.
    pub(crate) fn failed(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }

    fn fails(&self, sql: &str, error: &Error) {
        let sql: Vec<&str> = sql.split_whitespace().collect();
        let sql: String = sql.join(" ").chars().take(LONGEST).collect();
        tracing::warn!(statement = sql, %error, "a statement failed");
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(sql);
    }
}

/// A statement under way whose cost somebody wants to know.
pub(super) struct Timed {
    tally: Arc<Tally>,
    began: Instant,
    sql: Box<str>,
}

impl Timed {
    /// None in production, and outside of a request.
    pub(super) fn begin(sql: &str) -> Option<Self> {
        let tally = TALLY.try_with(Arc::clone).ok()?;
        Some(Self {
            tally,
            began: Instant::now(),
            sql: sql.into(),
        })
    }

    /// Runs the statement. Not an `async fn`: without a tally a request has no room for one.
    pub(super) fn run<T>(
        timed: Option<Self>,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        match timed {
            None => Either::Left(statement),
            Some(timed) => Either::Right(Box::pin(async move { timed.end(statement.await) })),
        }
    }

    fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        let took = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.tally.statements.fetch_add(1, Ordering::Relaxed);
        self.tally.nanoseconds.fetch_add(took, Ordering::Relaxed);
        if let Err(error) = &result {
            self.tally.fails(&self.sql, error);
        }
        result
    }
}
