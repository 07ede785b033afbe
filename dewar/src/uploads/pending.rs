//! `PendingFile`: a stored file that no row refers to yet.

use super::error::Error;
use super::id::FileId;
use super::kind::FileKind;
use super::rows::{self, StoredFile};
use super::store::{Leaving, Uploads};
use super::virus_scan::ScanStatus;
use crate::database::Tx;

/// A stored file that no row refers to yet. When it is dropped, Dewar deletes the file.
///
/// A program can be killed between any two steps. So you get the id only inside the transaction that writes your row:
/// afterwards both file and row exist, or neither.
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
#[must_use = "Dewar deletes a file that is not committed in a transaction"]
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

    /// Commits the file with this transaction and returns its id for your row. After a rollback Dewar deletes the file.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the file was pending for longer than `uploads.pending_ttl`; errors of the database.
    pub async fn commit_in(self, tx: &Tx) -> Result<FileId, Error> {
        let id = self.kept.id.clone();
        rows::claimed(tx, &id).await?;
        self.uploads.note_stored(tx, &self.kept).await?;
        // This does not run after a rollback; then the file is dropped and deleted.
        tx.after_commit(move || self.stays());
        Ok(id)
    }

    fn stays(mut self) {
        self.fate = Fate::Claimed;
    }

    /// The kind of the file.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        self.kept.kind
    }

    /// Whether the file waits for the virus scanner: until then Dewar serves it to nobody. Tell the person.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.kept.scan == ScanStatus::Waiting
    }

    /// The number of its bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.kept.size
    }

    /// The visitor's name for it, cleaned: a text to show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.kept.name
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if self.fate == Fate::Open {
            // This checks once more, after every transaction that is open now: one of them may have claimed the file and
            // be committed although its caller is gone.
            self.uploads
                .clone()
                .in_background(self.kept.id.clone(), Leaving::Pending);
        }
    }
}
