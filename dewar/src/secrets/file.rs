//! `keys.toml`: read with suspicion, written whole or not at all.

use super::quality;
use crate::audit::{Clock, Finding, Mode, Severity, Word, owner_only};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::{Zeroize, Zeroizing};

/// Room for thousands of keys.
const LONGEST_FILE: u64 = 1024 * 1024;
/// A key older than this is worth a warning.
const OLD: i64 = 366 * 86_400;

/// The keys of a file that nothing is wrong with.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    /// The id of the current key: a name, because a position changes when a line is moved.
    pub(super) current: String,
    pub(super) keys: Vec<StoredKey>,
    /// What is worth knowing and refuses nothing.
    pub(super) findings: Vec<Finding>,
}

pub(super) struct StoredKey {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) retired: Option<i64>,
    pub(super) material: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The file's text, as TOML.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Text {
    current: String,
    #[serde(default)]
    keys: Vec<TextKey>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TextKey {
    id: String,
    created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired: Option<String>,
    key: Encoded,
}

#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Encoded(String);

impl Drop for Encoded {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

pub(super) fn path_in(dir: &Path) -> PathBuf {
    dir.join("keys.toml")
}

impl KeyFile {
    pub(super) fn new(dir: &Path, current: String, keys: Vec<StoredKey>) -> Self {
        Self {
            path: path_in(dir),
            current,
            keys,
            findings: Vec::new(),
        }
    }

    /// Reads the file; `None` where there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, Vec<Finding>> {
        let path = path_in(dir);
        let mut findings = Vec::new();
        let text = match text_of(&path, &mut findings) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(vec![unreadable(&path, &error.to_string())]),
        };
        if let Ok(metadata) = fs::metadata(dir)
            && owner_only::excess(&metadata, 0o022) != 0
        {
            findings.push(writable_directory(dir));
        }
        // The parser's message may quote a key, so only the line is told.
        let parsed: Result<Text, toml::de::Error> = toml::from_str(&text);
        let parsed = parsed.map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text
                .bytes()
                .take(start)
                .filter(|byte| *byte == b'\n')
                .count()
                + 1;
            vec![unreadable(
                &path,
                &format!("line {line} is not what `keys new` writes"),
            )]
        })?;
        let mut file = Self {
            path,
            current: parsed.current,
            keys: Vec::new(),
            findings,
        };
        for key in &parsed.keys {
            file.take(key);
        }
        file.judge();
        if file.findings.iter().any(|finding| finding.refuses_launch) {
            return Err(file.findings);
        }
        Ok(Some(file))
    }

    /// What a start without a file comes to: development makes one and says so.
    pub(super) fn missing(dir: &Path, mode: Mode) -> Result<Self, Vec<Finding>> {
        match mode {
            Mode::Production => Err(vec![Self::nothing(dir)]),
            Mode::Development => {
                let mut file = super::keys::create_unless_there(dir)?;
                let title = format!("A key was made, in {}", file.path.display());
                file.findings.push(
                    Finding::warn(Word::Secrets, "secrets-created", title)
                        .why("Development needs no preparation; production does.")
                        .fix("Keep it out of the repository.")
                        .severity(Severity::Info),
                );
                Ok(file)
            }
        }
    }

    /// The finding of a directory without a key file.
    pub(super) fn nothing(dir: &Path) -> Finding {
        let title = format!("There is no key file {}", path_in(dir).display());
        Finding::refuse(Word::Secrets, "secrets-missing", title)
            .why("Without a key, sessions, links and tokens could be forged. Production makes none by itself: each node would make another, and a lost volume would go unnoticed.")
            .fix("Run `<app> keys new` once, and give every node the same file.")
            .severity(Severity::Critical)
            .cwe(321)
            .asvs(&["13.3.1"])
    }

    /// The finding of a `current` that names no usable key.
    pub(super) fn no_current(&self) -> Finding {
        unreadable(
            &self.path,
            "`current` names no key of the file, or a retired one",
        )
    }

    fn take(&mut self, key: &TextKey) {
        let material = BASE64.decode(key.key.0.as_bytes()).map(Zeroizing::new);
        let created = unix(&key.created);
        let retired = key.retired.as_deref().map(unix);
        let id_is_plain = (1..=32).contains(&key.id.len())
            && key
                .id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_new = self.keys.iter().all(|other| other.id != key.id);
        match (
            material,
            created,
            retired.map_or(Some(None), |it| it.map(Some)),
        ) {
            (Ok(material), Some(created), Some(retired)) if id_is_plain && is_new => {
                self.keys.push(StoredKey {
                    id: key.id.clone(),
                    created,
                    retired,
                    material,
                });
            }
            (_, _, _) => {
                let number = self.keys.len() + 1;
                let why = format!("key {number} has no id of its own, no time, or is not base64");
                self.findings.push(unreadable(&self.path, &why));
            }
        }
    }

    fn judge(&mut self) {
        for key in &self.keys {
            if let Some(weakness) = quality::weakness(&key.material) {
                self.findings.push(weak(&key.id, weakness));
            }
        }
        let current = self
            .keys
            .iter()
            .find(|key| key.id == self.current && key.retired.is_none());
        match current {
            None => self.findings.push(self.no_current()),
            Some(key) if Clock::system().now() - key.created > OLD => self.findings.push(
                Finding::warn(
                    Word::Secrets,
                    "secrets-old",
                    format!("The key {} is over a year old", key.id),
                )
                .why("The longer a key is in use, the more is lost with it.")
                .fix("Run `<app> keys rotate`; what the old key signed stays valid.")
                .severity(Severity::Low)
                .cwe(324)
                .asvs(&["13.3.4"]),
            ),
            Some(_) => {}
        }
        self.keys.sort_by_key(|key| std::cmp::Reverse(key.created));
    }

    /// Writes the file: a reader, or a power cut, finds the old one or the new one.
    pub(super) fn write(&self) -> io::Result<()> {
        let directory = owner_only::directory_of(&self.path);
        // Through a symlink, the file it leads to is replaced, not the link.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let draft = target.with_extension(format!("toml.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = owner_only::private(&mut options).open(&draft)?;
        let written = file
            .write_all(self.text()?.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&draft, &target));
        if let Err(error) = written {
            fs::remove_file(&draft).ok();
            return Err(error);
        }
        owner_only::sync_directory(target.parent().unwrap_or(directory))
    }

    fn text(&self) -> io::Result<Zeroizing<String>> {
        let keys = self.keys.iter().map(|key| TextKey {
            id: key.id.clone(),
            created: iso(key.created),
            retired: key.retired.map(iso),
            key: Encoded(BASE64.encode(&key.material)),
        });
        let text = Text {
            current: self.current.clone(),
            keys: keys.collect(),
        };
        let toml = Zeroizing::new(toml::to_string(&text).map_err(io::Error::other)?);
        Ok(Zeroizing::new(format!("{HEADER}{}", *toml)))
    }
}

