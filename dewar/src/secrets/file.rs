//! `keys.toml`: read with checks, written atomically.

use super::mounts::{self, Below};
use super::quality;
use super::source::{FileNaming, FileOwner, KeySource, Stamp};
use crate::audit::owner_only::{self, TooOpen};
use crate::audit::{Finding, Mode, Practice, Severity};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::{Zeroize, Zeroizing};

/// Enough for thousands of keys.
const LONGEST_FILE: u64 = 1024 * 1024;
/// Dewar warns about a key older than this.
const OLD: i64 = 366 * 86_400;

/// The keys of a file without faults.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) source: KeySource,
    /// The state of the file that this was read from.
    pub(super) stamp: Option<Stamp>,
    /// The id of the current key. It is a name, because a position changes when a line is moved.
    pub(super) current: String,
    pub(super) keys: Vec<StoredKey>,
    /// Findings that do not forbid the start.
    pub(super) findings: Vec<Finding>,
}

pub(super) struct StoredKey {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) revoked: Option<i64>,
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
struct KeyFileText {
    current: String,
    #[serde(default)]
    keys: Vec<TextKey>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TextKey {
    id: String,
    created: String,
    // Earlier versions wrote `retired`.
    #[serde(default, alias = "retired", skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
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

impl KeyFile {
    pub(super) fn new(source: &KeySource, current: String, keys: Vec<StoredKey>) -> Self {
        Self {
            source: source.clone(),
            stamp: None,
            current,
            keys,
            findings: Vec::new(),
        }
    }

    /// Reads the file; `None` if it does not exist.
    pub(super) fn read(source: &KeySource) -> Result<Option<Self>, Vec<Finding>> {
        let mut findings = Vec::new();
        let (text, stamp) = match text_of(source, &mut findings) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(vec![unreadable(source.file(), &error.to_string())]),
        };
        for directory in source.directories() {
            findings.extend(writable_directory(source, &directory));
        }
        // The parser's message may quote a key, so only the line is reported.
        let parsed: Result<KeyFileText, toml::de::Error> = toml::from_str(&text);
        let parsed = parsed.map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text
                .bytes()
                .take(start)
                .filter(|byte| *byte == b'\n')
                .count()
                + 1;
            vec![unreadable(
                source.file(),
                &format!("line {line} is not in the format of `keys new`"),
            )]
        })?;
        let mut file = Self {
            source: source.clone(),
            stamp: Some(stamp),
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

    /// The result of a start without a file: development makes one and logs that. If the settings name a missing file,
    /// the name is wrong or a secret was not mounted, so Dewar makes none.
    pub(super) fn missing(source: &KeySource, mode: Mode) -> Result<Self, Vec<Finding>> {
        match (mode, source.how()) {
            (Mode::Production, _) | (_, FileNaming::Credential | FileNaming::Setting) => {
                Err(vec![Self::nothing(source)])
            }
            (Mode::Development, FileNaming::Default) => {
                let mut file = super::keys::create_unless_there(source)?;
                let title = format!("Created a key, in {}", source.file().display());
                file.findings.push(
                    Finding::warn(Practice::Secrets, "secrets-created", title)
                        .why("Development creates it at start; production does not.")
                        .fix("Keep it out of the repository.")
                        .severity(Severity::Info),
                );
                Ok(file)
            }
        }
    }

    /// The finding about a missing key file.
    pub(super) fn nothing(source: &KeySource) -> Finding {
        let title = format!("The key file {} does not exist", source.file().display());
        Finding::refuse(Practice::Secrets, "secrets-missing", title)
            .why("Without a key, anyone could forge sessions, links and tokens. Dewar does not create one at start: each node would create another, and nobody would notice a lost volume.")
            .fix("Run `<app> keys new` once, and give every node the same file. If you mount it or name it in secrets.file, check that it exists.")
            .severity(Severity::Critical)
            .cwe(321)
            .asvs(&["13.3.1"])
    }

    /// Whether the file system of our own key file loses it at a restart, in production: then each process would have
    /// another key.
    pub(super) fn lost_at_restart(source: &KeySource, mode: Mode) -> Option<Finding> {
        if mode != Mode::Production || source.how() != FileNaming::Default {
            return None;
        }
        match mounts::below(source.file()) {
            Below::Disk => None,
            Below::ContainerLayer => Some(in_a_container(source.file())),
            Below::Memory => Some(in_memory(source.file())),
        }
    }

    /// The finding about a `current` that names no usable key.
    pub(super) fn no_current(&self) -> Finding {
        unreadable(
            self.source.file(),
            "`current` names a missing or revoked key",
        )
    }

    /// The id of the key that signs and seals now.
    pub(super) fn signing(&self) -> Option<&String> {
        let usable = self.keys.iter().filter(|key| key.revoked.is_none());
        let (current, previous): (Vec<_>, Vec<_>) = usable.partition(|key| key.id == self.current);
        let known_at = |key: &&StoredKey| key.created.saturating_add(self.source.settle_seconds());
        let key = signing(current.first()?, &previous, known_at, self.source.now());
        Some(&key.id)
    }

    fn take(&mut self, key: &TextKey) {
        let material = BASE64.decode(key.key.0.as_bytes()).map(Zeroizing::new);
        let created = unix(&key.created);
        let revoked = key.revoked.as_deref().map(unix);
        let id_is_plain = (1..=32).contains(&key.id.len())
            && key
                .id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_new = self.keys.iter().all(|other| other.id != key.id);
        match (
            material,
            created,
            revoked.map_or(Some(None), |it| it.map(Some)),
        ) {
            (Ok(material), Some(created), Some(revoked)) if id_is_plain && is_new => {
                self.keys.push(StoredKey {
                    id: key.id.clone(),
                    created,
                    revoked,
                    material,
                });
            }
            (_, _, _) => {
                let number = self.keys.len() + 1;
                let why = format!("key {number} has no unique id, no time, or is not base64");
                self.findings.push(unreadable(self.source.file(), &why));
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
            .find(|key| key.id == self.current && key.revoked.is_none());
        match current {
            None => self.findings.push(self.no_current()),
            Some(key) if is_old(key.created, self.source.now()) => self.findings.push(
                Finding::warn(
                    Practice::Secrets,
                    "secrets-old",
                    format!("The key {} is over a year old", key.id),
                )
                .why("The longer you use a key, the more a leak exposes.")
                .fix("Run `<app> keys rotate`; signatures of the old key stay valid.")
                .severity(Severity::Low)
                .cwe(324)
                .asvs(&["13.3.4"]),
            ),
            Some(_) => {}
        }
        self.keys.sort_by_key(|key| std::cmp::Reverse(key.created));
    }

    /// Writes the file atomically: a reader, or a start after a power cut, finds the old one or the new one. It keeps
    /// owner and mode, so that a service that reads the file by its group can still read it after `keys rotate`.
    pub(super) fn write(&self) -> io::Result<()> {
        // Through a symlink, replaces the file that it leads to, not the link.
        let target = self.source.target();
        let before = fs::metadata(&target).ok();
        let draft = target.with_extension(format!("toml.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = owner_only::private(&mut options).open(&draft)?;
        let written = file
            .write_all(self.text()?.as_bytes())
            .and_then(|()| before.map_or(Ok(()), |before| owner_only::same_owner(&file, &before)))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&draft, &target));
        if let Err(error) = written {
            fs::remove_file(&draft).ok();
            return Err(error);
        }
        owner_only::sync_directory(owner_only::directory_of(&target))
    }

    fn text(&self) -> io::Result<Zeroizing<String>> {
        let keys = self.keys.iter().map(|key| TextKey {
            id: key.id.clone(),
            created: iso(key.created),
            revoked: key.revoked.map(iso),
            key: Encoded(BASE64.encode(&key.material)),
        });
        let text = KeyFileText {
            current: self.current.clone(),
            keys: keys.collect(),
        };
        let toml = Zeroizing::new(toml::to_string(&text).map_err(io::Error::other)?);
        Ok(Zeroizing::new(format!("{HEADER}{}", *toml)))
    }
}

/// The key that signs and seals. A current key that another process may not know yet only verifies, and the newest key
/// that is old enough signs. If none is old enough, the one that has been known for longest signs.
pub(super) fn signing<'a, K>(
    current: &'a K,
    previous: &'a [K],
    known_at: impl Fn(&K) -> i64,
    now: i64,
) -> &'a K {
    if known_at(current) <= now {
        return current;
    }
    let settled = previous.iter().find(|key| known_at(key) <= now);
    settled.or_else(|| previous.last()).unwrap_or(current)
}

const HEADER: &str = "\
# The keys of this application. Whoever reads this file can sign in as anyone.
# Back it up apart from the data; keep it out of the repository, the image and the environment.
# `keys rotate` adds a key and keeps the others for what they signed; `keys revoke` ends one.

";

fn text_of(
    source: &KeySource,
    findings: &mut Vec<Finding>,
) -> io::Result<(Zeroizing<String>, Stamp)> {
    let path = source.file();
    let file = File::open(path)?;
    // Of the open file, not of the name: nobody can replace the file between the two calls.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if let Some(open) = TooOpen::of(path, &metadata, source.place().unwanted()) {
        findings.push(exposed(source, &open));
    }
    if is_anothers(source, &metadata) {
        findings.push(anothers(path));
    }
    // With its final size from the start, because a growing buffer leaves copies behind.
    let capacity = usize::try_from(metadata.len().min(LONGEST_FILE)).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    file.take(LONGEST_FILE).read_to_string(&mut text)?;
    Ok((text, Stamp::of(&metadata)))
}

