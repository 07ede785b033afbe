//! The work of the `keys` command.

use super::file::{self, KeyFile, StoredKey};
use super::random::random;
use super::ring::{KeyRing, new_id};
use super::source::{FileNaming, KeySource};
use crate::audit::{Finding, Practice, owner_only};
use std::fs::{File, OpenOptions};
use std::io;
use zeroize::Zeroizing;

/// The public facts about a key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its name, which is the prefix of everything made with it.
    pub id: String,
    /// When it was made, in unix seconds.
    pub created: i64,
    /// Whether it is the current key.
    pub current: bool,
    /// When it was revoked, in unix seconds.
    pub revoked: Option<i64>,
    /// Its state.
    pub state: KeyState,
}

/// The state of a key, with the names of NIST SP 800-57 part 1, 7. A deactivated key still verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyState {
    /// It signs and seals.
    Active,
    /// It verifies and opens what it made, and makes nothing new.
    Deactivated,
    /// It is the current key, but other processes may not know it yet: it only verifies.
    PreActive,
    /// It verifies old entries of the audit log and nothing else.
    Revoked,
}

impl KeyState {
    /// The state as lists write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::PreActive => "pre-active",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyRing {
    /// Makes the key file, with one key: `keys new`. It does not change an existing file.
    ///
    /// # Errors
    /// The file exists already, or it cannot be written.
    pub fn create(source: impl Into<KeySource>) -> Result<KeyInfo, Vec<Finding>> {
        let source = &source.into();
        let _lock = lock(source)?;
        if KeyFile::read(source)?.is_some() {
            return Err(vec![refused(
                "The key file already exists",
                "To replace the key, run `<app> keys rotate`: signatures of the old one stay valid.",
            )]);
        }
        current_of(&make(source)?)
    }

    /// Adds a key and makes it current; the others stay, for what they signed and sealed: `keys rotate`.
    ///
    /// # Errors
    /// The key file is missing or invalid, or it cannot be written.
    pub fn rotate(source: impl Into<KeySource>) -> Result<KeyInfo, Vec<Finding>> {
        let source = &source.into();
        let _lock = lock(source)?;
        let mut file = KeyFile::read(source)?.ok_or_else(|| vec![KeyFile::nothing(source)])?;
        let key = new_key(source);
        file.current.clone_from(&key.id);
        file.keys.insert(0, key);
        write(source, &file)?;
        current_of(&file)
    }

    /// Revokes an older key, after a leak or when nothing made with it is left: `keys revoke`. From then on Dewar
    /// refuses what it signed and sealed; it stays in the file for the audit log's old entries.
    ///
    /// # Errors
    /// The key does not exist, it is the current one, or the file cannot be written.
    pub fn revoke(source: impl Into<KeySource>, id: &str) -> Result<(), Vec<Finding>> {
        let source = &source.into();
        let _lock = lock(source)?;
        let mut file = KeyFile::read(source)?.ok_or_else(|| vec![KeyFile::nothing(source)])?;
        if id == file.current {
            return Err(vec![refused(
                "The current key cannot be revoked",
                "Run `<app> keys rotate` first.",
            )]);
        }
        let Some(key) = file.keys.iter_mut().find(|key| key.id == id) else {
            return Err(vec![refused(
                "No key has that id",
                "`<app> keys list` shows the ids.",
            )]);
        };
        key.revoked.get_or_insert(source.now());
        write(source, &file)
    }

    /// The keys of the file, newest first: `keys list`.
    ///
    /// # Errors
    /// The file is invalid.
    pub fn list(source: impl Into<KeySource>) -> Result<Vec<KeyInfo>, Vec<Finding>> {
        let source = &source.into();
        let file = KeyFile::read(source)?.ok_or_else(|| vec![KeyFile::nothing(source)])?;
        Ok(infos(&file))
    }
}

