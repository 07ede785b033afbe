//! The settings of the room, with safe defaults.

use std::time::Duration;

use crate::audit::Settings;

/// The settings for opening the database.
///
/// ```
/// use dewar::database::{Config, Durability};
///
/// let mut config = Config::default();
/// config.durability = Durability::Full; // a commit survives a power cut, and costs a disk flush
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How long to wait for the writer, before [`Error::Busy`](super::Error::Busy).
    pub acquire_timeout: Duration,
    /// The failures that a commit survives.
    pub durability: Durability,
    /// How long a read may run on its task, before it moves to its own thread.
    pub in_place: Duration,
    /// How many long reads run at once, each on its own thread.
    pub long_reads: usize,
    /// How long one statement may run, before [`Error::TimedOut`](super::Error::TimedOut).
    pub statement_timeout: Duration,
}

/// The events that a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Also a power cut: every commit waits for the disk.
    Full,
    /// A killed program. A power cut may lose the last commits, but damages nothing.
    #[default]
    Normal,
}

impl Config {
    /// Reads `[database]`.
    ///
    /// ```
    /// use dewar::{audit::Settings, database::{Config, Durability}};
    /// let settings = Settings::read(None, []);
    /// assert_eq!(Config::read(&settings).durability, Durability::Normal);
    /// ```
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let section = settings.section("database");
        let default = Self::default();
        let second = Duration::from_secs(1);
        let kinds = [("normal", Durability::Normal), ("full", Durability::Full)];
        let reads = section.integer("long_reads", default.long_reads as u64, 1..=64);
        Self {
            acquire_timeout: section.duration(
                "acquire_timeout",
                default.acquire_timeout,
                second..=60 * second,
            ),
            durability: section.choice("durability", default.durability, &kinds),
            in_place: default.in_place,
            long_reads: usize::try_from(reads).unwrap_or(default.long_reads),
            statement_timeout: section.duration(
                "statement_timeout",
                default.statement_timeout,
                second..=600 * second,
            ),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            acquire_timeout: Duration::from_secs(5),
            durability: Durability::Normal,
            in_place: Duration::from_millis(1),
            long_reads: 4,
            statement_timeout: Duration::from_secs(5),
        }
    }
}
