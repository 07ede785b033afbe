use super::declared::DeclaredSetting;
use super::parse::{bytes, duration, show_bytes, show_duration};
use super::{KnownSetting, RawSetting, Settings};
use crate::audit::sanitize::bounded;
use crate::audit::{Finding, Practice};
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest text that a setting may be.
const LONGEST_TEXT: usize = 4096;

/// The settings of one room. Each method reads one of them, which makes its name known.
///
/// An invalid value yields the default, and a finding that refuses the launch.
///
/// ```
/// use dewar::audit::Settings;
/// let settings = Settings::read(None, []);
/// let billing = settings.section("billing");
/// assert_eq!(billing.text("currency", "EUR"), "EUR");
/// assert!(settings.finish().is_empty());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    settings: &'a Settings,
    name: &'a str,
}

/// A value as written, and its place.
struct WrittenSetting {
    raw: RawSetting,
    place: String,
}

impl<'a> Section<'a> {
    pub(super) const fn new(settings: &'a Settings, name: &'a str) -> Self {
        Self { settings, name }
    }

    pub(super) const fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// Whether no setting has this name or its variable yet.
    pub(super) fn is_free(&self, key: &str) -> bool {
        let (name, state) = (self.full(key), self.settings.state());
        let variable = variable(&name);
        !state.asked.values().any(|known| known.variable == variable)
    }

    /// A duration with its unit: `"250ms"`, `"45s"`, `"30m"`, `"8h"`, `"7d"`, `"2w"`.
    #[must_use]
    pub fn duration(
        &self,
        key: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let (low, high) = (show_duration(*range.start()), show_duration(*range.end()));
        let right = format!(
            "a duration from {low} to {high}, such as \"{}\"",
            show_duration(default)
        );
        let read = |raw: &RawSetting| duration(text_of(raw)?).filter(|value| range.contains(value));
        self.value(key, (&right, ""), &show_duration(default), read)
            .unwrap_or(default)
    }

    /// A number of bytes with its unit: `"800B"`, `"512KiB"`, `"10MiB"`, `"1GiB"`.
    #[must_use]
    pub fn bytes(&self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = (show_bytes(*range.start()), show_bytes(*range.end()));
        let right = format!(
            "a size from {low} to {high}, such as \"{}\"",
            show_bytes(default)
        );
        let read = |raw: &RawSetting| bytes(text_of(raw)?).filter(|value| range.contains(value));
        self.value(key, (&right, ""), &show_bytes(default), read)
            .unwrap_or(default)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let right = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |raw: &RawSetting| {
            let value = match raw {
                RawSetting::Integer(value) => u64::try_from(*value).ok()?,
                RawSetting::Text(text) => text.parse().ok()?,
                RawSetting::Flag(_)
                | RawSetting::List(_)
                | RawSetting::Other(_)
                | RawSetting::Section => return None,
            };
            Some(value).filter(|value| range.contains(value))
        };
        self.value(key, (&right, ""), &default, read)
            .unwrap_or(default)
    }

