//! The table of stored files.
//!
//! A row is written before its file and deleted after it: `arriving`, `stored`, `leaving`. It becomes `stored` in the
//! transaction of the application's row that refers to it, and `leaving` in the one that removes the reference. So a
//! crash leaves only files without a row and rows that are not `stored`, and Dewar serves only `stored` files.

use super::charset::Charset;
use super::error::Error;
use super::id::FileId;
use super::kind::FileKind;
use super::name::FileName;
use super::ticket_rows;
use super::virus_scan::ScanStatus;
use crate::database::{Db, Migration, Row, Tx};
use crate::sessions::UserId;

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(
        "dewar_uploads_0001_files",
        "CREATE TABLE dewar_files (
         id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
         owner INTEGER NOT NULL,
         policy TEXT NOT NULL,
         kind TEXT NOT NULL,
         anew INTEGER NOT NULL CHECK (anew IN (0, 1)),
         size INTEGER NOT NULL CHECK (size >= 0),
         sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
         name TEXT NOT NULL,
         created_at INTEGER NOT NULL,
         state TEXT NOT NULL CHECK (state IN ('arriving', 'stored', 'leaving'))
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX dewar_files_by_owner ON dewar_files (owner, size);",
    ),
    Migration::new(
        "dewar_uploads_0002_virus_scan",
        "ALTER TABLE dewar_files ADD COLUMN scan TEXT NOT NULL DEFAULT 'none'
         CHECK (scan IN ('clean', 'infected', 'none', 'waiting'));
     CREATE INDEX dewar_files_waiting ON dewar_files (id) WHERE scan = 'waiting';",
    ),
    // Texts stored before have none: they are UTF-8.
    Migration::new(
        "dewar_uploads_0003_charset",
        "ALTER TABLE dewar_files ADD COLUMN charset TEXT",
    ),
    // A thumbnail names its file and its size.
    Migration::new(
        "dewar_uploads_0004_thumbnails",
        "ALTER TABLE dewar_files ADD COLUMN thumbnail_of TEXT;
     ALTER TABLE dewar_files ADD COLUMN thumbnail TEXT;
     CREATE INDEX dewar_files_thumbnails_of ON dewar_files (thumbnail_of) WHERE thumbnail_of IS NOT NULL;
     CREATE UNIQUE INDEX dewar_files_thumbnails ON dewar_files (thumbnail_of, thumbnail)
         WHERE thumbnail_of IS NOT NULL AND state = 'stored';",
    ),
    // How often the scanner said that a waiting file is too large for it, and when it is asked again. The signatures of the last
    // scan; whether the bytes of a file with a virus are still there.
    Migration::new(
        "dewar_uploads_0005_scans",
        "ALTER TABLE dewar_files ADD COLUMN scan_tries INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE dewar_files ADD COLUMN scan_after INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE dewar_files ADD COLUMN signatures INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE dewar_files ADD COLUMN held INTEGER NOT NULL DEFAULT 0;",
    )
    .additive(),
    // The id that the bucket of the files has too.
    Migration::new(
        "dewar_uploads_0006_bucket",
        "CREATE TABLE dewar_bucket (
         one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
         id TEXT NOT NULL
     ) STRICT, WITHOUT ROWID",
    )
    .additive(),
    ticket_rows::MIGRATION,
];

/// A stored file, as its row describes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredFile {
    /// The id of the file.
    pub id: FileId,
    /// The owner, whose quota it uses.
    pub owner: UserId,
    /// The kind of its content.
    pub kind: FileKind,
    /// The encoding of a text.
    pub charset: Option<Charset>,
    /// The number of its bytes.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// The visitor's name for it, cleaned: a text to show.
    pub name: String,
    /// When it was stored, in seconds since 1970.
    pub created_at: i64,
    /// Whether the picture was re-encoded, so that a page may show it.
    pub written_anew: bool,
    /// The result of the virus scan.
    pub scan: ScanStatus,
    /// How often the scanner said that the file is too large for it, while the file waited.
    pub(crate) scan_tries: u32,
    /// Whether the bytes of a file with a virus are still there: a scan of stored files found it.
    pub(crate) is_held: bool,
}

