//! The files of a log: the current one, and the full ones before it.

use super::chain::{ChainKeys, LogPosition, Mark};
use super::tail::LONGEST_LINE;
use crate::audit::owner_only::{self, beside};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How many digits the number of a full file has: as many as the highest.
const DIGITS: usize = 20;

/// A full file, named by its last entry: `audit.jsonl.00000000000000004321`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FullFile {
    /// The number of its last entry.
    pub(super) last: u64,
    pub(super) path: PathBuf,
}

impl FullFile {
    /// The name of a full file that ends with this entry.
    pub(super) fn named(log: &Path, last: u64) -> PathBuf {
        beside(log, &format!(".{last:020}"))
    }

    /// All full files of a log, the oldest first.
    pub(super) fn all(log: &Path) -> io::Result<Vec<Self>> {
        let Some(name) = log.file_name().and_then(|name| name.to_str()) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(owner_only::directory_of(log))? {
            let entry = entry?;
            let file = entry.file_name();
            let digits = file
                .to_str()
                .and_then(|file| file.strip_prefix(name)?.strip_prefix('.'))
                .filter(|rest| rest.len() == DIGITS && rest.bytes().all(|b| b.is_ascii_digit()));
            if let Some(last) = digits.and_then(|digits| digits.parse().ok()) {
                let path = entry.path();
                found.push(Self { last, path });
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Where the log begins: after the removed entries, or with its first entry. `None` if the sidecar was not written with
/// the key.
pub(super) fn base(log: &Path, keys: &ChainKeys) -> io::Result<Option<LogPosition>> {
    Ok(match sidecar(log, ".base")? {
        Some(text) => LogPosition::open(&text, Mark::Base, keys),
        None => Some(LogPosition::START),
    })
}

/// The text of a small file beside the log, if it exists.
pub(super) fn sidecar(log: &Path, ending: &str) -> io::Result<Option<String>> {
    let mut text = String::new();
    match File::open(beside(log, ending)) {
        Ok(file) => {
            // Dewar writes only text here, so other bytes have no meaning.
            if file.take(LONGEST_LINE).read_to_string(&mut text).is_err() {
                text.clear();
            }
            Ok(Some(text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a small file beside the log: a reader sees the old one or the new one. The caller holds the lock.
pub(super) fn write_sidecar(log: &Path, ending: &str, text: &str) -> io::Result<()> {
    let (to, draft) = (beside(log, ending), beside(log, &format!("{ending}.new")));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = owner_only::private(&mut options).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    fs::rename(&draft, &to)
}
