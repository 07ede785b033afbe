//! The counts of rate limits that all nodes share, as rows of the application's database.
//!
//! It is the generic cell rate algorithm (ITU-T I.371): a row has only the moment at which its bucket is empty again.

use super::super::Error;
use crate::database::{Db, Migration};

pub(super) const COUNTS: Migration = Migration::new(
    "dewar_sessions_0003",
    "CREATE TABLE dewar_rate_limits (
        key_hash BLOB NOT NULL PRIMARY KEY,
        empty_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;",
)
.additive();

/// Requests to count for one sender. All times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// The sender and the limit.
    pub(crate) key: [u8; 32],
    /// Now, since 1970.
    pub(crate) now: i64,
    /// What one request adds.
    pub(crate) interval: i64,
    /// How far ahead the moment at which the bucket is empty may lie, for one more request.
    pub(crate) room: i64,
    /// How far ahead that moment can lie at all. A later one is of a wrong clock or of a longer limit, and counts as this.
    pub(crate) furthest: i64,
    /// The requests that a node has admitted without the store.
    pub(crate) owed: u32,
}

/// The store's decision about one more request, and when the bucket is empty again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charged {
    /// There was room, and it is counted.
    Admitted { empty_at: i64 },
    /// There was none. What was owed is counted.
    Refused { empty_at: i64 },
}

impl Charge {
    pub(super) fn owed_cost(&self) -> i64 {
        self.interval.saturating_mul(i64::from(self.owed))
    }

    pub(super) const fn furthest_at(&self) -> i64 {
        self.now.saturating_add(self.furthest)
    }

    /// When the bucket of a sender without a count is empty.
    pub(crate) fn of_a_new_sender(&self) -> i64 {
        let cost = self.owed_cost().saturating_add(self.interval);
        self.now.saturating_add(cost)
    }
}

/// Counts what is owed, and one more request if there is room for it.
pub(super) async fn charge(db: &Db, charge: &Charge) -> Result<Charged, Error> {
    // One statement decides and counts; it returns the row only if the request is admitted.
    let count = "INSERT INTO dewar_rate_limits AS r (key_hash, empty_at) VALUES (?1, ?3)
        ON CONFLICT (key_hash) DO UPDATE
            SET empty_at = CASE WHEN r.empty_at > ?6 THEN ?6 WHEN r.empty_at > ?2 THEN r.empty_at ELSE ?2 END + ?4
            WHERE CASE WHEN r.empty_at > ?6 THEN ?6 WHEN r.empty_at > ?2 THEN r.empty_at ELSE ?2 END <= ?5
        RETURNING empty_at";
    let (owed, now) = (charge.owed_cost(), charge.now);
    let values = [
        charge.key.to_vec().into(),
        now.into(),
        charge.of_a_new_sender().into(),
        (owed + charge.interval).into(),
        (now + charge.room - owed).into(),
        charge.furthest_at().into(),
    ];
    if let Some(row) = db.query(count, values).await?.first() {
        return Ok(Charged::Admitted {
            empty_at: row.get(0)?,
        });
    }
    let owe = "INSERT INTO dewar_rate_limits AS r (key_hash, empty_at) VALUES (?1, ?3)
        ON CONFLICT (key_hash) DO UPDATE
            SET empty_at = CASE WHEN r.empty_at > ?5 THEN ?5 WHEN r.empty_at > ?2 THEN r.empty_at ELSE ?2 END + ?4
        RETURNING empty_at";
    let values = [
        charge.key.to_vec().into(),
        now.into(),
        (now + owed).into(),
        owed.into(),
        charge.furthest_at().into(),
    ];
    let rows = db.query(owe, values).await?;
    let row = rows.first().ok_or(crate::database::Error::NotFound)?;
    Ok(Charged::Refused {
        empty_at: row.get(0)?,
    })
}

/// The longest limit that an application may have, in microseconds, and as much again for what nodes owe.
const LONGEST: i64 = 2 * 31 * 24 * 3_600 * 1_000_000;

/// Removes the counts that say nothing any more, and those that only a wrong clock wrote. Returns how many are left.
pub(super) async fn sweep(db: &Db, now: i64) -> Result<u64, Error> {
    let sweep = "DELETE FROM dewar_rate_limits WHERE empty_at <= ?1 OR empty_at > ?2";
    let latest = now.saturating_add(LONGEST);
    db.execute(sweep, [now.into(), latest.into()]).await?;
    let rows = db.query("SELECT count(*) FROM dewar_rate_limits", []);
    let rows = rows.await?;
    let left: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    Ok(left.unsigned_abs())
}
