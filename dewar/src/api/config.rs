use std::time::Duration;

use super::origins::{Origins, parse_all};
use super::token::is_prefix;
use crate::accounts::Rate;
use crate::audit::Settings;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The settings of `[api]`.
///
/// | setting | default | bounds | what for |
/// |---|---|---|---|
/// | `token_prefix` | `dewar` | 2 to 20 small letters, digits and `_` | the beginning of every new token, by which secret scanners find it |
/// | `token_lifetime` | 90 days | 1 to 365 days | how long a token may last at most |
/// | `max_tokens_per_user` | 20 | 1 to 100 | tokens of one person at once |
/// | `failure_limit` | 30 | 3 to 1,000 | refused tokens from one address within `failure_window` |
/// | `failure_window` | 10 minutes | 1 minute to 1 day | |
/// | `cors_origins` | none | a list of origins | the origins of [`Origins::from_settings`] |
///
/// ```
/// let config = dewar::api::Config::default();
/// assert_eq!(config.token_lifetime.as_secs(), 90 * 24 * 3600);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The beginning of every new token.
    pub token_prefix: String,
    /// How long a token may last at most.
    pub token_lifetime: Duration,
    /// How many tokens a person may have at once.
    pub max_tokens_per_user: u32,
    /// How many refused tokens may come from one address.
    pub failure_limit: u32,
    /// The period in which they count.
    pub failure_window: Duration,
    /// The origins that [`Origins::from_settings`] stands for.
    pub cors_origins: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            token_prefix: "dewar".to_owned(),
            token_lifetime: 90 * DAY,
            max_tokens_per_user: 20,
            failure_limit: 30,
            failure_window: 10 * MINUTE,
            cors_origins: Vec::new(),
        }
    }
}

impl Config {
    /// Reads `[api]`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let (section, default) = (settings.section("api"), Self::default());
        let count = |key, usual: u32, range| {
            let number = section.integer(key, usual.into(), range);
            u32::try_from(number).unwrap_or(usual)
        };
        let mut token_prefix = section.text("token_prefix", &default.token_prefix);
        if !is_prefix(&token_prefix) {
            section.refuse(
                "token_prefix",
                "2 to 20 small letters, digits and `_`, the first a letter, such as \"paperhouse\"",
            );
            token_prefix.clone_from(&default.token_prefix);
        }
        let mut cors_origins = section.list("cors_origins", &[]);
        let written = cors_origins.iter().map(String::as_str);
        if let Some(wrong) = parse_all(written).1.first() {
            section.refuse(
                "cors_origins",
                &format!("a list of origins such as [\"https://app.example\"]: {wrong}"),
            );
            cors_origins.clear();
        }
        Self {
            token_prefix,
            token_lifetime: section.duration(
                "token_lifetime",
                default.token_lifetime,
                DAY..=365 * DAY,
            ),
            max_tokens_per_user: count("max_tokens_per_user", default.max_tokens_per_user, 1..=100),
            failure_limit: count("failure_limit", default.failure_limit, 3..=1000),
            failure_window: section.duration(
                "failure_window",
                default.failure_window,
                MINUTE..=DAY,
            ),
            cors_origins,
        }
    }

    pub(super) const fn failures(&self) -> Rate {
        Rate {
            times: self.failure_limit,
            within: self.failure_window,
        }
    }

    /// The origins of the settings.
    pub(crate) fn origins(&self) -> Origins {
        Origins::named(self.cors_origins.clone())
    }
}
