//! A bucket belongs to one database: both hold the same random id.
//!
//! A sweep deletes the objects that no row describes. With another database's rows, that would be every file.

use data_encoding::HEXLOWER;

use super::error::Error;
use super::rows;
use super::storage::{Marking, Storage, StoragePlace};
use super::store::Uploads;
use crate::audit::{Finding, Practice, Severity};
use crate::database::Db;
use crate::secrets::random;

/// How a storage and a database belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// They have one id, or the storage is the disk of this machine.
    Bound,
    /// Neither has a file.
    Free,
    /// The bucket has no file and no id, and the database has files.
    Emptied,
    /// The bucket has another id.
    OfAnother,
    /// The bucket has files and no id.
    Unmarked,
}

impl Binding {
    /// Compares the two. Without a database, it is one that does not exist yet.
    pub(crate) async fn of(db: Option<&Db>, storage: &Storage) -> Result<Self, Error> {
        if !storage.is_shared() {
            return Ok(Self::Bound);
        }
        let ours = match db {
            Some(db) => id(db).await?,
            None => None,
        };
        if let Some(mark) = storage.mark().await? {
            let is_ours = ours.is_some_and(|ours| ours == mark);
            return Ok(if is_ours {
                Self::Bound
            } else {
                Self::OfAnother
            });
        }
        if !storage.list("", None).await?.is_empty() {
            return Ok(Self::Unmarked);
        }
        let has_files = match db {
            Some(db) => rows::has_stored(db).await?,
            None => false,
        };
        Ok(if has_files { Self::Emptied } else { Self::Free })
    }

    /// Why files may not be stored there, and what to do.
    pub(crate) fn finding(self, place: &StoragePlace) -> Option<Finding> {
        let (id, what, why, fix) = match self {
            Self::Bound | Self::Free => return None,
            Self::Emptied => (
                "uploads-s3-emptied",
                "has no file, and the database has files",
                "no file of a user could be served",
                "correct `uploads.storage`. To bring the files there, set it as it was and run `uploads move`. If the files are \
                 lost, or you copied them with another tool, run `uploads adopt`",
            ),
            Self::OfAnother => (
                "uploads-s3-of-another",
                "belongs to another database",
                "a start deletes the files that its database does not know, which would be those of another application",
                "correct `uploads.storage` (each application has a bucket or a prefix of its own) or `database.url`. If the \
                 bucket is the right one, run `uploads adopt`, which compares it with the database first",
            ),
            Self::Unmarked => (
                "uploads-s3-unmarked",
                "has files, and does not say to which database they belong",
                "a start deletes the files that its database does not know, which would be those of another application",
                "correct `uploads.storage`. If the files are those of this application, run `uploads adopt`, which compares \
                 them with the database first",
            ),
        };
        let finding = Finding::refuse(Practice::Uploads, id, format!("{place} {what}"));
        Some(finding.severity(Severity::High).why(why).fix(fix).cwe(668))
    }
}

/// Gives both the same id.
pub(crate) async fn bind(db: &Db, storage: &Storage, marking: Marking) -> Result<(), Error> {
    let new = HEXLOWER.encode(&random::<16>());
    let add = "INSERT INTO dewar_bucket (one, id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING";
    db.execute(add, [new.into()]).await?;
    let id = id(db).await?.ok_or(Error::NotFound)?;
    storage.write_mark(&id, marking).await
}

/// The id in the database.
async fn id(db: &Db) -> Result<Option<String>, Error> {
    if !db.has_table("dewar_bucket").await? {
        return Ok(None);
    }
    let rows = db.query("SELECT id FROM dewar_bucket", []).await?;
    Ok(rows.first().map(|row| row.get(0)).transpose()?)
}

impl Uploads {
    /// Binds a bucket to the database if neither has a file yet. What forbids the launch is a finding.
    pub(crate) async fn bind_storage(&self) -> Result<Vec<Finding>, Error> {
        let (db, storage) = (&self.inner.db, &self.inner.storage);
        let mut binding = Binding::of(Some(db), storage).await?;
        if binding == Binding::Free {
            bind(db, storage, Marking::First).await?;
            binding = Binding::of(Some(db), storage).await?;
        }
        Ok(binding
            .finding(&self.inner.config.storage)
            .into_iter()
            .collect())
    }

    /// Whether the storage has the files of this database, and nobody else's.
    pub(super) async fn is_bound(&self) -> Result<bool, Error> {
        let binding = Binding::of(Some(&self.inner.db), &self.inner.storage).await?;
        if binding != Binding::Bound {
            tracing::error!(
                ?binding,
                "the bucket is not that of this database: nothing in it is deleted"
            );
        }
        Ok(binding == Binding::Bound)
    }
}
