use super::{Section, Settings};
use serde::Serialize;
use std::fmt;

/// Development or production. The setting is `mode`, in the environment `DEWAR_MODE`.
///
/// Development switches no protection off. It makes by itself what production requires (a key, a certificate), and
/// explains errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "only these two modes exist; a match must handle both"
)]
pub enum Mode {
    /// A developer's machine.
    #[default]
    Development,
    /// Anywhere else.
    Production,
}

impl Mode {
    /// Reads the setting `mode`.
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let top: Section<'_> = settings.top();
        let words = [
            ("development", Self::Development),
            ("production", Self::Production),
        ];
        top.choice("mode", Self::default(), &words)
    }

    /// The mode as the setting writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
