//! `database`: tables are brought up to date at start, and one request costs one read.

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
