use super::chain::{ChainKeys, LogPosition, Mark};
use super::files::{self, FullFile};
use super::tail;
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// When a file of the log is full, and how long Dewar keeps full files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// In bytes.
    pub(crate) rotate_at: u64,
    /// How many full files Dewar keeps; none keeps all.
    pub(crate) files: Option<usize>,
    /// How old a full file may get; none keeps all.
    pub(crate) age: Option<Duration>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            rotate_at: 64 * 1024 * 1024,
            files: None,
            age: None,
        }
    }
}

impl Keeping {
    /// Removes the oldest full files so that one more fits, and returns which entries were in them. First it records,
    /// under the key, where the log will begin, so that `verify` finds a file that was removed without the key.
    pub(super) fn make_room(
        &self,
        log: &Path,
        keys: &ChainKeys,
        now: i64,
    ) -> io::Result<Option<RangeInclusive<u64>>> {
        let full = FullFile::all(log)?;
        let many = self
            .files
            .map_or(0, |most| (full.len() + 1).saturating_sub(most));
        let mut over = 0;
        for (at, file) in full.iter().enumerate() {
            if at >= many && !self.is_too_old(&file.path, now)? {
                break;
            }
            over = at + 1;
        }
        let Some(last) = over.checked_sub(1).and_then(|at| full.get(at)) else {
            return Ok(None);
        };
        let begins = files::base(log, keys)?.unwrap_or(LogPosition::START).seq + 1;
        let end = tail::end_of_file(&mut File::open(&last.path)?)?;
        let end = end.ok_or(io::ErrorKind::InvalidData)?;
        files::write_sidecar(log, ".base", &end.sealed(Mark::Base, keys))?;
        for file in full.iter().take(over) {
            fs::remove_file(&file.path)?;
        }
        Ok(Some(begins..=end.seq))
    }

    fn is_too_old(&self, file: &Path, now: i64) -> io::Result<bool> {
        let Some(most) = self.age else {
            return Ok(false);
        };
        let written = fs::metadata(file)?.modified()?;
        let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Duration::from_secs(u64::try_from(now).unwrap_or_default());
        Ok(now.saturating_sub(written) > most)
    }
}
