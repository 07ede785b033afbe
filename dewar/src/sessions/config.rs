use std::time::Duration;

use crate::audit::Settings;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The settings of `[sessions]`.
///
/// | setting | default | bounds | source |
/// |---|---|---|---|
/// | `idle` | 30 minutes | 1 minute to 2 hours | OWASP *Session Management*, NIST SP 800-63B-4 5.2 |
/// | `lifetime` | 12 hours | 5 minutes to 24 hours | the same |
///
/// ```
/// let config = dewar::sessions::Config::default();
/// assert_eq!(config.idle.as_secs(), 30 * 60);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// How long a session may rest.
    pub idle: Duration,
    /// How long a session may last, however busy it is.
    pub lifetime: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            idle: 30 * MINUTE,
            lifetime: 12 * HOUR,
        }
    }
}

impl Config {
    /// Reads `[sessions]`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let section = settings.section("sessions");
        let default = Self::default();
        Self {
            idle: section.duration("idle", default.idle, MINUTE..=2 * HOUR),
            lifetime: section.duration("lifetime", default.lifetime, 5 * MINUTE..=24 * HOUR),
        }
    }
}
