//! The settings of the room, with safe defaults.

use std::time::Duration;

use super::Location;
use crate::audit::{Section, Settings};

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
    /// How many long reads run at once, each on its own thread. For SQLite.
    pub long_reads: usize,
    /// How many connections to a server are open at most, half of them for changes. For PostgreSQL.
    pub max_connections: usize,
    /// Where the database is.
    pub location: Location,
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
        let connections =
            section.integer("max_connections", default.max_connections as u64, 2..=1_000);
        let reads = section.integer("long_reads", default.long_reads as u64, 1..=64);
        Self {
            acquire_timeout: section.duration(
                "acquire_timeout",
                default.acquire_timeout,
                second..=60 * second,
            ),
            durability: section.choice("durability", default.durability, &kinds),
            in_place: default.in_place,
            location: location(&section),
            long_reads: usize::try_from(reads).unwrap_or(default.long_reads),
            max_connections: usize::try_from(connections).unwrap_or(default.max_connections),
            statement_timeout: section.duration(
                "statement_timeout",
                default.statement_timeout,
                second..=600 * second,
            ),
        }
    }
}

fn location(section: &Section<'_>) -> Location {
    let password_file = section.optional_path("password_file");
    let ca_file = section.optional_path("ca_file");
    let migration_user = section.optional_text("migration_user");
    let migration_password_file = section.optional_path("migration_password_file");
    let Some(text) = section.optional_text("url") else {
        return Location::default();
    };
    match Location::parse(&text) {
        Some(Location::Postgres(mut server)) => {
            server.address.password_file = password_file;
            server.address.ca_file = ca_file;
            server.migration_user = migration_user;
            server.migration_password_file = migration_password_file;
            Location::Postgres(server)
        }
        Some(location) => location,
        None => {
            section.refuse(
                "url",
                "\"sqlite:database.sqlite\", \"postgres://user@host/name\" or \"postgres:///name?host=/run/postgresql\"; \
                 put the password into the file that `database.password_file` names",
            );
            Location::default()
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            acquire_timeout: Duration::from_secs(5),
            durability: Durability::Normal,
            in_place: Duration::from_millis(1),
            location: Location::default(),
            long_reads: 4,
            max_connections: 16,
            statement_timeout: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// People write it there, as other frameworks want it; the finding is on the terminal and in the log of a pipeline.
    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let url = "postgres://portal:se:cr@t@db.example.org/portal".to_owned();
        let settings = Settings::read(None, [("DEWAR_DATABASE_URL".to_owned(), url)]);
        assert_eq!(Config::read(&settings).location, Location::default());
        let found = settings.finish();
        assert_eq!(found.len(), 1);
        let text = format!("{found:?}");
        assert!(
            text.contains("postgres://portal:…@db.example.org"),
            "{text}"
        );
        assert!(!text.contains("cr@t"), "{text}");
        assert!(text.contains("password_file"), "{text}");
    }
}
