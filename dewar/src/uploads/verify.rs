//! Compares the rows with the storage, while the application runs.

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::TryStreamExt as _;

use super::error::Error;
use super::id::FileId;
use super::rows::{self, Facts};
use super::storage::{Listed, Storage};
use crate::database::Db;

/// How far a comparison goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Every file is read.
    Digests,
    /// Names and sizes alone.
    Sizes,
}

/// A file that is not as its row says, or has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Other bytes than those that were stored.
    Changed(FileId),
    /// A file that no row describes; a start deletes it.
    Extra(String),
    Missing(FileId),
    /// The number of bytes that were found, and that of the row.
    Size(FileId, u64, u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(id) => write!(f, "{id}: its SHA-256 is not that of its row"),
            Self::Extra(name) => {
                write!(f, "{name}: no row describes it; the next start deletes it")
            }
            Self::Missing(id) => write!(f, "{id}: missing; restore it from a backup"),
            Self::Size(id, found, size) => {
                write!(f, "{id}: {found} bytes, and its row says {size}")
            }
        }
    }
}

/// A comparison in progress.
pub(crate) struct Verification<'a, S, F> {
    pub(crate) db: &'a Db,
    pub(crate) storage: &'a Storage,
    pub(crate) depth: Depth,
    /// Called with the number of files that were compared.
    pub(crate) seen: S,
    pub(crate) fault: F,
}

impl<S: FnMut(u64), F: FnMut(Fault)> Verification<'_, S, F> {
    /// Compares everything, page by page. Returns the number of files.
    ///
    /// # Errors
    /// The database or the storage cannot be read.
    pub(crate) async fn run(&mut self) -> Result<u64, Error> {
        let mut files = 0;
        for shard in self.storage.shards() {
            self.shard(&shard, &mut files).await?;
        }
        Ok(files)
    }

    async fn shard(&mut self, two: &str, files: &mut u64) -> Result<(), Error> {
        let (mut after, mut last_row) = (None::<String>, None::<FileId>);
        loop {
            // Files first, rows second, as the sweep does.
            let page = self.storage.list(two, after.as_deref()).await?;
            let end = page.last().map(|listed| listed.place.clone());
            let by_id = page.iter().filter_map(|one| Some((one.id()?, one)));
            let mut listed: HashMap<FileId, &Listed> = by_id.collect();
            loop {
                let last = last_row.as_ref();
                let rows = rows::facts_of_shard(self.db, two, last, end.as_deref()).await?;
                let Some(end) = rows.last() else { break };
                last_row = Some(end.id.clone());
                for row in rows {
                    let found = listed.remove(&row.id);
                    if row.is_stored {
                        self.compare(&row, found.map(|listed| listed.size)).await?;
                        *files += 1;
                        (self.seen)(*files);
                    }
                }
            }
            for one in &page {
                let Some(id) = one.id() else {
                    (self.fault)(Fault::Extra(one.place.clone()));
                    continue;
                };
                // It may have been deleted since, with its row.
                if listed.contains_key(&id)
                    && !rows::exists(self.db, &id).await?
                    && self.storage.size(&id).await?.is_some()
                {
                    (self.fault)(Fault::Extra(id.to_string()));
                }
            }
            let Some(last) = page.into_iter().next_back() else {
                return Ok(());
            };
            after = Some(last.name);
        }
    }

    async fn compare(&mut self, row: &Facts, found: Option<u64>) -> Result<(), Error> {
        let fault = match found {
            Some(size) if size == row.size && self.depth == Depth::Sizes => return Ok(()),
            Some(size) if size == row.size => match self.digest(row).await? {
                Some(sha256) if sha256 == row.sha256 => return Ok(()),
                Some(_) => Fault::Changed(row.id.clone()),
                None => Fault::Missing(row.id.clone()),
            },
            Some(size) => Fault::Size(row.id.clone(), size, row.size),
            // It may have come since, or it is on its way out.
            None if self.storage.size(&row.id).await? == Some(row.size) => return Ok(()),
            None => Fault::Missing(row.id.clone()),
        };
        if rows::is_stored(self.db, &row.id).await? {
            (self.fault)(fault);
        }
        Ok(())
    }

    /// None if the file is not there any more.
    async fn digest(&self, row: &Facts) -> Result<Option<[u8; 32]>, Error> {
        let mut pieces = match self.storage.read(&row.id, row.size, 0..row.size).await {
            Ok(pieces) => pieces,
            Err(Error::Damaged) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut digest = Context::new(&SHA256);
        while let Some(piece) = pieces.try_next().await? {
            digest.update(&piece);
        }
        let digest = digest.finish();
        Ok(Some(digest.as_ref().try_into().unwrap_or_default()))
    }
}
