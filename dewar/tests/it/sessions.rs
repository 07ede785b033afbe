//! `sessions`: the person behind a browser.

mod confirm;
mod kept;
mod limits;
mod nodes;
mod values;

use std::time::Duration;

use dewar::database::Engine;

use super::site::{self, Site};

const COOKIE: &str = "__Host-session";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_for_a_visitor_who_did_nothing() {
    let site = Site::open().await;
    site.visitor.get("/").await;
    assert!(site.visitor.cookies().is_empty());
    let rows = site
        .running
        .dewar()
        .db()
        .query("SELECT count(*) FROM dewar_sessions", [])
        .await
        .unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_rests_too_long() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(Duration::from_secs(29 * 60));
    assert_eq!(ada.get("/notes").await.status(), 200);
    site.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(ada.get("/notes").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_its_age_however_busy_it_is() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    for _ in 0..36 {
        site.clock.advance(Duration::from_secs(20 * 60));
        // Dewar stores the time of the last request after the response.
        while ada.get("/notes").await.status() == 200 && !seen_now(&site).await {}
    }
    site.clock.advance(Duration::from_secs(60));
    assert_eq!(ada.get("/notes").await.status(), 303);
}

async fn seen_now(site: &Site) -> bool {
    let db = site.running.dewar().db();
    let rows = db
        .query("SELECT max(seen_at) FROM dewar_sessions", [])
        .await
        .unwrap();
    rows[0]
        .get::<Option<i64>>(0)
        .unwrap()
        .is_none_or(|seen| seen == site.clock.now())
}

/// The person is then unknown. A visitor's page would show and allow things that the signed-in person's page does not.
///
/// ASVS: V16.5.2, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn where_the_store_fails_nobody_is_a_visitor() {
    let file = [("DEWAR_DATABASE_URL", "sqlite:database.sqlite")];
    let site = Site::with(site::app, &file).await;
    let ada = site.member("ada", &[]).await;
    let database = rusqlite::Connection::open(site.data.path().join("database.sqlite")).unwrap();
    database
        .execute_batch("ALTER TABLE dewar_sessions RENAME TO gone")
        .unwrap();
    for path in ["/", "/notes", "/sign-in"] {
        let status = ada.get(path).await.status().as_u16();
        assert!([500, 503].contains(&status), "{path}: {status}");
    }
    // A visitor without a session still gets in.
    assert_eq!(site.visitor.another().get("/").await.status(), 200);
    database
        .execute_batch("ALTER TABLE gone RENAME TO dewar_sessions")
        .unwrap();
    assert_eq!(ada.get("/notes").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_makes_a_new_token_and_ends_the_old_one() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let first = ada.cookie(COOKIE).unwrap().value().to_owned();
    site::sign_in(&ada, "ada@example.org", site::PASSWORD).await;
    assert_ne!(ada.cookie(COOKIE).unwrap().value(), first);
    let thief = site.visitor.another();
    thief.plant_cookie(COOKIE, &first);
    assert_eq!(thief.get("/notes").await.status(), 303);
}

/// Waits until the last request of this number of sessions is stored, which happens after the responses.
async fn noted(site: &Site, sessions: i64) {
    let count = "SELECT count(*) FROM dewar_sessions WHERE seen_at = ?1";
    loop {
        let now = site.clock.now().into();
        let rows = site.running.dewar().db().query(count, [now]).await.unwrap();
        if rows[0].get::<i64>(0).unwrap() >= sessions {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A person who reads pages for a minute causes one write.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_written_at_most_once_a_minute() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let db = site.running.dewar().db();
    let ask = async |times: u32| {
        let before = db.statements();
        for _ in 0..times {
            assert_eq!(ada.get("/notes").await.status(), 200);
        }
        db.statements() - before
    };
    site.clock.advance(Duration::from_secs(59));
    // PostgreSQL is asked each time, because another node may have ended the session.
    let kept = db.engine() == Engine::Sqlite;
    assert_eq!(
        ask(5).await,
        if kept { 1 } else { 5 },
        "one read, and no write"
    );
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(ada.get("/notes").await.status(), 200);
    noted(&site, 1).await;
    assert_eq!(ask(5).await, if kept { 1 } else { 5 });
    site.clock.advance(Duration::from_secs(59));
    let reads = if kept { 0 } else { 5 };
    assert_eq!(ask(5).await, reads, "nothing was written since");
}
