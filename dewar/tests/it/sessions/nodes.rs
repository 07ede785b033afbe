//! Several nodes: a session that ends on one has ended on all, at the very next request.

use dewar::App;
use dewar::app::Running;
use dewar::audit::Clock;
use dewar::testing::Browser;
use tempfile::TempDir;

use super::COOKIE;
use crate::site::{self, PASSWORD, sign_in};

async fn node(
    data: &TempDir,
    clock: &Clock,
    (name, settings): (&str, &[(&str, &str)]),
) -> (Running, Browser) {
    let name = ("DEWAR_NODE", name);
    let settings = settings.iter().copied().chain([name]);
    let app = App::in_directory_with(data, settings).unwrap();
    let running = site::app(app).clock(clock.clone()).start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    (running, browser)
}

/// A browser of the second node with the cookie that the first one set.
fn same_person(on_first: &Browser, second: &Browser) -> Browser {
    let browser = second.another();
    browser.plant_cookie(COOKIE, on_first.cookie(COOKIE).unwrap().value());
    browser
}

/// ASVS: V7.4.1, V7.4.5
async fn ends_on_both(settings: &[(&str, &str)]) -> (Running, Browser, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::system().now());
    let (first, ada) = node(&data, &clock, ("web-1", settings)).await;
    let (second, visitor) = node(&data, &clock, ("web-2", settings)).await;
    let person = dewar::accounts::NewUser {
        email: "ada@example.org",
        name: "Ada",
        password: PASSWORD,
    };
    let id = first.dewar().accounts().add(person, &[]).await.unwrap();
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let there = same_person(&ada, &visitor);
    assert_eq!(there.get("/notes").await.status(), 200);
    let page = there.get("/notes").await;
    assert_eq!(there.submit(page.form("/sign-out")).await.status(), 303);
    assert_eq!(ada.get("/notes").await.status(), 303);

    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let there = same_person(&ada, &visitor);
    assert_eq!(there.get("/notes").await.status(), 200);
    first.dewar().sessions().end_all_of(id).await.unwrap();
    assert_eq!(there.get("/notes").await.status(), 303);

    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(ada.get("/notes").await.status(), 200);
    second.stop().await.unwrap();
    (first, ada, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_database_what_ends_on_one_node_has_ended_on_the_other() {
    ends_on_both(&[]).await;
}

#[cfg(feature = "redis")]
use crate::servers;

/// If the session store fails, nobody passes for a visitor, or for anyone else.
#[cfg(feature = "redis")]
async fn fails_without(mut server: servers::Server, store: &str) {
    let file = server.password_file().display().to_string();
    let settings = [
        ("DEWAR_SESSIONS_STORE", store),
        ("DEWAR_SESSIONS_PASSWORD_FILE", &file),
    ];
    let (running, ada, _data) = ends_on_both(&settings).await;
    let db = running.dewar().db();
    let before = db.statements();
    assert_eq!(ada.get("/notes").await.status(), 200);
    assert_eq!(db.statements() - before, 1, "the person, and nothing else");
    let rows = db.query("SELECT 1 FROM dewar_sessions", []).await.unwrap();
    assert!(rows.is_empty());
    server.end();
    let answer = ada.get("/notes").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        ada.another().get("/").await.status(),
        200,
        "a visitor needs no store"
    );
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn on_one_redis_what_ends_on_one_node_has_ended_on_the_other() {
    let Some(server) = servers::redis(false) else {
        return;
    };
    let store = format!("redis://localhost:{}", server.port);
    fails_without(server, &store).await;
}
