//! Disk space that Dewar holds back, so that a full disk locks nobody out.

use super::free_space::free_below;
use super::{Event, Finding, Practice, Severity, owner_only};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that only holds disk space. When the disk is full, Dewar deletes it: sessions, rate limits and the audit log
/// use that space, and Dewar writes nothing else. When there is space again, Dewar takes the reserve back.
#[derive(Debug, Clone)]
pub(crate) struct Reserve(Arc<ReserveState>);

#[derive(Debug)]
struct ReserveState {
    file: PathBuf,
    bytes: u64,
    given_up: AtomicBool,
}

/// A change of the reserve, for the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReserveChange {
    GivenUp,
    Taken,
}

impl ReserveChange {
    pub(crate) const fn event(self) -> Event {
        match self {
            Self::GivenUp => Event::SysDiskFull,
            Self::Taken => Event::SysDiskFree,
        }
    }
}

impl Reserve {
    /// Takes the reserve, in a file of this directory. If there is no space, the reserve counts as given up, and the
    /// program starts anyway.
    pub(crate) fn take(directory: &Path, bytes: u64) -> Self {
        let reserve = Self(Arc::new(ReserveState {
            file: directory.join("reserve"),
            bytes,
            given_up: AtomicBool::new(false),
        }));
        if let Err(error) = reserve.hold() {
            reserve.0.given_up.store(true, Ordering::Relaxed);
            tracing::error!(%error, "the disk has no room for the reserve: Dewar refuses uploads as on a full disk");
        }
        reserve
    }

    /// The reason why the reserve can never be taken, however much space is free. Makes nothing.
    pub(crate) fn unusable(directory: &Path) -> Option<Finding> {
        let file = directory.join("reserve");
        let error = owner_only::unusable_file(&file)?;
        let title = format!("Cannot allocate the reserve {}: {error}", file.display());
        Some(
            Finding::refuse(Practice::Audit, "audit-reserve", title)
                .why("Without the reserve, nobody can sign in on a full disk, and Dewar would refuse uploads now.")
                .fix("Remove this file, or give it to the user that runs the application. The next start creates a new one.")
                .cwe(770),
        )
    }

    /// Whether the disk is full, so that nothing large may be written.
    pub(crate) fn is_given_up(&self) -> bool {
        self.0.given_up.load(Ordering::Relaxed)
    }

