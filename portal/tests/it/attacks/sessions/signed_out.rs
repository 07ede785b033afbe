//! A form from a user who is signed out when it is sent: only its author sees it again, and nothing sends it automatically.

use std::time::Duration;

use dewar::testing::{Browser, TestResponse};

use crate::company::{PASSWORD, Portal, document, post};

const TYPED: &str = "A long thought <b>about</b> the plan & more.";
const PAST_IDLE: Duration = Duration::from_secs(31 * 60);

async fn comments(portal: &Portal) -> i64 {
    portal.count("SELECT count(*) FROM comments").await
}

/// Types a comment on the open page, and sends it.
async fn comment(browser: &Browser, page: &TestResponse, path: &str) -> TestResponse {
    let form = page.form(&format!("{path}/comments"));
    browser.submit(form.fill("comment", TYPED)).await
}

async fn sign_in_on(
    browser: &Browser,
    page: &TestResponse,
    name: &str,
    password: &str,
) -> TestResponse {
    let form = page.form("form[action^='/sign-in']");
    let form = form.fill("email", &format!("{name}@example.org"));
    browser.submit(form.fill("password", password)).await
}

/// ASVS: V7.4.1, V7.3.1
#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_shown_again_after_signing_in_and_sent_when_that_is_confirmed() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    for end in ["another tab", "a rest"] {
        let before = comments(&portal).await;
        let page = ada.get(&path).await;
        if end == "a rest" {
            portal.clock.advance(PAST_IDLE);
        } else {
            assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
        }
        let asked = comment(&ada, &page, &path).await;
        assert_eq!(asked.status(), 401, "{end}");
        assert!(asked.text().contains("What you typed is kept"), "{end}");
        assert!(
            !asked.text().contains("thought"),
            "sealed: {}",
            asked.text()
        );
        // A wrong password loses nothing.
        let asked = sign_in_on(&ada, &asked, "ada", "not it at all").await;
        assert_eq!(asked.status(), 422, "{end}");
        let shown = sign_in_on(&ada, &asked, "ada", PASSWORD).await;
        assert_eq!(shown.status(), 200, "{end}: {}", shown.text());
        assert_eq!(comments(&portal).await, before, "nothing is sent by itself");
        let form = shown.form(&format!("{path}/comments"));
        assert_eq!(form.value("comment").as_deref(), Some(TYPED), "{end}");
        assert_eq!(ada.get("/account").await.status(), 200);
        assert!(ada.cookie("__Host-visitor").is_none());
        let sent = ada.submit(form).await;
        assert_eq!(sent.status(), 303, "{end}: {}", sent.text());
        assert_eq!(comments(&portal).await, before + 1);
    }
}

/// The next person at the same desk; Dewar knows whose session it was.
///
/// ASVS: V7.4.1, V14.3.1
#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_not_shown_to_another_person() {
    let portal = Portal::open().await;
    let (ada, _) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "Plan").await;
    let page = ada.get(&path).await;
    portal.clock.advance(PAST_IDLE);
    let asked = comment(&ada, &page, &path).await;
    let kept = asked
        .form("form[action^='/sign-in']")
        .value("kept")
        .unwrap();
    let answer = sign_in_on(&ada, &asked, "eve", PASSWORD).await;
    // Back to the page of the form, as eve may see it.
    assert_eq!(
        (answer.status().as_u16(), answer.location()),
        (303, Some(&*path))
    );
    assert!(!answer.text().contains("thought"));
    // In another browser the stored form does not exist.
    let other = portal.visitor();
    let page = other.get("/sign-in").await;
    let form = page.form("/sign-in").tamper("kept", &kept);
    let form = form
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    assert_eq!(other.submit(form).await.status(), 400);
    assert_eq!(comments(&portal).await, 0);
}

/// A page carries a sealed record version: its author gets the form again, sealed for the new session, and nobody else does, even
/// if Dewar does not know whose session it was.
///
/// ASVS: V7.4.1, V14.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_hidden_value_comes_back_to_the_person_of_the_page_alone() {
    let portal = Portal::open().await;
    let (ada, _) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "Plan").await;
    let edit = format!("{path}/edit");
    let words = format!("<p>{}</p>", "\u{416}".repeat(19_000));
    for end in ["another tab", "a rest"] {
        let page = ada.get(&edit).await;
        if end == "a rest" {
            portal.clock.advance(PAST_IDLE);
        } else {
            assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
        }
        let form = page.form(&edit).fill("title", end);
        let old = form.value("version").unwrap();
        // Two bytes a letter and three for each in a body: more than 64 KiB.
        let asked = ada.submit(form.fill("description", &words)).await;
        assert_eq!(asked.status(), 401, "{end}");
        // Another user who signs in on this page is sent to a page of their own and sees nothing of it.
        let other = sign_in_on(&ada, &asked, "eve", PASSWORD).await;
        assert_eq!(
            (other.status().as_u16(), other.location()),
            (303, Some(&*edit)),
            "{end}"
        );
        assert!(!other.text().contains('\u{416}'), "{end}");
        assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
        let asked = ada.submit(
            page.form(&edit)
                .fill("title", end)
                .fill("description", &words),
        );
        let shown = sign_in_on(&ada, &asked.await, "ada", PASSWORD).await;
        assert_eq!(shown.status(), 200, "{end}: {}", shown.text());
        let form = shown.form(&edit);
        assert_eq!(form.value("description").as_deref(), Some(&*words), "{end}");
        assert_ne!(form.value("version").unwrap(), old);
        assert_eq!(
            ada.get(&path).await.texts("h1"),
            ["Plan"],
            "nothing is done"
        );
        // A value that the old session sealed is not valid in the new one.
        let stale = ada.submit(form.clone().tamper("version", &old)).await;
        assert_eq!(stale.status(), 400, "{end}");
        let sent = ada.submit(form.fill("title", "Plan")).await;
        assert_eq!(sent.status(), 303, "{end}: {}", sent.text());
    }
    let log = portal.log().await;
    assert_eq!(
        log.matches("malicious_extraneous").count(),
        2,
        "only what was tampered with"
    );
}

/// ASVS: V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_not_kept_for_ever_nor_without_bound() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let page = ada.get(&path).await;
    post(&ada, "/sign-out", "").await;
    let asked = comment(&ada, &page, &path).await;
    portal.clock.advance(Duration::from_secs(15 * 60 + 1));
    let answer = sign_in_on(&ada, &asked, "ada", PASSWORD).await;
    assert_eq!(
        (answer.status().as_u16(), answer.location()),
        (303, Some(&*path))
    );
    let page = ada.get(&path).await;
    post(&ada, "/sign-out", "").await;
    let form = page.form(&format!("{path}/comments"));
    // A body larger than the fields can hold is neither stored nor shown.
    let large = "large ".repeat(44_000);
    let refused = ada.submit(form.tamper("comment", &large)).await;
    assert_eq!(refused.status(), 401);
    assert!(!refused.text().contains("name=\"kept\""));
    assert_eq!(comments(&portal).await, 0);
    // Dewar refuses another site's form before it reads any of it.
    let forged = ada.as_cross_site("https://evil.example");
    let form = page.form(&format!("{path}/comments"));
    let answer = forged.submit(form.fill("comment", TYPED)).await;
    assert_eq!(answer.status(), 403);
    assert!(!answer.text().contains("thought"));
}
