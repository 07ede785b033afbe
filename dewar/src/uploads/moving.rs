//! Copies every file to another storage, while the application runs.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::error::Error;
use super::id::FileId;
use super::rows::{self, Facts};
use super::storage::{FileBytes, Storage};
use crate::database::Db;

/// The clock of a storage counts in seconds.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

/// Files that are copied at once.
const AT_ONCE: usize = 4;

/// The result of a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) copied: u64,
    /// Files that an earlier run had copied.
    pub(crate) there: u64,
    /// Copies of files that were deleted meanwhile. They are deleted too.
    pub(crate) removed: u64,
    /// Older objects that no row describes: of an earlier run, or of somebody else. They stay.
    pub(crate) left: u64,
    /// Stored files that could not be read as their rows describe them.
    pub(crate) damaged: Vec<FileId>,
}

enum One {
    Copied,
    Damaged(FileId),
    /// It was deleted meanwhile.
    Gone,
    There,
}

/// Copies every stored file that is not there yet. Each is compared with the SHA-256 of its row before the other storage has it.
/// Copies of files that were deleted meanwhile are deleted at the end.
///
/// # Errors
/// A storage or the database fails; the next run continues where this one ended.
pub(crate) async fn copy_all(
    db: &Db,
    (from, to): (&Storage, &Storage),
    within: Duration,
    mut progress: impl FnMut(&Moved),
) -> Result<Moved, Error> {
    let (mut moved, mut last) = (Moved::default(), None);
    let began = Instant::now();
    loop {
        let page = rows::stored(db, last.as_ref()).await?;
        let Some(end) = page.last().map(|facts| facts.id.clone()) else {
            clear_up(db, to, began, &mut moved).await?;
            return Ok(moved);
        };
        last = Some(end);
        let mut copies = stream::iter(page)
            .map(|facts| copy(db, (from, to), facts, within))
            .buffer_unordered(AT_ONCE);
        while let Some(one) = copies.next().await {
            match one? {
                One::Copied => moved.copied += 1,
                One::Damaged(id) => moved.damaged.push(id),
                One::Gone => {}
                One::There => moved.there += 1,
            }
            progress(&moved);
        }
    }
}

/// Deletes the copies of files that are not stored any more. Only objects of this run: an older one that no row describes may
/// belong to another application, if the operator named its bucket.
pub(super) async fn clear_up(
    db: &Db,
    to: &Storage,
    began: Instant,
    moved: &mut Moved,
) -> Result<(), Error> {
    for shard in to.shards() {
        let mut after: Option<String> = None;
        loop {
            let page = to.list(&shard, after.as_deref()).await?;
            for one in &page {
                let Some(id) = one.id() else {
                    continue;
                };
                // A node that stores there already may be about to finish a file.
                if rows::is_wanted(db, &id).await? {
                    continue;
                }
                if one.age <= began.elapsed() + CLOCKS_DIFFER {
                    to.remove(&id).await?;
                    moved.removed += 1;
                } else {
                    moved.left += 1;
                }
            }
            let Some(last) = page.into_iter().next_back() else {
                break;
            };
            after = Some(last.name);
        }
    }
    Ok(())
}

async fn copy(
    db: &Db,
    (from, to): (&Storage, &Storage),
    facts: Facts,
    within: Duration,
) -> Result<One, Error> {
    let bytes = FileBytes {
        size: facts.size,
        sha256: facts.sha256,
    };
    // Both storages show a file only when it is complete, and this one compared its bytes before.
    match to.size(&facts.id).await? {
        Some(size) if size == facts.size => return Ok(One::There),
        Some(_) => return Ok(One::Damaged(facts.id)),
        None => {}
    }
    let copied = async {
        let pieces = from.read(&facts.id, facts.size, 0..facts.size).await?;
        to.copy(&facts.id, pieces, bytes, within).await
    };
    match copied.await {
        Ok(()) => Ok(One::Copied),
        Err(Error::Damaged) if rows::is_stored(db, &facts.id).await? => Ok(One::Damaged(facts.id)),
        Err(Error::Damaged) => Ok(One::Gone),
        Err(error) => Err(error),
    }
}
