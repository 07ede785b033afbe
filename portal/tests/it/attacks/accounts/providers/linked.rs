//! Which account an identity opens: never one whose owner did not say so.

use std::time::Duration;

use dewar::testing::Browser;
use serde_json::json;
use test_servers::ProviderUser;

use super::{Works, ada, is_signed_in, leave, told};
use crate::company::{PASSWORD, sign_in};

fn unverified() -> ProviderUser {
    ProviderUser {
        subject: "subject-of-eve".to_owned(),
        claims: json!({ "email": "ada@example.org", "email_verified": false }),
    }
}

/// The attacker makes an account at the provider with the address of somebody else.
///
/// ASVS: V6.3.4, V10.5.2
#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_address_reaches_no_account_and_makes_none() {
    let works = Works::open().await;
    let mut user = unverified();
    for claims in [
        json!({ "email": "ada@example.org", "email_verified": false }),
        json!({ "email": "ada@example.org", "email_verified": "false" }),
        json!({ "email": "ada@example.org", "email_verified": 0 }),
        json!({ "email": "ada@example.org" }),
        json!({ "email_verified": true }),
        json!({ "email": "no address", "email_verified": true }),
    ] {
        user.claims = claims.clone();
        let browser = works.portal.visitor();
        works.sign_in(&browser, &user).await;
        assert!(
            told(&browser).await.contains("has not confirmed"),
            "{claims}"
        );
        assert!(!is_signed_in(&browser).await);
        assert!(browser.cookie("__Host-provider").is_none());
    }
    assert_eq!(works.known().await, (0, 0));
}

/// A verified address is not enough either: the account's owner signs in to it, and presses the button.
///
/// ASVS: V6.3.4, V10.5.2
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_by_its_owner_alone_and_never_silently() {
    let works = Works::open().await;
    works.portal.member("ada").await;
    works.portal.member("eve").await;
    let browser = works.portal.visitor();
    let answer = works.sign_in(&browser, &ada()).await;
    assert_eq!(answer.location(), Some("/account/providers"));
    assert!(!is_signed_in(&browser).await);
    assert_eq!(works.known().await, (2, 0));
    // Another person signs in in this browser.
    let waiting = browser
        .cookie("__Host-provider")
        .unwrap()
        .value()
        .to_owned();
    sign_in(&browser, "eve@example.org", PASSWORD).await;
    browser.plant_cookie("__Host-provider", &waiting);
    let page = browser.get("/account/providers").await;
    assert!(!page.text().contains("ada@example.org"));
    assert_eq!(works.known().await, (2, 0));
    // The owner: signed in, and still asked.
    sign_in(&browser, "ada@example.org", PASSWORD).await;
    let page = browser.get("/account/providers").await;
    assert!(page.text().contains("ada@example.org"), "{}", page.text());
    assert_eq!(works.known().await, (2, 0), "nothing before the button");
    let answer = browser
        .submit(page.form("form[action='/account/providers']"))
        .await;
    assert_eq!(answer.status(), 303);
    assert_eq!(works.known().await, (2, 1));
    let later = works.portal.visitor();
    works.sign_in(&later, &ada()).await;
    assert!(later.get("/account").await.text().contains("ada"));
    works.portal.running.dewar().accounts().settle().await;
    assert!(letters(&works).contains("was connected with your account"));
}

fn letters(works: &Works) -> String {
    let folder = works.portal.data.path().join("outbox");
    let files = std::fs::read_dir(folder).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts
        .collect::<String>()
        .replace("=\r\n", "")
        .replace("=\n", "")
}

pub(super) async fn connect(works: &Works, browser: &Browser, user: &ProviderUser) {
    let left = leave(
        browser,
        "/account/providers",
        "/account/providers/work/connect",
    )
    .await;
    let back = works.provider.allow(&left, user);
    works.come_back(browser, &back).await;
}

/// ASVS: V6.3.4, V7.5.1, V10.2.1
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_belongs_to_one_account_and_is_connected_in_the_session_that_asked() {
    let works = Works::open().await;
    let owner = works.portal.member("ada").await;
    connect(&works, &owner, &ada()).await;
    assert_eq!(works.known().await, (1, 1));
    let other = works.portal.member("eve").await;
    connect(&works, &other, &ada()).await;
    let page = other.get("/account/providers").await;
    assert!(page.text().contains("belongs to another account"));
    assert_eq!(works.known().await, (2, 1));
    // Another person signs in while the browser is at the provider: that account gets nothing.
    let shared = works.portal.visitor();
    sign_in(&shared, "eve@example.org", PASSWORD).await;
    let left = leave(
        &shared,
        "/account/providers",
        "/account/providers/work/connect",
    )
    .await;
    sign_in(&shared, "ada@example.org", PASSWORD).await;
    let of_eve = ProviderUser::verified("subject-of-eve", "eve@example.org");
    let back = works.provider.allow(&left, &of_eve);
    works.come_back(&shared, &back).await;
    assert_eq!(works.known().await, (2, 1));
    // Re-authentication comes first.
    works.portal.clock.advance(Duration::from_secs(601));
    works.provider.behave().now = works.portal.clock.now();
    assert_eq!(owner.get("/account/providers").await.status(), 303);
}

/// The provider stands for the password alone.
///
/// ASVS: V6.3.3, V6.8.4
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_no_way_past_the_second_factor() {
    let works = Works::open().await;
    let owner = works.portal.member("ada").await;
    connect(&works, &owner, &ada()).await;
    let later = works.portal.visitor();
    works.sign_in(&later, &ada()).await;
    assert!(is_signed_in(&later).await, "before there is a factor");
    works.portal.add_app(&owner, "ada").await;
    let stranger = works.portal.visitor();
    works.sign_in(&stranger, &ada()).await;
    assert!(!is_signed_in(&stranger).await);
    assert!(told(&stranger).await.contains("second factor"));
}

