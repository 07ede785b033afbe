//! `database`: no visitor's text becomes SQL, and the cost of a request is bounded.

mod growth;
mod lists;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::commands;
use crate::company::{PASSWORD, Portal, document, hand_in, post, sign_in};

/// A process that closes a file loses its locks on it (POSIX). Another process would then take itself for the last one, and delete
/// the log that this one writes.
///
/// ASVS: V15.4.3
#[tokio::test(flavor = "multi_thread")]
async fn to_open_the_database_once_more_loses_no_lock() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let file = portal.data.path().join("database.sqlite");
    drop(dewar::Db::open(&file, &dewar::database::Config::default()).unwrap());
    commands::printed(&commands::portal(
        portal.data.path(),
        "users sign-out --all",
    ));
    for beside in ["database.sqlite-wal", "database.sqlite-shm"] {
        assert!(portal.data.path().join(beside).exists(), "{beside}");
    }
    assert_eq!(ada.get("/documents").await.status(), 303);
    assert_eq!(
        sign_in(&ada, "ada@example.org", PASSWORD).await.status(),
        303
    );
    let sessions = "SELECT count(*) FROM dewar_sessions";
    let other = rusqlite::Connection::open(&file).unwrap();
    let seen: i64 = other.query_row(sessions, [], |row| row.get(0)).unwrap();
    assert_eq!(seen, 1, "another process reads what this one wrote");
}

const HOSTILE: [&str; 8] = [
    "' OR '1'='1",
    "'; DROP TABLE documents; --",
    "\") UNION SELECT email FROM dewar_users --",
    "1); DELETE FROM documents; --",
    "%",
    "_",
    "\\",
    "' || (SELECT password_hash FROM dewar_users) || '",
];

/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_text_and_runs_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plain title").await;
    for text in HOSTILE {
        let query: String = form_encode(text);
        let answer = ada.get(&format!("/documents?q={query}")).await;
        assert_eq!(answer.status(), 200, "{text}");
        assert!(
            !answer.text().contains("Plain title"),
            "{text} found what does not hold it"
        );
        for told in ["sqlite", "syntax error", "unrecognized token", "$argon2id$"] {
            assert!(
                !answer.text().to_lowercase().contains(told),
                "{text} is told {told}"
            );
        }
    }
    assert!(
        ada.get("/documents?q=Plain")
            .await
            .text()
            .contains("Plain title")
    );
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 1);
}

fn form_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// ASVS: V1.2.4, V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn order_status_and_number_are_words_of_the_program() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plan").await;
    for (good, bad) in [
        ("sort=title", "sort=title%20DESC"),
        ("status=pending", "status=pending%27--"),
        ("sort=largest", "page=1%20OR%201"),
        ("sort=oldest", "page=title%20DESC%3B--"),
        (
            "sort=newest",
            "page=%7B%22After%22%3A%5B%22title%22%2C1%5D%7D",
        ),
    ] {
        assert_eq!(
            ada.get(&format!("/documents?{good}")).await.status(),
            200,
            "{good}"
        );
        assert_eq!(
            ada.get(&format!("/documents?{bad}")).await.status(),
            400,
            "{bad}"
        );
    }
}

/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_no_number_of_a_record_is_404() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    assert_eq!(ada.get(&path).await.status(), 200);
    for id in [
        "1%20OR%201=1",
        "1'",
        "0",
        "-1",
        "9223372036854775808",
        "1e0",
        "0x1",
        "NULL",
    ] {
        assert_eq!(
            ada.get(&format!("/documents/{id}")).await.status(),
            404,
            "{id}"
        );
    }
}

/// A stored text stays text when it is used again (second-order injection).
///
/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_title_stays_a_title() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for text in HOSTILE {
        let answer = hand_in(&ada, text, "note.txt", b"x\n").await;
        assert_eq!(answer.status(), 303, "{text}: {}", answer.text());
        let page = ada.get(answer.location().unwrap()).await;
        assert_eq!(page.texts("h1"), [text]);
    }
    assert_eq!(
        portal.count("SELECT count(*) FROM documents").await,
        HOSTILE.len() as i64
    );
}

/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_takes_no_sql() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    for email in [
        "ada@example.org'--",
        "' OR 1=1 --@example.org",
        "ada@example.org\"; --",
    ] {
        let visitor = portal.visitor();
        let answer = sign_in(&visitor, email, "' OR '1'='1' -- a long one").await;
        assert_eq!(answer.status(), 422, "{email}");
        assert!(visitor.cookie("__Host-session").is_none());
    }
}

