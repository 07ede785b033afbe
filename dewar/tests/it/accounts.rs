//! `accounts`: sign up, in and out.

use super::site::{PASSWORD, Site, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_signs_up_in_and_out() {
    let site = Site::open().await;
    let ada = &site.visitor;
    let page = ada.get("/sign-up").await;
    let form = page
        .form("/sign-up")
        .fill("name", "Ada")
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    assert_eq!(ada.submit(form).await.status(), 303);
    assert_eq!(
        sign_in(ada, "ada@example.org", PASSWORD).await.status(),
        303
    );
    let page = ada.get("/notes").await;
    assert_eq!(page.status(), 200);
    assert_eq!(ada.submit(page.form("/sign-out")).await.status(), 303);
    assert_eq!(ada.get("/notes").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_answered_as_a_wrong_password_is() {
    let site = Site::open().await;
    site.member("ada", &[]).await;
    let accounts = site.running.dewar().accounts().clone();
    let mut answers = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        let before = accounts.hashes_done();
        let answer = sign_in(&site.visitor, email, "not the right password").await;
        answers.push((
            answer.status(),
            answer.texts(".error"),
            accounts.hashes_done() - before,
        ));
    }
    assert_eq!(answers[0], answers[1]);
}
