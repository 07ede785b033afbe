//! A file and its row are consistent, whenever the program is killed.
//!
//! A trigger slows down the statement between the two, and the test kills the real program in the middle of it.

use std::path::Path;
use std::time::Duration;

use dewar::app::Running;
use dewar::testing::{Browser, PATIENCE, wait_until};
use image::ImageFormat;
use rusqlite::Connection;

use super::{Program, browser, files_below, in_process};
use crate::company::{PASSWORD, add, document, hand_in, sign_in};
use crate::files::crafted::picture;

/// Counts 8,000,000,000 rows, which takes longer than any test waits.
const SLOW: &str = "CREATE TABLE slow (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
    INSERT INTO slow WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n;";

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

/// Slows down every such statement, until [`as_before`].
fn slow_down(data: &Path, when: &str) {
    let trigger = format!(
        "{SLOW} CREATE TRIGGER slows {when} BEGIN SELECT count(*) FROM slow AS a, slow AS b, slow AS c; END;"
    );
    tables(data).execute_batch(&trigger).unwrap();
}

fn as_before(data: &Path) {
    let undo = "DROP TRIGGER slows; DROP TABLE slow;";
    tables(data).execute_batch(undo).unwrap();
}

/// The states of the stored files' rows, as a start would find them.
fn states(data: &Path) -> Vec<String> {
    let connection = tables(data);
    let sql = "SELECT state FROM dewar_files ORDER BY created_at, state";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn kept(data: &Path) -> usize {
    files_below(&data.join("uploads/kept")).len()
}

/// A portal with ada, whose first actions run in this process.
async fn with_ada() -> (tempfile::TempDir, Running, Browser) {
    let data = tempfile::tempdir().unwrap();
    let running = in_process(data.path()).await;
    add(&running, "Ada", &["member"]).await;
    let ada = browser(data.path(), running.url());
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    (data, running, ada)
}

/// Waits for so many stored files and an open transaction, and kills the program there.
async fn kill_inside(data: &Path, program: Program, files: usize) {
    let connection = probe(data);
    for _ in 0..2_000 {
        if kept(data) == files {
            if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
                // Long enough for a short transaction to end, so the slow one holds the lock.
                tokio::time::sleep(Duration::from_millis(500)).await;
                if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
                    program.kill();
                    return;
                }
            }
            connection.execute_batch("ROLLBACK").unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the slow statement was not reached: {} files", kept(data));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_document_was_not_written_is_gone() {
    let (data, running, _) = with_ada().await;
    running.stop().await.unwrap();
    slow_down(data.path(), "BEFORE INSERT ON documents");
    let (program, url) = Program::serve(data.path());
    let ada = browser(data.path(), &url);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let asking = tokio::spawn(async move { hand_in(&ada, "Half", "half.txt", b"half\n").await });
    kill_inside(data.path(), program, 1).await;
    assert!(asking.await.is_err(), "there was no answer");
    assert_eq!(
        (states(data.path()), kept(data.path())),
        (vec!["arriving".to_owned()], 1)
    );

    as_before(data.path());
    let running = in_process(data.path()).await;
    assert_eq!((states(data.path()), kept(data.path())), (vec![], 0));
    let ada = browser(data.path(), running.url());
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    document(&ada, "Whole").await;
    assert_eq!(
        (states(data.path()), kept(data.path())),
        (vec!["stored".to_owned()], 1)
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_not_deleted_to_the_end_still_has_its_file() {
    let (data, running, ada) = with_ada().await;
    let path = document(&ada, "Whole").await;
    running.stop().await.unwrap();
    slow_down(data.path(), "AFTER DELETE ON documents");
    let (program, url) = Program::serve(data.path());
    let ada = browser(data.path(), &url);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let delete = format!("{path}/delete");
    let form = ada.get(&delete).await.form(&delete);
    let asking = tokio::spawn(async move { ada.submit(form).await });
    kill_inside(data.path(), program, 1).await;
    assert!(asking.await.is_err(), "there was no answer");

    as_before(data.path());
    let running = in_process(data.path()).await;
    let ada = browser(data.path(), running.url());
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let file = ada.get(&format!("{path}/file")).await;
    assert_eq!(file.status(), 200);
    assert_eq!(file.text(), "What was agreed.\n");
    let form = ada.get(&delete).await.form(&delete);
    assert_eq!(ada.submit(form).await.status(), 303);
    wait_until("its file goes", async || states(data.path()).is_empty()).await;
    assert_eq!((states(data.path()), kept(data.path())), (vec![], 0));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_pictures_the_one_that_the_account_names_is_there() {
    let (data, running, ada) = with_ada().await;
    let change = async |ada: &Browser, bytes: Vec<u8>| {
        let form = ada.get("/account").await.form("/account/picture");
        ada.submit(form.file("picture", "me.png", bytes)).await
    };
    assert_eq!(
        change(&ada, picture(200, 100, ImageFormat::Png))
            .await
            .status(),
        303
    );
    let first = ada.get("/account/picture").await.bytes().to_vec();
    running.stop().await.unwrap();
    slow_down(data.path(), "AFTER UPDATE OF picture ON dewar_users");
    let (program, url) = Program::serve(data.path());
    let ada = browser(data.path(), &url);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let asking = tokio::spawn(async move { change(&ada, picture(90, 45, ImageFormat::Png)).await });
    kill_inside(data.path(), program, 2).await;
    assert!(asking.await.is_err(), "there was no answer");

    as_before(data.path());
    let running = in_process(data.path()).await;
    assert_eq!(
        (states(data.path()), kept(data.path())),
        (vec!["stored".to_owned()], 1)
    );
    let ada = browser(data.path(), running.url());
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let shown = ada.get("/account/picture").await;
    assert_eq!(shown.bytes().as_ref(), first);
    running.stop().await.unwrap();
}

/// Files were stored, the program was killed before it wrote the log, and no entry mentioned them.
///
/// ASVS: V16.4.2
#[tokio::test(flavor = "multi_thread")]
async fn each_stored_file_is_in_the_log_whenever_the_program_is_killed() {
    let (data, running, _) = with_ada().await;
    running.stop().await.unwrap();
    let (program, url) = Program::serve(data.path());
    let ada = browser(data.path(), &url);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    document(&ada, "Before").await;
    // The holder of the log's lock keeps all of it from being written.
    let log = std::fs::File::open(data.path().join("audit.jsonl")).unwrap();
    log.lock().unwrap();
    for title in ["One", "Two", "Three"] {
        document(&ada, title).await;
    }
    program.kill();
    log.unlock().unwrap();

    let running = in_process(data.path()).await;
    let log = running.dewar().log();
    let latest = log.latest(200, None).await.unwrap();
    let mut told: Vec<String> = latest
        .into_iter()
        .filter(|entry| entry.event == "upload_stored")
        .map(|entry| entry.detail.unwrap())
        .collect();
    let files = "SELECT id FROM dewar_files WHERE state = 'stored'";
    let rows = running.dewar().db().query(files, []).await.unwrap();
    let mut stored: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    told.sort();
    stored.sort();
    assert_eq!(stored.len(), 4);
    assert_eq!(told, stored, "each once");
    running.stop().await.unwrap();
    let left = "SELECT count(*) FROM dewar_audit_waiting";
    let left: i64 = tables(data.path())
        .query_row(left, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0, "rows of entries that are in the log");
}

/// The log and its head were removed together, and `audit verify` did not notice.
///
/// ASVS: V16.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_removed_with_its_head_is_found_by_the_command_and_at_start() {
    let (data, running, ada) = with_ada().await;
    document(&ada, "Before").await;
    running.stop().await.unwrap();
    let verify = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_portal"));
        command.args(["audit", "verify", "--data"]).arg(data.path());
        command.output().unwrap()
    };
    assert!(verify().status.success());
    for file in ["audit.jsonl", "audit.jsonl.head"] {
        std::fs::remove_file(data.path().join(file)).unwrap();
    }
    let found = verify();
    assert_eq!(found.status.code(), Some(1));
    let said = String::from_utf8_lossy(&found.stderr);
    assert!(said.contains("according to the database"), "{said}");
    let running = in_process(data.path()).await;
    let latest = running.dewar().log().latest(99, None).await.unwrap();
    assert!(latest.iter().any(|entry| entry.event == "audit_mismatch"));
    running.stop().await.unwrap();
    assert!(!verify().status.success(), "it stays found");
}
