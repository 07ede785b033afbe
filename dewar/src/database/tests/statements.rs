use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::database::sqlite::connection::{ConnectionPurpose, FileAccess, Handle};
use crate::database::{Engine, Sql};

#[tokio::test]
async fn values_are_bound_and_come_back_as_they_were() {
    let db = notes().await;
    let title = "'; DROP TABLE notes; --";
    let changed = db
        .execute(
            "INSERT INTO notes (author, title) VALUES (?, ?)",
            [1_i64.into(), title.into()],
        )
        .await
        .unwrap();
    assert_eq!(changed, 1);
    let rows = db
        .query("SELECT title, author, NULL FROM notes", [])
        .await
        .unwrap();
    assert_eq!(rows[0].get::<String>(0).unwrap(), title);
    assert_eq!(rows[0].get::<i32>(1).unwrap(), 1);
    assert_eq!(rows[0].get::<Option<i64>>(2).unwrap(), None);
}

#[tokio::test]
async fn nothing_is_converted_silently() {
    let db = notes().await;
    let rows = db
        .query(
            Sql::new(
                "SELECT 2, 'x', 5000000000, x'00', 1.5",
                "SELECT 2, 'x', 5000000000, CAST('\\x00' AS bytea), 1.5",
            ),
            [],
        )
        .await
        .unwrap();
    let row = &rows[0];
    assert!(matches!(row.get::<bool>(0), Err(Error::Value { .. })));
    assert!(matches!(row.get::<i64>(1), Err(Error::Value { .. })));
    assert!(matches!(
        row.get::<Option<i32>>(2),
        Err(Error::Value { .. })
    ));
    assert!(matches!(row.get::<String>(3), Err(Error::Value { .. })));
    assert!(matches!(row.get::<i64>(9), Err(Error::Value { .. })));
    assert_eq!(row.get::<[u8; 1]>(3).unwrap(), [0]);
    assert!((row.get::<f64>(4).unwrap() - 1.5).abs() < f64::EPSILON);
}

#[tokio::test]
async fn the_number_of_values_must_agree() {
    let db = notes().await;
    let why = refused(db.query("SELECT id FROM notes WHERE id = ?", []).await);
    assert!(why.contains("1 `?` and 0 values"), "{why}");
    refused(db.execute("DELETE FROM notes", [1_i64.into()]).await);
}

#[tokio::test]
async fn each_constraint_is_its_own_error() {
    let db = notes().await;
    let unique = db
        .execute("INSERT INTO authors (name) VALUES ('Ada')", [])
        .await;
    let Err(Error::Unique { columns }) = unique else {
        panic!("{unique:?}")
    };
    assert_eq!(columns, ["authors.name"]);
    let foreign = db
        .execute("INSERT INTO notes (author, title) VALUES (99, 'x')", [])
        .await;
    assert!(matches!(foreign, Err(Error::ForeignKey)), "{foreign:?}");
    let check = db
        .execute("INSERT INTO notes (author, title) VALUES (1, '')", [])
        .await;
    let Err(Error::Check { constraint }) = check else {
        panic!("{check:?}")
    };
    let own = match db.engine() {
        Engine::Postgres => "notes_title_check",
        Engine::Sqlite => "title <> ''",
    };
    assert_eq!(constraint, own);
    let null = db
        .execute("INSERT INTO notes (author) VALUES (1)", [])
        .await;
    let Err(Error::NotNull { column }) = null else {
        panic!("{null:?}")
    };
    assert_eq!(column, "notes.title");
    let kind = db
        .execute("INSERT INTO notes (author, title) VALUES ('x', 'x')", [])
        .await;
    assert!(matches!(kind, Err(Error::ColumnType { .. })), "{kind:?}");
}

