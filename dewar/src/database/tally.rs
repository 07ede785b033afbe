//! What the statements of one request cost, and which of them failed: for the developer's page. In production nothing is counted.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// A statement under way.
#[must_use]
pub(super) struct Timed(Option<Box<(Arc<Tally>, Instant)>>);

impl Timed {
    pub(super) fn begin() -> Self {
        let tally = TALLY.try_with(Arc::clone).ok();
        Self(tally.map(|tally| Box::new((tally, Instant::now()))))
    }

    /// Ends it with this result.
    pub(super) fn end<T>(self, sql: Option<&str>, result: Result<T, Error>) -> Result<T, Error> {
        if let Some(open) = self.0 {
            let (tally, began) = *open;
            let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            tally.statements.fetch_add(1, Ordering::Relaxed);
            tally.nanoseconds.fetch_add(took, Ordering::Relaxed);
            if let (Err(error), Some(sql)) = (&result, sql) {
                tally.fails(sql, error);
            }
        }
        result
    }

    /// The text of the statement, if it is needed after the statement has taken it.
    pub(super) fn text(&self, sql: &str) -> Option<Box<str>> {
        self.0.is_some().then(|| sql.into())
    }
}
