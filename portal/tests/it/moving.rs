//! The database is backed up, restored and moved to a server, by the commands of the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use dewar::testing::{Browser, wait_until};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::commands::{portal, printed, told};
use crate::company::{ON_SQLITE, PASSWORD, Portal, document, hand_in, post, sign_in};
use crate::killed::{Program, browser};
use crate::servers;

/// A portal with something in every table, and then its data.
async fn full() -> (tempfile::TempDir, String) {
    let portal = Portal::on_sqlite().await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    let grace = portal.administrator().await;
    let path = document(&ada, "Plan").await;
    // Letters that a line of text could stumble over.
    let odd = document(&ada, "Tab\u{a0}\\N ü\u{1f600} \\x00 'quoted'").await;
    post(&ada, &format!("{path}/shares"), "email=ben@example.org").await;
    post(
        &ben,
        &format!("{path}/comments"),
        "comment=Good.%0D%0AVery+good.",
    )
    .await;
    post(&ada, "/account/telephone", "telephone=%2B41446681800").await;
    post(&grace, "/notices", "title=Old&body=Tea.").await;
    post(&ada, &format!("{odd}/delete"), "").await;
    document(&ada, "Tab\u{a0}\\N ü\u{1f600} \\x00 'quoted'").await;
    let data = portal.close().await;
    closed(data.path()).await;
    (data, path)
}

/// Waits for the last connection, which deletes the journal when it closes, on a thread of its own.
async fn closed(data: &Path) {
    let journal = data.join("database.sqlite-wal");
    wait_until("the database is closed", async || !journal.exists()).await;
}

/// The command, once the server has started up.
fn copied(data: &Path, arguments: &str) -> std::process::Output {
    loop {
        let done = portal(data, arguments);
        if !told(&done).contains("starting up") {
            return done;
        }
    }
}

/// Everything is there afterwards, and no id comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_portal_moves_from_a_file_to_a_server() {
    let Some(server) = servers::postgres() else {
        return;
    };
    let (data, path) = full().await;
    let data = data.path();
    let port = server.port;
    let url = format!("postgres://dewar@localhost:{port}/postgres?schema=portal");
    let password = server.password_file().display().to_string();
    let command = format!("database copy --to {url} --password-file {password}");
    let said = printed(&copied(data, &command));
    for line in [
        "dewar_users: 3 rows",
        "documents: 2 rows",
        "comments: 1 rows",
        "equal",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let again = portal(data, &command);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        told(&again).contains("an application in that schema already"),
        "{}",
        told(&again)
    );

    let settings = [
        ("DEWAR_DATABASE_URL", url.as_str()),
        ("DEWAR_DATABASE_PASSWORD_FILE", password.as_str()),
    ];
    // The file is not read any more.
    fs::remove_file(data.join("database.sqlite")).unwrap();
    let (_program, address) = Program::serve_with(data, &settings);
    let ada = browser(data, &address);
    let answer = sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let page = ada.get(&path).await;
    assert_eq!(page.texts("h1"), ["Plan"]);
    assert_eq!(page.texts(".comments p"), ["Good. Very good."]);
    let account = ada.get("/account").await.text();
    assert!(account.contains("+41446681800"), "{account}");
    let list = ada.get("/documents?q=quoted").await.text();
    assert!(list.contains("\\N ü\u{1f600}"), "{list}");
    assert_eq!(document(&ada, "New").await, "/documents/4");
    let handed = hand_in(&ada, "Another", "note.txt", b"x\n").await;
    assert_eq!(handed.status(), 303, "{}", handed.text());
}

/// Of a copy that fails, nothing is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_leaves_the_server_as_it_was() {
    let Some(server) = servers::postgres() else {
        return;
    };
    let (data, _) = full().await;
    let data = data.path();
    let file = rusqlite::Connection::open(data.join("database.sqlite")).unwrap();
    file.execute_batch("UPDATE notices SET title = 'a' || char(0) || 'b'")
        .unwrap();
    drop(file);
    let port = server.port;
    let url = format!("postgres://dewar@localhost:{port}/postgres?schema=portal");
    let password = server.password_file().display().to_string();
    let command = format!("database copy --to {url} --password-file {password}");
    let failed = copied(data, &command);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        told(&failed).contains("`notices` cannot be copied"),
        "{}",
        told(&failed)
    );
    let file = rusqlite::Connection::open(data.join("database.sqlite")).unwrap();
    file.execute_batch("UPDATE notices SET title = 'mended'")
        .unwrap();
    drop(file);
    assert!(printed(&portal(data, &command)).contains("equal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_the_portal_runs_and_restored() {
    let (data, _) = full().await;
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.sqlite");
    let running = Portal::open_in_with(data, &[ON_SQLITE]).await;
    let ada = running.visitor();
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let command = format!("database backup {}", backup.display());
    let said = printed(&portal(running.data.path(), &command));
    assert!(said.contains("whole"), "{said}");
    let later = document(&ada, "Later").await;
    let command = format!("database restore {}", backup.display());
    let refused = portal(running.data.path(), &command);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        told(&refused).contains("stop the application"),
        "{}",
        told(&refused)
    );
    let data = running.close().await;
    let data = data.path();
    closed(data).await;

    let said = printed(&portal(data, &command));
    assert!(said.contains("is the database now"), "{said}");
    assert!(printed(&portal(data, "database verify")).contains("whole"));
    let (_program, address) = Program::serve(data);
    let ada = browser(data, &address);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(ada.get(&later).await.status(), 404);
    assert_eq!(ada.get("/documents").await.texts("tbody tr").len(), 2);

    let bytes = fs::read(&backup).unwrap();
    let damaged = folder.path().join("damaged.sqlite");
    let half = bytes.len() / 2;
    let mut broken = bytes;
    broken[half..half + 4_096].fill(0x5a);
    fs::write(&damaged, broken).unwrap();
    let found = portal(data, &format!("database verify {}", damaged.display()));
    assert_eq!(found.status.code(), Some(1), "{}", told(&found));
}