#[tokio::test]
async fn tables_settings_and_files_are_out_of_reach() {
    let db = notes().await;
    for sql in [
        "DROP TABLE notes",
        "CREATE TABLE more (id INTEGER)",
        "CREATE TEMP TABLE more (id INTEGER)",
        "ALTER TABLE notes ADD COLUMN more TEXT",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA query_only = OFF",
        "ATTACH 'other.sqlite' AS other",
        "VACUUM INTO 'copy.sqlite'",
        "BEGIN",
        "SAVEPOINT mine",
    ] {
        for result in [
            db.execute(sql, []).await.err(),
            db.query(sql, []).await.err(),
        ] {
            // PostgreSQL cannot even read those that only SQLite has.
            let refused = match db.engine() {
                Engine::Postgres => {
                    matches!(
                        result,
                        Some(Error::Refused { .. } | Error::Statement { .. })
                    )
                }
                Engine::Sqlite => matches!(result, Some(Error::Refused { .. })),
            };
            assert!(refused, "{sql}: {result:?}");
        }
    }
    // The room itself prepared it a moment ago, and the cache must still not return it.
    db.begin().await.unwrap().commit().await.unwrap();
    refused(db.execute("COMMIT", []).await);
    let schema = db.execute("UPDATE sqlite_master SET sql = ''", []).await;
    assert!(schema.is_err(), "{schema:?}");
    let quoted = db.query("SELECT \"no such column\" FROM notes", []).await;
    assert!(matches!(quoted, Err(Error::Statement { .. })), "{quoted:?}");
}

#[tokio::test]
async fn one_statement_at_a_time() {
    let db = notes().await;
    refused(
        db.execute("DELETE FROM notes; DELETE FROM authors", [])
            .await,
    );
    assert_eq!(number(&db, "SELECT count(*) FROM authors").await, 2);
}

#[tokio::test]
async fn a_write_in_a_query_reaches_the_writer() {
    let db = notes().await;
    let sql = "INSERT INTO notes (author, title) VALUES (1, 'x') RETURNING id";
    let rows = db.query(sql, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 1);
    let sql = "WITH a (i) AS (SELECT 2) INSERT INTO notes (author, title) SELECT i, 'y' FROM a RETURNING id";
    let rows = db.query(sql, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 2);
    assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 2);
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("test.sqlite");
    let db = Db::open(&path, &Config::default()).unwrap();
    db.migrate(NOTES).await.unwrap();
    for file in [
        "new/test.sqlite",
        "new/test.sqlite-wal",
        "new/test.sqlite-shm",
    ] {
        let mode = folder
            .path()
            .join(file)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(
        folder
            .path()
            .join("new")
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
}

#[test]
fn what_is_no_database_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(
        &path,
        "Dear all, this is no database but a longer letter.".repeat(100),
    )
    .unwrap();
    let opened = Db::open(&path, &Config::default());
    assert!(matches!(opened, Err(Error::Open { .. })), "{opened:?}");
}

#[tokio::test]
async fn a_backup_is_a_database_of_its_own() {
    let db = notes_in_a_file().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.sqlite");
    db.backup_to(&path).await.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let copy = Db::open(&path, &Config::default()).unwrap();
    assert_eq!(number(&copy, "SELECT count(*) FROM authors").await, 2);
    assert!(matches!(db.backup_to(&path).await, Err(Error::Open { .. })));
}

#[test]
fn a_pattern_does_not_have_its_statement_prepared_again() {
    use rusqlite::StatementStatus;

    let (folder, _db) = with(&Config::default());
    let path = folder.path().join("test.sqlite");
    let models = std::sync::Arc::default();
    let handle = Handle::open(
        &path,
        (ConnectionPurpose::Read, FileAccess::ReadWrite),
        &Config::default(),
        &models,
    )
    .unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE name LIKE ?1";
    let mut statement = handle.connection.prepare(sql).unwrap();
    for pattern in ["a%", "b%", "c%"] {
        assert!(!statement.exists([pattern]).unwrap());
    }
    assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
}
