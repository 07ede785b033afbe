//! `database`: the start migrates the tables, and one request costs one read.

use dewar::App;
use dewar::database::Migration;

use super::site::{self, Site};

#[tokio::test(flavor = "multi_thread")]
async fn the_framework_makes_one_read_for_a_signed_in_request() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let db = site.running.dewar().db().clone();
    let before = db.statements();
    assert_eq!(ada.get("/notes").await.status(), 200);
    assert_eq!(db.statements() - before, 1);
    let before = db.statements();
    assert_eq!(site.visitor.get("/").await.status(), 200);
    assert_eq!(db.statements() - before, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_forbids_the_launch_and_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let wrong = Migration::new(
        "wrong_0001",
        "CREATE TABLE half (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1)",
    );
    let app = site::app(App::in_directory(&data).unwrap()).migrations([wrong]);
    let refused = format!("{:?}", app.start().await.unwrap_err());
    assert!(refused.contains("wrong_0001"), "{refused}");
    let running = site::app(App::in_directory(&data).unwrap())
        .start()
        .await
        .unwrap();
    let rows = running
        .dewar()
        .db()
        .query("SELECT 1 FROM sqlite_schema WHERE name = 'half'", [])
        .await
        .unwrap();
    assert!(rows.is_empty());
}

mod wrong_statements {
    use dewar::database::{Migration, Table};
    use dewar::{App, Db, get};

    use crate::site::Site;

    async fn literal(db: Db) -> dewar::Result<&'static str> {
        db.query(
            "SELECT tilte FROM notes WHERE id = ? AND title <> ?",
            [7.into(), "a secret value".into()],
        )
        .await?; // the place
        Ok("found")
    }

    async fn misspelled(db: Db) -> dewar::Result<&'static str> {
        let tx = db.begin().await?;
        tx.execute("UPDAT notes SET title = ?", [None::<String>.into()])
            .await?;
        Ok("found")
    }

    fn app(app: App) -> App {
        app.public([get("/literal", literal), get("/misspelled", misspelled)])
            .migrations([Migration::new(
                "notes",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL) STRICT",
            )])
            .models(Vec::<Table>::new())
    }

    /// In development the page shows the statement, the types of its values, and the place of the call. It shows no value
    /// of a visitor. In production it shows none of this (`production_tells_nothing_of_a_statement`).
    #[tokio::test(flavor = "multi_thread")]
    async fn development_tells_the_statement_and_the_place() {
        let site = Site::of(app).await;
        for (path, says) in [
            (
                "/literal",
                [
                    "no such column: tilte",
                    "SELECT tilte FROM notes WHERE id = ?",
                    "(INTEGER, TEXT)",
                    "tests/it/database.rs:",
                ],
            ),
            (
                "/misspelled",
                [
                    "syntax error",
                    "UPDAT notes SET title = ?",
                    "(NULL)",
                    "tests/it/database.rs:",
                ],
            ),
        ] {
            let answer = site.visitor.get(path).await;
            assert_eq!(answer.status(), 500);
            let text = answer.texts("main").join(" ");
            for says in says {
                assert!(text.contains(says), "{says}: {text}");
            }
            assert!(!text.contains("a secret value"), "{text}");
        }
    }
}

/// SQLite can give a deleted record's id to the next record, and old pages still refer to that id.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_hands_out_an_id_twice_forbids_the_launch() {
    let data = tempfile::tempdir().unwrap();
    let start = async |migrations: &[Migration]| {
        let app = site::app(App::in_directory(&data).unwrap());
        app.migrations(migrations.iter().copied()).start().await
    };
    let lists = Migration::new(
        "lists_0001",
        "CREATE TABLE lists (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT",
    );
    let refused = format!("{:?}", start(&[lists]).await.unwrap_err());
    for part in [
        "database-ids-reused",
        "CREATE TABLE lists_anew (id INTEGER PRIMARY KEY AUTOINCREMENT, title …) STRICT;",
    ] {
        assert!(refused.contains(part), "{part} is not in: {refused}");
    }
    let anew = Migration::new(
        "lists_0002",
        "CREATE TABLE lists_anew (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL) STRICT;
         INSERT INTO lists_anew (id, title) SELECT id, title FROM lists; DROP TABLE lists;
         ALTER TABLE lists_anew RENAME TO lists;",
    );
    let running = start(&[lists, anew]).await.unwrap();
    running.stop().await.unwrap();
}