/// Whether another user could replace the keys. For a mounted secret or credential, root may.
fn is_anothers(source: &KeySource, metadata: &fs::Metadata) -> bool {
    let link = fs::symlink_metadata(source.file());
    let anothers = |metadata: &fs::Metadata| {
        owner_only::foreign(metadata) == Some(true)
            && (source.place() == FileOwner::Ours || !owner_only::is_roots(metadata))
    };
    anothers(metadata) || link.is_ok_and(|link| anothers(&link))
}

fn anothers(path: &Path) -> Finding {
    let title = format!("The key file {} belongs to another user", path.display());
    Finding::warn(Practice::Secrets, "secrets-owner", title)
        .why("Its owner can replace the keys.")
        .fix(format!(
            "change its owner to the user that runs the application: {}",
            path.display()
        ))
        .cwe(282)
        .asvs(&["13.3.2"])
}

fn exposed(source: &KeySource, open: &TooOpen) -> Finding {
    let title = format!("The key file {}", open.title());
    let command = open.fix();
    let fix = match source.place() {
        FileOwner::Handed => format!(
            "Mode 0440 or less, with a group only for the application: Kubernetes `defaultMode: 0440` and `fsGroup`, Docker `mode: 0440`, elsewhere {command}. Rotate if another user may have read it."
        ),
        FileOwner::Ours => format!("{command}, and rotate if another user may have read it"),
    };
    Finding::refuse(Practice::Secrets, "secrets-exposed", title)
        .why("Anyone who reads the key can sign in as any user.")
        .fix(fix)
        .severity(Severity::Critical)
        .cwe(732)
        .asvs(&["13.3.1", "13.3.2"])
}