const HEADER: &str = "\
# The keys of this application. Whoever reads this file can sign in as anyone.
# Back it up apart from the data; keep it out of the repository, the image and the environment.
# `keys rotate` adds a key and keeps the others for what they signed; `keys retire` ends one.

";

fn text_of(path: &Path, findings: &mut Vec<Finding>) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    // Of the open file, not of the name: nobody can put another in its place between the two.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if owner_only::excess(&metadata, 0o077) != 0 {
        findings.push(exposed(path));
    }
    if owner_only::foreign(&metadata) == Some(true) {
        let title = format!("The key file {} belongs to another user", path.display());
        findings.push(
            Finding::warn(Word::Secrets, "secrets-owner", title)
                .why("Its owner can replace the keys.")
                .fix(format!(
                    "chown it to the user that runs the application: {}",
                    path.display()
                ))
                .cwe(282)
                .asvs(&["13.3.2"]),
        );
    }
    // Of its final size at once: a buffer that grows leaves copies behind.
    let capacity = usize::try_from(metadata.len().min(LONGEST_FILE)).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    file.take(LONGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}

fn exposed(path: &Path) -> Finding {
    let title = format!(
        "The key file {} can be read or written by others",
        path.display()
    );
    Finding::refuse(Word::Secrets, "secrets-exposed", title)
        .why("Whoever reads the key can sign in as anyone.")
        .fix(format!(
            "chmod 600 {}, and rotate if anyone may have read it",
            path.display()
        ))
        .severity(Severity::Critical)
        .cwe(732)
        .asvs(&["13.3.1", "13.3.2"])
}

fn writable_directory(dir: &Path) -> Finding {
    let title = format!(
        "The directory of the keys, {}, is writable by others",
        dir.display()
    );
    Finding::refuse(Word::Secrets, "secrets-directory-writable", title)
        .why("Whoever can write it can put another key file in place.")
        .fix(format!("chmod 700 {}", dir.display()))
        .cwe(732)
        .asvs(&["13.3.2"])
}

fn weak(id: &str, weakness: &str) -> Finding {
    Finding::refuse(
        Word::Secrets,
        "secrets-weak",
        format!("The key {id} {weakness}"),
    )
    .why("A key that can be guessed protects nothing, whatever is built on it.")
    .fix("Remove it from the file, or move the file away, and run `<app> keys new`: what it signed may be forged.")
    .severity(Severity::Critical)
    .cwe(331)
    .asvs(&["11.2.3", "13.3.1"])
}

pub(super) fn unreadable(path: &Path, why: &str) -> Finding {
    let title = format!("The key file {} cannot be used: {why}", path.display());
    Finding::refuse(Word::Secrets, "secrets-unusable", title)
        .why("Going on with some of the keys would end sessions and links without a word.")
        .fix("Mend it, or restore it from its backup.")
        .asvs(&["13.3.1"])
}

fn unix(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .map(OffsetDateTime::unix_timestamp)
}

fn iso(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}
