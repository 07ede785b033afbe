//! `sessions`: who is this browser?

use std::time::Duration;

use super::site::Site;

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
        // The last sight is noted behind the answer.
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

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_makes_a_new_token_and_ends_the_old_one() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let first = ada.cookie(COOKIE).unwrap().value().to_owned();
    super::site::sign_in(&ada, "ada@example.org", super::site::PASSWORD).await;
    assert_ne!(ada.cookie(COOKIE).unwrap().value(), first);
    let thief = site.visitor.another();
    thief.plant_cookie(COOKIE, &first);
    assert_eq!(thief.get("/notes").await.status(), 303);
}
