//! `accounts`: nobody learns who has an account, and nobody enters without its password.

use std::fs;
use std::time::Duration;

use dewar::testing::{Answer, Browser};

use crate::company::{PASSWORD, Portal, post, sign_in};

/// What somebody sees of an answer, without what differs each time.
fn face(answer: &Answer) -> (u16, Vec<String>, Vec<String>) {
    (
        answer.status().as_u16(),
        answer.texts("main p"),
        answer.texts("[role=alert]"),
    )
}

async fn sign_up(browser: &Browser, email: &str, password: &str) -> Answer {
    let page = browser.get("/sign-up").await;
    let form = page
        .form("/sign-up")
        .fill("name", "Ada")
        .fill("email", email)
        .tamper("password", password);
    browser.submit(form).await
}

/// ASVS: V6.3.8
#[tokio::test(flavor = "multi_thread")]
async fn unknown_wrong_and_disabled_are_one_answer_at_one_cost() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    portal.member("off").await;
    let accounts = portal.running.dewar().accounts();
    let off = accounts
        .find_by_email("off@example.org")
        .await
        .unwrap()
        .unwrap();
    accounts.disable(None, off.id).await.unwrap();
    let mut seen = Vec::new();
    for (email, password) in [
        ("ada@example.org", "not the password at all"),
        ("nobody@example.org", PASSWORD),
        ("off@example.org", PASSWORD),
    ] {
        let before = accounts.hashes_done();
        let answer = sign_in(&portal.visitor(), email, password).await;
        seen.push((face(&answer), accounts.hashes_done() - before));
    }
    assert_eq!(seen[0].1, 1);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
}

/// ASVS: V6.3.8
#[tokio::test(flavor = "multi_thread")]
async fn signing_up_does_not_tell_who_is_there() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let accounts = portal.running.dewar().accounts();
    let mut seen = Vec::new();
    for email in ["ada@example.org", "new@example.org"] {
        let before = accounts.hashes_done();
        let visitor = portal.visitor();
        let answer = sign_up(&visitor, email, "another quiet lake at dawn").await;
        let place = answer.location().map(str::to_owned);
        seen.push((face(&answer), place, accounts.hashes_done() - before));
    }
    assert_eq!(seen[0], seen[1]);
    accounts.settle().await;
    let letters = fs::read_dir(portal.data.path().join("outbox"))
        .unwrap()
        .count();
    assert_eq!(letters, 2, "the owner is told, and so is the new person");
    assert_eq!(
        sign_in(&portal.visitor(), "ada@example.org", PASSWORD)
            .await
            .status(),
        303
    );
}

/// ASVS: V6.3.1, V6.1.1
#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_for_the_account_and_known_and_unknown_alike() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(
                sign_in(&portal.visitor(), email, "not the password at all")
                    .await
                    .status()
                    .as_u16(),
            );
        }
        assert_eq!(statuses.last(), Some(&429), "{email}: {statuses:?}");
    }
    let waiting = sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    assert_eq!(waiting.status(), 429, "the right password has to wait too");
    assert!(waiting.header("retry-after").is_some());
    portal.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        sign_in(&portal.visitor(), "ada@example.org", PASSWORD)
            .await
            .status(),
        303
    );
}

/// ASVS: V6.3.1
#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_try_many_accounts() {
    let portal = Portal::open().await;
    let mut last = 0;
    for number in 0..40 {
        let email = format!("person{number}@example.org");
        last = sign_in(&portal.visitor(), &email, "not the password at all")
            .await
            .status()
            .as_u16();
    }
    assert_eq!(last, 429);
}

/// ASVS: V6.2.1, V6.2.4, V6.2.11, V6.2.9
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_short_common_or_about_oneself_is_refused() {
    let portal = Portal::open().await;
    let too_long = "a".repeat(1025);
    for weak in [
        "fourteen chars",
        "passwordpassword",
        "123456789012345",
        "aaaaaaaaaaaaaaa",
        "ada@example.org",
        &too_long,
    ] {
        let answer = sign_up(&portal.visitor(), "ada@example.org", weak).await;
        assert_eq!(answer.status(), 422, "{weak}");
        assert!(
            !answer.text().contains(weak) || weak == "ada@example.org",
            "shown again: {weak}"
        );
    }
    assert_eq!(portal.count("SELECT count(*) FROM dewar_users").await, 0);
    let answer = sign_up(
        &portal.visitor(),
        "ada@example.org",
        "größe 雨 und ein stiller See",
    )
    .await;
    assert_eq!(answer.status(), 303);
}

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

