//! Examines an arrived file on a blocking thread and prepares it for its place.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use super::error::Error;
use super::kind::FileKind;
use super::name::FileName;
use super::policy::Bytes;
use super::queue::ScanPermit;
use super::recognise::{RecognitionError, recognise};
use crate::audit::owner_only;
use crate::forms::Incoming;
use crate::secrets;

/// An examined file: all its bytes are on the disk, still in quarantine.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) kind: FileKind,
    pub(crate) sha256: [u8; 32],
    pub(crate) size: u64,
    source: FileSource,
}

#[derive(Debug)]
enum FileSource {
    Anew(Scratch),
    AsSent(Incoming),
}

/// The caller holds a permit for as long as it takes.
///
/// # Errors
/// The file is refused, or could not be read or written.
pub(super) fn examine(
    _seat: &ScanPermit,
    incoming: Incoming,
    name: &FileName,
    kinds: &[FileKind],
    bytes: Bytes,
    quarantine: &Path,
) -> Result<Examined, Error> {
    let mut file = File::open(incoming.path())?;
    let scratch = Scratch(quarantine.join(HEXLOWER.encode(&secrets::random::<16>())));
    let kind =
        recognise(&mut file, name, kinds, bytes, || scratch.create()).map_err(|trouble| {
            match trouble {
                RecognitionError::Io(error) => Error::Io(error),
                RecognitionError::Refused(refused) => Error::Refused(refused),
            }
        })?;
    let source = match bytes {
        Bytes::AsSent => FileSource::AsSent(incoming),
        Bytes::Reencoded => FileSource::Anew(scratch),
    };
    let mut file = File::open(source.path())?;
    let (sha256, size) = digest(&mut file)?;
    // This comes before the file gets its name: after a power cut, a name must not survive without its bytes.
    file.sync_all()?;
    file.set_permissions(owner_reads(&file)?)?;
    Ok(Examined {
        kind,
        sha256,
        size,
        source,
    })
}

/// Mode 0400, whatever mode the writer chose.
fn owner_reads(file: &File) -> io::Result<fs::Permissions> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o400);
    Ok(permissions)
}

impl Examined {
    /// Moves the file to its path among the stored files, in one step.
    ///
    /// # Errors
    /// The file could not be moved.
    pub(crate) fn move_to(self, path: &Path) -> io::Result<()> {
        let directory = owner_only::directory_of(path);
        owner_only::create_directory(directory)?;
        match self.source {
            FileSource::Anew(scratch) => scratch.release(path)?,
            FileSource::AsSent(incoming) => incoming.release(path)?,
        }
        owner_only::sync_directory(directory)?;
        owner_only::sync_directory(owner_only::directory_of(directory))
    }
}

impl FileSource {
    fn path(&self) -> &Path {
        match self {
            Self::Anew(scratch) => &scratch.0,
            Self::AsSent(incoming) => incoming.path(),
        }
    }
}

/// A file in quarantine that is deleted when dropped.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    /// Only this user can read it from the first moment: the content is somebody else's and not yet examined.
    fn create(&self) -> io::Result<File> {
        owner_only::private(File::options().write(true).create_new(true)).open(&self.0)
    }

    fn release(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.0, to)?;
        self.0.clear();
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return;
        }
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a file could not be removed from quarantine");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

fn digest(file: &mut File) -> io::Result<([u8; 32], u64)> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        context.update(bytes);
        size += read as u64;
    }
    let digest = context.finish();
    let sha256 = digest
        .as_ref()
        .try_into()
        .map_err(|_| io::Error::other("a SHA-256 of another length"))?;
    Ok((sha256, size))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// ASVS: V5.3.1
    #[test]
    fn a_picture_that_is_written_anew_is_its_owners_alone_from_the_first_moment() {
        let directory = tempfile::tempdir().unwrap();
        let scratch = Scratch(directory.path().join("scratch"));
        let file = scratch.create().unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(scratch.create().is_err(), "no file is written over");
        drop(scratch);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