/// The finding about a directory in which others can replace the key file. The directory of a mounted secret may be
/// open and sticky, as Kubernetes mounts it: then only the file's owner can replace it.
fn writable_directory(source: &KeySource, directory: &Path) -> Option<Finding> {
    let metadata = fs::metadata(directory).ok()?;
    let is_sticky = owner_only::excess(&metadata, 0o1000) != 0;
    let is_open = owner_only::excess(&metadata, 0o022) != 0;
    if !is_open || (is_sticky && source.place() == FileOwner::Handed) {
        return None;
    }
    let title = format!(
        "The directory of the keys, {}, is writable by others",
        directory.display()
    );
    let finding = Finding::refuse(Practice::Secrets, "secrets-directory-writable", title)
        .why("Anyone who can write to it can replace the key file.")
        .fix(format!("chmod 700 {}", directory.display()))
        .cwe(732)
        .asvs(&["13.3.2"]);
    Some(finding)
}

fn in_memory(path: &Path) -> Finding {
    let title = format!(
        "The key file {} is on a file system in memory and is lost at the next start",
        path.display()
    );
    Finding::refuse(Practice::Secrets, "secrets-lost-at-restart", title)
        .why("A new key at each start ends every link and form. Dewar could not verify the audit log's chain, or decrypt sealed values in the database.")
        .fix("Put the data directory on a disk or a volume, or mount the key as a secret and name it in secrets.file.")
        .cwe(321)
        .asvs(&["13.3.1", "13.3.4"])
}

fn in_a_container(path: &Path) -> Finding {
    let title = format!(
        "The key file {} is in the container's own layer",
        path.display()
    );
    Finding::warn(Practice::Secrets, "secrets-in-container", title)
        .why("The layer and its keys are lost with the container. If the key file is in the image, everyone who can pull the image has the keys.")
        .fix("Mount a volume at the data directory, or mount the key as a secret and name it in secrets.file.")
        .cwe(321)
        .asvs(&["13.3.1"])
}

/// Whether a key is so old that it should be replaced.
pub(super) const fn is_old(created: i64, now: i64) -> bool {
    now - created > OLD
}

fn weak(id: &str, weakness: &str) -> Finding {
    Finding::refuse(
        Practice::Secrets,
        "secrets-weak",
        format!("The key {id} {weakness}"),
    )
    .why("A key that an attacker can guess protects nothing.")
    .fix("Remove it from the file, or move the file away, and run `<app> keys new`. An attacker may have forged its signatures.")
    .severity(Severity::Critical)
    .cwe(331)
    .asvs(&["11.2.3", "13.3.1"])
}

pub(super) fn unreadable(path: &Path, why: &str) -> Finding {
    let title = format!("Cannot use the key file {}: {why}", path.display());
    Finding::refuse(Practice::Secrets, "secrets-unusable", title)
        .why("With only some of the keys, sessions and links would end without an error.")
        .fix("Fix it, or restore it from its backup.")
        .asvs(&["13.3.1"])
}

fn unix(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .map(OffsetDateTime::unix_timestamp)
}

pub(super) fn iso(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}
