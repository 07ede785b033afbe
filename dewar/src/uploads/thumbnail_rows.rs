//! The rows of thumbnails: each names its file and its size. A file has one stored thumbnail of a size.

use super::error::Error;
use super::id::FileId;
use super::rows::{StoredFile, columns, integer, read};
use crate::database::{Db, Tx};

/// The stored thumbnail of a file in a size.
pub(super) async fn find(db: &Db, of: &FileId, size: &str) -> Result<Option<StoredFile>, Error> {
    let rows = db
        .query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM dewar_files WHERE thumbnail_of = ? AND thumbnail = ? AND state = 'stored'"
            ),
            [of.into(), size.into()],
        )
        .await?;
    rows.first().map(read).transpose()
}

/// Adds a row that is `arriving`, if the file is stored.
pub(super) async fn insert(
    db: &Db,
    made: &StoredFile,
    of: &FileId,
    size: &str,
) -> Result<(), Error> {
    let added = db
        .execute(
            "INSERT INTO dewar_files
                 (id, owner, policy, kind, anew, size, sha256, name, created_at, scan, state, thumbnail_of, thumbnail)
             SELECT ?1, ?2, 'thumbnail', ?3, 1, ?4, ?5, ?6, ?7, ?8, 'arriving', ?9, ?10
             WHERE EXISTS (SELECT 1 FROM dewar_files WHERE id = ?9 AND state = 'stored')",
            [
                (&made.id).into(),
                made.owner.into(),
                made.kind.as_str().into(),
                integer(made.size).into(),
                made.sha256.to_vec().into(),
                made.name.as_str().into(),
                made.created_at.into(),
                made.scan.as_str().into(),
                of.into(),
                size.into(),
            ],
        )
        .await?;
    one(added)
}

/// Makes an arrived thumbnail `stored`, if its file still is.
pub(super) async fn committed(db: &Db, id: &FileId, of: &FileId) -> Result<(), Error> {
    let commit = "UPDATE dewar_files SET state = 'stored' WHERE id = ? AND state = 'arriving'
                  AND EXISTS (SELECT 1 FROM dewar_files WHERE id = ? AND state = 'stored' AND scan <> 'infected')";
    one(db.execute(commit, [id.into(), of.into()]).await?)
}

/// Makes the thumbnails of a file `leaving` when this transaction commits.
pub(super) async fn leaving_with(tx: &Tx, of: &FileId) -> Result<(), Error> {
    tx.execute(ALL_LEAVING, [of.into()]).await?;
    Ok(())
}

/// The same, at once.
pub(super) async fn all_leaving(db: &Db, of: &FileId) -> Result<(), Error> {
    db.execute(ALL_LEAVING, [of.into()]).await?;
    Ok(())
}

const ALL_LEAVING: &str =
    "UPDATE dewar_files SET state = 'leaving' WHERE thumbnail_of = ? AND state <> 'leaving'";

/// Makes one thumbnail `leaving`: its bytes are lost.
pub(super) async fn leaving(db: &Db, id: &FileId) -> Result<(), Error> {
    let leave =
        "UPDATE dewar_files SET state = 'leaving' WHERE id = ? AND thumbnail_of IS NOT NULL";
    db.execute(leave, [id.into()]).await?;
    Ok(())
}

/// The thumbnails of a file, which are as many as the program has sizes.
pub(super) async fn of(db: &Db, of: &FileId) -> Result<Vec<FileId>, Error> {
    let find = "SELECT id FROM dewar_files WHERE thumbnail_of = ?";
    super::rows::ids(&db.query(find, [of.into()]).await?)
}

/// Whether a row is that of a stored thumbnail.
pub(super) async fn is_one(db: &Db, id: &FileId) -> Result<bool, Error> {
    let find = "SELECT id FROM dewar_files
                WHERE id = ? AND thumbnail_of IS NOT NULL AND state = 'stored'";
    Ok(!db.query(find, [id.into()]).await?.is_empty())
}

/// A page of the stored thumbnails whose file is gone or on its way out.
pub(super) async fn without_file(db: &Db) -> Result<Vec<FileId>, Error> {
    let find = "SELECT id FROM dewar_files small WHERE thumbnail_of IS NOT NULL AND state = 'stored'
                AND NOT EXISTS (SELECT 1 FROM dewar_files WHERE id = small.thumbnail_of AND state = 'stored')
                LIMIT 500";
    super::rows::ids(&db.query(find, []).await?)
}

fn one(changed: u64) -> Result<(), Error> {
    if changed == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}
