//! The settings of the room, section `jobs`.

use std::time::Duration;

use crate::audit::Section;

/// How many jobs run and wait, and for how long.
///
/// ```
/// use dewar::audit::Settings;
/// use dewar::jobs::Config;
///
/// let settings = Settings::read(None, []);
/// assert_eq!(Config::read(&settings.section("jobs")).concurrency, 4);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Jobs of the default queue that this node runs at once; 0: this node runs no jobs.
    pub concurrency: usize,
    /// How long a node may say nothing about a job that it runs; then another node runs it.
    pub lease: Duration,
    /// How often a node looks for jobs that another one enqueued.
    pub poll_interval: Duration,
    /// Jobs of one owner that wait or run; the next one gets 429.
    pub max_per_owner: u64,
    /// Jobs of all owners that wait; the next one gets 503.
    pub max_waiting: u64,
    /// Failed jobs that are kept, the latest ones.
    pub max_failed: u64,
    /// How long a failed job is kept.
    pub failed_ttl: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(60),
            poll_interval: Duration::from_secs(2),
            max_per_owner: 100,
            max_waiting: 100_000,
            max_failed: 1_000,
            failed_ttl: Duration::from_secs(14 * DAY),
        }
    }
}

const DAY: u64 = 24 * 60 * 60;

impl Config {
    /// Reads the section `jobs`; missing settings get their defaults.
    #[must_use]
    pub fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let seconds = Duration::from_secs;
        let concurrency = section.integer("concurrency", 4, 0..=256);
        Self {
            concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX),
            lease: section.duration("lease", default.lease, seconds(10)..=seconds(600)),
            poll_interval: section.duration(
                "poll_interval",
                default.poll_interval,
                seconds(1)..=seconds(60),
            ),
            max_per_owner: section.integer("max_per_owner", default.max_per_owner, 1..=100_000),
            max_waiting: section.integer("max_waiting", default.max_waiting, 10..=10_000_000),
            max_failed: section.integer("max_failed", default.max_failed, 1..=100_000),
            failed_ttl: section.duration(
                "failed_ttl",
                default.failed_ttl,
                seconds(60 * 60)..=seconds(365 * DAY),
            ),
        }
    }
}
