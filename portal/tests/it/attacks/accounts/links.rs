//! Links from letters: each opens one account, once, for a limited time.

use std::fs;
use std::time::Duration;

use dewar::testing::{Browser, TestResponse};

use super::face;
use crate::company::{PASSWORD, Portal, post, sign_in};

/// ASVS: V6.4.3, V7.4.3, V6.6.2
#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_new_password_works_once_and_signs_nobody_in() {
    let portal = Portal::open().await;
    let thief = portal.member("ada").await;
    let ada = portal.visitor();
    let page = ada.get("/forgot").await;
    let form = page.form("/forgot").fill("email", "ada@example.org");
    assert!(ada.submit(form).await.status().as_u16() < 400);
    portal.running.dewar().accounts().settle().await;
    let letter = newest_letter(&portal);
    let at = letter.find("/reset/").unwrap();
    let link: String = letter
        .get(at..)
        .unwrap()
        .chars()
        .take_while(|c| !c.is_whitespace())
        .collect();
    assert!(
        letter.contains(portal.running.url()),
        "the link begins with what is configured"
    );
    let new = "another quiet lake at dawn";
    let reset = ada.get(&link).await;
    let form = reset.form(&link).fill("password", new);
    assert_eq!(ada.submit(form).await.status(), 303);
    assert!(
        ada.cookie("__Host-session").is_none(),
        "nobody is signed in by a link"
    );
    assert_eq!(
        thief.get("/documents").await.status(),
        303,
        "old sessions are over"
    );
    assert!(
        ada.get(&link)
            .await
            .forms()
            .iter()
            .all(|form| !form.names().contains(&"password")),
        "spent"
    );
    assert_eq!(
        sign_in(&portal.visitor(), "ada@example.org", PASSWORD)
            .await
            .status(),
        422
    );
    assert_eq!(sign_in(&ada, "ada@example.org", new).await.status(), 303);
}

fn newest_letter(portal: &Portal) -> String {
    let outbox = fs::read_dir(portal.data.path().join("outbox")).unwrap();
    let letters = outbox.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let letter = letters
        .into_iter()
        .find(|letter| letter.contains("/reset/"))
        .unwrap();
    letter.replace("=\r\n", "").replace("=\n", "")
}

/// ASVS: V6.3.2
#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_the_first_administrator_works_once() {
    let portal = Portal::open().await;
    let accounts = portal.running.dewar().accounts();
    let path = accounts.setup_path().await.unwrap().unwrap();
    assert_ne!(
        portal.visitor().get("/setup/made-up").await.text(),
        portal.visitor().get(&path).await.text()
    );
    let grace = portal.visitor();
    let page = grace.get(&path).await;
    let form = page
        .form(&path)
        .fill("name", "Grace")
        .fill("email", "grace@example.org")
        .fill("password", PASSWORD);
    assert_eq!(grace.submit(form).await.status(), 303);
    assert!(
        portal
            .visitor()
            .get(&path)
            .await
            .forms()
            .iter()
            .all(|form| form.action().as_str() != path)
    );
    assert!(accounts.setup_path().await.unwrap().is_none());
}

async fn ask_for_reset(browser: &Browser) -> TestResponse {
    let form = browser.get("/forgot").await.form("/forgot");
    browser.submit(form.fill("email", "ada@example.org")).await
}

/// The path of a link for a new password, which its owner requests.
pub(super) async fn path_for(portal: &Portal, browser: &Browser) -> String {
    assert!(ask_for_reset(browser).await.status().as_u16() < 400);
    reset_path(portal).await
}

async fn reset_path(portal: &Portal) -> String {
    portal.running.dewar().accounts().settle().await;
    let letter = newest_letter(portal);
    let (_, rest) = letter.split_once("/reset/").unwrap();
    format!("/reset/{}", rest.split_whitespace().next().unwrap())
}

/// ASVS: V6.3.8
#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_link_does_not_tell_who_has_an_account() {
    let portal = Portal::open().await;
    let before = ask_for_reset(&portal.visitor()).await;
    portal.running.dewar().accounts().settle().await;
    let letters = || {
        fs::read_dir(portal.data.path().join("outbox"))
            .unwrap()
            .count()
    };
    assert_eq!(letters(), 0, "nobody has that address");
    portal.member("ada").await;
    let after = ask_for_reset(&portal.visitor()).await;
    assert_eq!(
        (before.status(), before.location()),
        (after.status(), after.location())
    );
    assert_eq!(face(&before.follow().await), face(&after.follow().await));
    portal.running.dewar().accounts().settle().await;
    assert_eq!(letters(), 1);
}

/// Guessing a user's password does not lock the owner out: a signed-in owner stays signed in, and a letter opens the account.
///
/// ASVS: V6.3.1, V6.1.1
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_others_guess_at_opens_to_its_owner_by_a_link() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for _ in 0..7 {
        sign_in(
            &portal.visitor(),
            "ada@example.org",
            "not the right password",
        )
        .await;
    }
    let right = sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    assert_eq!(right.status(), 429);
    assert!(right.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(ada.get("/account").await.status(), 200);
    let owner = portal.visitor();
    ask_for_reset(&owner).await;
    let path = reset_path(&portal).await;
    let new = "another quiet lake at dawn";
    let form = owner.get(&path).await.form(&path).fill("password", new);
    assert_eq!(owner.submit(form).await.status(), 303);
    assert_eq!(sign_in(&owner, "ada@example.org", new).await.status(), 303);
}

/// ASVS: V6.4.3, V6.5.5
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_old_guessed_or_for_something_else_is_refused() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let visitor = portal.visitor();
    ask_for_reset(&visitor).await;
    let path = reset_path(&portal).await;
    assert_eq!(visitor.get(&path).await.status(), 200);
    let mut guessed = path.clone();
    let last = if guessed.pop() == Some('A') { 'E' } else { 'A' };
    guessed.push(last);
    for other in [guessed, path.replace("/reset/", "/setup/")] {
        assert_eq!(visitor.get(&other).await.status(), 410, "{other}");
    }
    portal.clock.advance(Duration::from_secs(3601));
    assert_eq!(visitor.get(&path).await.status(), 410);
    let late = post(&visitor, &path, "password=another+quiet+lake+at+dawn").await;
    assert_eq!(late.status(), 410);
    let old = sign_in(&visitor, "ada@example.org", PASSWORD).await;
    assert_eq!(old.status(), 303, "nothing was changed");
}
