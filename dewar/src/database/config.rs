//! The settings of the room, with safe defaults.

use std::time::Duration;

/// How the database is opened.
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
    /// What a commit survives.
    pub durability: Durability,
    /// How long a read may run on the task that asked, before it moves to a thread of its own.
    pub in_place: Duration,
    /// How many long reads run at once, each on its thread.
    pub long_reads: usize,
    /// How long one statement may run, before [`Error::TimedOut`](super::Error::TimedOut).
    pub statement_timeout: Duration,
}

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Also a power cut: every commit waits for the disk.
    Full,
    /// A killed program. A power cut may take back the last commits, but breaks nothing.
    #[default]
    Normal,
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