/// ASVS: V13.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_at_run_time_changes_no_table_and_no_setting() {
    let portal = Portal::open().await;
    let db = portal.db();
    for statement in [
        db.execute("DROP TABLE documents", []).await,
        db.execute("PRAGMA foreign_keys = OFF", []).await,
    ] {
        assert!(statement.is_err());
    }
    let dangling = "INSERT INTO dewar_user_roles (user_id, role) VALUES (999, 'administrator')";
    assert!(db.execute(dangling, []).await.is_err(), "foreign keys hold");
    let portal = Portal::on_sqlite().await;
    let file = portal.data.path().join("database.sqlite");
    assert_eq!(
        fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

/// ASVS: V13.1.2
#[tokio::test(flavor = "multi_thread")]
async fn a_list_costs_the_same_however_long_it_is() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let cost = async || {
        let before = portal.db().statements();
        assert_eq!(ada.get("/documents").await.status(), 200);
        portal.db().statements() - before
    };
    document(&ada, "First").await;
    let one = cost().await;
    for number in 0..5 {
        document(&ada, &format!("More {number}")).await;
    }
    assert_eq!(cost().await, one);
    assert!(one <= 3, "{one}");
}

/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_in_a_search_is_no_word() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let found = async |text: &str| {
        let page = ada
            .get(&format!("/documents?q={}", form_encode(text)))
            .await;
        assert_eq!(page.status(), 200, "{text}");
        page.texts("tbody tr").len()
    };
    document(&ada, "Plain").await;
    for wildcard in ["%", "_", "P%n", "P_ain", "\\", "*", "%' OR '1'='1"] {
        assert_eq!(found(wildcard).await, 0, "{wildcard}");
    }
    document(&ada, "100% of _it_").await;
    for (text, number) in [("%", 0), ("_", 0), ("100%", 1), ("_it_", 1), ("1_0%", 0)] {
        assert_eq!(found(text).await, number, "{text}");
    }
}

/// Other statements use a member's name later: in lists, on pages, in an administrator's search.
///
/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn sql_that_was_stored_is_not_run_when_it_is_read_again() {
    let portal = Portal::open().await;
    let name = "Robert'); DELETE FROM documents;--";
    let visitor = portal.visitor();
    let form = visitor.get("/sign-up").await.form("/sign-up");
    let form = form.fill("name", name).fill("email", "robert@example.org");
    visitor.submit(form.fill("password", PASSWORD)).await;
    sign_in(&visitor, "robert@example.org", PASSWORD).await;
    let path = document(&visitor, "'||(SELECT password_hash FROM dewar_users)||'").await;
    let comment = form_encode("'); DELETE FROM comments; --");
    post(
        &visitor,
        &format!("{path}/comments"),
        &format!("comment={comment}"),
    )
    .await;
    let grace = portal.administrator().await;
    let search = format!("/admin/users?q={}", form_encode(name));
    for (browser, path, shown) in [
        (&visitor, "/documents", name),
        (&visitor, path.as_str(), "'); DELETE FROM comments; --"),
        (&grace, search.as_str(), name),
    ] {
        let page = browser.get(path).await;
        assert!(
            page.texts("main")[0].contains(shown),
            "{path}: {}",
            page.text()
        );
        assert!(!page.text().contains("$argon2id"), "{path}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 1);
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 1);
}

/// ASVS: V13.2.2, V13.3.2
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_on_the_disk_is_its_owners_alone() {
    let portal = Portal::open().await;
    document(&portal.member("ada").await, "Private").await;
    let mut looked = 0;
    let mut folders = vec![portal.data.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // Some files exist only for a moment: SQLite's working files, and the next head of the log before it has its name.
            let metadata = match path.metadata() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                found => found.unwrap(),
            };
            let mode = metadata.permissions().mode();
            // A certificate is public; its folder is not.
            let public = path.extension().is_some_and(|ending| ending == "pem");
            assert!(mode & 0o077 == 0 || public, "{}: {mode:o}", path.display());
            looked += 1;
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(looked > 10, "{looked}");
}

/// ASVS: V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn two_statements_in_one_are_not_run() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let both = "DELETE FROM shares; DELETE FROM dewar_users";
    assert!(portal.db().execute(both, []).await.is_err());
    assert_eq!(ada.get("/account").await.status(), 200);
    let one = portal.db().execute("DELETE FROM shares", []).await;
    assert_eq!(one.unwrap(), 0);
}
