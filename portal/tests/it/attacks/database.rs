//! `database`: no text of a visitor becomes SQL, and a request costs what it should.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::company::{Portal, document, hand_in, sign_in};

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
        assert!(!answer.text().to_lowercase().contains("sql"), "{text}");
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
        ("page=1", "page=1%20OR%201"),
        ("page=2", "page=-1"),
        ("page=3", "page=99999999999999999999"),
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

/// What was stored as text stays text when it is used again.
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
