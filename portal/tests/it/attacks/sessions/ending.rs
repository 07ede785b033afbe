//! Sessions that have to end, and an attacker who wants to stay.

use std::time::Duration;

use super::{is_signed_in, session, thief};
use crate::commands;
use crate::company::{PASSWORD, Portal, document, post, sign_in};

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_secs(60);

/// ASVS: V7.2.4
#[tokio::test]
async fn signing_in_again_ends_the_token_before() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let before = session(&ada);
    assert_eq!(sign_in(&ada, ADA, PASSWORD).await.status(), 303);
    assert_ne!(session(&ada).value(), before.value());
    assert!(is_signed_in(&ada).await);
    assert!(!is_signed_in(&thief(&portal, &before)).await);
}

/// ASVS: V7.4.3, V7.2.4
#[tokio::test]
async fn a_new_password_ends_the_token_before() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let before = session(&ada);
    let form = ada.get("/account/password").await.form("/account/password");
    let form = form
        .fill("current_password", PASSWORD)
        .fill("new_password", "nine lanterns over a wet harbour");
    assert_eq!(ada.submit(form).await.status(), 303);
    assert!(is_signed_in(&ada).await);
    assert!(!is_signed_in(&thief(&portal, &before)).await);
}

/// An attacker who holds a cookie keeps using it.
///
/// ASVS: V7.3.2
#[tokio::test]
async fn a_session_that_is_kept_busy_ends_all_the_same() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for _ in 0..47 {
        portal.clock.advance(15 * MINUTE);
        assert!(is_signed_in(&ada).await);
        seen_now(&portal).await;
    }
    portal.clock.advance(16 * MINUTE);
    assert!(!is_signed_in(&ada).await);
}

/// Dewar stores when a session was last seen after the response.
async fn seen_now(portal: &Portal) {
    while portal
        .count("SELECT max(seen_at) FROM dewar_sessions")
        .await
        < portal.clock.now()
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// ASVS: V7.4.2, V7.4.5
#[tokio::test]
async fn an_account_that_is_enabled_again_has_none_of_its_old_sessions() {
    let portal = Portal::open().await;
    let (ada, grace) = (portal.member("ada").await, portal.administrator().await);
    let (cookie, id) = (session(&ada), portal.id_of("ada").await);
    for what in ["disable", "enable"] {
        let answer = post(&grace, &format!("/admin/users/{id}/{what}"), "").await;
        assert_eq!(answer.status(), 303, "{what}");
        assert!(!is_signed_in(&thief(&portal, &cookie)).await, "{what}d");
    }
    assert_eq!(sign_in(&ada, ADA, PASSWORD).await.status(), 303);
}

/// The session was used a moment before, and its owner goes on. Each of these commands is a process of its own.
///
/// ASVS: V7.4.1, V7.4.2, V7.4.5
#[tokio::test]
async fn a_command_ends_a_session_that_is_in_use() {
    let portal = Portal::on_sqlite().await;
    let (ada, data) = (portal.member("ada").await, portal.data.path());
    assert!(is_signed_in(&ada).await && is_signed_in(&ada).await);
    for end in ["users sign-out", "users disable"] {
        commands::printed(&commands::portal(data, &format!("{end} --email {ADA}")));
        assert!(!is_signed_in(&ada).await, "{end}");
        commands::printed(&commands::portal(
            data,
            &format!("users enable --email {ADA}"),
        ));
        assert_eq!(sign_in(&ada, ADA, PASSWORD).await.status(), 303, "{end}");
        assert!(
            is_signed_in(&ada).await && is_signed_in(&ada).await,
            "{end}"
        );
    }
}

/// The browser's cache does not keep the last page for the next person at the desk.
///
/// ASVS: V14.3.1, V14.3.2, V14.2.2
#[tokio::test]
async fn the_back_button_shows_nothing_after_signing_out() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let document = document(&ada, "Plan").await;
    let paths = ["/documents", &document, "/account"];
    let file = format!("{document}/file");
    for path in paths.into_iter().chain([file.as_str()]) {
        let answer = ada.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.header("cache-control").unwrap().contains("no-store"),
            "{path}"
        );
    }
    let answer = post(&ada, "/sign-out", "").await;
    assert_eq!(
        answer.header("clear-site-data"),
        Some("\"cache\", \"storage\"")
    );
    // The remaining cookie opens nothing: it records that an owner has signed in in this browser before.
    let left = ada.cookies();
    let names: Vec<_> = left.iter().map(|cookie| cookie.name()).collect();
    assert_eq!(names, ["__Host-device"]);
    for path in paths {
        assert_eq!(ada.get(path).await.status(), 303, "{path}");
    }
}
