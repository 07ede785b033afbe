//! `PendingFile`: a file that is kept and that no row refers to yet.

use super::error::Error;
use super::id::FileId;
use super::kind::FileKind;
use super::rows::{self, StoredFile};
use super::store::{Leaving, Uploads};
use crate::database::Tx;

/// A file that was kept and that nothing refers to yet. Dropped, it goes; it has an id once it is claimed.
///
/// Your row and the file are one fact, and a program can be killed between any two steps. So the id is only had inside
/// the transaction that writes the row: both are there afterwards, or neither.
///
/// ```
/// # async fn f(db: dewar::Db, file: dewar::uploads::PendingFile) -> dewar::Result<()> {
/// let tx = db.begin().await?;
/// let id = file.commit_in(&tx).await?;
/// tx.execute("INSERT INTO papers (file) VALUES (?)", [id.into()]).await?;
/// tx.commit().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a file that is not claimed goes again"]
pub struct PendingFile {
    uploads: Uploads,
    kept: StoredFile,
    fate: Fate,
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Claimed,
    Open,
}

impl PendingFile {
    pub(super) fn new(uploads: Uploads, kept: StoredFile) -> Self {
        Self {
            uploads,
            kept,
            fate: Fate::Open,
        }
    }

    /// The id, for a row that is written in this transaction. Rolled back, the file goes.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the file lay unclaimed for longer than `uploads.pending_ttl`; the database's.
    pub async fn commit_in(self, tx: &Tx) -> Result<FileId, Error> {
        let id = self.kept.id.clone();
        rows::claimed(tx, &id).await?;
        self.uploads.note_stored(tx, &self.kept).await?;
        // Not run where the transaction is rolled back; then this is dropped as it is.
        tx.after_commit(move || self.stays());
        Ok(id)
    }

    fn stays(mut self) {
        self.fate = Fate::Claimed;
    }

    /// What its bytes are.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        self.kept.kind
    }

    /// How many there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.kept.size
    }

    /// What the visitor called it, cleaned: a text to show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.kept.name
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if self.fate == Fate::Open {
            // It asks once more, behind every transaction that is open now: one of them may have claimed it and be
            // committed although nobody heard of it.
            self.uploads
                .clone()
                .in_background(self.kept.id.clone(), Leaving::Pending);
        }
    }
}
