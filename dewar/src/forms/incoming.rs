use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use super::arriving::Arriving;
use super::concurrency::NoRoom;
use super::file_name::CleanName;
use super::quarantine::{FileMark, QuarantinedFile};

/// An uploaded file in quarantine, unchecked. It is deleted when this value is dropped.
///
/// Its name is random, its mode 0600, and it lies outside every directory that is served. The visitor's name for it is only a
/// text to show.
#[derive(Debug)]
pub struct Incoming {
    name: CleanName,
    claimed_type: Option<String>,
    place: QuarantinedFile,
    size: u64,
    /// In a box: a file among the fields of a form is small.
    written: Box<WrittenBytes>,
    network: Option<IpAddr>,
}

/// The bytes of a file after the last one was written.
#[derive(Debug)]
struct WrittenBytes {
    sha256: [u8; 32],
    mark: FileMark,
}

impl Incoming {
    /// A file whose last byte arrived.
    pub(super) async fn finished(
        arriving: Arriving,
        name: &str,
        claimed_type: Option<String>,
    ) -> Result<Self, Stop> {
        let arrived = arriving.finish().await?;
        Ok(Self {
            name: CleanName::of(name),
            claimed_type,
            place: arrived.place,
            size: arrived.size,
            written: Box::new(WrittenBytes {
                sha256: arrived.sha256,
                mark: arrived.mark,
            }),
            network: None,
        })
    }

    /// The visitor's name for the file, without directories and without invisible characters. Never part of a path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The cleaned name, with the information whether it arrived as an honest browser sends it.
    pub(crate) fn clean_name(&self) -> &CleanName {
        &self.name
    }

    /// The content type that the browser claims; not verified.
    #[must_use]
    pub fn claimed_type(&self) -> Option<&str> {
        self.claimed_type.as_deref()
    }

    /// The path in quarantine.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of its bytes, computed while they were written.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.written.sha256
    }

    /// The file after its last byte. A field of the application's own has its path, and could have changed it since.
    pub(crate) fn mark(&self) -> FileMark {
        self.written.mark
    }

    /// The sender's network, as rate limits count it.
    pub(crate) fn network(&self) -> Option<IpAddr> {
        self.network
    }

    /// Sets the sender's network.
    pub(super) fn sent_from(mut self, network: Option<IpAddr>) -> Self {
        self.network = network;
        self
    }

    /// A file in the state after its arrival, for the tests of the rooms that take it.
    #[cfg(test)]
    pub(crate) fn arrived(quarantine: &Path, name: &str, bytes: &[u8]) -> Self {
        let place = QuarantinedFile::holding(quarantine, bytes);
        Self {
            name: CleanName::of(name),
            claimed_type: None,
            written: Box::new(WrittenBytes {
                sha256: crate::secrets::sha256(bytes),
                mark: FileMark::of(&place.open().unwrap()).unwrap(),
            }),
            place,
            size: bytes.len() as u64,
            network: None,
        }
    }

    /// The file in quarantine, without the name and the claims.
    pub(crate) fn into_file(self) -> QuarantinedFile {
        self.place
    }

    /// Opens the file to read it.
    pub(crate) fn open(&self) -> io::Result<File> {
        self.place.open()
    }

    /// Moves it out of quarantine to a chosen path, by renaming.
    ///
    /// # Errors
    /// The file cannot be moved there; Dewar then deletes it.
    pub fn release(self, to: &Path) -> io::Result<()> {
        self.place.release(to)
    }
}

/// Why the program stops writing a file.
#[derive(Debug)]
pub(super) enum Stop {
    /// A shortage; the form comes back with a message.
    Full(Shortage),
    Io(io::Error),
}

/// The reason that a file has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shortage {
    /// The disk is full.
    Disk,
    /// The sender's stored files use up the quota.
    Kept,
    /// The uploads in progress are at their limit.
    UnderWay,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            Self::Full(Shortage::Disk)
        } else {
            Self::Io(error)
        }
    }
}

impl From<NoRoom> for Stop {
    fn from(no_room: NoRoom) -> Self {
        Self::Full(match no_room {
            NoRoom::Kept => Shortage::Kept,
            NoRoom::UnderWay => Shortage::UnderWay,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form comes back; any other disk failure is an internal error.
    #[test]
    fn a_write_for_which_the_disk_has_no_room_stops_the_file_and_no_more() {
        for (kind, is_full) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::PermissionDenied, false),
            (io::ErrorKind::Other, false),
        ] {
            let stop = Stop::from(io::Error::from(kind));
            assert_eq!(
                matches!(stop, Stop::Full(Shortage::Disk)),
                is_full,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_released_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let incoming = Incoming::arrived(directory.path(), "a", b"");
        let kept = directory.path().join("kept");
        incoming.release(&kept).unwrap();
        assert!(kept.exists());
    }
}
