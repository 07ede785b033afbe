//! The table of tickets: files that browsers send to the bucket themselves.
//!
//! A row exists before its object can, and goes after it. So every object below `incoming/` has a row, or is a remainder that
//! the sweep deletes.

use super::error::Error;
use super::id::FileId;
use super::rows::{ids, integer};
use crate::database::{Db, Migration};
use crate::sessions::UserId;

pub(super) const MIGRATION: Migration = Migration::new(
    "dewar_uploads_0007_tickets",
    "CREATE TABLE dewar_upload_tickets (
         id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
         owner INTEGER NOT NULL,
         policy TEXT NOT NULL,
         most INTEGER NOT NULL,
         size INTEGER NOT NULL CHECK (size > 0),
         sha256 BLOB,
         name TEXT NOT NULL,
         ends_at INTEGER NOT NULL,
         state TEXT NOT NULL CHECK (state IN ('open', 'used'))
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX dewar_upload_tickets_by_owner ON dewar_upload_tickets (owner);
     CREATE INDEX dewar_upload_tickets_by_end ON dewar_upload_tickets (ends_at)",
)
.additive();

/// An announced file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TicketRow {
    pub(super) id: FileId,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: Option<[u8; 32]>,
}

/// Whose ticket it is, and for which field.
#[derive(Clone, Copy, Debug)]
pub(super) struct TicketScope {
    pub(super) owner: UserId,
    pub(super) policy: &'static str,
    pub(super) most: u64,
}

/// The limits of tickets.
#[derive(Clone, Copy, Debug)]
pub(super) struct TicketLimits {
    /// Of one owner, used or not, until each ends.
    pub(super) of_owner: u64,
    /// Bytes of one owner, together with the stored files.
    pub(super) quota_bytes: u64,
    /// Files of one owner, together with the stored files.
    pub(super) quota_files: u64,
    /// Of all owners.
    pub(super) all: u64,
    /// Bytes of all owners.
    pub(super) all_bytes: u64,
}

/// Why there is no room for a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTicket {
    /// The owner has too many.
    Owner,
    /// The owner's quota is full.
    Quota,
    /// There are too many of all owners.
    All,
}

/// Adds a ticket that ends then, within the limits. A used one counts until it ends, because its object could come once more
/// where the server replaces objects. It is one statement, so two requests cannot both use the last room.
pub(super) async fn insert(
    db: &Db,
    scope: TicketScope,
    row: &TicketRow,
    ends_at: i64,
    limits: TicketLimits,
) -> Result<Option<NoTicket>, Error> {
    let added = db
        .execute(
            "INSERT INTO dewar_upload_tickets (id, owner, policy, most, size, sha256, name, ends_at, state)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open'
             WHERE (SELECT COUNT(*) < ?9 FROM dewar_upload_tickets WHERE owner = ?2)
               AND (SELECT COUNT(*) < ?10 AND COALESCE(SUM(size), 0) <= ?11 - ?5 FROM dewar_upload_tickets)
               AND (SELECT COUNT(*) FROM dewar_upload_tickets WHERE owner = ?2 AND state = 'open')
                 + (SELECT COUNT(*) FROM dewar_files WHERE owner = ?2 AND state <> 'leaving' AND scan <> 'infected'
                    AND thumbnail_of IS NULL) < ?12
               AND (SELECT COALESCE(SUM(size), 0) FROM dewar_upload_tickets WHERE owner = ?2 AND state = 'open')
                 + (SELECT COALESCE(SUM(size), 0) FROM dewar_files WHERE owner = ?2 AND state <> 'leaving'
                    AND scan <> 'infected' AND thumbnail_of IS NULL) <= ?13 - ?5",
            [
                (&row.id).into(),
                scope.owner.into(),
                scope.policy.into(),
                integer(scope.most).into(),
                integer(row.size).into(),
                row.sha256.map(|sha256| sha256.to_vec()).into(),
                row.name.as_str().into(),
                ends_at.into(),
                integer(limits.of_owner).into(),
                integer(limits.all).into(),
                integer(limits.all_bytes).into(),
                integer(limits.quota_files).into(),
                integer(limits.quota_bytes).into(),
            ],
        )
        .await?;
    if added > 0 {
        return Ok(None);
    }
    why_not(db, scope.owner, row.size, limits).await.map(Some)
}

