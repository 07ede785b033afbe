//! Space on a disk that is kept free of users' files.

use std::io;
use std::path::{Path, PathBuf};

/// Space on the file system of a directory that no file of a user may take: the database, its log and the audit log need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FreeSpace {
    directory: PathBuf,
    least: u64,
}

impl FreeSpace {
    pub(crate) fn new(directory: impl Into<PathBuf>, least: u64) -> Self {
        Self {
            directory: directory.into(),
            least,
        }
    }

    /// Checks that the space stays free if these bytes are written too.
    ///
    /// # Errors
    /// [`StorageFull`](io::ErrorKind::StorageFull) if it would not; the file system does not report its free space.
    pub(crate) fn check(&self, more: u64) -> io::Result<()> {
        let needed = self.least.saturating_add(more);
        let free = free_below(&self.directory)?;
        if free >= needed {
            return Ok(());
        }
        let title = format!(
            "the disk of {} has {free} bytes free, and {needed} are needed",
            self.directory.display()
        );
        Err(io::Error::new(io::ErrorKind::StorageFull, title))
    }
}

/// The bytes that this user may still write in the file system of a directory.
pub(crate) fn free_below(directory: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(directory)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_short_before_the_disk_is_full() {
        let directory = tempfile::tempdir().unwrap();
        let check = |least, more| FreeSpace::new(directory.path(), least).check(more);
        assert!(check(0, 1).is_ok());
        for (least, more) in [(1 << 60, 0), (0, 1 << 60), (u64::MAX, u64::MAX)] {
            let short = check(least, more).unwrap_err();
            assert_eq!(short.kind(), io::ErrorKind::StorageFull);
        }
        let gone = FreeSpace::new(directory.path().join("none"), 0);
        assert_eq!(gone.check(0).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