    /// `true` or `false`.
    #[must_use]
    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        let read = |raw: &RawSetting| match raw {
            RawSetting::Flag(flag) => Some(*flag),
            RawSetting::Text(text) => text.parse().ok(),
            RawSetting::Integer(_)
            | RawSetting::List(_)
            | RawSetting::Other(_)
            | RawSetting::Section => None,
        };
        self.value(key, ("true or false", ""), &default, read)
            .unwrap_or(default)
    }

    /// One line of text, not empty.
    #[must_use]
    pub fn text(&self, key: &'static str, default: &str) -> String {
        self.value(key, (LINE, ""), &default, line)
            .unwrap_or_else(|| default.to_owned())
    }

    /// One line of text, or nothing.
    #[must_use]
    pub fn optional_text(&self, key: &'static str) -> Option<String> {
        self.value(key, (LINE, ""), &"", line)
    }

    /// One of a few words.
    #[must_use]
    pub fn choice<T: Clone>(&self, key: &'static str, default: T, words: &[(&str, T)]) -> T {
        let names: Vec<String> = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let right = format!("one of {}", names.join(", "));
        let read = |raw: &RawSetting| {
            let text = text_of(raw)?;
            words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| value.clone())
        };
        self.value(key, (&right, ""), &"", read).unwrap_or(default)
    }

    /// A list of texts; in the environment separated by commas.
    #[must_use]
    pub fn list(&self, key: &'static str, default: &[&str]) -> Vec<String> {
        let right = "a list of texts; in the environment separated by commas";
        let read = |raw: &RawSetting| match raw {
            RawSetting::List(texts) => texts.iter().map(|text| checked_line(text)).collect(),
            RawSetting::Text(text) => text
                .split(',')
                .map(|part| checked_line(part.trim()))
                .collect(),
            RawSetting::Flag(_)
            | RawSetting::Integer(_)
            | RawSetting::Other(_)
            | RawSetting::Section => None,
        };
        let found = self.value(key, (right, ""), &default.join(","), read);
        found.unwrap_or_else(|| default.iter().map(|text| (*text).to_owned()).collect())
    }

    /// A path as written; a relative one begins at the current directory.
    #[must_use]
    pub fn path(&self, key: &'static str, default: impl AsRef<Path>) -> PathBuf {
        let default = default.as_ref();
        self.value(key, ("a path", ""), &default.display(), line)
            .map_or_else(|| default.to_owned(), PathBuf::from)
    }

    /// A path, or nothing. Use it for a secret, in a file of its own: every child process inherits the environment, and
    /// settings are often shared.
    #[must_use]
    pub fn optional_path(&self, key: &'static str) -> Option<PathBuf> {
        self.value(key, ("a path", ""), &"", line)
            .map(PathBuf::from)
    }

    /// An address to listen on, with its port: `"127.0.0.1:8443"`, `"[::]:443"`.
    #[must_use]
    pub fn address(&self, key: &'static str, default: SocketAddr) -> SocketAddr {
        let right = format!("an IP address with a port, such as \"{default}\"");
        self.value(key, (&right, ""), &default, |raw| {
            text_of(raw)?.parse().ok()
        })
        .unwrap_or(default)
    }

    /// The path of the file with a secret that an application declares.
    pub(crate) fn secret_file(&self, setting: &DeclaredSetting) -> Option<PathBuf> {
        let right = (SECRET_FILE, setting.purpose());
        self.value(&setting.file(), right, &"", line)
            .map(PathBuf::from)
    }

    /// Refuses the file of a secret. The finding does not repeat the path: it may be the secret itself, in the wrong place
    /// (CWE-532).
    pub(crate) fn refuse_secret(&self, setting: &DeclaredSetting, what: &str, fix: &str) {
        let name = self.full(&setting.file());
        let place = self
            .written(&name)
            .map_or_else(String::new, |written| format!(" ({})", written.place));
        self.settings.state().refused.insert(name.clone());
        self.settings.push(
            Finding::refuse(
                Practice::of_section(self.name),
                "settings-secret",
                format!("{name}: {what}{place}"),
            )
            .why("The application would run without this secret.")
            .fix(fix)
            .asvs(&["13.3.1"]),
        );
    }

    /// Refuses a value that only its room can check, such as an invalid host name.
    pub fn refuse(&self, key: &'static str, right: &str) {
        let name = self.full(key);
        let finding = match self.written(&name) {
            Some(written) => self.bad(&name, &written, right),
            None => self.finding(format!("{name} is missing"), right),
        };
        self.settings.state().refused.insert(name);
        self.settings.push(finding);
    }

    /// Whether the value was refused. Problems that follow from its default are then not reported.
    pub(crate) fn is_refused(&self, key: &str) -> bool {
        self.settings.state().refused.contains(&self.full(key))
    }

    pub(super) fn value<T>(
        &self,
        key: &str,
        (right, help): (&str, &str),
        default: &dyn Display,
        read: impl FnOnce(&RawSetting) -> Option<T>,
    ) -> Option<T> {
        let name = self.full(key);
        let written = self.written(&name);
        let known = KnownSetting {
            variable: variable(&name),
            name: name.clone(),
            right: right.to_owned(),
            default: default.to_string(),
            help: help.to_owned(),
            place: written.as_ref().map(|written| written.place.clone()),
        };
        self.settings.state().asked.insert(name.clone(), known);
        let written = written?;
        let value = read(&written.raw);
        if value.is_none() {
            self.settings.push(self.bad(&name, &written, right));
            self.settings.state().refused.insert(name);
        }
        value
    }

    pub(super) fn full(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    fn written(&self, name: &str) -> Option<WrittenSetting> {
        let mut flags = self.settings.flags.iter();
        if let Some(flag) = flags.find(|flag| flag.setting == name) {
            return Some(WrittenSetting {
                raw: RawSetting::Text(flag.value.clone()),
                place: format!("the flag {}", flag.name),
            });
        }
        let variable = variable(name);
        if let Some(text) = self.settings.environment.get(&variable) {
            let place = format!("environment, {variable}");
            return Some(WrittenSetting {
                raw: RawSetting::Text(text.clone()),
                place,
            });
        }
        let value = self.settings.file.get(name)?;
        Some(WrittenSetting {
            raw: value.raw.clone(),
            place: value.place.clone(),
        })
    }

    fn bad(&self, name: &str, written: &WrittenSetting, right: &str) -> Finding {
        let value = match &written.raw {
            RawSetting::Flag(flag) => flag.to_string(),
            RawSetting::Integer(integer) => integer.to_string(),
            RawSetting::List(texts) => bounded(&format_args!("{texts:?}"), 80),
            RawSetting::Other(kind) => (*kind).to_owned(),
            RawSetting::Section => "a section".to_owned(),
            RawSetting::Text(text) => format!("\"{}\"", bounded(&without_password(text), 80)),
        };
        self.finding(
            format!("{name} cannot be {value} ({})", written.place),
            right,
        )
    }

    fn finding(&self, title: String, right: &str) -> Finding {
        Finding::refuse(Practice::of_section(self.name), "settings-value", title)
            .why("The application would not run with the intended value.")
            .fix(format!("Write {right}."))
            .cwe(1188)
    }
}

