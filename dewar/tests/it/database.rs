//! `database`: the start migrates the tables, and one request costs one read.

use dewar::App;
use dewar::database::Migration;

use super::site::{self, Site};

mod rolling;

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
    let rows = running.dewar().db().query("SELECT * FROM half", []).await;
    assert!(rows.is_err());
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
        let sql = "SELECT title FROM notes WHER id = ?";
        db.query(sql, [None::<String>.into()]).await?;
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
                    "tilte",
                    "SELECT tilte FROM notes WHERE id = ?",
                    "(INTEGER, TEXT)",
                    "tests/it/database.rs:",
                ],
            ),
            (
                "/misspelled",
                [
                    "syntax error",
                    "SELECT title FROM notes WHER id = ?",
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

mod get_only_reads {
    use axum::extract::State;
    use dewar::app::Running;
    use dewar::database::{Engine, Migration, Table};
    use dewar::testing::Browser;
    use dewar::{App, Db, Dewar, get, post};
    use sea_orm::{ActiveModelTrait, Set};

    use crate::site::{self, Site};

    mod visit {
        #![expect(unreachable_pub, reason = "a SeaORM model")]
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "visits")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i64,
            pub page: String,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    const ADD: &str = "INSERT INTO visits (page) VALUES ('front')";

    async fn execute(db: Db) -> dewar::Result<&'static str> {
        db.execute(ADD, []).await?;
        Ok("changed")
    }

    async fn query(db: Db) -> dewar::Result<&'static str> {
        let sql = "INSERT INTO visits (page) VALUES ('front') RETURNING id";
        db.query(sql, []).await?;
        Ok("changed")
    }

    /// It begins like a read.
    async fn with(db: Db) -> dewar::Result<&'static str> {
        let sql = match db.engine() {
            Engine::Postgres => {
                "WITH a AS (INSERT INTO visits (page) VALUES ('front') RETURNING id) SELECT id FROM a"
            }
            Engine::Sqlite => {
                "WITH a (b) AS (SELECT 'front') INSERT INTO visits (page) SELECT b FROM a RETURNING id"
            }
        };
        db.query(sql, []).await?;
        Ok("changed")
    }

    async fn transaction(db: Db) -> dewar::Result<&'static str> {
        let tx = db.begin().await?;
        tx.execute(ADD, []).await?;
        tx.commit().await?;
        Ok("changed")
    }

    async fn model(db: Db) -> dewar::Result<&'static str> {
        let new = visit::ActiveModel {
            page: Set("front".to_owned()),
            ..Default::default()
        };
        new.insert(&db).await?;
        Ok("changed")
    }

    async fn opened(dewar: Dewar) -> dewar::Result<&'static str> {
        execute(dewar.db().clone()).await
    }

    async fn state(State(db): State<Db>) -> dewar::Result<&'static str> {
        execute(db).await
    }

    async fn count(running: &Running) -> i64 {
        let rows = running
            .dewar()
            .db()
            .query("SELECT count(*) FROM visits", []);
        rows.await.unwrap()[0].get(0).unwrap()
    }

    fn app(app: App) -> App {
        site::app(app)
            .public([
            get("/execute", execute),
            get("/query", query),
            get("/with", with),
            get("/transaction", transaction),
            get("/model", model),
            get("/opened", opened),
            get("/counted", execute).dangerous_write_on_get("a number that matters to nobody"),
            post("/posted", execute),
        ])
        .migrations([Migration::new(
            "visits_0001",
            "CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, page TEXT NOT NULL) STRICT",
        )])
        .models([Table::of::<visit::Entity>()])
    }

    /// A link on another site can send a signed-in user to any page, and no token protects a page.
    ///
    /// ASVS: V3.5.1, V3.5.3
    #[tokio::test(flavor = "multi_thread")]
    async fn the_handler_of_a_get_changes_no_row() {
        let site = Site::of(app).await;
        let ada = site.member("ada", &[]).await;
        for path in ["execute", "query", "with", "transaction", "model", "opened"] {
            let answer = ada.get(&format!("/{path}")).await;
            assert_eq!(answer.status(), 500, "{path}: {}", answer.text());
            let told = answer.texts("main").join(" ");
            assert!(
                told.contains(&format!("`GET /{path}` changes rows")),
                "{told}"
            );
            assert!(told.contains("dangerous_write_on_get"), "{told}");
        }
        assert_eq!(count(&site.running).await, 0);
        assert_eq!(ada.get("/counted").await.text(), "changed");
        assert_eq!(count(&site.running).await, 1);
        let reported = format!("{:?}", site.running.findings());
        assert!(
            reported.contains("a number that matters to nobody"),
            "{reported}"
        );
    }

    /// The state of an application has the database too.
    #[tokio::test(flavor = "multi_thread")]
    async fn nor_does_it_through_the_state_of_the_application() {
        let data = tempfile::tempdir().unwrap();
        let served = app(App::in_directory(&data).unwrap());
        let served = served.with_state(|dewar| dewar.db().clone());
        let running = served.public([get("/state", state)]).start().await.unwrap();
        let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
        let visitor = Browser::new(running.url(), &authority);
        assert_eq!(visitor.get("/state").await.status(), 500);
        assert_eq!(count(&running).await, 0);
    }
}

/// SQLite can give a deleted record's id to the next record, and old pages still refer to that id.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_hands_out_an_id_twice_forbids_the_launch() {
    let data = tempfile::tempdir().unwrap();
    let start = async |migrations: &[Migration]| {
        let app = site::app(
            App::in_directory_with(&data, [("DEWAR_DATABASE_URL", "sqlite:database.sqlite")])
                .unwrap(),
        );
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
