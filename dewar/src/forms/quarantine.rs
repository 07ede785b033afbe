//! The one owner of files in quarantine: it creates, writes, opens, seals and promotes them, and deletes the others.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::concurrency::Ticket;
use crate::audit::owner_only;
use crate::secrets::random;

/// A file in quarantine under a random name: an upload, or a picture that Dewar re-encodes. Dropping it deletes the file.
#[derive(Debug)]
pub(crate) struct QuarantinedFile {
    /// Empty after the file has left the quarantine.
    path: PathBuf,
    /// Counts the file as long as it exists.
    ticket: Option<Ticket>,
}

/// A file's size and the moment of its last change: if both are as before, so are its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileMark {
    size: u64,
    changed_at: (i64, i64),
}

impl FileMark {
    /// # Errors
    /// The system does not tell.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            size: found.len(),
            changed_at: (found.mtime(), found.mtime_nsec()),
        })
    }
}

impl QuarantinedFile {
    /// A new file, open for writing.
    ///
    /// # Errors
    /// The file cannot be created.
    pub(crate) fn create(quarantine: &Path) -> io::Result<(Self, File)> {
        let place = Self::named(quarantine, None);
        let file = Self::options().open(&place.path)?;
        Ok((place, file))
    }

    /// A random name, without a file yet. The owner exists before the file does, so a request that ends while the file is
    /// created leaves none behind.
    pub(super) fn named(quarantine: &Path, ticket: Option<Ticket>) -> Self {
        let path = quarantine.join(HEXLOWER.encode(&random::<16>()));
        Self { path, ticket }
    }

    /// Only this user can read the file from the first moment, because its bytes are unchecked. No file is overwritten.
    pub(super) fn options() -> OpenOptions {
        let mut options = File::options();
        owner_only::private(options.write(true).create_new(true));
        options
    }

    /// A file with these bytes.
    #[cfg(test)]
    pub(super) fn holding(quarantine: &Path, bytes: &[u8]) -> Self {
        use std::io::Write as _;
        let (place, mut file) = Self::create(quarantine).unwrap();
        file.write_all(bytes).unwrap();
        place
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its count among the files under way.
    pub(super) fn ticket(&mut self) -> Option<&mut Ticket> {
        self.ticket.as_mut()
    }

    /// Opens the file to read it.
    ///
    /// # Errors
    /// The file does not exist any more.
    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Writes all bytes to the disk and sets mode 0400. Seal a file before it is promoted: after a power cut, a name must not
    /// survive without its bytes.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn seal(file: &File) -> io::Result<()> {
        file.sync_all()?;
        file.set_permissions(Permissions::from_mode(0o400))
    }

    /// Moves it out of quarantine to a chosen path, by renaming.
    ///
    /// # Errors
    /// The file cannot be moved there; it is then deleted.
    pub(super) fn release(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.path.clear();
        Ok(())
    }

    /// Moves it to its path among the stored files, in one step. The directory is created if it does not exist.
    ///
    /// # Errors
    /// The file cannot be moved, or the move cannot be made durable.
    pub(crate) fn promote(self, to: &Path) -> io::Result<()> {
        let directory = owner_only::directory_of(to);
        owner_only::create_directory(directory)?;
        self.release(to)?;
        owner_only::sync_directory(directory)?;
        owner_only::sync_directory(owner_only::directory_of(directory))
    }
}

impl Drop for QuarantinedFile {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a file could not be removed from quarantine");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn count(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    /// ASVS: V5.3.1
    #[test]
    fn a_file_in_quarantine_is_its_owners_alone_and_goes_when_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let (anew, _open) = QuarantinedFile::create(directory.path()).unwrap();
        assert_eq!(mode(anew.path()), 0o600, "from the first moment");
        drop(anew);
        assert_eq!(count(directory.path()), 0);
    }

    #[test]
    fn no_file_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let (file, _open) = QuarantinedFile::create(directory.path()).unwrap();
        let again = QuarantinedFile::options().open(file.path()).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_promoted_file_is_sealed_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = directory.path().join("quarantine");
        fs::create_dir(&quarantine).unwrap();
        let file = QuarantinedFile::holding(&quarantine, b"hello");
        QuarantinedFile::seal(&file.open().unwrap()).unwrap();
        let kept = directory.path().join("kept/ab/cd");
        file.promote(&kept).unwrap();
        assert_eq!(
            (fs::read(&kept).unwrap(), mode(&kept)),
            (b"hello".to_vec(), 0o400)
        );
        assert_eq!(mode(kept.parent().unwrap()), 0o700);
        assert_eq!(count(&quarantine), 0);
    }

    /// ASVS: V5.3.1
    #[test]
    fn a_file_that_cannot_be_moved_is_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let file = QuarantinedFile::holding(directory.path(), b"hello");
        file.release(&directory.path().join("none/there"))
            .unwrap_err();
        assert_eq!(count(directory.path()), 0);
    }
}
