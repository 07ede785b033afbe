//! Where the examined files are: one seam, chosen by the setting `uploads.storage`.
//!
//! A file in a storage never changes. It appears in one step, complete, under the id of its row, which exists before it. The
//! quarantine is not here, but on the disk of each node. A file that a browser sent to a bucket is unexamined below `incoming/`, which
//! nothing serves, until it is fetched into the quarantine (`ticket.rs`).

mod content;
mod disk;
mod place;
#[cfg(feature = "s3")]
mod s3;
mod test_bucket;

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::config::Config;
use super::error::Error;
use super::examine::Examined;
use super::id::FileId;
use super::ticket::{PutScope, SignedPut};
use crate::audit::{Clock, Finding};

pub(super) use content::{body, reader};
pub(super) use disk::Disk;
pub(crate) use place::AwsEnvironment;
pub use place::{S3Bucket, S3Config, S3Encryption, StoragePlace};
pub(super) use place::{findings, read_place, read_s3};
#[cfg(feature = "s3")]
use s3::S3;
pub(crate) use test_bucket::{STORAGE, bucket_for};

/// The bytes of a file, piece by piece.
pub(super) type Pieces = BoxStream<'static, std::io::Result<Bytes>>;

/// The pieces of a file are at most this long, and so is the memory of one download.
pub(super) const PIECE: usize = 128 * 1024;

/// One of the storages.
#[derive(Clone, Debug)]
pub(crate) enum Storage {
    Disk(Disk),
    #[cfg(feature = "s3")]
    S3(S3),
}

/// Whether the checks of a storage may write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looking {
    /// `check` changes nothing.
    AsFound,
    /// A start leaves an object in a bucket, which it asks for as a stranger.
    AtStart,
}

/// How a bucket gets the id of its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marking {
    /// Unless it has one.
    First,
    /// Over the one that it has.
    Anew,
}

/// A file to store: how many bytes, and which.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileBytes {
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
}

/// An object that a listing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The name of the object in its shard.
    pub(super) name: String,
    /// Its place in the order of all ids; it is an id itself, unless the object is none of Dewar's.
    pub(super) place: String,
    pub(super) size: u64,
    /// The time since it was written.
    pub(super) age: Duration,
}

impl Listed {
    /// The id that it stands for, if its name is one.
    pub(super) fn id(&self) -> Option<FileId> {
        self.place.parse().ok()
    }
}

impl Storage {
    /// The storage of the settings. It makes no connection.
    pub(crate) fn open(config: &Config, clock: &Clock) -> Result<Self, Error> {
        Self::at(&config.storage, config, clock)
    }

    /// The storage at a place.
    pub(crate) fn at(place: &StoragePlace, config: &Config, clock: &Clock) -> Result<Self, Error> {
        match place {
            StoragePlace::Disk => Ok(Self::Disk(Disk::new(config))),
            #[cfg(feature = "s3")]
            StoragePlace::S3(bucket) => S3::open(bucket, &config.s3, clock.clone())
                .map(Self::S3)
                .map_err(|why| std::io::Error::other(why).into()),
            #[cfg(not(feature = "s3"))]
            StoragePlace::S3(_) => {
                let _ = clock;
                let why = "this program was built without the feature `s3` of `dewar`";
                Err(std::io::Error::other(why).into())
            }
        }
    }

