//! The events as rows, through which they reach the connections of every node.
//!
//! A row is visible once its transaction is committed, and never after a rollback. A reader continues behind the last row
//! that it has read, so rows must become visible in the order in which they are read. SQLite has one writer, so its numbers
//! are in order. PostgreSQL gives a number before the commit: there a row has its transaction's number too, and a reader
//! waits for the oldest transaction that still runs (`pg_snapshot_xmin`), behind which no row can appear.

use std::borrow::Cow;
use std::fmt;

use crate::database::{Db, Error, Migration, Row, Sql, Tx};

pub(crate) const MIGRATIONS: &[Migration] = &[EVENTS.additive()];

const EVENTS: Migration = Migration::new(
    "dewar_live_0001_events",
    "CREATE TABLE dewar_live_events (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         tx INTEGER NOT NULL DEFAULT 0,
         topic TEXT NOT NULL,
         event TEXT NOT NULL,
         published_at INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX dewar_live_events_in_order ON dewar_live_events (tx, id);
     CREATE INDEX dewar_live_events_by_age ON dewar_live_events (published_at);",
);

/// The most events that are kept, whatever their age: beyond it nobody can add to the table.
const MOST: i64 = 10_000;
/// Old events are removed with one of so many.
const REMOVED_WITH: i64 = 100;
/// The most events of one read.
pub(super) const AT_ONCE: usize = 500;

/// The place of an event in the order of all events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    tx: i64,
    id: i64,
}

impl Position {
    /// Reads the id of an event that a client sends back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (tx, id) = text.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        };
        Some(Self {
            tx: number(tx)?,
            id: number(id)?,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.tx, self.id)
    }
}

/// An event as it was published.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) at: Position,
    pub(super) topic: Cow<'static, str>,
    /// Its JSON.
    pub(super) event: String,
}

const ADD: Sql = Sql::new(
    "INSERT INTO dewar_live_events (topic, event, published_at) VALUES (?1, ?2, ?3) RETURNING id",
    "INSERT INTO dewar_live_events (tx, topic, event, published_at)
        VALUES (CAST(CAST(pg_current_xact_id() AS text) AS bigint), ?1, ?2, ?3) RETURNING id",
);

/// Adds an event to a transaction.
pub(super) async fn add(tx: &Tx, topic: &str, event: String, now: i64) -> Result<(), Error> {
    let rows = tx
        .query(ADD, [topic.into(), event.into(), now.into()])
        .await?;
    let id: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    if id % REMOVED_WITH == 0 {
        let sweep = "DELETE FROM dewar_live_events WHERE id <= ?1";
        tx.execute(sweep, [(id - MOST).into()]).await?;
    }
    Ok(())
}

/// Removes old events.
pub(super) async fn sweep(db: &Db, before: i64) -> Result<(), Error> {
    let sweep = "DELETE FROM dewar_live_events WHERE published_at < ?1";
    db.execute(sweep, [before.into()]).await.map(drop)
}

/// The place behind the last event that everybody can see.
pub(super) async fn end(db: &Db) -> Result<Position, Error> {
    const END: Sql = Sql::new(
        "SELECT tx, id FROM dewar_live_events ORDER BY tx DESC, id DESC LIMIT 1",
        "SELECT tx, id FROM dewar_live_events
            WHERE tx < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
            ORDER BY tx DESC, id DESC LIMIT 1",
    );
    let rows = db.query(END, []).await?;
    rows.first()
        .map_or(Ok(Position::default()), |row| position(row, 0))
}

/// Whether this event is still there: then everything behind it is, too.
pub(super) async fn is_there(db: &Db, at: Position) -> Result<bool, Error> {
    let find = "SELECT 1 FROM dewar_live_events WHERE tx = ?1 AND id = ?2";
    let rows = db.query(find, [at.tx.into(), at.id.into()]).await?;
    Ok(!rows.is_empty())
}

/// The events behind a place, in order.
pub(super) async fn after(db: &Db, at: Position) -> Result<Vec<Published>, Error> {
    const AFTER: Sql = Sql::new(
        "SELECT tx, id, topic, event FROM dewar_live_events
            WHERE tx > ?1 OR (tx = ?1 AND id > ?2) ORDER BY tx, id LIMIT ?3",
        "SELECT tx, id, topic, event FROM dewar_live_events
            WHERE (tx > ?1 OR (tx = ?1 AND id > ?2))
            AND tx < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
            ORDER BY tx, id LIMIT ?3",
    );
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let rows = db
        .query(AFTER, [at.tx.into(), at.id.into(), most.into()])
        .await?;
    let published = rows.iter().map(|row| {
        Ok(Published {
            at: position(row, 0)?,
            topic: row.get::<String>(2)?.into(),
            event: row.get(3)?,
        })
    });
    published.collect()
}

fn position(row: &Row, from: usize) -> Result<Position, Error> {
    Ok(Position {
        tx: row.get(from)?,
        id: row.get(from + 1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_event_is_read_back_and_nothing_else_is_one() {
        let at = Position { tx: 3, id: 41 };
        assert_eq!(Position::parse(&at.to_string()), Some(at));
        for wrong in ["", "3", "3-", "-3", "+3-4", "3-4-5", "3-4\n", "a-b", "3--4"] {
            assert_eq!(Position::parse(wrong), None, "{wrong:?}");
        }
        assert!(Position { tx: 3, id: 9 } < Position { tx: 4, id: 1 });
    }
}
