//! `sessions`: a session belongs to one browser, and it ends.

mod browser;
mod confirm;
mod cookies;
mod ending;
mod rights;
mod signed_out;
mod token;

use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXUPPER};
use dewar::testing::{Browser, Cookie};

use crate::company::{PASSWORD, Portal, post, sign_in};

const COOKIE: &str = "__Host-session";

fn session(browser: &Browser) -> Cookie {
    browser.cookie(COOKIE).unwrap()
}

/// The attacker's browser with a cookie of the victim.
fn thief(portal: &Portal, cookie: &Cookie) -> Browser {
    let thief = portal.visitor();
    thief.plant_cookie(cookie.name(), cookie.value());
    thief
}

async fn is_signed_in(browser: &Browser) -> bool {
    match browser.get("/account").await.status().as_u16() {
        200 => true,
        303 => false,
        status => panic!("/account answered {status}"),
    }
}

/// Fixation: the attacker plants an identifier before the victim signs in.
///
/// ASVS: V7.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_planted_session_is_never_taken() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let planted = "A".repeat(43);
    let victim = portal.visitor();
    victim.plant_cookie(COOKIE, &planted);
    assert_eq!(victim.get("/documents").await.status(), 303);
    assert_eq!(
        sign_in(&victim, "ada@example.org", PASSWORD).await.status(),
        303
    );
    assert_ne!(victim.cookie(COOKIE).unwrap().value(), planted);
    let attacker = portal.visitor();
    attacker.plant_cookie(COOKIE, &planted);
    assert_eq!(attacker.get("/documents").await.status(), 303);
    assert_eq!(victim.get("/documents").await.status(), 200);
}

/// ASVS: V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_cookie_is_worth_nothing_after_signing_out() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let thief = portal.visitor();
    thief.plant_cookie(COOKIE, ada.cookie(COOKIE).unwrap().value());
    assert_eq!(thief.get("/documents").await.status(), 200);
    assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
    assert_eq!(thief.get("/documents").await.status(), 303);
    assert!(ada.cookie(COOKIE).is_none());
}

/// ASVS: V7.3.1, V7.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_rested_is_over_whatever_its_cookie_says() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.clock.advance(Duration::from_secs(29 * 60));
    assert_eq!(ada.get("/documents").await.status(), 200);
    portal.clock.advance(Duration::from_secs(13 * 3600));
    assert_eq!(ada.get("/documents").await.status(), 303);
    assert_eq!(portal.count("SELECT count(*) FROM dewar_sessions").await, 0);
}

/// The table holds a hash, which opens nothing in any spelling.
///
/// ASVS: V7.2.2, V7.2.3
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_database_holds_no_session_that_can_be_used() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let sql = "SELECT token_hash FROM dewar_sessions";
    let rows = portal.db().query(sql, []).await.unwrap();
    let bytes: Vec<u8> = rows[0].get(0).unwrap();
    for value in [BASE64URL_NOPAD.encode(&bytes), HEXUPPER.encode(&bytes)] {
        let thief = portal.visitor();
        thief.plant_cookie(COOKIE, &value);
        assert!(!is_signed_in(&thief).await, "{value}");
    }
    assert!(is_signed_in(&ada).await);
}

/// Cookie tossing: a second cookie of the same name beside the real one.
///
/// ASVS: V3.3.3
#[tokio::test(flavor = "multi_thread")]
async fn two_session_cookies_are_none() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let value = |browser: &Browser| browser.cookie(COOKIE).unwrap().value().to_owned();
    let visitor = portal.visitor();
    let one = format!("{COOKIE}={}", value(&ada));
    let both = format!("{one}; {COOKIE}={}", value(&eve));
    let ask = async |cookies: &str| {
        let request = visitor
            .raw("GET", "/documents")
            .header("cookie", cookies)
            .header("accept", "text/html");
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&one).await, 200);
    assert_eq!(ask(&both).await, 303);
    assert_eq!(ask("").await, 303);
}

/// ASVS: V7.2.1
#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_counts_from_the_cookie_alone() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let token = ada.cookie(COOKIE).unwrap().value().to_owned();
    let visitor = portal.visitor();
    for path in [
        format!("/documents?{COOKIE}={token}"),
        format!("/documents;{COOKIE}={token}"),
    ] {
        assert!(
            !visitor.get(&path).await.text().contains("Sign out"),
            "{path}"
        );
    }
    let request = visitor
        .raw("GET", "/documents")
        .header("authorization", format!("Bearer {token}"));
    assert_eq!(request.send().await.unwrap().status(), 401);
}
