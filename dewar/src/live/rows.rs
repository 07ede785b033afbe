//! The events as rows, through which they reach the connections of every node.
//!
//! A row is visible once its transaction is committed, and never after a rollback. A reader continues behind the last row
//! that it has read, so rows must become visible in the order in which they are read. SQLite has one writer, so its numbers
//! are in order. PostgreSQL gives a number before the commit: there a row has its transaction's number too, and a reader
//! waits for the oldest transaction that still runs (`pg_snapshot_xmin`), behind which no row can appear.

use std::borrow::Cow;
use std::fmt;

use crate::database::{Db, Engine, Error, Migration, Row, Sql, Tx};

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
/// The most bytes of the events that a client gets because it missed them.
const MISSED_BYTES: usize = 256 * 1024;

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
        "SELECT tx, id FROM dewar_live_events ORDER BY id DESC LIMIT 1",
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

/// The events behind a place, in order. SQLite has one writer and all of its rows in one order, so the id alone is the place.
pub(super) async fn after(db: &Db, at: Position) -> Result<Vec<Published>, Error> {
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let values = [at.tx.into(), at.id.into(), most.into()];
    let rows = db.query(AFTER, values).await?;
    rows.iter().map(published).collect()
}

const AFTER: Sql = Sql::new(
    "SELECT tx, id, topic, event FROM dewar_live_events WHERE id > ?2 ORDER BY id LIMIT ?3",
    "SELECT tx, id, topic, event FROM dewar_live_events WHERE (tx, id) > (?1, ?2)
        AND tx < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
        ORDER BY tx, id LIMIT ?3",
);

/// The events of these topics behind a place, in order; none at all if they are too many, or too large.
pub(super) async fn missed(
    db: &Db,
    at: Position,
    topics: &[Cow<'static, str>],
) -> Result<Option<Vec<Published>>, Error> {
    // The sum stops the rows with the first one that goes beyond it.
    const MISSED: Sql = Sql::new(
        "SELECT tx, id, topic, event FROM (SELECT tx, id, topic, event,
                sum(octet_length(event)) OVER (ORDER BY id) - octet_length(event) AS so_far
            FROM dewar_live_events WHERE id > ?2 AND topic IN (SELECT value FROM json_each(?3)))
        WHERE so_far <= ?4 ORDER BY id LIMIT ?5",
        "SELECT tx, id, topic, event FROM (SELECT tx, id, topic, event,
                sum(octet_length(event)) OVER (ORDER BY tx, id) - octet_length(event) AS so_far
            FROM dewar_live_events WHERE (tx, id) > (?1, ?2)
                AND tx < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
                AND topic IN (SELECT json_array_elements_text(CAST(?3 AS json)))) AS missed
        WHERE so_far <= ?4 ORDER BY tx, id LIMIT ?5",
    );
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    let topics: Vec<&str> = topics.iter().map(AsRef::as_ref).collect();
    let topics = serde_json::Value::from(topics).to_string();
    let values = [
        at.tx.into(),
        at.id.into(),
        topics.into(),
        number(MISSED_BYTES).into(),
        number(AT_ONCE).into(),
    ];
    let rows = db.query(MISSED, values).await?;
    let missed = rows.iter().map(published);
    let missed = missed.collect::<Result<Vec<_>, Error>>()?;
    let bytes: usize = missed.iter().map(|one| one.event.len()).sum();
    Ok((missed.len() < AT_ONCE && bytes <= MISSED_BYTES).then_some(missed))
}

/// How many events from before this time nobody can see yet, because an older transaction still runs. SQLite has none.
pub(super) async fn held_back(db: &Db, before: i64) -> Result<i64, Error> {
    if db.engine() == Engine::Sqlite {
        return Ok(0);
    }
    let count = "SELECT count(*) FROM dewar_live_events WHERE published_at < ?1
        AND tx >= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)";
    let rows = db.query(count, [before.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.get(0))
}

fn published(row: &Row) -> Result<Published, Error> {
    Ok(Published {
        at: position(row, 0)?,
        topic: row.get::<String>(2)?.into(),
        event: row.get(3)?,
    })
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

    async fn events(topic: &str, bytes: usize, count: usize) -> Db {
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        let tx = db.begin().await.unwrap();
        for _ in 0..count {
            add(&tx, topic, "x".repeat(bytes), 1).await.unwrap();
            add(&tx, "another", "x".repeat(bytes), 1).await.unwrap();
        }
        tx.commit().await.unwrap();
        db
    }

    /// ASVS: V15.2.2
    #[tokio::test]
    async fn what_a_client_missed_is_of_its_topics_and_bounded_by_bytes_and_number() {
        let begin = Position::default();
        let missed = async |bytes, count| {
            let db = events("of-it", bytes, count).await;
            missed(&db, begin, &["of-it".into()]).await.unwrap()
        };
        let two = missed(10, 2).await.unwrap();
        assert_eq!(two.len(), 2);
        assert!(two.iter().all(|one| one.topic == "of-it"));
        let full = missed(8 * 1024, 32).await.unwrap();
        assert_eq!(full.len(), 32, "as many bytes as there may be");
        assert!(missed(8 * 1024, 33).await.is_none());
        assert!(missed(1, AT_ONCE).await.is_none());
    }

    /// Two nodes read twice a second, whatever is in the table.
    #[tokio::test]
    async fn new_events_are_found_without_a_look_at_the_old_ones() {
        let cost = async |count| {
            let db = events("a", 1, count).await;
            let at = end(&db).await.unwrap();
            let before = db.steps();
            assert!(after(&db, at).await.unwrap().is_empty());
            db.steps() - before
        };
        if Db::temporary().unwrap().engine() == Engine::Sqlite {
            assert_eq!(cost(1).await, cost(100).await);
        }
    }

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