/// The columns that [`read`] reads.
macro_rules! columns {
    () => {
        "id, owner, kind, size, sha256, name, created_at, anew, scan, charset, scan_tries, held"
    };
}
pub(super) use columns;

/// The storage that one owner uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Used {
    /// Bytes of all files.
    pub bytes: u64,
    /// The number of files.
    pub files: u64,
}

pub(crate) struct New<'a> {
    pub(crate) kept: &'a StoredFile,
    pub(crate) policy: &'static str,
    pub(crate) quota_bytes: u64,
    pub(crate) quota_files: u64,
}

/// Adds a row that is `arriving`, unless it exceeds the owner's quota. It is one statement and the database has one
/// writer, so two uploads cannot both use the last space. A file that is `leaving` does not count.
pub(crate) async fn insert(db: &Db, new: New<'_>) -> Result<(), Error> {
    let New {
        kept,
        policy,
        quota_bytes,
        quota_files,
    } = new;
    let added = db
        .execute(
            "INSERT INTO dewar_files (id, owner, policy, kind, anew, size, sha256, name, created_at, scan, charset, state)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?12, ?13, 'arriving'
             WHERE (SELECT COUNT(*) < ?10 AND COALESCE(SUM(size), 0) <= ?11 - ?6 FROM dewar_files
                 WHERE owner = ?2 AND state <> 'leaving' AND scan <> 'infected' AND thumbnail_of IS NULL)",
            [
                (&kept.id).into(),
                kept.owner.into(),
                policy.into(),
                kept.kind.as_str().into(),
                i64::from(kept.written_anew).into(),
                integer(kept.size).into(),
                kept.sha256.to_vec().into(),
                kept.name.as_str().into(),
                kept.created_at.into(),
                integer(quota_files).into(),
                integer(quota_bytes).into(),
                kept.scan.as_str().into(),
                kept.charset.map(Charset::as_str).into(),
            ],
        )
        .await?;
    if added == 0 {
        return Err(Error::Quota {
            files: quota_files,
            bytes: quota_bytes,
        });
    }
    Ok(())
}

/// Makes an arrived file `stored` when this transaction commits.
pub(crate) async fn claimed(tx: &Tx, id: &FileId) -> Result<(), Error> {
    let claim = "UPDATE dewar_files SET state = 'stored' WHERE id = ? AND state = 'arriving'";
    one(tx.execute(claim, [id.into()]).await?)
}

/// Makes a stored file `leaving` when this transaction commits: Dewar does not serve it any more.
pub(crate) async fn leaving(tx: &Tx, id: &FileId) -> Result<(), Error> {
    let leave = "UPDATE dewar_files SET state = 'leaving' WHERE id = ? AND state = 'stored'";
    one(tx.execute(leave, [id.into()]).await?)
}

/// Makes a pending file `leaving`; [`Error::NotFound`] if a transaction has claimed it. It waits for an open transaction
/// that may be claiming it.
pub(crate) async fn unclaimed(db: &Db, id: &FileId) -> Result<(), Error> {
    let leave = "UPDATE dewar_files SET state = 'leaving' WHERE id = ? AND state = 'arriving'";
    one(db.execute(leave, [id.into()]).await?)
}

pub(crate) async fn gone(db: &Db, id: &FileId) -> Result<(), Error> {
    db.execute(
        "DELETE FROM dewar_files WHERE id = ? AND state = 'leaving'",
        [id.into()],
    )
    .await?;
    Ok(())
}

fn one(changed: u64) -> Result<(), Error> {
    if changed == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

pub(crate) async fn find(db: &Db, id: &FileId) -> Result<StoredFile, Error> {
    let rows = db
        .query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM dewar_files WHERE id = ? AND state = 'stored' AND thumbnail_of IS NULL"
            ),
            [id.into()],
        )
        .await?;
    rows.first().ok_or(Error::NotFound).and_then(read)
}

/// The next files that wait for the virus scanner and whose turn has come, in the order of their ids.
pub(crate) async fn waiting(db: &Db, now: i64, after: &str) -> Result<Vec<StoredFile>, Error> {
    let rows = db
        .query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM dewar_files WHERE scan = 'waiting' AND state = 'stored' AND scan_after <= ? AND id > ?
                 ORDER BY id LIMIT 50"
            ),
            [now.into(), after.into()],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Takes a waiting file for this node until then. Returns false if another node was faster.