/// ASVS: V6.2.3, V7.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_only_with_the_old_one_and_ends_other_sessions() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let elsewhere = portal.visitor();
    sign_in(&elsewhere, "ada@example.org", PASSWORD).await;
    let new = "new_password=another+quiet+lake+at+dawn";
    let wrong = post(
        &ada,
        "/account/password",
        &format!("current_password=not+the+password+at+all&{new}"),
    )
    .await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(elsewhere.get("/documents").await.status(), 200);
    let old = PASSWORD.replace(' ', "+");
    let right = post(
        &ada,
        "/account/password",
        &format!("current_password={old}&{new}"),
    )
    .await;
    assert_eq!(right.status(), 303);
    assert_eq!(elsewhere.get("/documents").await.status(), 303);
}

/// ASVS: V11.4.2, V6.2.8
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_table_holds_no_password() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let rows = portal
        .db()
        .query("SELECT password_hash FROM dewar_users", [])
        .await
        .unwrap();
    let hash: String = rows[0].get(0).unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert!(!portal.log().await.contains(PASSWORD));
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

async fn ask_for_reset(browser: &Browser) -> Answer {
    let form = browser.get("/forgot").await.form("/forgot");
    browser.submit(form.fill("email", "ada@example.org")).await
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

/// Guessing at somebody's account does not keep its owner out: who is signed in stays, and a letter opens it.
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

/// ASVS: V6.2.8, V6.2.9
#[tokio::test(flavor = "multi_thread")]
async fn a_password_counts_whole_and_unchanged_but_for_its_composition() {
    let portal = Portal::open().await;
    let long = format!("Ünïcødé 鍵 🔑 {}", "long and ".repeat(10));
    let blanks = "  blanks At both ends  ";
    for (email, password) in [("a@example.org", long.as_str()), ("b@example.org", blanks)] {
        sign_up(&portal.visitor(), email, password).await;
        let mut cut = password.to_owned();
        cut.pop();
        for other in [cut, password.to_lowercase(), password.trim().to_owned()] {
            let answer = sign_in(&portal.visitor(), email, &other).await;
            assert_eq!(answer.status(), 422, "{other:?}");
        }
        let whole = sign_in(&portal.visitor(), email, password).await;
        assert_eq!(whole.status(), 303, "{password:?}");
    }
    sign_up(
        &portal.visitor(),
        "c@example.org",
        "caf\u{e9} at the corner by night",
    )
    .await;
    let apart = "cafe\u{301} at the corner by night";
    let same = sign_in(&portal.visitor(), "c@example.org", apart).await;
    assert_eq!(same.status(), 303);
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

/// ASVS: V6.4.3, V4.1.3
#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_this_site_whatever_the_request_says() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let visitor = portal.visitor();
    let form = visitor.get("/forgot").await.form("/forgot");
    let (kind, body) = form.fill("email", "ada@example.org").encoded();
    let ask = || {
        let request = visitor.raw("POST", "/forgot").header("content-type", &kind);
        request
            .header("sec-fetch-site", "same-origin")
            .body(body.clone())
    };
    let foreign = ask().header("host", "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 421);
    let forwarded = ask()
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example;proto=http")
        .send()
        .await
        .unwrap();
    assert_eq!(forwarded.status(), 303);
    portal.running.dewar().accounts().settle().await;
    let letter = newest_letter(&portal);
    assert!(
        letter.contains(portal.running.url()) && !letter.contains("evil"),
        "{letter}"
    );
}

/// ASVS: V7.4.1, V3.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_nobody_out() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for method in ["GET", "HEAD"] {
        let answer = ada.raw(method, "/sign-out").send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
    }
    assert_eq!(ada.get("/account").await.status(), 200);
    assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
    assert_eq!(ada.get("/account").await.status(), 303);
}
