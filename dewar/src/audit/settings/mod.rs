//! Settings: `dewar.toml` and the environment, read once, by type, with every problem at once.

mod declared;
mod file;
pub(crate) mod nearest;
mod parse;
mod renamed;
mod section;
mod value;

pub use declared::{DeclaredSetting, SettingField, SettingsSection};
pub(crate) use parse::duration;
#[cfg(test)]
pub(crate) use renamed::RENAMED;
pub use section::Section;
pub(crate) use section::{PREFIX, SECRET_FILE, variable};
pub use value::{BoundedValue, ByteSize, SettingValue};

use super::{Finding, Practice};
use crate::audit::sanitize::bounded;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The settings of the file and the environment. Each room reads its own section.
///
/// The environment overrides the file: `DEWAR_SESSIONS_IDLE=30m` overrides `[sessions] idle = "8h"`. A name that no
/// [section](Section) reads is unknown, and an unknown name refuses the launch: a misspelt protection must not be a
/// protection that is off.
///
/// ```
/// use dewar::audit::Settings;
/// use std::time::Duration;
/// let env = [("DEWAR_SESSIONS_IDEL".to_owned(), "15m".to_owned())];
/// let settings = Settings::read(None, env);
/// let day = Duration::from_secs(86_400);
/// let idle = settings.section("sessions").duration("idle", day / 2, Duration::ZERO..=day);
/// assert_eq!(idle, day / 2);
/// let findings = settings.finish();
/// assert_eq!(findings[0].fix, "Did you mean DEWAR_SESSIONS_IDLE?");
/// ```
#[derive(Debug, Default)]
pub struct Settings {
    file: BTreeMap<String, FileValue>,
    /// Whether the named file could not be parsed, so that all other problems would only follow from that.
    is_broken: bool,
    environment: BTreeMap<String, String>,
    flags: Vec<Flag>,
    state: Mutex<SettingsState>,
}

#[derive(Debug, Default)]
struct SettingsState {
    /// Each dotted name with its bounds and default.
    asked: BTreeMap<String, KnownSetting>,
    /// The settings whose values were refused.
    refused: BTreeSet<String>,
    findings: Vec<Finding>,
}

/// A setting that a room reads, as commands and the documentation's test list it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct KnownSetting {
    /// As in the file, with its section: `sessions.idle`.
    pub name: String,
    /// As in the environment: `DEWAR_SESSIONS_IDLE`.
    pub variable: String,
    /// The allowed values.
    pub right: String,
    /// The default.
    pub default: String,
    /// The purpose, in the words of the application; empty for a setting of the framework, which `docs/deployment.md` has.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// Where its value is written, without the value: `dewar.toml, line 3`. None if it has its default.
    pub place: Option<String>,
}

/// A setting on the command line.
#[derive(Clone)]
pub(crate) struct Flag {
    /// As it was typed: `--https`.
    pub(crate) name: &'static str,
    /// The setting, as in the file: `https.address`.
    pub(crate) setting: &'static str,
    pub(crate) value: String,
}

// Like the other types here, it does not print the value.
impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flag")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A value of the file and its place.
struct FileValue {
    raw: RawSetting,
    place: String,
}

// Do not print values of the file or the environment: one may be a password in the wrong place.
impl std::fmt::Debug for FileValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileValue")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum RawSetting {
    Flag(bool),
    Integer(i64),
    List(Vec<String>),
    Other(&'static str),
    Section,
    Text(String),
}

