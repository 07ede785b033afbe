use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock for everything that expires, so that a test can move time.
///
/// ```
/// use dewar::audit::Clock;
/// use std::time::Duration;
/// let clock = Clock::manual(1_000);
/// let same = clock.clone();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(same.now(), 1_060);
/// ```
#[derive(Debug, Clone)]
pub struct Clock {
    source: TimeSource,
}

#[derive(Debug, Clone)]
enum TimeSource {
    Manual(Arc<AtomicI64>),
    System,
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            source: TimeSource::System,
        }
    }

    /// A clock for tests that stands still at `unix_seconds`; its clones move with it.
    #[must_use]
    pub fn manual(unix_seconds: i64) -> Self {
        let milliseconds = unix_seconds.saturating_mul(1_000);
        Self {
            source: TimeSource::Manual(Arc::new(AtomicI64::new(milliseconds))),
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.milliseconds().div_euclid(1_000)
    }

    /// Moves a manual clock forward. The machine's clock cannot be moved: a debug build panics, a release build ignores it.
    pub fn advance(&self, by: Duration) {
        match &self.source {
            TimeSource::Manual(at) => {
                let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
                at.fetch_add(milliseconds, Ordering::SeqCst);
            }
            TimeSource::System => debug_assert!(false, "only Clock::manual can be advanced"),
        }
    }

    /// The time since some moment, for lengths of time: it never goes back, as the machine's clock may.
    pub(crate) fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        match &self.source {
            TimeSource::Manual(_) => {
                Duration::from_millis(u64::try_from(self.milliseconds()).unwrap_or_default())
            }
            TimeSource::System => START.get_or_init(Instant::now).elapsed(),
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn milliseconds(&self) -> i64 {
        match &self.source {
            TimeSource::Manual(at) => at.load(Ordering::SeqCst),
            TimeSource::System => system_milliseconds(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only `Clock` reads the system time"
)]
fn system_milliseconds() -> i64 {
    // A machine whose clock is before 1970 gets 1970: nothing has expired yet, and nothing panics.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_past_2026() {
        assert!(Clock::system().now() > 1_767_225_600);
    }

    #[test]
    fn a_manual_clock_counts_parts_of_a_second() {
        let clock = Clock::manual(5);
        clock.advance(Duration::from_millis(700));
        assert_eq!(clock.now(), 5);
        clock.advance(Duration::from_millis(300));
        assert_eq!(clock.now(), 6);
        assert_eq!(clock.elapsed(), Duration::from_secs(6));
        assert!(Clock::system().elapsed() <= Clock::system().elapsed());
    }
}
