//! The real program during a migration, and at its stop.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use dewar::audit::{Log, Mode};
use dewar::secrets::KeyRing;
use dewar::testing::{PATIENCE, wait_until};
use rusqlite::Connection;

use super::{Program, browser, files_below, in_process};
use crate::company::{PASSWORD, WITHOUT_AUDIENCES, add, sign_in};

/// Makes the record of a migration, which the migration's own transaction writes, take longer than any test.
const SLOW: &str = "CREATE TABLE slow (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
    INSERT INTO slow WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n;
    CREATE TRIGGER slows BEFORE INSERT ON dewar_migrations
        BEGIN SELECT count(*) FROM slow AS a, slow AS b, slow AS c; END;";

/// Reverts six more migrations.
const UNDO: &str = "DROP TABLE notices;
    DROP TABLE documents_search_fts;
    DROP TABLE documents_search;
    ALTER TABLE documents ADD COLUMN search TEXT NOT NULL DEFAULT '';
    DELETE FROM dewar_migrations
        WHERE name IN ('portal_0004_notices', 'portal_0008_ids', 'portal_0009_bounds', 'portal_0010_audiences',
            'documents_search_0001', 'portal_0013_search_index');";

fn tables(data: &Path) -> Connection {
    let connection = Connection::open(data.join("database.sqlite")).unwrap();
    // A stopped program may still be closing its file.
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

/// A connection that reports at once if another one has a transaction.
fn probe(data: &Path) -> Connection {
    let connection = tables(data);
    connection.busy_timeout(Duration::ZERO).unwrap();
    connection
}

/// Whether the table of the last migration exists, and whether the migration is recorded.
fn notices(data: &Path) -> (bool, bool) {
    let connection = tables(data);
    let there = |sql: &str| connection.prepare(sql).unwrap().exists([]).unwrap();
    (
        there("SELECT 1 FROM sqlite_schema WHERE name = 'notices'"),
        there("SELECT 1 FROM dewar_migrations WHERE name = 'portal_0004_notices'"),
    )
}

/// A portal's data from an older program: without the notices, and without what later migrations rebuilt.
async fn of_an_older_program() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let running = in_process(data.path()).await;
    running.stop().await.unwrap();
    let tables = tables(data.path());
    tables.execute_batch(WITHOUT_AUDIENCES).unwrap();
    tables.execute_batch(UNDO).unwrap();
    data
}

fn portal(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.args(arguments).arg("--data").arg(data);
    command.output().unwrap()
}

