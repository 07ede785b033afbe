//! How long a failed job waits before its next attempt.

use std::time::Duration;

use crate::secrets::random;

/// The wait after the first attempt.
const FIRST: Duration = Duration::from_secs(15);

/// The shortest wait that a job can ask for. Without one, a job that fails would take all the time of its queue.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The wait after this many attempts: doubled each time, up to an hour, and up to a half longer by chance, so that jobs that
/// failed together do not come back together.
pub(super) fn wait(attempts: u32) -> Duration {
    with_jitter(attempts, random::<1>()[0])
}

fn with_jitter(attempts: u32, chance: u8) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32 << attempts.saturating_sub(1).min(16));
    let wait = doubled.min(LONGEST);
    wait + wait * u32::from(chance) / (2 * 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_last_up_to_an_hour() {
        let waits = [1, 2, 3, 8, 9, 100, u32::MAX].map(|n| with_jitter(n, 0).as_secs());
        assert_eq!(waits, [15, 30, 60, 1_920, 3_600, 3_600, 3_600]);
        assert_eq!(with_jitter(0, 0), FIRST);
        assert_eq!(with_jitter(2, 255).as_secs(), 45);
    }
}
