//! The re-authentication page, and an attacker who does not know the password.

use std::time::Duration;

use dewar::testing::{Browser, TestResponse};

use super::{is_signed_in, session, thief};
use crate::company::{PASSWORD, PASSWORD_ALONE, Portal, post, sign_in};

const PAST_RECENT: Duration = Duration::from_secs(11 * 60);

async fn confirm(browser: &Browser, page: &TestResponse, password: &str) -> TestResponse {
    let form = page.form("/confirm").fill("password", password);
    browser.submit(form).await
}

async fn roles_of_ada(portal: &Portal) -> i64 {
    portal
        .count("SELECT count(*) FROM dewar_user_roles WHERE user_id = 1 AND role <> 'member'")
        .await
}

/// An attacker sits down at an administrator's desk.
///
/// ASVS: V7.5.3, V7.5.1
#[tokio::test]
async fn whoever_finds_an_open_browser_changes_nothing_that_matters() {
    let portal = Portal::open_with(&[PASSWORD_ALONE]).await;
    portal.member("ada").await;
    let grace = portal.administrator().await;
    portal.clock.advance(PAST_RECENT);
    let before = portal.everything();
    for (path, fields) in [
        ("/admin/users/1/roles", "roles=administrator"),
        ("/admin/users/1/disable", ""),
        ("/admin/users/1/sign-out", ""),
        ("/account/sessions/end-others", ""),
    ] {
        let page = post(&grace, path, fields).await;
        assert_eq!(page.status(), 403, "{path}");
        assert_eq!(
            confirm(&grace, &page, "guessed").await.status(),
            422,
            "{path}"
        );
    }
    let throttles = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("dewar_throttles"));
        lines
            .filter(|line| !line.starts_with("dewar_sessions:"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(throttles(&before), throttles(&portal.everything()));
    // The administrator, who knows the password.
    let page = post(&grace, "/admin/users/1/roles", "roles=reviewer").await;
    assert_eq!(confirm(&grace, &page, PASSWORD).await.status(), 303);
    assert_eq!(roles_of_ada(&portal).await, 1);
}

/// The attacker has an account, and so a stored form of their own, and makes the victim's browser send it.
///
/// ASVS: V7.5.3, V3.5.1
#[tokio::test]
async fn a_form_that_was_kept_for_another_session_is_none() {
    let portal = Portal::open_with(&[PASSWORD_ALONE]).await;
    portal.member("ada").await;
    let grace = portal.administrator().await;
    let other = portal.person("alan", &["administrator"]).await;
    portal.clock.advance(PAST_RECENT);
    let planted = post(&other, "/admin/users/1/roles", "roles=administrator").await;
    let planted = planted.form("/confirm").value("pending").unwrap();
    let page = post(&grace, "/admin/users/1/roles", "roles=reviewer").await;
    let own = page.form("/confirm").value("pending").unwrap();
    let cut = own.chars().skip(3).collect::<String>();
    for forged in [planted.as_str(), &cut, "", "{\"Go\":{\"to\":\"/\"}}"] {
        let form = page.form("/confirm").tamper("pending", forged);
        let answer = grace.submit(form.fill("password", PASSWORD)).await;
        assert_eq!(answer.status(), 400, "{forged}");
        assert_eq!(roles_of_ada(&portal).await, 0);
    }
    assert_eq!(confirm(&grace, &page, PASSWORD).await.status(), 303);
    assert_eq!(roles_of_ada(&portal).await, 1);
}

/// A form that was confirmed once is sent again: it does nothing, with any password, and nothing after the session ended.
///
/// ASVS: V7.5.3, V7.4.1
#[tokio::test]
async fn a_kept_form_is_not_replayed() {
    let portal = Portal::open_with(&[PASSWORD_ALONE]).await;
    portal.member("ada").await;
    let grace = portal.administrator().await;
    portal.clock.advance(PAST_RECENT);
    let page = post(&grace, "/admin/users/1/roles", "roles=reviewer").await;
    assert_eq!(confirm(&grace, &page, PASSWORD).await.status(), 303);
    assert_eq!(post(&grace, "/admin/users/1/roles", "").await.status(), 303);
    assert_eq!(roles_of_ada(&portal).await, 0);
    assert_eq!(confirm(&grace, &page, "guessed").await.status(), 422);
    assert_eq!(confirm(&grace, &page, PASSWORD).await.status(), 409);
    assert_eq!(roles_of_ada(&portal).await, 0);
    assert_eq!(
        sign_in(&grace, "grace@example.org", PASSWORD)
            .await
            .status(),
        303
    );
    let answer = confirm(&grace, &page, PASSWORD).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(roles_of_ada(&portal).await, 0);
}

/// ASVS: V1.1.1
#[tokio::test]
async fn the_way_on_stays_in_the_portal() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/confirm?next=/confirm",
    ] {
        let next: String = form_encoded(next);
        let page = ada.get(&format!("/confirm?next={next}")).await;
        let answer = confirm(&ada, &page, PASSWORD).await;
        assert_eq!(answer.location(), Some("/"), "{next}");
    }
    let page = ada.get("/confirm?next=%2Fdocuments%3Fpage%3D2").await;
    let answer = confirm(&ada, &page, PASSWORD).await;
    assert_eq!(answer.location(), Some("/documents?page=2"));
}