/// The values of a setting for the file of a secret.
pub(crate) const SECRET_FILE: &str = "the path of a file that holds the secret alone, and that only the application's user and group can read";

pub(super) const LINE: &str = "one line of text, not empty, of at most 4096 bytes";

fn text_of(raw: &RawSetting) -> Option<&str> {
    if let RawSetting::Text(text) = raw {
        Some(text)
    } else {
        None
    }
}

fn line(raw: &RawSetting) -> Option<String> {
    checked_line(text_of(raw)?)
}

/// Settings end up in headers and mails, where a control character starts another line (CWE-93).
pub(super) fn checked_line(text: &str) -> Option<String> {
    let plain = !text.is_empty() && text.len() <= LONGEST_TEXT && !text.contains(char::is_control);
    plain.then(|| text.to_owned())
}

/// The beginning of every variable of the environment that Dewar reads.
pub(crate) const PREFIX: &str = "DEWAR_";

/// The variable of a setting: `DEWAR_SESSIONS_IDLE` for `sessions.idle`.
pub(crate) fn variable(name: &str) -> String {
    let upper = name.chars().map(|c| match c {
        '.' | '-' => '_',
        other => other.to_ascii_uppercase(),
    });
    PREFIX.chars().chain(upper).collect()
}
/// A text without the password of an address in it.
fn without_password(text: &str) -> String {
    let hidden = || {
        let (scheme, rest) = text.split_once("://")?;
        let (who, place) = rest.rsplit_once('@')?;
        let (user, _) = who.split_once(':')?;
        Some(format!("{scheme}://{user}:…@{place}"))
    };
    hidden().unwrap_or_else(|| text.to_owned())
}
