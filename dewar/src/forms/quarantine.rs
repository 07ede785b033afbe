//! The one owner of files in quarantine: it creates, writes, opens, seals and promotes them, and deletes the others.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tokio::io::AsyncWriteExt;

use super::concurrency::Ticket;
use super::incoming::Stop;
use crate::audit::{FreeSpace, MIB, owner_only};
use crate::secrets::random;

/// A file in quarantine under a random name: an upload, or a picture that Dewar re-encodes. Dropping it deletes the file.
#[derive(Debug)]
pub(crate) struct QuarantinedFile {
    /// Empty after the file has left the quarantine.
    path: PathBuf,
    /// Counts the file as long as it exists.
    ticket: Option<Ticket>,
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
    fn named(quarantine: &Path, ticket: Option<Ticket>) -> Self {
        let path = quarantine.join(HEXLOWER.encode(&random::<16>()));
        Self { path, ticket }
    }

    /// Only this user can read the file from the first moment, because its bytes are unchecked. No file is overwritten.
    fn options() -> OpenOptions {
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

/// A file that is written while it arrives.
#[derive(Debug)]
pub(super) struct Arriving {
    file: tokio::fs::File,
    place: QuarantinedFile,
    size: u64,
    free: Option<FreeSpace>,
}

impl Arriving {
    pub(super) async fn create(
        quarantine: &Path,
        ticket: Option<Ticket>,
        free: Option<FreeSpace>,
    ) -> io::Result<Self> {
        if let Some(free) = &free {
            free.check(0)?;
        }
        let place = QuarantinedFile::named(quarantine, ticket);
        let options = tokio::fs::OpenOptions::from(QuarantinedFile::options());
        Ok(Self {
            file: options.open(&place.path).await?,
            place,
            size: 0,
            free,
        })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(ticket) = &mut self.place.ticket {
            ticket.add(length)?;
        }
        let size = self.size.saturating_add(length);
        // Looked at again with every MiB; many files may arrive at once.
        if let Some(free) = self.free.as_ref()
            && size / MIB > self.size / MIB
        {
            free.check(length)?;
        }
        self.file.write_all(bytes).await?;
        self.size = size;
        Ok(())
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The complete file and its size in bytes.
    pub(super) async fn finish(mut self) -> io::Result<(QuarantinedFile, u64)> {
        self.file.flush().await?;
        Ok((self.place, self.size))
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
    #[tokio::test]
    async fn a_file_in_quarantine_is_its_owners_alone_and_goes_when_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let mut arriving = Arriving::create(directory.path(), None, None)
            .await
            .unwrap();
        assert_eq!(mode(&arriving.place.path), 0o600, "from the first moment");
        arriving.write(b"hello").await.unwrap();
        let (arrived, size) = arriving.finish().await.unwrap();
        assert_eq!(
            (fs::read(arrived.path()).unwrap(), size),
            (b"hello".to_vec(), 5)
        );
        let (anew, _open) = QuarantinedFile::create(directory.path()).unwrap();
        assert_eq!((mode(arrived.path()), mode(anew.path())), (0o600, 0o600));
        drop((arrived, anew));
        assert_eq!(count(directory.path()), 0);
        // The visitor goes away before the last byte.
        drop(
            Arriving::create(directory.path(), None, None)
                .await
                .unwrap(),
        );
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
