//! The rights of a session change, and an attacker holds an older copy of its cookie.

use std::time::Duration;

use super::{COOKIE, is_signed_in, session, thief};
use crate::company::{Portal, post};

/// ASVS: V7.2.4
#[tokio::test]
async fn a_cookie_from_before_a_promotion_is_worth_nothing_after_it() {
    let portal = Portal::open().await;
    let (ada, grace) = (portal.member("ada").await, portal.administrator().await);
    let stolen = session(&ada);
    assert!(is_signed_in(&thief(&portal, &stolen)).await);
    let answer = post(&grace, "/admin/users/1/roles", "roles=administrator").await;
    assert_eq!(answer.status(), 303);
    // The new role first needs a second factor.
    let factors = Some("/account/second-factor");
    assert_eq!(ada.get("/admin/users").await.location(), factors);
    assert_ne!(session(&ada).value(), stolen.value());
    let thief = thief(&portal, &stolen);
    let refused = thief.get("/admin/users").await;
    assert!(refused.location().unwrap().starts_with("/sign-in"));
    assert!(
        thief
            .cookie(COOKIE)
            .is_none_or(|kept| kept.value() == stolen.value())
    );
    assert!(portal.log().await.contains("\"session_renewed\""));
}

/// The thief is faster than the owner, but the new rights need a second factor, and to add one requires the password.
///
/// ASVS: V7.5.3
#[tokio::test]
async fn a_promotion_is_no_proof_of_who_is_there() {
    let portal = Portal::open().await;
    let (ada, grace) = (portal.member("ada").await, portal.administrator().await);
    let thief = thief(&portal, &session(&ada));
    post(&grace, "/admin/users/1/roles", "roles=administrator").await;
    let factors = "/account/second-factor";
    assert_eq!(thief.get("/admin/users").await.location(), Some(factors));
    let asks = thief.get(factors).await;
    assert!(asks.location().unwrap().starts_with("/confirm"));
    let before = portal
        .count("SELECT count(*) FROM dewar_users WHERE disabled_at IS NULL")
        .await;
    assert_eq!(
        post(&thief, "/admin/users/2/disable", "").await.status(),
        403
    );
    let after = portal
        .count("SELECT count(*) FROM dewar_users WHERE disabled_at IS NULL")
        .await;
    assert_eq!(before, after);
    // The owner notices, because the owner's cookie is no longer valid.
    assert!(!is_signed_in(&ada).await);
}

/// ASVS: V7.3.1
#[tokio::test]
async fn an_administrators_session_rests_for_a_quarter_of_an_hour() {
    let portal = Portal::open().await;
    let (ada, grace) = (portal.member("ada").await, portal.administrator().await);
    portal.clock.advance(Duration::from_secs(15 * 60 + 1));
    assert_eq!(ada.get("/documents").await.status(), 200);
    assert_eq!(grace.get("/admin/users").await.status(), 303);
}

/// ASVS: V7.4.5
#[tokio::test]
async fn an_administrator_ends_all_sessions_of_a_stolen_account() {
    let portal = Portal::open().await;
    let (ada, grace) = (portal.member("ada").await, portal.administrator().await);
    let eve = portal.member("eve").await;
    let thief = thief(&portal, &session(&ada));
    assert_eq!(
        post(&eve, "/admin/users/1/sign-out", "").await.status(),
        403
    );
    assert!(is_signed_in(&thief).await);
    let answer = post(&grace, "/admin/users/1/sign-out", "").await;
    assert_eq!(answer.status(), 303);
    assert!(!is_signed_in(&thief).await && !is_signed_in(&ada).await);
    assert!(is_signed_in(&eve).await && is_signed_in(&grace).await);
}

/// A neighbouring host sets cookies for the whole domain: it cannot use the name that counts, and no other name does.
///
/// ASVS: V3.3.3
#[tokio::test]
async fn a_cookie_that_a_sibling_host_could_set_is_none() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let token = session(&ada).value().to_owned();
    let ask = async |cookies: String| {
        let request = portal
            .visitor()
            .raw("GET", "/account")
            .header("cookie", cookies);
        request.send().await.unwrap().status().as_u16()
    };
    for name in [
        "session",
        "__Secure-session",
        "__host-session",
        "__HOST-SESSION",
        "__Host-session2",
    ] {
        assert_eq!(ask(format!("{name}={token}")).await, 401, "{name}");
    }
    // They do not disturb the real one either.
    let planted = format!("session=x; __host-session=y; {COOKIE}={token}; __Secure-session=z");
    assert_eq!(ask(planted).await, 200);
}