/// The file of a directory. It makes one if it is missing. If two processes start at once, the second finds the file of
/// the first.
pub(super) fn create_unless_there(source: &KeySource) -> Result<KeyFile, Vec<Finding>> {
    let _lock = lock(source)?;
    match KeyFile::read(source)? {
        Some(file) => Ok(file),
        None => make(source),
    }
}

fn make(source: &KeySource) -> Result<KeyFile, Vec<Finding>> {
    let key = new_key(source);
    let file = KeyFile::new(source, key.id.clone(), vec![key]);
    write(source, &file)?;
    Ok(file)
}

fn new_key(source: &KeySource) -> StoredKey {
    let material = Zeroizing::new(random::<32>().to_vec());
    StoredKey {
        id: new_id(),
        created: source.now(),
        revoked: None,
        material,
    }
}

/// One process at a time changes the file. The system releases the lock when the process ends, in whatever way.
fn lock(source: &KeySource) -> Result<File, Vec<Finding>> {
    if source.is_a_copy() {
        return Err(vec![read_only(source)]);
    }
    let locked = || -> io::Result<File> {
        let target = source.target();
        owner_only::create_directory(owner_only::directory_of(&target))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = owner_only::private(&mut options).open(target.with_extension("lock"))?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|error| vec![unwritable(source, &error)])
}

fn write(source: &KeySource, file: &KeyFile) -> Result<(), Vec<Finding>> {
    file.write()
        .map_err(|error| vec![unwritable(source, &error)])
}

fn unwritable(source: &KeySource, error: &io::Error) -> Finding {
    let forbidden = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    if forbidden.contains(&error.kind()) {
        read_only(source)
    } else {
        file::unreadable(source.file(), &error.to_string())
    }
}

/// How to change the keys if the application cannot change the file that it reads.
fn read_only(source: &KeySource) -> Finding {
    let path = source.file().display();
    let (what, how) = match source.how() {
        FileNaming::Credential => (
            "is a credential, which systemd copied at the start",
            "Run it on the file that LoadCredential= names, as its owner: `DEWAR_SECRETS_FILE=<that file> <app> keys …`. Then `systemctl restart` the service, which gets its credentials at its start.",
        ),
        FileNaming::Default => (
            "cannot be written by this user",
            "Run the command as the user that owns the file.",
        ),
        FileNaming::Setting => (
            "is mounted, and cannot be changed here",
            "Copy the secret into a file of mode 0600 on your own machine, run `DEWAR_SECRETS_FILE=<that file> <app> keys …` there, and put the result back: `kubectl create secret generic <name> --from-file=keys.toml=<that file> --dry-run=client -o yaml | kubectl apply -f -`, or a new Docker secret. Running programs load it automatically.",
        ),
    };
    Finding::refuse(
        Practice::Secrets,
        "secrets-read-only",
        format!("The key file {path} {what}"),
    )
    .why("A change here would reach no other node, and would be lost at the next start.")
    .fix(how)
    .asvs(&["13.3.4"])
}

fn infos(file: &KeyFile) -> Vec<KeyInfo> {
    let signing = file.signing();
    let info = |key: &StoredKey| {
        let current = key.id == file.current;
        let state = match (key.revoked, signing == Some(&key.id), current) {
            (Some(_), _, _) => KeyState::Revoked,
            (None, true, _) => KeyState::Active,
            (None, false, true) => KeyState::PreActive,
            (None, false, false) => KeyState::Deactivated,
        };
        KeyInfo {
            id: key.id.clone(),
            created: key.created,
            current,
            revoked: key.revoked,
            state,
        }
    };
    file.keys.iter().map(info).collect()
}

fn current_of(file: &KeyFile) -> Result<KeyInfo, Vec<Finding>> {
    let current = infos(file).into_iter().find(|info| info.current);
    current.ok_or_else(|| vec![file.no_current()])
}

fn refused(title: &str, fix: &str) -> Finding {
    Finding::refuse(Practice::Secrets, "secrets-keys-command", title).fix(fix)
}

#[cfg(test)]
mod tests;
