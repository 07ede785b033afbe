//! The lifetime, the number and the token of sessions.

use std::time::Duration;

use dewar::sessions::{SessionLimits, UserId};
use dewar::testing::Browser;

use super::COOKIE;
use crate::site::{self, PASSWORD, Site, Staff, sign_in};

const MINUTE: Duration = Duration::from_secs(60);

fn thief(site: &Site, of: &Browser) -> Browser {
    let thief = site.visitor.another();
    thief.plant_cookie(COOKIE, of.cookie(COOKIE).unwrap().value());
    thief
}

/// ASVS: V7.3.1, V7.3.2
#[tokio::test(flavor = "multi_thread")]
async fn the_strictest_of_a_persons_roles_holds() {
    let settings = [("DEWAR_SESSIONS_ROLES", "reviewer 5m 1h")];
    let site = Site::with(site::app, &settings).await;
    let ada = site.member("ada", &[]).await;
    let rob = site.member("rob", &["reviewer"]).await;
    let grace = site.member("grace", &["head_of_office"]).await;
    let both = site.member("eva", &["head_of_office", "reviewer"]).await;
    let statuses = async || {
        let mut all = Vec::new();
        for browser in [&ada, &grace, &rob, &both] {
            let browser = thief(&site, browser);
            all.push(browser.get("/notes").await.status().as_u16());
        }
        all
    };
    site.clock.advance(5 * MINUTE);
    assert_eq!(statuses().await, [200, 200, 200, 200]);
    super::noted(&site, 4).await;
    site.clock.advance(5 * MINUTE + Duration::from_secs(1));
    assert_eq!(statuses().await, [200, 200, 303, 303]);
    super::noted(&site, 2).await;
    site.clock.advance(15 * MINUTE + Duration::from_secs(1));
    assert_eq!(statuses().await, [200, 303, 303, 303]);
}

/// ASVS: V7.3.1
#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_says_of_a_role_holds_and_the_settings_only_shorten_it() {
    let limits = SessionLimits {
        idle: 10 * MINUTE,
        lifetime: 60 * MINUTE,
    };
    for (settings, rest) in [
        (&[][..], 10),
        (&[("DEWAR_SESSIONS_ROLES", "reviewer 20m 9h")], 10),
        (&[("DEWAR_SESSIONS_ROLES", "reviewer 5m 9h")], 5),
    ] {
        let app = |app| site::app(app).sessions_of(Staff::Reviewer, limits);
        let site = Site::with(app, settings).await;
        let (ada, rob) = (
            site.member("ada", &[]).await,
            site.member("rob", &["reviewer"]).await,
        );
        site.clock.advance(rest * MINUTE);
        assert_eq!(thief(&site, &rob).get("/notes").await.status(), 200);
        super::noted(&site, 1).await;
        site.clock.advance(rest * MINUTE + Duration::from_secs(1));
        assert_eq!(thief(&site, &rob).get("/notes").await.status(), 303);
        assert_eq!(thief(&site, &ada).get("/notes").await.status(), 200);
    }
}

/// ASVS: V7.1.2
#[tokio::test(flavor = "multi_thread")]
async fn one_too_many_ends_the_oldest_and_is_noted() {
    let site = Site::with(site::app, &[("DEWAR_SESSIONS_MAX_PER_USER", "2")]).await;
    let first = site.member("ada", &[]).await;
    let (second, third) = (site.visitor.another(), site.visitor.another());
    for browser in [&second, &third] {
        site.clock.advance(MINUTE);
        assert_eq!(
            sign_in(browser, "ada@example.org", PASSWORD).await.status(),
            303
        );
    }
    assert_eq!(first.get("/notes").await.status(), 303);
    assert_eq!(second.get("/notes").await.status(), 200);
    assert_eq!(third.get("/notes").await.status(), 200);
    assert!(site.log().await.contains("\"excess_sessions_exceeded\""));
}

/// ASVS: V7.2.4
#[tokio::test(flavor = "multi_thread")]
async fn other_rights_are_held_under_another_token() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let stolen = thief(&site, &ada);
    assert_eq!(stolen.get("/notes").await.status(), 200);
    let accounts = site.running.dewar().accounts();
    let id = accounts
        .find_by_email("ada@example.org")
        .await
        .unwrap()
        .unwrap()
        .id;
    let by = UserId::new(1);
    accounts.set_roles(by, id, &["reviewer"]).await.unwrap();
    assert_eq!(ada.get("/reviews").await.status(), 200);
    assert_eq!(stolen.get("/notes").await.status(), 303);
    assert!(site.log().await.contains("\"session_renewed\""));
    // The token was renewed once, and a page from before still works.
    let now = ada.cookie(COOKIE).unwrap().value().to_owned();
    let answer = ada.submit(page.form("/notes").fill("title", "Plan")).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(ada.cookie(COOKIE).unwrap().value(), now);
    accounts.set_roles(by, id, &[]).await.unwrap();
    assert_eq!(ada.get("/notes").await.status(), 200);
    assert_ne!(ada.cookie(COOKIE).unwrap().value(), now);
}

/// ASVS: V7.4.5
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_signed_out_at_the_next_request() {
    let site = Site::open().await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let accounts = site.running.dewar().accounts();
    assert_eq!(
        accounts
            .sign_out_everywhere(None, UserId::new(1))
            .await
            .unwrap(),
        1
    );
    assert_eq!(ada.get("/notes").await.status(), 303);
    assert_eq!(eve.get("/notes").await.status(), 200);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(accounts.sign_out_everyone().await.unwrap(), 2);
    for browser in [&ada, &eve] {
        assert_eq!(browser.get("/notes").await.status(), 303);
    }
}

/// The state after a crash: the account has ended all sessions, and their rows still exist.
///
/// ASVS: V7.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_left_behind_opens_nothing() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let db = site.running.dewar().db();
    let set = "UPDATE dewar_users SET session_generation = session_generation + 1";
    db.execute(set, []).await.unwrap();
    assert_eq!(ada.get("/notes").await.status(), 303);
    let rows = db.query("SELECT 1 FROM dewar_sessions", []).await.unwrap();
    assert!(rows.is_empty());
}
