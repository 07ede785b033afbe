//! Rate limits in memory: attempts from one address, letters to one account.
//!
//! It is a leaky bucket in its simplest form, the generic cell rate algorithm (ITU-T I.371): for each key it stores only the
//! moment at which the bucket is empty again. Its memory is bounded: it has two generations of keys, and when the younger is full
//! it forgets the older. A restart forgets all; `throttle` counts in the database what must outlive it.
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::audit::Clock;

/// A number of times within a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) times: u32,
    pub(crate) within: Duration,
}

impl Rate {
    /// The milliseconds after which one more may happen.
    fn interval(self) -> i64 {
        milliseconds(self.within)
            .div_euclid(i64::from(self.times.max(1)))
            .max(1)
    }
}

pub(crate) struct RateLimiter<K> {
    rate: Rate,
    most_keys: usize,
    clock: Clock,
    generations: Mutex<Generations<K>>,
}

struct Generations<K> {
    young: HashMap<K, i64>,
    old: HashMap<K, i64>,
}

impl<K: Eq + Hash> RateLimiter<K> {
    pub(crate) fn new(rate: Rate, most_keys: usize, clock: Clock) -> Self {
        let generations = Generations {
            young: HashMap::new(),
            old: HashMap::new(),
        };
        Self {
            rate,
            most_keys,
            clock,
            generations: Mutex::new(generations),
        }
    }

    /// How long the next event of a key has to wait, without counting one.
    pub(crate) fn wait(&self, key: &K) -> Option<Duration> {
        let now = self.clock.now().saturating_mul(1000);
        let generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = generations.young.get(key);
        let empty_at = *known.or_else(|| generations.old.get(key))?;
        let too_early = empty_at - now - self.room();
        (too_early > 0).then(|| Duration::from_millis(too_early.unsigned_abs()))
    }

    /// How far the moment at which the bucket is empty may lie ahead.
    fn room(&self) -> i64 {
        let others = i64::from(self.rate.times.saturating_sub(1));
        self.rate.interval().saturating_mul(others)
    }

    /// Counts one more event, or returns how long to wait.
    ///
    /// # Errors
    /// The time until the next event is allowed.
    pub(crate) fn take(&self, key: K) -> Result<(), Duration> {
        let now = self.clock.now().saturating_mul(1000);
        let interval = self.rate.interval();
        let room = self.room();
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = generations
            .young
            .get(&key)
            .or_else(|| generations.old.get(&key));
        let empty_at = known.copied().unwrap_or(now).max(now);
        let too_early = empty_at - now - room;
        if too_early > 0 {
            return Err(Duration::from_millis(too_early.unsigned_abs()));
        }
        if generations.young.len() >= self.most_keys / 2 {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(key, empty_at + interval);
        Ok(())
    }
}

impl<K> fmt::Debug for RateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_a_minute(clock: &Clock) -> RateLimiter<u32> {
        let rate = Rate {
            times: 3,
            within: Duration::from_secs(60),
        };
        RateLimiter::new(rate, 8, clock.clone())
    }

    #[test]
    fn a_burst_passes_and_the_next_waits_for_its_share() {
        let clock = Clock::manual(1_000);
        let buckets = three_a_minute(&clock);
        for _ in 0..3 {
            assert_eq!(buckets.take(7), Ok(()));
        }
        assert_eq!(buckets.take(7), Err(Duration::from_secs(20)));
        assert_eq!(buckets.take(8), Ok(()), "another key has its own bucket");
        clock.advance(Duration::from_secs(20));
        assert_eq!(buckets.take(7), Ok(()));
        assert_eq!(buckets.take(7), Err(Duration::from_secs(20)));
    }

    #[test]
    fn a_wait_is_told_without_counting() {
        let clock = Clock::manual(1_000);
        let buckets = three_a_minute(&clock);
        let second = Duration::from_secs;
        for _ in 0..3 {
            assert_eq!(buckets.wait(&7), None);
            assert_eq!(buckets.take(7), Ok(()));
        }
        assert_eq!(buckets.wait(&7), Some(second(20)));
        assert_eq!(buckets.wait(&8), None);
        clock.advance(second(20));
        assert_eq!(buckets.wait(&7), None);
    }

    #[test]
    fn a_refused_attempt_does_not_lengthen_the_wait() {
        let clock = Clock::manual(1_000);
        let buckets = three_a_minute(&clock);
        for _ in 0..100 {
            let _ = buckets.take(7);
        }
        clock.advance(Duration::from_secs(60));
        assert_eq!(
            [buckets.take(7), buckets.take(7), buckets.take(7)],
            [Ok(()); 3]
        );
    }

    /// The limiter forgets the keys that came least recently first: a key that keeps coming is never forgotten.
    #[test]
    fn a_key_that_comes_again_is_not_forgotten_for_the_keys_of_others() {
        let clock = Clock::manual(1_000);
        let buckets = three_a_minute(&clock);
        for _ in 0..3 {
            assert_eq!(buckets.take(7), Ok(()));
        }
        for key in 100..104 {
            assert_eq!(buckets.take(key), Ok(()));
        }
        assert_eq!(buckets.take(7), Err(Duration::from_secs(20)));
        clock.advance(Duration::from_secs(20));
        assert_eq!(buckets.take(7), Ok(()), "and it is among the young again");
        for key in 104..107 {
            assert_eq!(buckets.take(key), Ok(()));
        }
        assert_eq!(buckets.take(7), Err(Duration::from_secs(20)));
        assert!(format!("{buckets:?}").contains("times: 3"));
    }

    #[test]
    fn a_rate_of_none_or_of_a_great_many_is_one() {
        let clock = Clock::manual(1_000);
        for (times, within, passes) in [(0, 60, 1), (1, 60, 1), (10_000, 1, 10_000)] {
            let rate = Rate {
                times,
                within: Duration::from_secs(within),
            };
            let buckets = RateLimiter::new(rate, 8, clock.clone());
            let passed = (0..passes + 1).take_while(|_| buckets.take(7).is_ok());
            assert_eq!(passed.count(), passes, "{times} within {within} s");
        }
    }

    #[test]
    fn memory_is_bounded_however_many_keys_come() {
        let clock = Clock::manual(1_000);
        let buckets = three_a_minute(&clock);
        for key in 0..10_000 {
            assert_eq!(buckets.take(key), Ok(()));
        }
        let generations = buckets.generations.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= 8);
    }
}