/// ASVS: V7.4.2, V6.3.4
#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_stays_closed_and_a_closed_site_makes_none() {
    let works = Works::open().await;
    works.sign_in(&works.portal.visitor(), &ada()).await;
    let accounts = works.portal.running.dewar().accounts();
    let user = accounts
        .find_by_email("ada@example.org")
        .await
        .unwrap()
        .unwrap();
    accounts.disable(None, user.id).await.unwrap();
    let browser = works.portal.visitor();
    works.sign_in(&browser, &ada()).await;
    assert!(told(&browser).await.contains("did not work"));
    assert!(!is_signed_in(&browser).await);
    let closed = Works::open_with(&[("DEWAR_ACCOUNTS_SIGN_UP", "closed")]).await;
    let browser = closed.portal.visitor();
    closed.sign_in(&browser, &ada()).await;
    assert!(told(&browser).await.contains("no account here for you"));
    assert_eq!(closed.known().await, (0, 0));
}

/// ASVS: V6.3.7, V6.4.1
#[tokio::test(flavor = "multi_thread")]
async fn the_last_way_into_an_account_is_not_removed() {
    let works = Works::open().await;
    let browser = works.portal.visitor();
    works.sign_in(&browser, &ada()).await;
    let disconnect = async |browser: &Browser| {
        let page = browser.get("/account/providers").await;
        browser
            .submit(page.form("form[action$='/disconnect']"))
            .await;
        browser.get("/account/providers").await.text()
    };
    assert!(
        disconnect(&browser)
            .await
            .contains("the only way into your account")
    );
    assert_eq!(works.known().await, (1, 1));
    // No password opens it meanwhile, and a wrong one costs what it costs elsewhere.
    for password in ["", "!", PASSWORD] {
        sign_in(&works.portal.visitor(), "ada@example.org", password).await;
    }
    let accounts = works.portal.running.dewar().accounts();
    let user = accounts
        .find_by_email("ada@example.org")
        .await
        .unwrap()
        .unwrap();
    // Another member cannot disconnect it.
    let eve = works.portal.member("eve").await;
    let page = browser.get("/account/providers").await;
    let action = page.form("form[action$='/disconnect']").action();
    let token = crate::company::token(&eve).await;
    let sent = eve.raw("POST", &action).header("x-csrf-token", token);
    let sent = sent.header("sec-fetch-site", "same-origin");
    assert_eq!(sent.send().await.unwrap().status(), 404);
    assert!(accounts.find(user.id).await.unwrap().is_some());
    assert_eq!(works.known().await, (2, 1));
}

/// The provider says when its user signed in, so an open session there is no re-authentication here.
///
/// ASVS: V7.5.1, V7.5.3, V10.3.4
#[tokio::test(flavor = "multi_thread")]
async fn re_authentication_with_the_provider_needs_a_new_sign_in_there() {
    let works = Works::open().await;
    let browser = works.portal.visitor();
    works.sign_in(&browser, &ada()).await;
    works.portal.clock.advance(Duration::from_secs(601));
    works.provider.behave().now = works.portal.clock.now();
    let page = "/confirm?next=%2Faccount%2Fproviders";
    for (how, age) in [("an old sign-in", Some(-61)), ("no time", None)] {
        works.provider.behave().claims = Some(Box::new(move |claims| {
            let time = claims["auth_time"].as_i64().unwrap();
            match age {
                Some(age) => claims.insert("auth_time".to_owned(), json!(time + age)),
                None => claims.remove("auth_time"),
            };
        }));
        let left = leave(&browser, page, "/confirm/with/work").await;
        assert!(left.contains("max_age=0") && left.contains("prompt=login"));
        works
            .come_back(&browser, &works.provider.allow(&left, &ada()))
            .await;
        assert_eq!(
            browser.get("/account/providers").await.status(),
            303,
            "{how}"
        );
    }
    works.provider.behave().claims = None;
    let left = leave(&browser, page, "/confirm/with/work").await;
    let eve = ProviderUser::verified("subject-of-eve", "eve@example.org");
    works
        .come_back(&browser, &works.provider.allow(&left, &eve))
        .await;
    assert_eq!(
        browser.get("/account/providers").await.status(),
        303,
        "another identity"
    );
    let left = leave(&browser, page, "/confirm/with/work").await;
    let answer = works
        .come_back(&browser, &works.provider.allow(&left, &ada()))
        .await;
    assert_eq!(answer.location(), Some("/account/providers"));
    assert_eq!(browser.get("/account/providers").await.status(), 200);
}

/// ASVS: V8.2.1, V8.3.1
#[tokio::test(flavor = "multi_thread")]
async fn roles_come_from_the_table_alone_and_go_with_the_claim() {
    let works = Works::open_with(&[
        ("DEWAR_ACCOUNTS_PROVIDERS_WORK_ROLES_CLAIM", "groups"),
        ("DEWAR_ACCOUNTS_PROVIDERS_WORK_ROLES", "board reviewer"),
    ])
    .await;
    let mut user = ada();
    let roles = async |groups: serde_json::Value| {
        user.claims["groups"] = groups;
        works.sign_in(&works.portal.visitor(), &user).await;
        let accounts = works.portal.running.dewar().accounts();
        let found = accounts.find_by_email("ada@example.org").await;
        found.unwrap().unwrap().roles.join(" ")
    };
    let mut roles = roles;
    assert_eq!(roles(json!(["administrator", "reviewer"])).await, "member");
    assert_eq!(roles(json!(["board"])).await, "member reviewer");
    assert_eq!(roles(json!("board")).await, "member reviewer");
    assert_eq!(roles(json!([["board"], 1])).await, "member");
}
