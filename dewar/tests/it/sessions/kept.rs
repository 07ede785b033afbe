//! A form whose sender is signed out when they send it.

use dewar::testing::{Browser, TestResponse};

use crate::site::{PASSWORD, Site, app};

/// Signs out in another tab: the open page stays.
async fn sign_out(browser: &Browser) {
    let token = browser.get("/notes").await.form("/notes");
    let token = token.value("csrf_token").unwrap();
    let request = browser.raw("POST", "/sign-out");
    let request = request.header("sec-fetch-site", "same-origin");
    let answer = request.form(&format!("csrf_token={token}")).send().await;
    assert_eq!(answer.unwrap().status(), 303);
}

async fn sign_in_on(browser: &Browser, page: &TestResponse) -> TestResponse {
    let form = page.form("form[action^='/sign-in']");
    let form = form.fill("email", "ada@example.org");
    browser.submit(form.fill("password", PASSWORD)).await
}

/// ASVS: V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_carried_sealed_is_there_again_and_still_sealed() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/orders").await;
    let old = page.form("/orders").value("version").unwrap();
    sign_out(&ada).await;
    let form = page
        .form("/orders")
        .choose("shop", "south")
        .fill("items.0.title", "Milk")
        .fill("items.0.count", "2");
    let asked = ada.submit(form).await;
    assert_eq!(asked.status(), 401);
    let shown = sign_in_on(&ada, &asked).await;
    assert_eq!(shown.status(), 200, "{}", shown.text());
    assert!(!shown.text().contains("777"), "{}", shown.text());
    let form = shown.form("/orders");
    assert_ne!(form.value("version"), Some(old));
    let sent = ada.submit(form).await;
    assert_eq!(sent.status(), 303, "{}", sent.text());
    let said = ada.get("/notes").await.text();
    assert!(said.contains("2 Milk of version 777 from South"), "{said}");
}

/// The sign-in page is itself a form, and must be accepted.
///
/// ASVS: V7.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_kept_than_comes_back_within_the_settings() {
    let site = Site::with(app, &[("DEWAR_FORMS_BODY", "16KiB")]).await;
    let ada = site.member("ada", &[]).await;
    for (letters, is_kept) in [(7_000, true), (9_000, false)] {
        let page = ada.get("/notes").await;
        sign_out(&ada).await;
        let words = "w".repeat(letters);
        let form = page.form("/notes").tamper("title", &words);
        let asked = ada.submit(form).await;
        assert_eq!(asked.status(), 401);
        assert_eq!(asked.text().contains("name=\"kept\""), is_kept, "{letters}");
        if is_kept {
            let shown = sign_in_on(&ada, &asked).await;
            assert_eq!(shown.status(), 200, "{}", shown.text());
            assert_eq!(shown.form("/notes").value("title"), Some(words));
        } else {
            assert!(asked.text().contains(&words), "it is there to be copied");
        }
    }
}
