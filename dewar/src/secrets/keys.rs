//! What the `keys` command does.

use super::file::{self, KeyFile, StoredKey};
use super::random::random;
use super::ring::{KeyRing, new_id};
use crate::audit::{Clock, Finding, Word, owner_only};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// What can be told about a key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its name, which stands in front of everything made with it.
    pub id: String,
    /// When it was made, in unix seconds.
    pub created: i64,
    /// Whether new things are made with it.
    pub current: bool,
    /// When it was retired, in unix seconds.
    pub retired: Option<i64>,
}

impl KeyRing {
    /// Makes the key file, with one key: `keys new`. An existing file is left as it is.
    ///
    /// # Errors
    /// There is one already, or it cannot be written.
    pub fn create(dir: &Path) -> Result<KeyInfo, Vec<Finding>> {
        let _lock = lock(dir)?;
        if KeyFile::read(dir)?.is_some() {
            return Err(vec![refused(
                "There is a key file already",
                "To replace the key, run `<app> keys rotate`: what the old one signed stays valid.",
            )]);
        }
        current_of(&make(dir)?)
    }

    /// Adds a key and makes it current; the others stay, for what they signed and sealed: `keys rotate`.
    ///
    /// # Errors
    /// There is no key file, something is wrong with it, or it cannot be written.
    pub fn rotate(dir: &Path) -> Result<KeyInfo, Vec<Finding>> {
        let _lock = lock(dir)?;
        let mut file = KeyFile::read(dir)?.ok_or_else(|| vec![KeyFile::nothing(dir)])?;
        let key = new_key();
        file.current.clone_from(&key.id);
        file.keys.insert(0, key);
        write(dir, &file)?;
        current_of(&file)
    }

    /// Ends an older key, after a leak or when nothing made with it is left: `keys retire`. What it
    /// signed and sealed is refused from then on; it stays in the file for the audit log's old entries.
    ///
    /// # Errors
    /// There is no such key, it is the current one, or the file cannot be written.
    pub fn retire(dir: &Path, id: &str) -> Result<(), Vec<Finding>> {
        let _lock = lock(dir)?;
        let mut file = KeyFile::read(dir)?.ok_or_else(|| vec![KeyFile::nothing(dir)])?;
        if id == file.current {
            return Err(vec![refused(
                "The current key cannot be retired",
                "Run `<app> keys rotate` first.",
            )]);
        }
        let Some(key) = file.keys.iter_mut().find(|key| key.id == id) else {
            return Err(vec![refused(
                "There is no key of that id",
                "`<app> keys list` shows them.",
            )]);
        };
        key.retired.get_or_insert(Clock::system().now());
        write(dir, &file)
    }

    /// The keys of the file, newest first: `keys list`.
    ///
    /// # Errors
    /// Something is wrong with the file.
    pub fn list(dir: &Path) -> Result<Vec<KeyInfo>, Vec<Finding>> {
        let file = KeyFile::read(dir)?.ok_or_else(|| vec![KeyFile::nothing(dir)])?;
        Ok(infos(&file))
    }
}

/// The file of a directory, made first where there is none. Of two processes that start at once, the
/// second finds what the first made.
pub(super) fn create_unless_there(dir: &Path) -> Result<KeyFile, Vec<Finding>> {
    let _lock = lock(dir)?;
    match KeyFile::read(dir)? {
        Some(file) => Ok(file),
        None => make(dir),
    }
}

fn make(dir: &Path) -> Result<KeyFile, Vec<Finding>> {
    let key = new_key();
    let file = KeyFile::new(dir, key.id.clone(), vec![key]);
    write(dir, &file)?;
    Ok(file)
}

fn new_key() -> StoredKey {
    let material = Zeroizing::new(random::<32>().to_vec());
    StoredKey {
        id: new_id(),
        created: Clock::system().now(),
        retired: None,
        material,
    }
}

/// One process at a time changes the file. The system lets go of the lock when the process ends, however
/// it ends.
pub(super) fn lock(dir: &Path) -> Result<File, Vec<Finding>> {
    let locked = || -> io::Result<File> {
        owner_only::create_directory(dir)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = owner_only::private(&mut options).open(dir.join("keys.lock"))?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|error| vec![file::unreadable(&file::path_in(dir), &error.to_string())])
}

fn write(dir: &Path, file: &KeyFile) -> Result<(), Vec<Finding>> {
    file.write()
        .map_err(|error| vec![file::unreadable(&file::path_in(dir), &error.to_string())])
}

fn infos(file: &KeyFile) -> Vec<KeyInfo> {
    let info = |key: &StoredKey| KeyInfo {
        id: key.id.clone(),
        created: key.created,
        current: key.id == file.current,
        retired: key.retired,
    };
    file.keys.iter().map(info).collect()
}

fn current_of(file: &KeyFile) -> Result<KeyInfo, Vec<Finding>> {
    let current = infos(file).into_iter().find(|info| info.current);
    current.ok_or_else(|| vec![file.no_current()])
}

fn refused(title: &str, fix: &str) -> Finding {
    Finding::refuse(Word::Secrets, "secrets-keys-command", title).fix(fix)
}

#[cfg(test)]
mod tests;
