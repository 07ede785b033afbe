//! A secret as a setting of an application: it is in a file of its own, and the setting names the file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Secret;
use super::source::FileOwner;
use crate::audit::owner_only::TooOpen;
use crate::audit::{DeclaredSetting, SECRET_FILE, Section, SettingField};

/// The longest secret.
const LONGEST: u64 = 64 * 1024;

/// A file that is no secret.
enum Refusal {
    Fix(&'static str, String),
    Unreadable(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Reads a secret without the end of its line.
fn read(path: &Path) -> Result<Secret<String>, Refusal> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file").into());
    }
    // Its path is known to be one: the file exists.
    if let Some(open) = TooOpen::of(path, &metadata, FileOwner::Handed.unwanted()) {
        let fix = format!(
            "{}, and change the secret if another user may have read it.",
            open.fix()
        );
        return Err(Refusal::Fix("other users can read its file", fix));
    }
    // With its space from the beginning: a text that grows leaves its earlier copies behind.
    let space = metadata.len().min(LONGEST) + 1;
    let mut text = String::with_capacity(usize::try_from(space).unwrap_or_default());
    file.take(LONGEST + 1).read_to_string(&mut text)?;
    let is_long = text.len() as u64 > LONGEST;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    let secret = Secret::new(text);
    if is_long {
        return Err(io::Error::other("it is longer than 64 KiB").into());
    }
    if secret.expose().is_empty() {
        return Err(io::Error::other("it is empty").into());
    }
    Ok(secret)
}

/// The secret that a setting names; the outer `None` is a refusal that a finding reports.
fn named(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Option<Secret<String>>> {
    if setting.has_values() {
        section.wrong_declaration(
            setting,
            "a secret has no default and no bounds",
            SECRET_FILE,
        );
        return None;
    }
    let Some(path) = section.secret_file(setting) else {
        let refused = section.is_refused(&setting.file());
        return (!refused).then_some(None);
    };
    match read(&path) {
        Ok(secret) => Some(Some(secret)),
        Err(Refusal::Fix(what, fix)) => {
            section.refuse_secret(setting, what, &fix);
            None
        }
        Err(Refusal::Unreadable(error)) => {
            let what = format!("Dewar cannot read the file: {error}");
            section.refuse_secret(setting, &what, &format!("Write {SECRET_FILE}."));
            None
        }
    }
}

impl SettingField for Secret<String> {
    fn read(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Self> {
        let found = named(section, setting)?;
        if found.is_none() {
            section.missing(&setting.file(), SECRET_FILE, setting.purpose());
        }
        found
    }
}

impl SettingField for Option<Secret<String>> {
    fn read(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Self> {
        named(section, setting)
    }
}
