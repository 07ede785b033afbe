//! A file that a browser sent to the storage itself: it comes into quarantine under the limits of one that a form carries.

use std::io;
use std::net::IpAddr;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::Intake;
use super::concurrency::RequestSender;
use super::incoming::{Incoming, Shortage, Stop};

/// A file to fetch, as it was announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced<'a> {
    /// The person whose file it is.
    pub(crate) person: i64,
    /// The visitor's name for it.
    pub(crate) name: &'a str,
    /// The number of its bytes.
    pub(crate) size: u64,
    /// The network that asks for it now.
    pub(crate) network: Option<IpAddr>,
}

/// Why a file was not fetched.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// It has more or fewer bytes than announced.
    OtherSize,
    /// The disk is full.
    DiskFull,
    /// The person's stored files use up the quota.
    Quota,
    /// The uploads in progress are at their limit.
    UnderWay,
    /// It could not be read or written.
    Io(io::Error),
}

impl From<Stop> for FetchError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Full(Shortage::Disk) => Self::DiskFull,
            Stop::Full(Shortage::Kept) => Self::Quota,
            Stop::Full(Shortage::UnderWay) => Self::UnderWay,
            Stop::Io(error) => Self::Io(error),
        }
    }
}

impl Intake {
    /// Writes the pieces of a file into quarantine. If they are not as many bytes as announced, nothing stays.
    pub(crate) async fn fetch(
        &self,
        announced: Announced<'_>,
        mut pieces: impl Stream<Item = io::Result<Bytes>> + Unpin,
    ) -> Result<Incoming, FetchError> {
        let sender = RequestSender::Person(announced.person);
        let mut arriving = self.arriving(sender).await?;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(FetchError::Io)?;
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if arriving.size().saturating_add(length) > announced.size {
                return Err(FetchError::OtherSize);
            }
            self.has_room()?;
            arriving.write(piece).await?;
        }
        if arriving.size() != announced.size {
            return Err(FetchError::OtherSize);
        }
        let incoming = Incoming::finished(arriving, announced.name, None).await?;
        Ok(incoming.sent_from(announced.network))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::forms::{Config, MostUnderWay};

    fn announced(size: u64) -> Announced<'static> {
        Announced {
            person: 1,
            name: "a.txt",
            size,
            network: None,
        }
    }

    fn pieces(pieces: &[&'static [u8]]) -> impl Stream<Item = io::Result<Bytes>> + Unpin + use<> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece)))
            .collect();
        stream::iter(pieces)
    }

    /// ASVS: V5.2.1
    #[tokio::test]
    async fn a_file_is_fetched_whole_or_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let intake = Intake::new(Config::default(), directory.path());
        let whole: &[&[u8]] = &[b"ab", b"", b"c"];
        let file = intake.fetch(announced(3), pieces(whole)).await.unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), b"abc");
        assert_eq!(file.sha256(), crate::secrets::sha256(b"abc"));
        drop(file);
        for size in [2, 4] {
            let other = intake.fetch(announced(size), pieces(whole)).await;
            assert!(matches!(other, Err(FetchError::OtherSize)), "{size}");
        }
        let broken = stream::iter([
            Ok(Bytes::from_static(b"ab")),
            Err(io::Error::other("it broke")),
        ]);
        let broken = intake.fetch(announced(3), broken).await;
        assert!(matches!(broken, Err(FetchError::Io(_))));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    /// Otherwise somebody would fill the disk through the storage.
    ///
    /// ASVS: V5.2.1
    #[tokio::test]
    async fn a_fetched_file_counts_with_all_that_are_under_way() {
        let directory = tempfile::tempdir().unwrap();
        let most = MostUnderWay {
            files: 1,
            bytes: 10,
            all_files: 4,
            all: 100,
        };
        let intake = Intake::new(Config::default(), directory.path()).bounded(most);
        let first = intake.fetch(announced(2), pieces(&[b"ab"])).await.unwrap();
        let second = intake.fetch(announced(2), pieces(&[b"ab"])).await;
        assert!(matches!(second, Err(FetchError::UnderWay)));
        drop(first);
        let full = intake.beside_kept(|_| async { Ok(9) });
        let third = full.fetch(announced(2), pieces(&[b"ab"])).await;
        assert!(matches!(third, Err(FetchError::Quota)), "{third:?}");
    }
}