/// Starts the program with these arguments and kills it during the migration.
async fn kill_inside(data: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.args(arguments).arg("--data").arg(data);
    command.stdout(std::process::Stdio::null());
    command.stderr(std::process::Stdio::null());
    let program = Program(command.spawn().unwrap());
    let connection = probe(data);
    for _ in 0..2_000 {
        if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
            // Long enough for a short transaction to end, so the slow one holds the lock.
            tokio::time::sleep(Duration::from_millis(500)).await;
            if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
                program.kill();
                return;
            }
        }
        connection.execute_batch("ROLLBACK").unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the migration was not reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_killed_in_a_migration_leaves_nothing_of_it() {
    let data = of_an_older_program().await;
    let data = data.path();
    tables(data).execute_batch(SLOW).unwrap();
    let serve = ["serve", "--https", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    for arguments in [&["migrate"][..], &serve] {
        kill_inside(data, arguments).await;
        assert_eq!(notices(data), (false, false), "{arguments:?}");
    }
    let undo = "DROP TRIGGER slows; DROP TABLE slow;";
    tables(data).execute_batch(undo).unwrap();
    let done = portal(data, &["migrate"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(
        said,
        "applied portal_0004_notices\napplied portal_0008_ids\napplied portal_0009_bounds\n\
         applied portal_0010_audiences\napplied documents_search_0001\napplied portal_0013_search_index\n"
    );
    assert_eq!(notices(data), (true, true));
    let (program, url) = Program::serve(data);
    assert_eq!(browser(data, &url).get("/").await.status(), 200);
    program.kill();
}

/// `check` only reads: it changes neither an old database nor a new directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_migrates_nothing_and_makes_nothing() {
    let data = of_an_older_program().await;
    let told = portal(data.path(), &["check", "--json"]);
    let found: Vec<serde_json::Value> = serde_json::from_slice(&told.stdout).unwrap();
    let waiting = found
        .iter()
        .find(|finding| finding["id"] == "database-migrations-wait");
    let title = waiting.unwrap()["title"].as_str().unwrap();
    assert!(title.contains("portal_0004_notices"), "{title}");
    assert!(
        told.status.success(),
        "what the next start does by itself forbids nothing"
    );
    assert_eq!(notices(data.path()), (false, false));

    assert!(portal(data.path(), &["migrate"]).status.success());
    let told = portal(data.path(), &["check", "--json"]);
    let found: Vec<serde_json::Value> = serde_json::from_slice(&told.stdout).unwrap();
    let ids: Vec<&str> = found
        .iter()
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert!(!ids.contains(&"database-migrations-wait"), "{ids:?}");
    assert!(ids.contains(&"roles-no-administrator"), "{ids:?}");

    let new = data.path().join("new");
    assert!(portal(&new, &["check"]).status.success());
    assert!(!new.exists(), "a check made the data directory");
}

/// The operator stops the program during an upload: the file is stored, and nothing follows the log's last line.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_is_under_way_and_ends_the_log() {
    let data = tempfile::tempdir().unwrap();
    let running = in_process(data.path()).await;
    add(&running, "Ada", &["member"]).await;
    running.stop().await.unwrap();
    let (mut program, url) = Program::serve(data.path());
    let ada = browser(data.path(), &url);
    assert_eq!(
        sign_in(&ada, "ada@example.org", PASSWORD).await.status(),
        303
    );
    let form = ada.get("/documents/new").await.form("/documents");
    let token = form.value("csrf_token").unwrap();
    let session = ada.cookie("__Host-session").unwrap().value().to_owned();
    let first = format!(
        "--x\r\ncontent-disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--x\r\n\
         content-disposition: form-data; name=\"title\"\r\n\r\nWhole\r\n--x\r\n\
         content-disposition: form-data; name=\"description\"\r\n\r\n\r\n--x\r\n\
         content-disposition: form-data; name=\"tags\"\r\n\r\n\r\n--x\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"whole.txt\"\r\n\r\n{}",
        "all of it\n".repeat(4_000)
    );
    let second = format!("{}\r\n--x--\r\n", "and the rest\n".repeat(4_000));
    let request = format!(
        "POST /documents HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncookie: __Host-session={session}\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: {}\r\n\r\n{first}",
        first.len() + second.len()
    );
    let mut socket = ada.socket().await.unwrap();
    socket.send(request.as_bytes()).await.unwrap();
    let uploads = data.path().join("uploads");
    wait_until("it is under way", async || {
        !files_below(&uploads).is_empty()
    })
    .await;
    assert_eq!(files_below(&uploads).len(), 1, "it was really under way");

    let pid = program.0.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(told.success());
    // It accepts no more connections: the stop has begun.
    wait_until("the stop has begun", async || {
        ada.another().socket().await.is_err()
    })
    .await;
    assert!(
        program.0.try_wait().unwrap().is_none(),
        "it waits for the request"
    );
    socket.send(second.as_bytes()).await.unwrap();
    let heard = socket.hear(PATIENCE).await;
    assert_eq!(heard.status(), Some(303), "{}", heard.text());
    assert!(program.0.wait().unwrap().success(), "exit 0");

    let log = fs::read_to_string(data.path().join("audit.jsonl")).unwrap();
    let last = log.lines().last().unwrap();
    assert!(last.contains("sys_shutdown"), "{last}");
    let ring = KeyRing::open_or_create(&data.path().join("keys"), Mode::Development).unwrap();
    Log::verify_file(data.path().join("audit.jsonl"), ring.chain_keys()).expect("the log is whole");
    let count = "SELECT count(*) FROM documents WHERE title = 'Whole'";
    let documents: i64 = tables(data.path())
        .query_row(count, [], |row| row.get(0))
        .unwrap();
    assert_eq!(documents, 1);
}
