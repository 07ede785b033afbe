use super::*;

const SECOND: Migration = Migration::new(
    "notes_0002_pins",
    "ALTER TABLE notes ADD COLUMN pinned INTEGER;",
);

fn error(result: Result<Vec<&'static str>, Error>) -> Error {
    result.unwrap_err()
}

#[tokio::test]
async fn each_is_applied_once_and_in_order() {
    let db = Db::temporary().unwrap();
    let both = [NOTES[0], SECOND];
    assert_eq!(
        db.migrations_pending(&both).await.unwrap(),
        ["notes_0001_notes", "notes_0002_pins"]
    );
    assert_eq!(db.migrate(NOTES).await.unwrap(), ["notes_0001_notes"]);
    assert_eq!(
        db.migrations_pending(&both).await.unwrap(),
        ["notes_0002_pins"]
    );
    assert_eq!(db.migrate(&both).await.unwrap(), ["notes_0002_pins"]);
    assert_eq!(db.migrate(&both).await.unwrap(), [""; 0]);
    assert_eq!(
        number(
            &db,
            "SELECT count(*) FROM dewar_migrations WHERE applied_at > 0"
        )
        .await,
        2
    );
}

#[tokio::test]
async fn a_failed_one_leaves_nothing() {
    let db = Db::temporary().unwrap();
    let bad = Migration::new(
        "bad_0001",
        "CREATE TABLE half (id INTEGER) STRICT; CREATE nonsense;",
    );
    let failed = error(db.migrate(&[NOTES[0], bad]).await);
    let Error::Migration { name, source } = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(name, "bad_0001");
    assert!(matches!(
        *source,
        Error::Sqlite { .. } | Error::Postgres { .. }
    ));
    assert!(!db.has_table("half").await.unwrap());
    // The one before it stays, and the database continues to work.
    assert_eq!(db.migrations_pending(NOTES).await.unwrap(), [""; 0]);
    db.execute("INSERT INTO notes (author, title) VALUES (1, 'x')", [])
        .await
        .unwrap();
    let dangling = db
        .execute("INSERT INTO notes (author, title) VALUES (9, 'x')", [])
        .await;
    assert!(
        matches!(dangling, Err(Error::ForeignKey)),
        "foreign keys are on again"
    );
}

