//! Nodes are replaced one after the other: an old program and a new one on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dewar::app::Running;
use dewar::database::{Db, Engine, Migration};
use dewar::testing::Browser;
use dewar::{App, Error, get};
use tempfile::TempDir;

const LISTS: Migration = Migration::new(
    "lists_0001",
    "CREATE TABLE lists (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL) STRICT",
);

const PINNED: Migration = Migration::new(
    "lists_0002_pinned",
    "ALTER TABLE lists ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
)
.additive();

const RENAMED: Migration = Migration::new(
    "lists_0003_renamed",
    "ALTER TABLE lists RENAME COLUMN title TO name",
);

async fn add(db: Db) -> dewar::Result<&'static str> {
    db.execute("INSERT INTO lists (title) VALUES ('Milk')", [])
        .await?;
    Ok("added")
}

/// Reads all columns, of which there are more after the migration.
async fn titles(db: Db) -> dewar::Result<&'static str> {
    for row in db.query("SELECT * FROM lists LIMIT 10", []).await? {
        let title: String = row.get(1)?;
        assert_eq!(title, "Milk");
    }
    Ok("titles")
}

async fn pinned(db: Db) -> dewar::Result<&'static str> {
    db.query("SELECT pinned FROM lists LIMIT 10", []).await?;
    Ok("pinned")
}

/// The number of rows, with the new column's default in each.
async fn count(node: &Running) -> i64 {
    let count = "SELECT count(*) FROM lists WHERE pinned = 0";
    let rows = node.dewar().db().query(count, []).await.unwrap();
    rows[0].get(0).unwrap()
}

/// A node with these migrations, on the database of this directory. The new one has a page more.
async fn start(
    data: &TempDir,
    node: &str,
    migrations: &[Migration],
) -> Result<(Running, Browser), Error> {
    let app = App::in_directory_with(data, [("DEWAR_NODE", node)])?;
    let mut app = app.migrations(migrations.iter().copied()).public([
        get("/add", add).dangerous_write_on_get("a test of programs side by side"),
        get("/titles", titles),
    ]);
    if migrations.contains_name(PINNED.name()) {
        app = app.public([get("/pinned", pinned)]);
    }
    let running = app.start().await?;
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    Ok((running, browser))
}

trait ContainsName {
    fn contains_name(&self, name: &str) -> bool;
}

impl ContainsName for [Migration] {
    fn contains_name(&self, name: &str) -> bool {
        self.iter().any(|migration| migration.name() == name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_program_serves_while_a_new_one_migrates_and_starts_again_beside_it() {
    let data = tempfile::tempdir().unwrap();
    let (old, visitor) = start(&data, "web-1", &[LISTS]).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let requests = {
        let (visitor, done) = (visitor.another(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut number = 0_i64;
            while !done.load(Ordering::SeqCst) {
                assert_eq!(visitor.get("/add").await.status(), 200);
                assert_eq!(visitor.get("/titles").await.status(), 200);
                number += 1;
            }
            number
        })
    };
    let (new, new_visitor) = start(&data, "web-2", &[LISTS, PINNED]).await.unwrap();
    for _ in 0..5 {
        assert_eq!(new_visitor.get("/add").await.status(), 200);
        assert_eq!(visitor.get("/pinned").await.status(), 404);
    }
    done.store(true, Ordering::SeqCst);
    let added = requests.await.unwrap() + 5;
    assert_eq!(new_visitor.get("/pinned").await.text(), "pinned");
    assert_eq!(count(&new).await, added);

    old.stop().await.unwrap();
    let (old, visitor) = start(&data, "web-1", &[LISTS]).await.unwrap();
    assert_eq!(visitor.get("/add").await.status(), 200);
    assert_eq!(visitor.get("/titles").await.status(), 200);
    assert_eq!(count(&new).await, added + 1);

    // A change that the old program cannot work beside. On a file, no lock says who runs.
    let change = async || start(&data, "web-2", &[LISTS, PINNED, RENAMED]).await;
    let on_a_server = new.dewar().db().engine() == Engine::Postgres;
    new.stop().await.unwrap();
    if on_a_server {
        let refused = format!("{:?}", change().await.unwrap_err());
        for part in ["database-nodes-running", "lists_0003_renamed", "web-1"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert_eq!(visitor.get("/add").await.status(), 200);
    }
    old.stop().await.unwrap();
    let (new, _) = change().await.unwrap();
    let refused = format!("{:?}", start(&data, "web-1", &[LISTS]).await.unwrap_err());
    assert!(refused.contains("lists_0003_renamed"), "{refused}");
    assert!(!refused.contains("lists_0002_pinned\""), "{refused}");
    new.stop().await.unwrap();
}
