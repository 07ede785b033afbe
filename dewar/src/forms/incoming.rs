use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::characters;
use super::concurrency::{NoRoom, Ticket};
use super::invisible::visible;
use crate::secrets::random;

/// An uploaded file in quarantine, unchecked. It is deleted when this value is dropped.
///
/// Its name is random, its mode 0600, and it lies outside every directory that is served. The visitor's name for it is only a
/// text to show.
#[derive(Debug)]
pub struct Incoming {
    name: String,
    claimed_type: Option<String>,
    place: QuarantinePath,
    size: u64,
    network: Option<IpAddr>,
}

impl Incoming {
    /// The visitor's name for the file, without directories and without invisible characters. Never part of a path.
    #[must_use]
    pub fn name(&self) -> &str {
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
        &self.place.path
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
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
        let path = quarantine.join(HEXLOWER.encode(&random::<16>()));
        fs::write(&path, bytes).unwrap();
        Self {
            name: shown_name(name),
            claimed_type: None,
            place: QuarantinePath { path, ticket: None },
            size: bytes.len() as u64,
            network: None,
        }
    }

    /// Moves it out of quarantine to a chosen path, by renaming.
    ///
    /// # Errors
    /// The file cannot be moved there; Dewar then deletes it.
    pub fn release(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.place.path, to)?;
        self.place.path.clear();
        Ok(())
    }
}

/// The path of a file that is deleted when its owner is dropped.
#[derive(Debug)]
struct QuarantinePath {
    path: PathBuf,
    /// Counts the file as long as it exists.
    ticket: Option<Ticket>,
}

impl Drop for QuarantinePath {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "a file could not be removed from quarantine");
        }
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

/// A file that is being written in quarantine.
#[derive(Debug)]
pub(super) struct Arriving {
    file: File,
    place: QuarantinePath,
    size: u64,
}

impl Arriving {
    pub(super) async fn create(quarantine: &Path, ticket: Option<Ticket>) -> io::Result<Self> {
        let path = quarantine.join(HEXLOWER.encode(&random::<16>()));
        let mut options = File::options();
        options.write(true).create_new(true);
        options.mode(0o600);
        Ok(Self {
            file: options.open(&path).await?,
            place: QuarantinePath { path, ticket },
            size: 0,
        })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(ticket) = &mut self.place.ticket {
            ticket.add(length)?;
        }
        self.file.write_all(bytes).await?;
        self.size = self.size.saturating_add(length);
        Ok(())
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) async fn finish(
        mut self,
        name: &str,
        claimed_type: Option<String>,
    ) -> Result<Incoming, Stop> {
        self.file.flush().await?;
        Ok(Incoming {
            name: shown_name(name),
            claimed_type,
            place: self.place,
            size: self.size,
            network: None,
        })
    }
}

/// The last part of a visitor's file name, without invisible characters; `file` if nothing is left.
pub(super) fn shown_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let named: String = last.chars().filter(|c| !is_no_text(*c)).take(255).collect();
    let seen = characters::nfc(visible(&named).trim().trim_start_matches('.'));
    if seen.is_empty() {
        "file".to_owned()
    } else {
        seen
    }
}

/// Control characters, line breaks, and Unicode's noncharacters.
fn is_no_text(c: char) -> bool {
    let is_none = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    c.is_control() || is_none || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitors_name_is_only_its_last_part_and_only_what_is_seen() {
        for (sent, shown) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\b.docx", "b.docx"),
            ("exe\u{202e}fdp.scr", "exefdp.scr"),
            ("می\u{200c}خواهم.txt", "می\u{200c}خواهم.txt"),
            (
                "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}.txt",
                "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}.txt",
            ),
            ("a\0\r\nb.txt", "ab.txt"),
            (".htaccess", "htaccess"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(shown_name(sent), shown);
        }
    }

    #[tokio::test]
    async fn a_file_in_quarantine_is_its_owners_alone_and_goes_when_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let mut arriving = Arriving::create(directory.path(), None).await.unwrap();
        arriving.write(b"hello").await.unwrap();
        let incoming = arriving.finish("a.txt", None).await.unwrap();
        let path = incoming.path().to_owned();
        assert_eq!(
            (fs::read(&path).unwrap(), incoming.size()),
            (b"hello".to_vec(), 5)
        );
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        drop(incoming);
        assert!(!path.exists());
    }

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

    #[tokio::test]
    async fn a_released_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let incoming = Arriving::create(directory.path(), None)
            .await
            .unwrap()
            .finish("a", None)
            .await
            .unwrap();
        let kept = directory.path().join("kept");
        incoming.release(&kept).unwrap();
        assert!(kept.exists());
    }

    #[test]
    fn what_unicode_says_is_no_character_is_no_text() {
        for c in [
            '\0', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{fdd0}', '\u{fdef}',
        ] {
            assert!(is_no_text(c), "{c:?}");
        }
        for c in ['\u{fffe}', '\u{ffff}', '\u{1fffe}', '\u{10ffff}'] {
            assert!(is_no_text(c), "{c:?}");
        }
        for c in [
            'a',
            ' ',
            '\u{2027}',
            '\u{202a}',
            '\u{fdcf}',
            '\u{fdf0}',
            '\u{fffd}',
            '\u{1fffd}',
            '\u{feff}',
        ] {
            assert!(!is_no_text(c), "{c:?}");
        }
        assert!(!is_no_text('\u{1ff0e}'));
    }
}
