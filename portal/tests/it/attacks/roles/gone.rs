//! A user writes about a record that is deleted or withdrawn meanwhile: the user's words are not lost.

use dewar::testing::{Browser, FormOnPage, TestResponse};

use crate::company::{Portal, decide, document, post};

const WORDS: &str = "I <b>agree</b>, and here is why.";

/// A filled-in form of the portal about a record.
struct Written<'a> {
    route: &'static str,
    browser: &'a Browser,
    form: FormOnPage,
}

async fn open<'a>(
    route: &'static str,
    browser: &'a Browser,
    page: &str,
    action: &str,
    field: &str,
) -> Written<'a> {
    let form = browser.get(page).await.form(action);
    Written {
        route,
        browser,
        form: form.fill(field, WORDS),
    }
}

/// The same form for another record.
async fn sent_to(browser: &Browser, form: &FormOnPage, path: &str) -> TestResponse {
    let (kind, body) = form.encoded();
    let raw = browser.raw("POST", path).header("accept", "text/html");
    let raw = raw.header("sec-fetch-site", "same-origin");
    let raw = raw.header("content-type", kind).body(body);
    raw.send().await.unwrap()
}

/// Each of them, on open pages.
async fn all<'a>(
    ada: &'a Browser,
    ben: &'a Browser,
    rob: &'a Browser,
    path: &str,
) -> Vec<Written<'a>> {
    let edit = format!("{path}/edit");
    let comments = format!("{path}/comments");
    let review = path.replace("/documents/", "/reviews/");
    let mut decision = open("/reviews/{id}", rob, &review, &review, "reason").await;
    decision.form = decision.form.choose("decision", "reject");
    vec![
        open("/documents/{id}/comments", ben, path, &comments, "comment").await,
        open("/documents/{id}/edit", ada, &edit, &edit, "title").await,
        open("/documents/{id}/edit", ada, &edit, &edit, "description").await,
        decision,
    ]
}

fn keeps(answer: &TestResponse, status: u16, route: &str) {
    assert_eq!(answer.status(), status, "{route}: {}", answer.text());
    let typed = answer.texts("dd.typed");
    assert!(
        typed.iter().any(|text| text == WORDS),
        "{route}: {}",
        answer.text()
    );
    assert!(answer.texts("main dd b").is_empty(), "{route}");
    // Sealed values are not the user's words.
    assert!(!answer.text().contains("version"), "{route}");
}

/// ASVS: V2.3.1, V8.2.2, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn words_about_a_record_that_was_deleted_are_shown_to_who_wrote_them() {
    let portal = Portal::open().await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&ada, "Plan").await;
    post(&ada, &format!("{path}/shares"), "email=ben@example.org").await;
    let written = all(&ada, &ben, &rob, &path).await;
    assert_eq!(
        post(&ada, &format!("{path}/delete"), "").await.status(),
        303
    );
    let before = portal.everything();
    for Written {
        route,
        browser,
        form,
    } in written
    {
        let answer = browser.submit(form).await;
        keeps(&answer, 404, route);
    }
    assert_eq!(portal.everything(), before);
    // The same words are accepted for an existing record.
    let other = document(&ada, "Other").await;
    let comments = format!("{other}/comments");
    let form = ada.get(&other).await.form(&comments).fill("comment", WORDS);
    assert_eq!(ada.submit(form).await.status(), 303);
}

/// The response does not reveal whether a record exists: it is that for one which never existed.
///
/// ASVS: V8.2.2, V8.3.2, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn words_about_a_record_that_is_out_of_reach_are_shown_and_nothing_else() {
    let portal = Portal::open().await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&ada, "Plan").await;
    let id = path.rsplit('/').next().unwrap();
    post(&ada, &format!("{path}/shares"), "email=ben@example.org").await;
    let written = all(&ada, &ben, &rob, &path).await;
    portal.outside(
        "DELETE FROM shares; UPDATE documents SET owner_id = (SELECT id FROM dewar_users WHERE name = 'rob')",
    ).await;
    let before = portal.everything();
    let page = |answer: &TestResponse| {
        let mut texts = answer.texts("title, h1, main p, dt, dd");
        // Each response has a number of its own.
        texts.retain(|text| !text.contains("name this number"));
        texts
    };
    for Written {
        route,
        browser,
        form,
    } in written
    {
        let absent = form.action().replace(&format!("/{id}"), "/999999");
        let absent = sent_to(browser, &form, &absent).await;
        let foreign = browser.submit(form).await;
        keeps(&foreign, 404, route);
        keeps(&absent, 404, route);
        assert_eq!(page(&foreign), page(&absent), "{route}");
    }
    assert_eq!(portal.everything(), before);
}

/// A user loses a role while writing.
///
/// ASVS: V8.3.2, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn words_on_a_page_of_a_role_that_was_withdrawn_are_shown_to_who_wrote_them() {
    let portal = Portal::open().await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&ada, "Plan").await;
    post(&ada, &format!("{path}/shares"), "email=ben@example.org").await;
    let written = all(&ada, &ben, &rob, &path).await;
    portal.outside("DELETE FROM dewar_user_roles").await;
    for Written {
        route,
        browser,
        form,
    } in written
    {
        let answer = browser.submit(form).await;
        keeps(&answer, 403, route);
    }
    let done = "SELECT (SELECT count(*) FROM comments) + (SELECT count(*) FROM documents WHERE version > 1)";
    assert_eq!(portal.count(done).await, 0);
}

/// Two reviewers decide, and the second one has written a reason.
///
/// ASVS: V2.3.1, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_decision_that_came_second_is_shown_to_who_wrote_it() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let rita = portal.person("rita", &["reviewer"]).await;
    let review = document(&ada, "Plan")
        .await
        .replace("/documents/", "/reviews/");
    let page = rob.get(&review).await;
    let form = page.form(&review).fill("reason", WORDS);
    let form = form.choose("decision", "reject");
    // The document was changed meanwhile: the page comes back, with its current content.
    portal
        .outside("UPDATE documents SET title = 'Another plan', version = version + 1")
        .await;
    let again = rob.submit(form).await;
    assert_eq!(again.status(), 409, "{}", again.text());
    assert!(again.text().contains("Another plan"), "{}", again.text());
    let form = again.form(&review);
    assert_eq!(form.value("reason").as_deref(), Some(WORDS));
    assert_eq!(
        decide(&rita, &review, "decision=approve").await.status(),
        303
    );
    keeps(&rob.submit(form).await, 404, "decided");
    let rejected = "SELECT count(*) FROM documents WHERE status = 'rejected'";
    assert_eq!(portal.count(rejected).await, 0);
}