pub(crate) async fn take_to_scan(
    db: &Db,
    id: &FileId,
    now: i64,
    until: i64,
) -> Result<bool, Error> {
    let take = "UPDATE dewar_files SET scan_after = ?
                WHERE id = ? AND scan = 'waiting' AND state = 'stored' AND scan_after <= ?";
    let taken = db.execute(take, [until.into(), id.into(), now.into()]);
    Ok(taken.await? > 0)
}

/// Scans a waiting file not before that time, and counts whether it was too large.
pub(crate) async fn scan_later(
    db: &Db,
    id: &FileId,
    after: i64,
    too_large: bool,
) -> Result<(), Error> {
    let later = "UPDATE dewar_files SET scan_after = ?, scan_tries = scan_tries + ?
                 WHERE id = ? AND scan = 'waiting'";
    let values = [after.into(), i64::from(too_large).into(), id.into()];
    db.execute(later, values).await?;
    Ok(())
}

/// The files of a scan of stored files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rescan {
    /// Those that were not scanned with these signatures or newer ones, and those that an earlier scan holds.
    Before(i64),
    /// Those that were never scanned.
    Unscanned,
}

/// The next stored files to scan, in the order of their ids. Files that wait are the background task's.
pub(crate) async fn to_rescan(
    db: &Db,
    which: Rescan,
    after: &str,
) -> Result<Vec<StoredFile>, Error> {
    let (signatures, only_unscanned) = match which {
        Rescan::Before(signatures) => (signatures, 0_i64),
        Rescan::Unscanned => (i64::MAX, 1),
    };
    let rows = db
        .query(
            concat!(
                "SELECT ",
                columns!(),
                " FROM dewar_files WHERE state = 'stored' AND thumbnail_of IS NULL AND signatures < ?
                 AND (scan = 'none' OR (? = 0 AND (scan = 'clean' OR (scan = 'infected' AND held = 1))))
                 AND id > ? ORDER BY id LIMIT 50"
            ),
            [signatures.into(), only_unscanned.into(), after.into()],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The number of files that a scan would read.
pub(crate) async fn number_to_rescan(db: &Db, which: Rescan) -> Result<u64, Error> {
    let (signatures, only_unscanned) = match which {
        Rescan::Before(signatures) => (signatures, 0_i64),
        Rescan::Unscanned => (i64::MAX, 1),
    };
    let rows = db
        .query(
            "SELECT COUNT(*), 0 FROM dewar_files WHERE state = 'stored' AND thumbnail_of IS NULL AND signatures < ?
             AND (scan = 'none' OR (? = 0 AND (scan = 'clean' OR (scan = 'infected' AND held = 1))))",
            [signatures.into(), only_unscanned.into()],
        )
        .await?;
    Ok(used(&rows)?.files)
}

/// Notes that a stored file is clean, with the signatures that said so.
pub(crate) async fn rescanned(db: &Db, id: &FileId, signatures: i64) -> Result<(), Error> {
    let clean = "UPDATE dewar_files SET scan = 'clean', held = 0, signatures = ?
                 WHERE id = ? AND state = 'stored' AND scan <> 'waiting'";
    db.execute(clean, [signatures.into(), id.into()]).await?;
    Ok(())
}

/// Holds a stored file with a virus: its bytes stay, and nobody gets them. Returns false if it is on its way out or held
/// already.
pub(crate) async fn hold(tx: &Tx, id: &FileId, signatures: i64) -> Result<bool, Error> {
    let hold = "UPDATE dewar_files SET scan = 'infected', held = 1, signatures = ?
                WHERE id = ? AND state = 'stored' AND scan IN ('none', 'clean')";
    Ok(tx.execute(hold, [signatures.into(), id.into()]).await? > 0)
}

/// Notes that a held file still has a virus.
pub(crate) async fn still_held(db: &Db, id: &FileId, signatures: i64) -> Result<(), Error> {
    let held = "UPDATE dewar_files SET signatures = ? WHERE id = ? AND held = 1";
    db.execute(held, [signatures.into(), id.into()]).await?;
    Ok(())
}

const SCANNED: &str =
    "UPDATE dewar_files SET scan = ? WHERE id = ? AND scan = 'waiting' AND state = 'stored'";

/// Writes what the scanner said about a waiting file.
pub(crate) async fn scanned(db: &Db, id: &FileId, scan: ScanStatus) -> Result<(), Error> {
    db.execute(SCANNED, [scan.as_str().into(), id.into()])
        .await?;
    Ok(())
}

/// As [`scanned`], in a transaction. Returns whether the file was still waiting.
pub(crate) async fn scanned_in(tx: &Tx, id: &FileId, scan: ScanStatus) -> Result<bool, Error> {
    let changed = tx
        .execute(SCANNED, [scan.as_str().into(), id.into()])
        .await?;
    Ok(changed > 0)
}

pub(super) fn read(row: &Row) -> Result<StoredFile, Error> {
    let kind: String = row.get(2)?;
    let (id, size): (String, i64) = (row.get(0)?, row.get(3)?);
    let scan: String = row.get(8)?;
    let charset: Option<String> = row.get(9)?;
    // Dewar does not serve a kind that this program no longer knows as another kind.
    let kind = FileKind::of_word(&kind).ok_or(Error::NotFound)?;
    let charset = charset.as_deref().and_then(Charset::of_word);
    Ok(StoredFile {
        id: id.parse().map_err(|_| Error::NotFound)?,
        owner: UserId::new(row.get(1)?),
        kind,
        charset: charset.or_else(|| kind.is_text().then(Charset::utf_8)),
        size: u64::try_from(size).unwrap_or_default(),
        sha256: row.get(4)?,
        name: FileName::stored(row.get(5)?).as_str().to_owned(),
        created_at: row.get(6)?,
        written_anew: row.get(7)?,
        scan: ScanStatus::of_word(&scan),
        scan_tries: u32::try_from(row.get::<i64>(10)?).unwrap_or(u32::MAX),
        is_held: row.get::<i64>(11)? != 0,
    })
}

pub(crate) async fn used_by(db: &Db, owner: UserId) -> Result<Used, Error> {
    let rows = db
        .query(
            "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM dewar_files WHERE owner = ? AND state <> 'leaving'
                 AND scan <> 'infected' AND thumbnail_of IS NULL",
            [owner.into()],
        )
        .await?;
    used(&rows)
}

fn used(rows: &[Row]) -> Result<Used, Error> {
    let Some(row) = rows.first() else {
        return Ok(Used::default());
    };
    let (files, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok(Used {
        bytes: u64::try_from(bytes).unwrap_or_default(),
        files: u64::try_from(files).unwrap_or_default(),
    })
}

/// How many rows are read at once.
const PAGE: i64 = 500;

/// A page of the files of an owner, in the order of their ids, after this one. An empty page is the end.
pub(crate) async fn of_owner(
    db: &Db,
    owner: UserId,
    after: Option<&FileId>,
) -> Result<Vec<FileId>, Error> {
    let find = "SELECT id FROM dewar_files WHERE owner = ? AND id > ? AND thumbnail_of IS NULL
                ORDER BY id LIMIT ?";
    let page = [owner.into(), first(after).into(), PAGE.into()];
    ids(&db.query(find, page).await?)
}

/// A page of the pending rows that were written before `before`.
pub(crate) async fn left_over(
    db: &Db,
    before: i64,
    after: Option<&FileId>,
) -> Result<Vec<FileId>, Error> {
    let find = "SELECT id FROM dewar_files WHERE state = 'arriving' AND created_at <= ? AND id > ?
                ORDER BY id LIMIT ?";
    let page = [before.into(), first(after).into(), PAGE.into()];
    ids(&db.query(find, page).await?)
}

/// A page of the rows whose files must be deleted, however old.
pub(crate) async fn departing(db: &Db, after: Option<&FileId>) -> Result<Vec<FileId>, Error> {
    let find = "SELECT id FROM dewar_files WHERE state = 'leaving' AND id > ? ORDER BY id LIMIT ?";
    ids(&db.query(find, [first(after).into(), PAGE.into()]).await?)
}

/// Whether no file was ever stored, or every one is gone.
pub(crate) async fn is_empty(db: &Db) -> Result<bool, Error> {
    Ok(db
        .query("SELECT id FROM dewar_files LIMIT 1", [])
        .await?
        .is_empty())
}

/// Whether a stored file has to be there.
pub(crate) async fn has_stored(db: &Db) -> Result<bool, Error> {
    let find = "SELECT id FROM dewar_files WHERE state = 'stored' AND scan <> 'infected' LIMIT 1";
    Ok(db.has_table("dewar_files").await? && !db.query(find, []).await?.is_empty())
}

/// The facts of a row about the bytes of a file.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) id: FileId,
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
    /// Whether its bytes have to be there. Others are on their way in or out, or had a virus.
    pub(crate) is_stored: bool,
}

/// A page of the rows whose ids begin with two digits, those of one shard: after an id, and up to another if there is one.
pub(crate) async fn facts_of_shard(
    db: &Db,
    two: &str,
    after: Option<&FileId>,
    up_to: Option<&str>,
) -> Result<Vec<Facts>, Error> {
    // `g` sorts after every digit of an id.
    let end = up_to.map_or_else(|| format!("{two}g"), str::to_owned);
    let start = after.map_or(two, FileId::as_str);
    let find =
        "SELECT id, size, sha256, state, scan, held FROM dewar_files WHERE id > ? AND id <= ?
                ORDER BY id LIMIT ?";
    facts(
        &db.query(find, [start.into(), end.into(), PAGE.into()])
            .await?,
    )
}

/// A page of the stored files, in the order of their ids.
pub(crate) async fn stored(db: &Db, after: Option<&FileId>) -> Result<Vec<Facts>, Error> {
    let find = "SELECT id, size, sha256, state, scan, held FROM dewar_files
                WHERE state = 'stored' AND (scan <> 'infected' OR held = 1) AND id > ?
                ORDER BY id LIMIT ?";
    facts(&db.query(find, [first(after).into(), PAGE.into()]).await?)
}

fn facts(rows: &[Row]) -> Result<Vec<Facts>, Error> {
    let all = rows.iter().map(|row| {
        let (id, size): (String, i64) = (row.get(0)?, row.get(1)?);
        let (state, scan): (String, String) = (row.get(3)?, row.get(4)?);
        let held: i64 = row.get(5)?;
        Ok(Facts {
            id: id.parse().map_err(|_| Error::NotFound)?,
            size: u64::try_from(size).unwrap_or_default(),
            sha256: row.get(2)?,
            is_stored: state == "stored"
                && (ScanStatus::of_word(&scan) != ScanStatus::Infected || held != 0),
        })
    });
    all.collect()
}

/// Whether a file is stored, at this moment.
pub(crate) async fn is_stored(db: &Db, id: &FileId) -> Result<bool, Error> {
    let find = "SELECT id FROM dewar_files
                WHERE id = ? AND state = 'stored' AND (scan <> 'infected' OR held = 1)";
    Ok(!db.query(find, [id.into()]).await?.is_empty())
}

/// Whether a file is stored at this moment, or about to be.
pub(crate) async fn is_wanted(db: &Db, id: &FileId) -> Result<bool, Error> {
    let find = "SELECT id FROM dewar_files
                WHERE id = ? AND state <> 'leaving' AND (scan <> 'infected' OR held = 1)";
    Ok(!db.query(find, [id.into()]).await?.is_empty())
}

/// Whether there is a row, in any state.
pub(crate) async fn exists(db: &Db, id: &FileId) -> Result<bool, Error> {
    let find = "SELECT id FROM dewar_files WHERE id = ?";
    Ok(!db.query(find, [id.into()]).await?.is_empty())
}

/// The number of stored files and of their bytes.
pub(crate) async fn all_stored(db: &Db) -> Result<Used, Error> {
    let count = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM dewar_files
                 WHERE state = 'stored' AND (scan <> 'infected' OR held = 1)";
    used(&db.query(count, []).await?)
}

/// Every id is larger than the empty text.
fn first(after: Option<&FileId>) -> &str {
    after.map_or("", FileId::as_str)
}

pub(super) fn ids(rows: &[Row]) -> Result<Vec<FileId>, Error> {
    rows.iter()
        .map(|row| row.get::<String>(0)?.parse().map_err(|_| Error::NotFound))
        .collect()
}

pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
