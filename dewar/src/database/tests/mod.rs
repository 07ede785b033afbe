mod concurrency;
mod measured;
mod migrations;
mod models;
mod postgres;
mod search;
#[path = "../../../tests/it/servers.rs"]
pub(crate) mod servers;
mod statements;
mod transactions;

use crate::audit::{NodeName, Remembered};

use super::{Config, Db, Error, Migration};

const NOTES: &[Migration] = &[Migration::new(
    "notes_0001_notes",
    "CREATE TABLE authors (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE notes (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         author INTEGER NOT NULL REFERENCES authors (id),
         title TEXT NOT NULL CHECK (title <> ''),
         stars INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     INSERT INTO authors (name) VALUES ('Ada'), ('Bob');",
)];

/// Runs for a second or two on any machine.
const LONG: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
     SELECT count(*) FROM n";

/// Never ends by itself in reasonable time.
const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

async fn notes() -> Db {
    let db = Db::temporary().unwrap();
    db.migrate(NOTES).await.unwrap();
    db
}

/// The same in a file of SQLite, for what only SQLite has.
async fn notes_in_a_file() -> Db {
    let db = Db::temporary_file().unwrap();
    db.migrate(NOTES).await.unwrap();
    db
}

async fn number(db: &Db, sql: &'static str) -> i64 {
    db.query(sql, []).await.unwrap()[0].get(0).unwrap()
}

/// ASVS: V16.4.2
#[tokio::test]
async fn the_end_of_the_log_is_remembered_and_the_latest_counts() {
    let db = Db::temporary().unwrap();
    assert_eq!(
        db.audit_end(&NodeName::default()).await.unwrap(),
        Remembered::Nothing
    );
    db.migrate(super::MIGRATIONS).await.unwrap();
    assert_eq!(
        db.audit_end(&NodeName::default()).await.unwrap(),
        Remembered::NotYet
    );
    for head in ["one", "two"] {
        db.remember_audit_end(&NodeName::default(), head.to_owned())
            .await
            .unwrap();
        assert_eq!(
            db.audit_end(&NodeName::default()).await.unwrap(),
            Remembered::End(head.to_owned())
        );
    }
}

#[tokio::test]
async fn a_developer_is_shown_how_much_was_asked_and_nothing_of_it() {
    let db = notes().await;
    let asked = db.statements();
    assert!(format!("{db:?}").contains(&format!("statements: {asked}")));
    let tx = db.begin().await.unwrap();
    let shown = format!("{tx:?}");
    assert!(
        shown.starts_with("Tx") && shown.contains("level"),
        "{shown}"
    );
}

/// A second database in its own file, for tests with their own `Config`.
fn with(config: &Config) -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("test.sqlite"), config).unwrap();
    (folder, db)
}

fn refused(result: Result<impl Sized, Error>) -> String {
    match result.map(|_| ()) {
        Err(Error::Refused { why }) => why,
        other => panic!("not refused: {other:?}"),
    }
}