/// The limit that leaves no room. Another request may have changed it since.
async fn why_not(
    db: &Db,
    owner: UserId,
    size: u64,
    limits: TicketLimits,
) -> Result<NoTicket, Error> {
    let rows = db
        .query(
            "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(CASE WHEN owner = ? THEN 1 ELSE 0 END), 0)
             FROM dewar_upload_tickets",
            [owner.into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(NoTicket::Quota);
    };
    let (all, bytes, of_owner): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(if of_owner >= integer(limits.of_owner) {
        NoTicket::Owner
    } else if all >= integer(limits.all)
        || bytes > integer(limits.all_bytes).saturating_sub(integer(size))
    {
        NoTicket::All
    } else {
        NoTicket::Quota
    })
}

/// What became of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redeemed {
    /// It was open, and is used now.
    Now(TicketRow),
    /// It ended before.
    Ended,
    /// It is used, unknown, or for somebody or something else.
    NotThis,
}

/// Uses an open ticket of this owner for this field, once: of two requests with one ticket, one gets the file.
pub(super) async fn redeem(
    db: &Db,
    id: &FileId,
    scope: TicketScope,
    now: i64,
) -> Result<Redeemed, Error> {
    let used = db
        .execute(
            "UPDATE dewar_upload_tickets SET state = 'used'
             WHERE id = ? AND owner = ? AND policy = ? AND most = ? AND state = 'open' AND ends_at > ?",
            [
                id.into(),
                scope.owner.into(),
                scope.policy.into(),
                integer(scope.most).into(),
                now.into(),
            ],
        )
        .await?;
    let rows = db
        .query(
            "SELECT name, size, sha256, ends_at FROM dewar_upload_tickets
             WHERE id = ? AND owner = ? AND policy = ? AND most = ?",
            [
                id.into(),
                scope.owner.into(),
                scope.policy.into(),
                integer(scope.most).into(),
            ],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(Redeemed::NotThis);
    };
    if used == 0 {
        let ends_at: i64 = row.get(3)?;
        return Ok(if ends_at <= now {
            Redeemed::Ended
        } else {
            Redeemed::NotThis
        });
    }
    let size: i64 = row.get(1)?;
    Ok(Redeemed::Now(TicketRow {
        id: id.clone(),
        name: row.get(0)?,
        size: u64::try_from(size).unwrap_or_default(),
        sha256: row.get(2)?,
    }))
}

/// The next tickets that ended before that time, in the order of their ids.
pub(super) async fn ended(
    db: &Db,
    before: i64,
    after: Option<&FileId>,
) -> Result<Vec<FileId>, Error> {
    let after = after.map_or("", FileId::as_str);
    let rows = db
        .query(
            "SELECT id, ends_at FROM dewar_upload_tickets WHERE ends_at < ? AND id > ? ORDER BY id LIMIT 100",
            [before.into(), after.into()],
        )
        .await?;
    ids(&rows)
}

pub(super) async fn exists(db: &Db, id: &FileId) -> Result<bool, Error> {
    let rows = db
        .query(
            "SELECT id FROM dewar_upload_tickets WHERE id = ?",
            [id.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

pub(super) async fn remove(db: &Db, id: &FileId) -> Result<(), Error> {
    db.execute("DELETE FROM dewar_upload_tickets WHERE id = ?", [id.into()])
        .await?;
    Ok(())
}

/// The tickets of an owner. The limits bound their number.
pub(super) async fn of_owner(db: &Db, owner: UserId) -> Result<Vec<FileId>, Error> {
    let find = "SELECT id FROM dewar_upload_tickets WHERE owner = ? ORDER BY id";
    ids(&db.query(find, [owner.into()]).await?)
}