fn form_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// ASVS: V6.3.1
#[tokio::test]
async fn guessing_on_the_page_that_confirms_is_throttled_like_signing_in() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let page = ada.get("/confirm").await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(confirm(&ada, &page, "guessed").await.status().as_u16());
    }
    assert_eq!(statuses[..5], [422; 5], "{statuses:?}");
    assert!(statuses[5..].contains(&429), "{statuses:?}");
    assert_eq!(confirm(&ada, &page, PASSWORD).await.status(), 429);
    portal.clock.advance(Duration::from_secs(60));
    assert_eq!(confirm(&ada, &page, PASSWORD).await.status(), 303);
}

/// An attacker holds a cookie of the victim, and wants to end the victim's other sessions.
///
/// ASVS: V7.5.2
#[tokio::test]
async fn a_stolen_cookie_does_not_end_its_owners_other_sessions() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    portal.clock.advance(PAST_RECENT);
    let second = portal.visitor();
    sign_in(&second, "ada@example.org", PASSWORD).await;
    let thief = thief(&portal, &session(&ada));
    let list = thief.get("/account/sessions").await;
    let path = list.forms().into_iter().map(|form| form.action());
    let path = path
        .into_iter()
        .find(|path| path.ends_with("/end"))
        .unwrap();
    let path = path.replace(portal.running.url(), "");
    assert_eq!(post(&thief, &path, "").await.status(), 403);
    assert_eq!(
        post(&thief, "/account/sessions/end-others", "")
            .await
            .status(),
        403
    );
    assert!(is_signed_in(&second).await && is_signed_in(&ada).await);
    // Another user, who has just signed in, and knows the id of the session.
    sign_in(&eve, "eve@example.org", PASSWORD).await;
    assert_eq!(post(&eve, &path, "").await.status(), 404);
    assert!(is_signed_in(&second).await);
    // Its owner, with the password.
    let page = post(&ada, &path, "").await;
    let answer = confirm(&ada, &page, PASSWORD).await;
    assert_eq!(answer.location(), Some("/account/sessions"));
    assert!(!is_signed_in(&second).await && is_signed_in(&ada).await);
    assert!(
        !is_signed_in(&thief).await,
        "the token is another one since"
    );
}

/// ASVS: V7.5.2, V7.4.3
#[tokio::test]
async fn the_owner_ends_all_but_the_browser_at_hand() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let stolen = session(&ada);
    let second = portal.visitor();
    sign_in(&second, "ada@example.org", PASSWORD).await;
    assert!(is_signed_in(&thief(&portal, &stolen)).await);
    let answer = post(&ada, "/account/sessions/end-others", "").await;
    assert_eq!(answer.status(), 303);
    assert!(is_signed_in(&ada).await);
    assert!(!is_signed_in(&second).await);
    assert!(!is_signed_in(&thief(&portal, &stolen)).await);
}