#[tokio::test]
async fn an_edited_one_is_refused() {
    let db = notes().await;
    let edited = Migration::new("notes_0001_notes", "CREATE TABLE other (id INTEGER) STRICT");
    assert!(matches!(
        error(db.migrate(&[edited]).await),
        Error::MigrationChanged { .. }
    ));
    let asked = error(db.migrations_pending(&[edited]).await);
    assert!(matches!(asked, Error::MigrationChanged { .. }), "{asked:?}");
    assert_eq!(
        db.migrations_pending(NOTES).await.unwrap(),
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn an_older_program_is_refused() {
    let db = notes().await;
    db.migrate(&[NOTES[0], SECOND]).await.unwrap();
    let Error::MigrationUnknown { names } = error(db.migrate(NOTES).await) else {
        panic!()
    };
    assert_eq!(names, ["notes_0002_pins"]);
}

/// A node may have to start again before its turn, beside the tables of the next version.
#[tokio::test]
async fn an_older_program_works_beside_a_migration_that_only_adds() {
    let db = notes().await;
    let adds = SECOND.additive();
    db.migrate(&[NOTES[0], adds]).await.unwrap();
    assert_eq!(db.migrate(NOTES).await.unwrap(), [""; 0]);
    assert_eq!(db.migrations_pending(NOTES).await.unwrap(), [""; 0]);
    // A column goes once the program before no longer uses it; the one before that one still does.
    let removes = Migration::new("notes_0003_no_stars", "ALTER TABLE notes DROP COLUMN stars")
        .compatible_from("notes_0002_pins");
    db.migrate(&[NOTES[0], adds, removes]).await.unwrap();
    assert_eq!(db.migrate(&[NOTES[0], adds]).await.unwrap(), [""; 0]);
    let Error::MigrationUnknown { names } = error(db.migrate(NOTES).await) else {
        panic!()
    };
    assert_eq!(names, ["notes_0003_no_stars"]);
}

#[tokio::test]
async fn a_change_that_is_marked_as_an_addition_is_refused() {
    let db = notes().await;
    for sql in [
        "ALTER TABLE notes DROP COLUMN stars",
        "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL",
    ] {
        let marked = Migration::new("notes_0002", sql).additive();
        let why = refused(db.migrate(&[NOTES[0], marked]).await);
        assert!(why.contains("`notes_0002` is marked `additive`"), "{why}");
    }
    assert_eq!(db.migrations_pending(NOTES).await.unwrap(), [""; 0]);
}

/// The table of a program from before there were marks.
#[tokio::test]
async fn a_record_without_marks_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.sqlite");
    let old = rusqlite::Connection::open(&file).unwrap();
    old.execute_batch(
        "CREATE TABLE dewar_migrations (name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL,
             applied_at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    )
    .unwrap();
    drop(old);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let db = Db::open(&file, &Config::default()).unwrap();
    assert_eq!(
        db.migrations_pending(NOTES).await.unwrap(),
        ["notes_0001_notes"]
    );
    assert!(db.rehearsal().await.unwrap().is_some());
    db.migrate(&[NOTES[0], SECOND.additive()]).await.unwrap();
    assert_eq!(db.migrate(NOTES).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn two_of_one_name_are_refused() {
    let db = Db::temporary().unwrap();
    refused(db.migrate(&[NOTES[0], NOTES[0]]).await);
}

#[tokio::test]
async fn none_may_end_its_own_transaction() {
    let db = Db::temporary_file().unwrap();
    for sql in [
        "CREATE TABLE a (id INTEGER) STRICT; COMMIT; CREATE TABLE b (id INTEGER) STRICT;",
        "PRAGMA foreign_keys = ON;",
        "ATTACH 'other.sqlite' AS other;",
    ] {
        let failed = error(db.migrate(&[Migration::new("t_0001", sql)]).await);
        let Error::Migration { source, .. } = failed else {
            panic!("{failed:?}")
        };
        assert!(matches!(*source, Error::Refused { .. }), "{source:?}");
    }
    assert_eq!(number(&db, "SELECT count(*) FROM sqlite_master").await, 0);
}

#[tokio::test]
async fn a_table_can_be_built_anew_under_its_foreign_keys() {
    let db = notes_in_a_file().await;
    db.execute("INSERT INTO notes (author, title) VALUES (1, 'x')", [])
        .await
        .unwrap();
    let rebuild = Migration::new(
        "notes_0002_authors",
        "CREATE TABLE authors_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
         INSERT INTO authors_new SELECT id, name FROM authors;
         DROP TABLE authors;
         ALTER TABLE authors_new RENAME TO authors;",
    );
    db.migrate(&[NOTES[0], rebuild]).await.unwrap();
    assert_eq!(
        number(
            &db,
            "SELECT count(*) FROM notes JOIN authors ON author = authors.id"
        )
        .await,
        1
    );
    let losing = Migration::new("notes_0003_losing", "DELETE FROM authors WHERE id = 1;");
    let failed = error(db.migrate(&[NOTES[0], rebuild, losing]).await);
    let Error::Migration { source, .. } = failed else {
        panic!("{failed:?}")
    };
    assert!(matches!(*source, Error::ForeignKey), "{source:?}");
    assert_eq!(number(&db, "SELECT count(*) FROM authors").await, 2);
}

#[tokio::test]
async fn a_full_text_index_of_sqlite_works() {
    let db = Db::temporary_file().unwrap();
    let sql = "CREATE VIRTUAL TABLE found USING fts5 (title);";
    db.migrate(&[Migration::new("found_0001", sql)])
        .await
        .unwrap();
    db.execute("INSERT INTO found (title) VALUES ('milk and honey')", [])
        .await
        .unwrap();
    let rows = db
        .query(
            "SELECT title FROM found WHERE found MATCH ?",
            ["honey".into()],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_migration_does_not_end_its_transaction() {
    let db = Db::temporary().unwrap();
    let ending = Migration::new("t_0001", "CREATE TABLE half (id INTEGER) STRICT; COMMIT;");
    let failed = error(db.migrate(&[ending]).await);
    let Error::Migration { source, .. } = failed else {
        panic!("{failed:?}")
    };
    assert!(matches!(*source, Error::Refused { .. }), "{source:?}");
    assert!(!db.has_table("half").await.unwrap());
}

/// A column plan from before the migration would leave out the new column.
#[tokio::test]
async fn a_query_that_was_asked_before_sees_the_new_column() {
    let before = || Migration::new("places_0001", "CREATE TABLE places (a INTEGER) STRICT");
    let column = "ALTER TABLE places ADD COLUMN b INTEGER NOT NULL DEFAULT 7";
    let db = Db::temporary().unwrap();
    db.migrate(&[before()]).await.unwrap();
    db.execute("INSERT INTO places (a) VALUES (1)", [])
        .await
        .unwrap();
    let all = async || {
        let tx = db.begin().await.unwrap();
        let rows = tx.query("SELECT * FROM places", []).await.unwrap();
        tx.commit().await.unwrap();
        rows[0].get::<i64>(1).ok()
    };
    assert_eq!(all().await, None);
    db.migrate(&[before(), Migration::new("places_0002", column)])
        .await
        .unwrap();
    assert_eq!(all().await, Some(7));
}
