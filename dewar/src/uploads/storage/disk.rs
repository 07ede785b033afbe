//! Files on the disk of this machine: sharded directories, one rename a file, and every step durable.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::{FileBytes, Listed, PIECE, Pieces};
use crate::audit::FreeSpace;
use crate::forms::QuarantinedFile;
use crate::uploads::config::Config;
use crate::uploads::error::Error;
use crate::uploads::examine::Examined;
use crate::uploads::id::FileId;
use crate::uploads::store::blocking;

/// The objects of one page.
const PAGE: usize = 1_000;

/// A directory of files.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    quarantine: PathBuf,
    free: FreeSpace,
}

impl Disk {
    pub(in crate::uploads) fn new(config: &Config) -> Self {
        Self {
            directory: config.kept(),
            quarantine: config.quarantine(),
            free: config.free(),
        }
    }

    pub(super) fn path(&self, id: &FileId) -> PathBuf {
        self.directory.join(id.path())
    }

    pub(super) async fn put(&self, id: &FileId, file: Examined) -> Result<(), Error> {
        let path = self.path(id);
        blocking(move || file.move_to(&path)).await
    }

    /// The bytes wait in quarantine until all are there and are the right ones.
    pub(super) async fn copy(
        &self,
        id: &FileId,
        mut pieces: Pieces,
        bytes: FileBytes,
    ) -> Result<(), Error> {
        let (free, quarantine) = (self.free.clone(), self.quarantine.clone());
        let (place, file) = blocking(move || {
            free.check(bytes.size)?;
            QuarantinedFile::create(&quarantine)
        })
        .await?;
        let mut file = File::from_std(file);
        let (mut digest, mut size) = (Context::new(&SHA256), 0_u64);
        while let Some(piece) = pieces.try_next().await? {
            digest.update(&piece);
            size = size.saturating_add(piece.len() as u64);
            if size > bytes.size {
                return Err(Error::Damaged);
            }
            file.write_all(&piece).await?;
        }
        if size != bytes.size || digest.finish().as_ref() != bytes.sha256 {
            return Err(Error::Damaged);
        }
        file.flush().await?;
        let (file, path) = (file.into_std().await, self.path(id));
        blocking(move || {
            QuarantinedFile::seal(&file)?;
            place.promote(&path)
        })
        .await
    }

    pub(super) async fn read(
        &self,
        id: &FileId,
        size: u64,
        part: Range<u64>,
    ) -> Result<Pieces, Error> {
        let mut file = File::open(self.path(id)).await.map_err(missing)?;
        let length = file.metadata().await?.len();
        if length != size {
            tracing::error!(%id, length, size, "a stored file has another size than its row");
            return Err(Error::Damaged);
        }
        if part.start > 0 {
            file.seek(io::SeekFrom::Start(part.start)).await?;
        }
        Ok(all_of(file, part.end.saturating_sub(part.start)).boxed())
    }

    pub(super) async fn size(&self, id: &FileId) -> Result<Option<u64>, Error> {
        match tokio::fs::symlink_metadata(self.path(id)).await {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn remove(&self, id: &FileId) -> Result<(), Error> {
        remove(&self.path(id)).await
    }

    pub(super) async fn remove_listed(&self, listed: &Listed, shard: &str) -> Result<(), Error> {
        remove(&self.directory.join(shard).join(&listed.name)).await
    }

    /// The names of one directory are one part of 256 of all, so they may be in memory.
    pub(super) async fn list(
        &self,
        shard: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, Error> {
        let (directory, shard) = (self.directory.join(shard), shard.to_owned());
        let after = after.map(str::to_owned);
        blocking(move || list(&directory, &shard, after.as_deref())).await
    }
}

/// A row without its file is a fault of the storage, and not the visitor's.
fn missing(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::Damaged;
    }
    error.into()
}

/// The pieces of a file that is open.
#[cfg(feature = "s3")]
pub(super) fn pieces(
    file: fs::File,
    length: u64,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    all_of(File::from_std(file), length)
}

fn all_of(file: File, length: u64) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = (&mut file)
            .take(left.min(PIECE as u64))
            .read_buf(&mut piece)
            .await?;
        if read == 0 {
            return Ok(None);
        }
        let left = left.saturating_sub(read as u64);
        Ok(Some((piece.freeze(), (file, left))))
    })
}

async fn remove(path: &Path) -> Result<(), Error> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn list(directory: &Path, shard: &str, after: Option<&str>) -> io::Result<Vec<Listed>> {
    let mut names = names(directory)?;
    names.retain(|name| after.is_none_or(|after| name.as_str() > after));
    names.sort_unstable();
    names.truncate(PAGE);
    let mut page = Vec::with_capacity(names.len());
    for name in names {
        let found = match fs::symlink_metadata(directory.join(&name)) {
            Ok(found) => found,
            // It has gone since its directory was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        // A time in the future makes no file old.
        let age = found.modified()?.elapsed().unwrap_or(Duration::ZERO);
        page.push(Listed {
            place: format!("{shard}{name}"),
            name,
            size: found.len(),
            age,
        });
    }
    Ok(page)
}

/// The names in a directory. A name that is no text is no id; the path of its loss would not be exact, so it stays.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        names.extend(OsStr::to_str(&name).map(str::to_owned));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let none = directory.path().join("none");
        assert!(list(&none, "00", None).unwrap().is_empty());
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = list(&file, "00", None).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn a_directory_is_listed_in_pages_and_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..PAGE + 3 {
            fs::write(directory.path().join(format!("{number:030x}")), "ab").unwrap();
        }
        let first = list(directory.path(), "0a", None).unwrap();
        assert_eq!(first.len(), PAGE);
        let last = &first[PAGE - 1];
        assert_eq!(last.size, 2);
        assert_eq!(last.id().unwrap().as_str(), format!("0a{}", last.name));
        let second = list(directory.path(), "0a", Some(&last.name)).unwrap();
        assert_eq!(second.len(), 3);
        assert!(second[0].name > last.name);
        let end = list(directory.path(), "0a", Some(&second[2].name)).unwrap();
        assert!(end.is_empty());
    }
}
