//! An attacker who has the password of an account with a second factor, or sits at its owner's open browser.

use std::sync::Arc;
use std::time::Duration;

use dewar::App;
use dewar::roles::Access;
use dewar::testing::{Authenticator, Browser, TestResponse};
use futures_util::future::join;

use super::links::path_for;
use crate::company::{PASSWORD, Portal, post, sign_in};

const ADA: &str = "ada@example.org";
const FACTORS: &str = "/account/second-factor";
const ONCE: &str = "/second-factor";
const REMOVE: &str = "/account/second-factor/remove";

/// A member with an app, two minutes after it was added.
async fn ada(portal: &Portal) -> (Browser, Arc<Authenticator>) {
    let ada = portal.member("ada").await;
    let app = portal.add_app(&ada, "ada").await;
    portal.clock.advance(Duration::from_secs(120));
    (ada, app)
}

/// A browser of an attacker who has given the right password, with the page that asks for the code.
async fn with_password(portal: &Portal) -> (Browser, TestResponse) {
    let browser = portal.visitor();
    let asks = sign_in(&browser, ADA, PASSWORD).await;
    assert_eq!(asks.status(), 200, "{}", asks.text());
    (browser, asks)
}

async fn give((browser, asks): &(Browser, TestResponse), code: &str) -> TestResponse {
    browser.submit(asks.form(ONCE).fill("code", code)).await
}

fn is_in(browser: &Browser) -> bool {
    browser.cookie("__Host-session").is_some()
}

async fn factors(portal: &Portal) -> i64 {
    portal.count("SELECT count(*) FROM dewar_factors").await
}

/// An attacker reads a code over the owner's shoulder, and is as fast as the owner; then tries the code of the step before.
///
/// ASVS: V6.5.1
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_give_one_code_at_once_one_is_signed_in() {
    let portal = Portal::open().await;
    let (_, app) = ada(&portal).await;
    let code = app.code(portal.clock.now());
    let (one, other) = (with_password(&portal).await, with_password(&portal).await);
    let (first, second) = join(give(&one, &code), give(&other, &code)).await;
    let mut seen = [first.status().as_u16(), second.status().as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [303, 422]);
    assert!(is_in(&one.0) != is_in(&other.0));
    let late = with_password(&portal).await;
    for old in [code, app.code(portal.clock.now() - 30)] {
        assert_eq!(give(&late, &old).await.status(), 422);
    }
    assert!(!is_in(&late.0));
    let next = app.code(portal.clock.now() + 30);
    assert_eq!(give(&late, &next).await.status(), 303);
}

/// ASVS: V6.5.1, V6.5.2
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_give_one_recovery_code_at_once_one_is_signed_in() {
    let portal = Portal::open().await;
    let (_, app) = ada(&portal).await;
    let code = app.recovery_code().unwrap();
    let (one, other) = (with_password(&portal).await, with_password(&portal).await);
    let (first, second) = join(give(&one, &code), give(&other, &code)).await;
    let mut seen = [first.status().as_u16(), second.status().as_u16()];
    seen.sort_unstable();
    assert_eq!(seen, [303, 422]);
    let left = "SELECT count(*) FROM dewar_recovery_codes";
    assert_eq!(portal.count(left).await, 9);
    assert_eq!(
        give(&with_password(&portal).await, &code).await.status(),
        422
    );
}

/// The attacker has an account and an app of their own.
///
/// ASVS: V6.3.4, V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_user_is_a_wrong_one() {
    let portal = Portal::open().await;
    let (_, app) = ada(&portal).await;
    let eve = portal.member("eve").await;
    let own = portal.add_app(&eve, "eve").await;
    portal.clock.advance(Duration::from_secs(120));
    let half = with_password(&portal).await;
    let recovery = own.recovery_code().unwrap();
    for code in [own.code(portal.clock.now()), recovery.clone()] {
        assert_eq!(give(&half, &code).await.status(), 422);
    }
    // The page of the attacker's own sign-in, with what waits for the victim's code in it.
    let page = sign_in(&eve, "eve@example.org", PASSWORD).await;
    let waits = half.1.form(ONCE).value("pending").unwrap();
    let form = page.form(ONCE).fill("code", &recovery);
    let mixed = eve.submit(form.tamper("pending", &waits)).await;
    assert!(mixed.status().is_client_error(), "{}", mixed.status());
    assert!(!is_in(&half.0));
    let code = app.code(portal.clock.now());
    assert_eq!(give(&half, &code).await.status(), 303);
}

/// ASVS: V6.3.1, V6.3.3
#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_codes_waits_and_keeps_the_owner_out_of_nothing() {
    let portal = Portal::open().await;
    let (ada, app) = ada(&portal).await;
    let mut half = with_password(&portal).await;
    let mut guesses = 0;
    while half.1.status() != 429 {
        assert!(guesses < 20, "nothing slows the guesses down");
        // Never one of the three that work.
        let wrong = app.code(portal.clock.now() - 900 - 30 * guesses);
        half.1 = give(&half, &wrong).await;
        guesses += 1;
    }
    let right = app.code(portal.clock.now());
    assert_eq!(give(&half, &right).await.status(), 429);
    assert!(!is_in(&half.0));
    // A browser that the owner knows, a recovery code in any other, and time.
    assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
    let asks = sign_in(&ada, ADA, PASSWORD).await;
    assert_eq!(give(&(ada, asks), &right).await.status(), 303);
    let recovery = app.recovery_code().unwrap();
    assert_eq!(
        give(&with_password(&portal).await, &recovery)
            .await
            .status(),
        303
    );
    portal.clock.advance(Duration::from_secs(24 * 3600));
    let code = app.code(portal.clock.now());
    assert_eq!(
        give(&with_password(&portal).await, &code).await.status(),
        303
    );
}