    /// Behaves as on a disk that has just become full.
    #[cfg(test)]
    pub(crate) fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Relaxed);
    }

    /// Checks the free space. Gives the reserve up if the disk is full, and takes it again once three times its size is free.
    ///
    /// # Errors
    /// The file system does not report its free space.
    pub(crate) fn look(&self) -> io::Result<Option<ReserveChange>> {
        let free = free_below(owner_only::directory_of(&self.0.file))?;
        let bytes = self.0.bytes;
        let due = due(self.is_given_up(), free, bytes);
        if due == Some(ReserveChange::GivenUp) {
            self.0.given_up.store(true, Ordering::Relaxed);
            match fs::remove_file(&self.0.file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            tracing::error!(
                free,
                "the disk is full: Dewar freed the reserve, and refuses uploads"
            );
            return Ok(Some(ReserveChange::GivenUp));
        }
        if due == Some(ReserveChange::Taken) && self.hold().is_ok() {
            self.0.given_up.store(false, Ordering::Relaxed);
            tracing::info!(
                free,
                "the disk has room again, and Dewar allocated the reserve"
            );
            return Ok(Some(ReserveChange::Taken));
        }
        Ok(None)
    }

    /// The finding for an administrator while the disk is full.
    pub(crate) fn finding(&self) -> Option<Finding> {
        let directory = owner_only::directory_of(&self.0.file).display();
        self.is_given_up().then(|| {
            Finding::warn(
                Practice::Audit,
                "audit-disk-full",
                format!("The disk of {directory} is full"),
            )
            .severity(Severity::High)
            .why("Dewar uses the reserve so that users can sign in and read. It refuses all other changes.")
            .fix("free space on it")
            .cwe(770)
        })
    }

    /// Allocates the file's blocks.
    fn hold(&self) -> io::Result<()> {
        let (file, bytes) = (&self.0.file, self.0.bytes);
        if fs::metadata(file).is_ok_and(|found| found.len() == bytes) {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut opened = owner_only::private(&mut options).open(file)?;
        let held = allocate(&mut opened, bytes);
        if held.is_err() {
            drop(fs::remove_file(file));
        }
        held
    }
}

/// Dewar gives the reserve up when less than a quarter of its size is free, and takes it again when three times its
/// size is free. Between the two nothing changes, so that it does not alternate.
const fn due(is_given_up: bool, free: u64, bytes: u64) -> Option<ReserveChange> {
    if is_given_up {
        if free / 3 >= bytes {
            return Some(ReserveChange::Taken);
        }
    } else if free < bytes / 4 {
        return Some(ReserveChange::GivenUp);
    }
    None
}

fn allocate(file: &mut File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::FallocateFlags;
        match rustix::fs::fallocate(&*file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    fill(file, bytes)?;
    file.sync_all()
}

/// Writes zeros, for a file system that cannot allocate.
fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    let block = [0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        file.write_all(block.get(..part).unwrap_or_default())?;
        left -= part as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_room_of_its_own_and_is_kept_over_a_start() {
        let directory = tempfile::tempdir().unwrap();
        let bytes = 300_000;
        let reserve = Reserve::take(directory.path(), bytes);
        let held = fs::metadata(directory.path().join("reserve")).unwrap();
        use std::os::unix::fs::MetadataExt;
        assert_eq!(held.len(), bytes);
        assert!(held.blocks() * 512 >= bytes, "it is only a hole");
        assert_eq!(held.mode() & 0o777, 0o600);
        assert!(!reserve.is_given_up());
        assert_eq!(reserve.look().unwrap(), None);
        let again = Reserve::take(directory.path(), bytes);
        assert!(!again.is_given_up() && again.finding().is_none());
    }

    #[test]
    fn the_reserve_does_not_come_and_go() {
        let bytes = 1_000;
        for (is_given_up, free, change) in [
            (false, 250, None),
            (false, 249, Some(ReserveChange::GivenUp)),
            (true, 249, None),
            (true, 1_000, None),
            (true, 2_999, None),
            (true, 3_000, Some(ReserveChange::Taken)),
            (false, 3_000, None),
        ] {
            assert_eq!(due(is_given_up, free, bytes), change, "{free}");
        }
    }

    #[test]
    fn where_nothing_is_allocated_zeros_are_written_and_no_more() {
        for bytes in [0, 1, 65_536, 65_537, 300_000] {
            let mut file = tempfile::tempfile().unwrap();
            fill(&mut file, bytes).unwrap();
            assert_eq!(file.metadata().unwrap().len(), bytes);
        }
    }

    /// More than any disk has: the disk counts as full.
    #[test]
    fn without_room_there_is_no_reserve_and_the_operator_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve::take(directory.path(), 1 << 60);
        assert!(reserve.is_given_up());
        assert!(!directory.path().join("reserve").exists());
        assert_eq!(reserve.finding().unwrap().id, "audit-disk-full");
        assert_eq!(reserve.look().unwrap(), None);
    }

    #[test]
    fn the_reserve_is_given_up_where_no_room_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reserve");
        fs::write(&file, "held").unwrap();
        let held = ReserveState {
            file: file.clone(),
            bytes: 1 << 60,
            given_up: AtomicBool::new(false),
        };
        let reserve = Reserve(Arc::new(held));
        assert_eq!(reserve.look().unwrap(), Some(ReserveChange::GivenUp));
        assert!(!file.exists() && reserve.is_given_up());
        assert_eq!(reserve.look().unwrap(), None, "said once");
    }

    #[test]
    fn a_reserve_that_somebody_removed_is_given_up_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let held = ReserveState {
            file: directory.path().join("reserve"),
            bytes: 1 << 60,
            given_up: AtomicBool::new(false),
        };
        let reserve = Reserve(Arc::new(held));
        assert_eq!(reserve.look().unwrap(), Some(ReserveChange::GivenUp));
    }

    /// A file that was cut, or made for another size, is filled again; a correct one is left alone.
    #[test]
    fn a_reserve_of_another_size_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("reserve");
        let length = || fs::metadata(&file).unwrap().len();
        drop(Reserve::take(directory.path(), 300_000));
        for (before, bytes) in [(0, 300_000), (300_001, 300_000), (300_000, 200_000)] {
            fs::write(&file, vec![1; before]).unwrap();
            drop(Reserve::take(directory.path(), bytes));
            assert_eq!(length(), bytes, "{before}");
        }
        fs::write(&file, vec![1; 200_000]).unwrap();
        drop(Reserve::take(directory.path(), 200_000));
        assert_eq!(fs::read(&file).unwrap()[0], 1, "it is not written anew");
    }
}