    /// The findings about a storage beyond this machine: whether it can be used, and whether it is public.
    pub(crate) async fn findings(&self, looking: Looking) -> Vec<Finding> {
        match self {
            Self::Disk(_) => {
                let _ = looking;
                Vec::new()
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.findings(looking).await,
        }
    }

    /// A finding if browsers cannot send a file from the pages of this origin.
    pub(super) async fn cors_finding(&self, origin: &str) -> Option<Finding> {
        match self {
            Self::Disk(_) => {
                let _ = origin;
                None
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.cors_finding(origin).await,
        }
    }

    /// The id of the database that a bucket belongs to.
    pub(super) async fn mark(&self) -> Result<Option<String>, Error> {
        match self {
            Self::Disk(_) => Ok(None),
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.mark().await,
        }
    }

    /// Gives a bucket the id of a database.
    pub(super) async fn write_mark(&self, id: &str, marking: Marking) -> Result<(), Error> {
        match self {
            Self::Disk(_) => {
                let _ = (id, marking);
                Ok(())
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.write_mark(id, marking).await,
        }
    }

    /// Somebody deletes the object with the id.
    #[cfg(all(test, feature = "s3"))]
    pub(super) async fn remove_mark(&self) {
        if let Self::S3(s3) = self {
            s3.remove_mark().await;
        }
    }

    /// Whether other nodes may store and delete here too.
    pub(crate) fn is_shared(&self) -> bool {
        match self {
            Self::Disk(_) => false,
            #[cfg(feature = "s3")]
            Self::S3(_) => true,
        }
    }

    /// Stores an examined file under its id, completely or not at all. It replaces no file.
    pub(super) async fn put(
        &self,
        id: &FileId,
        file: Examined,
        within: Duration,
    ) -> Result<(), Error> {
        match self {
            Self::Disk(disk) => {
                let _ = within;
                disk.put(id, file).await
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => {
                let bytes = FileBytes {
                    size: file.size,
                    sha256: file.sha256,
                };
                let pieces = disk::pieces(file.open()?, bytes.size);
                s3.put(id, Box::pin(pieces), bytes, within).await
            }
        }
    }

    /// Stores the bytes of another storage, if they are these.
    pub(super) async fn copy(
        &self,
        id: &FileId,
        pieces: Pieces,
        bytes: FileBytes,
        within: Duration,
    ) -> Result<(), Error> {
        match self {
            Self::Disk(disk) => {
                let _ = within;
                disk.copy(id, pieces, bytes).await
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.put(id, pieces, bytes, within).await,
        }
    }

    /// These bytes of a file of this size; [`Error::Damaged`] if there is no such file.
    pub(super) async fn read(
        &self,
        id: &FileId,
        size: u64,
        part: Range<u64>,
    ) -> Result<Pieces, Error> {
        match self {
            Self::Disk(disk) => disk.read(id, size, part).await,
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.read(id, size, part).await,
        }
    }

    /// The number of bytes of a file, if it is there.
    pub(super) async fn size(&self, id: &FileId) -> Result<Option<u64>, Error> {
        match self {
            Self::Disk(disk) => disk.size(id).await,
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.size(id).await,
        }
    }

    /// The address at which a browser gets this file from the storage itself, for this time; none if the storage has no
    /// addresses.
    pub(super) async fn address(
        &self,
        id: &FileId,
        valid: Duration,
        (media_type, disposition): (&str, &str),
    ) -> Result<Option<String>, Error> {
        match self {
            Self::Disk(_) => {
                let _ = (id, valid, media_type, disposition);
                Ok(None)
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => {
                let address = s3.address(id, valid, media_type, disposition);
                address.await.map(Some)
            }
        }
    }

    /// Deletes a file, if it is there.
    pub(super) async fn remove(&self, id: &FileId) -> Result<(), Error> {
        match self {
            Self::Disk(disk) => disk.remove(id).await,
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.remove(id).await,
        }
    }

    /// Deletes an object that a listing found.
    pub(super) async fn remove_listed(&self, listed: &Listed, shard: &str) -> Result<(), Error> {
        match self {
            Self::Disk(disk) => disk.remove_listed(listed, shard).await,
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.remove_listed(listed).await,
        }
    }

    /// The shards by which the files are listed: the first digits of their ids.
    pub(super) fn shards(&self) -> Vec<String> {
        match self {
            Self::Disk(_) => (0..=u8::MAX)
                .map(|number| format!("{number:02x}"))
                .collect(),
            // A bucket lists all names in their order, a thousand with each request.
            #[cfg(feature = "s3")]
            Self::S3(_) => vec![String::new()],
        }
    }

    /// A page of one shard's objects, ordered by name, after that name. An empty page is the end.
    pub(super) async fn list(
        &self,
        shard: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, Error> {
        match self {
            Self::Disk(disk) => disk.list(shard, after).await,
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.list(after).await,
        }
    }

    /// The address at which a browser may put one file, and with which headers; none if the storage has no addresses.
    pub(super) async fn incoming_address(
        &self,
        id: &FileId,
        put: PutScope,
    ) -> Result<Option<SignedPut>, Error> {
        match self {
            Self::Disk(_) => {
                let _ = (id, put);
                Ok(None)
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.incoming_address(id, put).await.map(Some),
        }
    }

    /// The bytes that a browser put; none if there is no object of this size.
    pub(super) async fn read_incoming(
        &self,
        id: &FileId,
        size: u64,
    ) -> Result<Option<Pieces>, Error> {
        match self {
            Self::Disk(_) => {
                let _ = (id, size);
                Ok(None)
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.read_incoming(id, size).await,
        }
    }

    /// Empties an object that a browser put. An empty one stays until its address ends, so that nothing can be put there again.
    pub(super) async fn close_incoming(&self, id: &FileId) -> Result<(), Error> {
        match self {
            Self::Disk(_) => {
                let _ = id;
                Ok(())
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.close_incoming(id).await,
        }
    }

    /// Deletes an object that a browser put, if it is there.
    pub(super) async fn remove_incoming(&self, id: &FileId) -> Result<(), Error> {
        match self {
            Self::Disk(_) => {
                let _ = id;
                Ok(())
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.remove_incoming(id).await,
        }
    }

    /// Somebody with a key of the bucket writes an object there, over one that is there.
    #[cfg(all(test, feature = "s3"))]
    pub(super) async fn place_incoming(&self, id: &FileId, bytes: &'static [u8]) {
        if let Self::S3(s3) = self {
            s3.place_incoming(id, bytes).await;
        }
    }

    /// Somebody begins an object in parts, and never ends it.
    #[cfg(all(test, feature = "s3"))]
    pub(super) async fn begin_incoming(&self, id: &FileId) {
        if let Self::S3(s3) = self {
            s3.begin_incoming(id).await;
        }
    }

    /// A page of the objects that browsers put, after that name. An empty page is the end.
    pub(super) async fn list_incoming(&self, after: Option<&str>) -> Result<Vec<Listed>, Error> {
        match self {
            Self::Disk(_) => {
                let _ = after;
                Ok(Vec::new())
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.list_incoming(after).await,
        }
    }

    /// Removes what no listing shows: uploads in parts that a killed process began this long ago. Returns their number.
    pub(super) async fn clear_up(&self, age: Duration) -> Result<usize, Error> {
        match self {
            Self::Disk(_) => {
                let _ = age;
                Ok(0)
            }
            #[cfg(feature = "s3")]
            Self::S3(s3) => s3.abort_old(age).await,
        }
    }
}
