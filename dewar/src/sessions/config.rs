use std::ops::RangeInclusive;
use std::time::Duration;

use super::StorePlace;
use crate::audit::{Section, Settings, duration};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The bounds of every `idle` limit.
const AT_REST: RangeInclusive<Duration> = MINUTE..=Duration::from_secs(2 * 3600);
const IN_ALL: RangeInclusive<Duration> =
    Duration::from_secs(5 * 60)..=Duration::from_secs(24 * 3600);

/// The settings of `[sessions]`.
///
/// | setting | default | bounds | source |
/// |---|---|---|---|
/// | `idle` | 30 minutes | 1 minute to 2 hours | OWASP *Session Management*, NIST SP 800-63B-4 5.2 |
/// | `lifetime` | 12 hours | 5 minutes to 24 hours | the same |
/// | `administrator_idle` | 15 minutes | 1 minute to 2 hours | for users with the administrator's role |
/// | `administrator_lifetime` | 8 hours | 5 minutes to 24 hours | the same |
/// | `roles` | none | `"<role> <idle> <lifetime>"` | for other roles, besides [`App::sessions_of`](crate::App::sessions_of); the strictest counts |
/// | `max_per_user` | 10 | 1 to 100 | sessions of one user; the oldest ends (ASVS 7.1.2) |
/// | `reauth_timeout` | 10 minutes | 1 to 30 minutes | how long a password counts before re-authentication |
/// | `store` | `database` | see [`StorePlace`] | where sessions are kept |
/// | `password_file` | none | a path | the password of that server |
/// | `ca_file` | none | a path | the CA of its certificate, if you run your own |
///
/// ```
/// let config = dewar::sessions::Config::default();
/// assert_eq!(config.limits.idle.as_secs(), 30 * 60);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The limits for all users.
    pub limits: SessionLimits,
    /// The limits of administrators.
    pub administrators: SessionLimits,
    /// The limits for other roles, by their names.
    pub roles: Vec<(String, SessionLimits)>,
    /// How many sessions a user may have.
    pub max_per_user: u32,
    /// How long a password counts before re-authentication.
    pub reauth_timeout: Duration,
    /// The store.
    pub store: StorePlace,
}

/// How long a session may last.
///
/// ```
/// use dewar::sessions::SessionLimits;
/// use std::time::Duration;
/// let hour = Duration::from_secs(3600);
/// let limits = SessionLimits { idle: hour / 2, lifetime: 9 * hour };
/// assert_eq!(limits.and(SessionLimits { idle: hour, lifetime: hour }).lifetime, hour);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "sessions have exactly these two limits"
)]
pub struct SessionLimits {
    /// How long a session may be unused.
    pub idle: Duration,
    /// How long a session may last, even if it is used all the time.
    pub lifetime: Duration,
}

impl SessionLimits {
    /// The stricter value of each limit.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            idle: self.idle.min(other.idle),
            lifetime: self.lifetime.min(other.lifetime),
        }
    }

    /// Whether they are within the bounds of the settings.
    pub(super) fn are_bearable(&self) -> bool {
        AT_REST.contains(&self.idle) && IN_ALL.contains(&self.lifetime)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: SessionLimits {
                idle: 30 * MINUTE,
                lifetime: 12 * HOUR,
            },
            administrators: SessionLimits {
                idle: 15 * MINUTE,
                lifetime: 8 * HOUR,
            },
            roles: Vec::new(),
            max_per_user: 10,
            reauth_timeout: 10 * MINUTE,
            store: StorePlace::Database,
        }
    }
}

impl Config {
    /// Reads `[sessions]`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let section = settings.section("sessions");
        let default = Self::default();
        let idle = |key, usual| section.duration(key, usual, AT_REST);
        let lifetime = |key, usual| section.duration(key, usual, IN_ALL);
        Self {
            limits: SessionLimits {
                idle: idle("idle", default.limits.idle),
                lifetime: lifetime("lifetime", default.limits.lifetime),
            },
            administrators: SessionLimits {
                idle: idle("administrator_idle", default.administrators.idle),
                lifetime: lifetime("administrator_lifetime", default.administrators.lifetime),
            },
            roles: of_roles(&section),
            max_per_user: section
                .integer("max_per_user", default.max_per_user.into(), 1..=100)
                .try_into()
                .unwrap_or(default.max_per_user),
            reauth_timeout: section.duration(
                "reauth_timeout",
                default.reauth_timeout,
                MINUTE..=30 * MINUTE,
            ),
            store: place(&section),
        }
    }
}

fn of_roles(section: &Section<'_>) -> Vec<(String, SessionLimits)> {
    let written = section.list("roles", &[]);
    let mut read = Vec::new();
    for text in &written {
        match of_role(text) {
            Some(limits) => read.push(limits),
            None => section.refuse(
                "roles",
                "a list of roles, each with its two limits, such as [\"reviewer 20m 9h\"], within the bounds of \
                 `idle` and `lifetime`",
            ),
        }
    }
    read
}

fn of_role(text: &str) -> Option<(String, SessionLimits)> {
    let mut words = text.split(' ');
    let (Some(role), Some(idle), Some(lifetime), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    let (idle, lifetime) = (duration(idle)?, duration(lifetime)?);
    Some((role.to_owned(), SessionLimits { idle, lifetime }))
        .filter(|(role, limits)| !role.is_empty() && limits.are_bearable())
}

fn place(section: &Section<'_>) -> StorePlace {
    let password = section.optional_path("password_file");
    let authority = section.optional_path("ca_file");
    let written = section.text("store", "database");
    let place = StorePlace::parse(&written).unwrap_or_else(|| {
        section.refuse(
            "store",
            "\"database\", \"rediss://user@host:6380\" or, on this machine only, \
             \"redis://localhost:6379\"; put the password into the file that `sessions.password_file` names",
        );
        StorePlace::Database
    });
    place.with_files(password, authority)
}