impl Settings {
    /// Reads the file, if one is named, and the `DEWAR_…` variables of the environment.
    ///
    /// It does not fail: a file that cannot be read or parsed is a refusing [`Finding`] of [`finish`](Self::finish).
    /// The caller reads `DEWAR_CONFIG` and names the file.
    #[must_use]
    pub fn read(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut findings = Vec::new();
        let file = file
            .map(|path| file::read(path, &mut findings))
            .unwrap_or_default();
        let is_broken = findings.iter().any(|finding| finding.id == "settings-file");
        let environment = env
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && name != "DEWAR_CONFIG")
            .collect();
        let state = Mutex::new(SettingsState {
            asked: BTreeMap::new(),
            refused: BTreeSet::new(),
            findings,
        });
        Self {
            file,
            is_broken,
            environment,
            flags: Vec::new(),
            state,
        }
    }

    /// Adds the settings of the command line, which override all others.
    #[must_use]
    pub(crate) fn with_flags(self, flags: Vec<Flag>) -> Self {
        Self { flags, ..self }
    }

    /// The settings of one room, or of the application itself. A dotted name is a section in a section.
    #[must_use]
    pub const fn section(&self, name: &'static str) -> Section<'_> {
        Section::new(self, name)
    }

    /// The settings of a section whose name the operator chose.
    pub(crate) const fn section_of<'a>(&'a self, name: &'a str) -> Section<'a> {
        Section::new(self, name)
    }

    /// The names of the sections that the operator wrote below this one: `google` for `[accounts.providers.google]` and for
    /// `DEWAR_ACCOUNTS_PROVIDERS_GOOGLE_ISSUER`. A name in a variable ends at its first `_`.
    pub(crate) fn sections_below(&self, parent: &str) -> BTreeSet<String> {
        let (in_file, in_variables) = (format!("{parent}."), format!("{}_", variable(parent)));
        let file = self.file.keys().filter_map(|name| {
            let rest = name.strip_prefix(&in_file)?;
            Some(rest.split('.').next().unwrap_or(rest).to_owned())
        });
        let variables = self.environment.keys().filter_map(|name| {
            let (section, _) = name.strip_prefix(&in_variables)?.split_once('_')?;
            Some(section.to_ascii_lowercase())
        });
        file.chain(variables).collect()
    }

    /// The settings above every section: `mode`, `data`.
    #[must_use]
    pub const fn top(&self) -> Section<'_> {
        Section::new(self, "")
    }

    /// Adds what a room found while it read its section.
    pub fn push(&self, finding: Finding) {
        self.state().findings.push(finding);
    }

    /// Every setting read so far, by name.
    #[must_use]
    pub fn known(&self) -> Vec<KnownSetting> {
        self.state().asked.values().cloned().collect()
    }

    /// Everything that is wrong, once every room has read its section: values out of bounds, and unknown names.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        let Self {
            file,
            is_broken,
            environment,
            flags: _,
            state,
        } = self;
        let SettingsState {
            asked,
            refused: _,
            mut findings,
        } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if is_broken {
            findings.retain(|finding| {
                finding.word == Practice::Audit && finding.id.starts_with("settings-file")
            });
            return findings;
        }
        let names: Vec<&str> = asked.keys().map(String::as_str).collect();
        for (name, value) in &file {
            if is_known(name, &value.raw, &names) {
                continue;
            }
            findings.push(match of_its_file(name, &names) {
                Some(file) => secret_in_place(name, &value.place, &file),
                None => unknown_in_file(name, value, &names),
            });
        }
        let variables: Vec<&str> = asked
            .values()
            .map(|known| known.variable.as_str())
            .collect();
        for variable in environment.keys() {
            if variables.contains(&variable.as_str()) {
                continue;
            }
            findings.push(
                match variables
                    .iter()
                    .find(|known| is_file_of(known, variable, "_FILE"))
                {
                    Some(file) => secret_in_place(variable, "environment", file),
                    None => unknown_in_environment(variable, &variables),
                },
            );
        }
        findings
    }

    fn state(&self) -> MutexGuard<'_, SettingsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A section is known if a room reads a setting inside it; unknown settings inside it are reported one by one.
fn is_known(name: &str, raw: &RawSetting, names: &[&str]) -> bool {
    let inside = |known: &&str| {
        known
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    names.contains(&name) || (matches!(raw, RawSetting::Section) && names.iter().any(inside))
}

/// The setting that names the file of this secret: `mail.password_file` for `mail.password`.
fn of_its_file(name: &str, names: &[&str]) -> Option<String> {
    let file = names.iter().find(|known| is_file_of(known, name, "_file"));
    file.map(|file| (*file).to_owned())
}

fn is_file_of(known: &str, name: &str, ending: &str) -> bool {
    known.strip_suffix(ending) == Some(name)
}

/// A secret is in a file of its own: every child process inherits the environment, and settings are often shared.
fn secret_in_place(name: &str, place: &str, file: &str) -> Finding {
    let title = format!(
        "{} is a secret and cannot be written here ({place})",
        bounded(&name, 80)
    );
    Finding::refuse(Practice::Secrets, "settings-secret-in-place", title)
        .why("Settings are copied, shared and printed, and every child process inherits the environment.")
        .fix(format!("Write the secret into a file that only the application's user can read, name the file in {file}, and change the secret if others may have read it."))
        .cwe(526)
        .asvs(&["13.3.1"])
}

fn unknown_in_file(name: &str, value: &FileValue, names: &[&str]) -> Finding {
    let shown = bounded(&name, 80);
    if let Some(new) = renamed::new_name(name).filter(|new| names.contains(new)) {
        let title = format!("{shown} is named {new} now ({})", value.place);
        return has_a_new_name(Practice::of_section(name), title, new);
    }
    let (title, fix) = if matches!(value.raw, RawSetting::Section) {
        let sections: Vec<&str> = names
            .iter()
            .filter_map(|known| Some(known.rsplit_once('.')?.0))
            .collect();
        (
            format!("[{shown}] is not a section ({})", value.place),
            nearest::suggest(name, &sections),
        )
    } else {
        (
            format!("{shown} is not a setting ({})", value.place),
            nearest::suggest(name, names),
        )
    };
    unknown(Practice::of_section(name), title, fix)
}

fn unknown_in_environment(variable: &str, variables: &[&str]) -> Finding {
    if let Some(new) = renamed::new_variable(variable).filter(|new| variables.contains(&&**new)) {
        let title = format!("{variable} is named {new} now (environment)");
        return has_a_new_name(Practice::Audit, title, &new);
    }
    let title = format!("{} is not a setting (environment)", bounded(&variable, 80));
    unknown(
        Practice::Audit,
        title,
        nearest::suggest(variable, variables),
    )
}

fn has_a_new_name(word: Practice, title: String, new: &str) -> Finding {
    Finding::refuse(word, "settings-renamed", title)
        .why("Dewar does not read the old name, so its value would have no effect.")
        .fix(format!("Write {new} instead; the value stays as it is."))
        .cwe(1188)
}

fn unknown(word: Practice, title: String, fix: String) -> Finding {
    Finding::refuse(word, "settings-unknown", title)
        .why("Dewar does not read an unknown setting, so the intended protection would be missing.")
        .fix(fix)
        .cwe(1188)
}

#[cfg(test)]
mod tests;