/// ASVS: V6.3.3, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn the_password_alone_opens_no_page() {
    let portal = Portal::open().await;
    portal
        .person("ada", &["administrator", "member", "reviewer"])
        .await;
    let half = with_password(&portal).await;
    let scratch = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(scratch.path()).unwrap()).route_table();
    let before = portal.everything();
    let mut asked = 0;
    for entry in table.entries() {
        let is_of_users = matches!(
            entry.access,
            Access::AnyRole(_) | Access::Role(_) | Access::SignedIn
        );
        if !is_of_users {
            continue;
        }
        let path = entry.path.replace("{id}", "1").replace("{user}", "1");
        let status = if entry.method == "GET" {
            half.0.get(&path).await.status()
        } else {
            post(&half.0, &path, "").await.status()
        };
        assert!(
            [303, 401, 403].contains(&status.as_u16()),
            "{path}: {status}"
        );
        asked += 1;
    }
    assert!(asked > 30, "{asked}");
    assert_eq!(portal.everything(), before);
    let code = portal.app_of("ada").unused_code(portal.clock.now());
    assert_eq!(give(&half, &code).await.status(), 303);
    assert_eq!(half.0.get("/admin/users").await.status(), 200);
}

/// An attacker at an open browser, who knows the password: it counts for nothing beside the factor.
///
/// ASVS: V7.5.1, V7.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_factor_is_neither_removed_nor_replaced_without_one() {
    let portal = Portal::open().await;
    let (ada, app) = ada(&portal).await;
    portal.clock.advance(Duration::from_secs(11 * 60));
    for path in [
        REMOVE,
        "/account/second-factor/codes",
        FACTORS,
        "/account/password",
    ] {
        assert_eq!(post(&ada, path, "").await.status(), 403, "{path}");
    }
    let asks = post(&ada, REMOVE, "").await;
    assert!(asks.attribute("[name=password]", "name").is_none());
    let typed = format!("password={}", PASSWORD.replace(' ', "+"));
    let by_password = post(&ada, "/confirm", &typed).await;
    assert!(by_password.status().is_client_error());
    let wrong = ada.submit(asks.form(ONCE).fill("code", "000000")).await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(factors(&portal).await, 1);
    let removed = app.answer(&ada, &asks, &portal.clock).await;
    assert_eq!(removed.status(), 303, "{}", removed.text());
    assert_eq!(factors(&portal).await, 0);
}

/// Somebody who reads the owner's mail gets a new password, and no session.
///
/// ASVS: V6.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_by_mail_keeps_the_factor() {
    let portal = Portal::open().await;
    let (_, app) = ada(&portal).await;
    let thief = portal.visitor();
    let path = path_for(&portal, &thief).await;
    let new = "nine lanterns over a wet harbour";
    let form = thief.get(&path).await.form(&path).fill("password", new);
    assert_eq!(thief.submit(form).await.status(), 303);
    assert!(!is_in(&thief));
    let asks = sign_in(&thief, ADA, new).await;
    assert_eq!(asks.status(), 200);
    assert!(!is_in(&thief));
    assert_eq!(factors(&portal).await, 1);
    let code = app.code(portal.clock.now());
    assert_eq!(give(&(thief, asks), &code).await.status(), 303);
}

/// The attacker wants the victim's account to have the attacker's app.
///
/// ASVS: V3.5.1, V7.5.1
#[tokio::test(flavor = "multi_thread")]
async fn nobody_adds_an_app_to_the_account_of_another() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let theirs = eve.get(FACTORS).await;
    let secret = theirs.form(FACTORS).value("secret").unwrap();
    let code = Authenticator::scan(&theirs).code(portal.clock.now());
    let fields = format!("secret={secret}&code={code}");
    // From another site, and from a page of the portal with the secret of another session.
    let forged = ada
        .raw("POST", FACTORS)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(forged.form(&fields).send().await.unwrap().status(), 403);
    assert_eq!(post(&ada, FACTORS, &fields).await.status(), 400);
    assert_eq!(factors(&portal).await, 0);
    // The same request in the session of the page.
    assert_eq!(post(&eve, FACTORS, &fields).await.status(), 200);
    assert_eq!(factors(&portal).await, 1);
}

/// ASVS: V11.3.3, V6.5.2
#[tokio::test(flavor = "multi_thread")]
async fn neither_the_key_of_an_app_nor_a_recovery_code_is_stored_in_the_clear() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let page = ada.get(FACTORS).await;
    let key = page.texts("code.token").remove(0).replace(' ', "");
    let code = Authenticator::scan(&page).code(portal.clock.now());
    let added = ada.submit(page.form(FACTORS).fill("code", &code)).await;
    let recovery = added.texts(".codes code");
    assert_eq!(recovery.len(), 10);
    portal.running.dewar().accounts().settle().await;
    let mut stored = portal.everything() + &portal.log().await;
    for file in crate::company::files_below(portal.data.path()) {
        stored += &String::from_utf8_lossy(&std::fs::read(&file).unwrap());
    }
    let bytes = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let listed = format!("{bytes:?}");
    let recovery = recovery.iter().map(|code| code.replace(' ', ""));
    for secret in recovery.chain([key, hex, listed]) {
        assert!(!stored.contains(&secret), "{secret}");
    }
    assert_eq!(factors(&portal).await, 1);
}
