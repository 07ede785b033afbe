use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::{Duration, Instant};

/// The time that a handler waited for its client to send the body: the client's time, not the handler's.
///
/// The body adds to it and the handler's deadline leaves it out. So a slow upload may take minutes, and a slow query
/// may not.
#[derive(Debug, Clone)]
pub(crate) struct ClientWait(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    start: Instant,
    /// Milliseconds of all earlier waits, without the current one.
    total: AtomicU64,
    /// When the current wait began, in milliseconds after the start, plus one; 0 without a wait.
    since: AtomicU64,
}

impl ClientWait {
    pub(crate) fn new() -> Self {
        let counters = Counters {
            start: Instant::now(),
            total: AtomicU64::new(0),
            since: AtomicU64::new(0),
        };
        Self(Arc::new(counters))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    pub(crate) fn begin(&self) {
        if self.0.since.load(Ordering::Relaxed) == 0 {
            self.0.since.store(self.now() + 1, Ordering::Relaxed);
        }
    }

    pub(crate) fn end(&self) {
        let since = self.0.since.swap(0, Ordering::Relaxed);
        if since != 0 {
            self.0
                .total
                .fetch_add(self.now().saturating_sub(since - 1), Ordering::Relaxed);
        }
    }

    pub(crate) fn total(&self) -> Duration {
        let current = match self.0.since.load(Ordering::Relaxed) {
            0 => 0,
            since => self.now().saturating_sub(since - 1),
        };
        Duration::from_millis(self.0.total.load(Ordering::Relaxed) + current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test]
    async fn only_the_time_between_begin_and_end_counts() {
        let short = Duration::from_millis(20);
        let waiting = ClientWait::new();
        sleep(short).await;
        assert_eq!(waiting.total(), Duration::ZERO);
        waiting.end();
        assert_eq!(waiting.total(), Duration::ZERO, "none was begun");

        waiting.begin();
        sleep(short).await;
        let first = waiting.total();
        assert!(first >= short, "the wait that goes on: {first:?}");
        let other = waiting.clone();
        other.begin();
        assert!(waiting.total() >= first, "begun once, by whichever handle");
        waiting.end();
        let ended = other.total();
        assert!(ended >= first);
        sleep(short).await;
        waiting.end();
        assert_eq!(waiting.total(), ended, "and ended once");

        waiting.begin();
        sleep(short).await;
        waiting.end();
        let both = waiting.total();
        assert!(both >= ended + short, "{both:?} after {ended:?}");
        assert!(both <= waiting.0.start.elapsed());
    }
}
