//! Webhook requests without a signature, or signed for something else, at a portal on which a program publishes notices.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, process};

use dewar::App;
use dewar::app::Running;
use dewar::audit::Clock;
use dewar::csrf::{VerifiedWebhook, WebhookAuth, signature};
use dewar::pages::Text;
use dewar::testing::{Browser, Cookies, RawRequest};
use dewar::{Db, post};

use crate::company::{ON_SQLITE, PASSWORD, add, everything_in, sign_in};

#[derive(serde::Deserialize)]
struct News {
    title: String,
}

async fn publish(db: Db, delivery: VerifiedWebhook) -> dewar::Result<Text> {
    let news: News = delivery.json()?;
    let note =
        "INSERT INTO notices (title, body_html, author_id, published_at) VALUES (?, '', 1, 0)";
    db.execute(note, [news.title.as_str().into()]).await?;
    Ok(Text::new("published"))
}

const BODY: &str = r#"{"title":"We are hiring"}"#;

/// Runs `portal keys webhook …`: whether it succeeded, and its output.
fn keys(data: &Path, arguments: &[&str]) -> (bool, String) {
    let told = process::Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["keys", "webhook"])
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let said = [told.stdout, told.stderr].concat();
    (told.status.success(), String::from_utf8(said).unwrap())
}

/// The key that the command printed, on a line of its own.
fn shown(said: &str) -> String {
    let key = said.lines().next().unwrap().to_owned();
    assert_eq!(key.len(), 43, "{said}");
    key
}

fn app(data: &Path) -> App {
    let app = portal::app(App::in_directory_with(data, [ON_SQLITE]).unwrap());
    app.webhook(
        WebhookAuth::hmac("news"),
        [
            post("/hooks/news", publish),
            post("/hooks/old-news", publish),
        ],
    )
}

const HOOK: &str = "/hooks/news";

fn line(key: &str, late: i64, path: &str) -> String {
    let now = Clock::system().now();
    signature(key.as_bytes(), now + late, path, BODY.as_bytes())
}

/// A program's request, with this signature.
fn program(browser: &Browser, line: &str) -> RawRequest {
    let raw = browser.raw("POST", HOOK).cookies(Cookies::No);
    raw.header("x-signature", line).body(BODY)
}

async fn status(raw: RawRequest) -> u16 {
    raw.send().await.unwrap().status().as_u16()
}

fn browser(running: &Running) -> Browser {
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    Browser::new(running.url(), &authority)
}

/// All stored data, except when a session was last seen.
fn kept(data: &Path) -> String {
    let all = everything_in(data);
    let rows = all
        .lines()
        .filter(|row| !row.starts_with("dewar_sessions: "));
    rows.collect::<Vec<_>>().join("\n")
}

/// A program with the key needs no session and no token. Without the key nobody gets in, not even a member's browser.
///
/// ASVS: V4.1.5, V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn nobody_delivers_without_the_senders_key() {
    let data = tempfile::tempdir().unwrap();
    let key = shown(&keys(data.path(), &["new", "news"]).1);
    let running = app(data.path()).start().await.unwrap();
    let ada = browser(&running);
    add(&running, "ada", &[]).await;
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let page = ada.get("/account").await;
    let token = page.form("/sign-out").value("csrf_token").unwrap();
    let member = || ada.raw("POST", HOOK).body(BODY);
    let own_page = member().header("sec-fetch-site", "same-origin");
    let signed = |line: &str| program(&ada, line);
    let good = line(&key, 0, HOOK);
    let attacks = [
        ("nothing", member().cookies(Cookies::No)),
        ("a member's session", member()),
        (
            "a session and its token",
            own_page.header("x-csrf-token", &token),
        ),
        ("a guessed key", signed(&line(&"A".repeat(43), 0, HOOK))),
        ("an old delivery", signed(&line(&key, -3_600, HOOK))),
        ("another route's", signed(&line(&key, 0, "/hooks/old-news"))),
        ("two signatures", signed(&good).header("x-signature", &good)),
    ];
    let before = kept(data.path());
    for (what, attack) in attacks {
        assert_eq!(status(attack).await, 401, "{what}");
        assert!(before == kept(data.path()), "{what}");
    }
    // A page of another site makes a browser send it, with the valid signature.
    let elsewhere = signed(&good).header("sec-fetch-site", "cross-site");
    assert_eq!(status(elsewhere).await, 403);
    assert!(before == kept(data.path()));
    // As it was signed, it is accepted, and only once.
    assert_eq!(status(signed(&good)).await, 200);
    let after = kept(data.path());
    assert!(before != after);
    assert_eq!(status(signed(&good)).await, 409);
    assert!(after == kept(data.path()));
    running.stop().await.unwrap();
}

/// Development makes the key of a sender as it makes its other keys. Production waits for the operator.
///
/// ASVS: V13.3.1, V13.3.2
#[tokio::test(flavor = "multi_thread")]
async fn only_development_makes_a_senders_key_and_never_twice() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let file = data.join("keys/webhooks/news");
    let mut made = Vec::new();
    for _ in 0..2 {
        let running = app(data).start().await.unwrap();
        let key = fs::read_to_string(&file).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let signed = program(&browser(&running), &line(key.trim_end(), 0, HOOK));
        if made.is_empty() {
            add(&running, "news", &[]).await;
            assert_eq!(status(signed).await, 200);
        }
        made.push(key);
        running.stop().await.unwrap();
    }
    assert_eq!(made[0], made[1]);
    fs::remove_file(&file).unwrap();
    let production = [ON_SQLITE, ("DEWAR_MODE", "production")];
    let strict = portal::app(App::in_directory_with(data, production).unwrap());
    let strict = strict.webhook(WebhookAuth::hmac("news"), [post("/hooks/news", publish)]);
    let refused = strict.start().await.unwrap_err();
    assert!(format!("{refused:?}").contains("keys webhook new news"));
    assert!(!file.exists());
}

/// ASVS: V13.3.1, V13.3.2, V13.3.4
#[tokio::test(flavor = "multi_thread")]
async fn a_senders_key_is_made_rotated_and_revoked_by_commands() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let before = shown(&keys(data, &["new", "news"]).1);
    let key = shown(&keys(data, &["rotate", "news"]).1);
    for wrong in [&["new", "news"], &["new", "../keys"], &["revoke", "nobody"]] {
        assert!(!keys(data, wrong).0, "{wrong:?}");
    }
    for name in ["news", "news.previous"] {
        let file = data.join("keys/webhooks").join(name);
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for (both, late) in [(true, 0), (false, -100)] {
        let running = app(data).start().await.unwrap();
        add(&running, &both.to_string(), &[]).await;
        let browser = browser(&running);
        let old = status(program(&browser, &line(&before, late, HOOK))).await;
        assert_eq!(old, if both { 200 } else { 401 });
        let new = line(&key, late - 2, HOOK);
        assert_eq!(status(program(&browser, &new)).await, 200);
        running.stop().await.unwrap();
        // The overlap ends.
        assert_eq!(keys(data, &["revoke", "news"]).0, both);
    }
}