/// A pipeline looks before it changes anything.
#[test]
fn pending_migrations_are_listed_and_shown_before_they_run() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let status = || printed(&portal(data, "migrate status"));
    assert!(
        status().contains("pending  portal_0001_documents"),
        "{}",
        status()
    );
    let plan = printed(&portal(data, "migrate plan"));
    assert!(plan.contains("-- portal_0001_documents\n"), "{plan}");
    assert!(plan.contains("AUTOINCREMENT"), "{plan}");
    assert!(!data.join("database.sqlite").exists(), "nothing was made");
    printed(&portal(data, "migrate apply"));
    assert!(!status().contains("pending"), "{}", status());
    assert_eq!(
        printed(&portal(data, "migrate plan")),
        "-- The database is up to date.\n"
    );
    let states = printed(&portal(data, "migrate status --json"));
    let states: serde_json::Value = serde_json::from_str(&states).unwrap();
    assert_eq!(states[0]["applied"], true);
    let wrong = portal(data, "migrate new Not-A-Word");
    assert_eq!(wrong.status.code(), Some(1));
}

/// Three writers of comments, until the program answers no more. Each comment is heard once it was acknowledged.
async fn writing(ada: Browser, path: &str, round: usize) -> UnboundedReceiver<String> {
    let comments = format!("{path}/comments");
    let form = ada.get(path).await.form(&comments);
    let (kind, body) = form.fill("comment", "WORDS").encoded();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let ada = Arc::new(ada);
    let (said, heard) = unbounded_channel();
    for writer in 0..3 {
        let (ada, said) = (Arc::clone(&ada), said.clone());
        let (kind, body, comments) = (kind.clone(), body.clone(), comments.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let text = format!("written-{round}-{writer}-{number}");
                let request = ada
                    .raw("POST", &comments)
                    .header("sec-fetch-site", "same-origin")
                    .header("content-type", &kind)
                    .body(body.replace("WORDS", &text));
                match request.send().await {
                    Ok(answer) if answer.status() == 303 => said.send(text).unwrap(),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
    }
    heard
}

/// The comments on all pages.
async fn all_comments(ada: &Browser, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut page = path.to_owned();
    loop {
        let answer = ada.get(&page).await;
        found.extend(answer.texts(".comments p"));
        let text = answer.text();
        let older = text.split_once("?before=");
        match older.and_then(|(_, rest)| rest.split_once('#')) {
            Some((before, _)) => page = format!("{path}?before={before}"),
            None => return found,
        }
    }
}

/// Of every comment that was acknowledged nothing is lost, whenever the program is killed.
///
/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_no_acknowledged_write_is_lost_when_the_program_is_killed() {
    let Some(server) = servers::postgres() else {
        return;
    };
    let (data, path) = full().await;
    let port = server.port;
    let url = format!("postgres://dewar@localhost:{port}/postgres?schema=portal");
    let password = server.password_file().display().to_string();
    let command = format!("database copy --to {url} --password-file {password}");
    printed(&copied(data.path(), &command));
    let settings = [
        ("DEWAR_DATABASE_URL", url.as_str()),
        ("DEWAR_DATABASE_PASSWORD_FILE", password.as_str()),
        MANY_REQUESTS,
    ];
    killed_while_writing(data.path(), &path, &settings).await;
}

/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_no_acknowledged_write_is_lost_when_the_program_is_killed() {
    let (data, path) = full().await;
    killed_while_writing(data.path(), &path, &[MANY_REQUESTS]).await;
}

const MANY_REQUESTS: (&str, &str) = ("DEWAR_FORMS_RATE_LIMIT", "1000000");

#[expect(
    clippy::disallowed_methods,
    reason = "how long a test runs is no setting of the program"
)]
/// Kills the program in the middle of many writes, again and again: four times, or as often as `KILLED_ROUNDS` says.
async fn killed_while_writing(data: &Path, path: &str, settings: &[(&str, &str)]) {
    let rounds = std::env::var("KILLED_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap());
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let (program, address) = Program::serve_with(data, settings);
        let ada = browser(data, &address);
        sign_in(&ada, "ada@example.org", PASSWORD).await;
        let mut heard = writing(ada, path, round).await;
        // After so many answers, in the middle of the next ones.
        for _ in 0..4 + 7 * round % 11 {
            acknowledged.push(heard.recv().await.unwrap());
        }
        program.kill();
        while let Some(text) = heard.recv().await {
            acknowledged.push(text);
        }
    }
    let (_program, address) = Program::serve_with(data, settings);
    let ada = browser(data, &address);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let found = all_comments(&ada, path).await;
    assert!(acknowledged.len() >= rounds * 4);
    for text in acknowledged {
        assert!(found.contains(&text), "{text} is lost");
    }
}
