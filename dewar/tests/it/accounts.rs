//! `accounts`: sign up, sign in and sign out.

mod second_factor;

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

/// The first tab ends the visitor's token that the second one has. Nothing is done twice, and no person reads that they
/// sent a forged form.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_in_a_second_tab_leads_on_to_what_was_wanted() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    site.member("eve", &[]).await;
    let browser = site.visitor.another();
    let fill = |page: &dewar::testing::TestResponse, who: &str| {
        let form = page.form("form[action^='/sign-in']").fill("email", who);
        form.fill("password", PASSWORD)
    };
    let wanted = "/sign-in?next=%2Fnotes";
    let first = browser.get("/sign-in").await;
    let second = browser.get(wanted).await;
    let third = browser.get("/sign-in?next=%2F%2Fevil.example").await;
    let answer = browser.submit(fill(&first, "ada@example.org"));
    assert_eq!(answer.await.status(), 303);
    let session = browser.cookie("__Host-session").unwrap();
    let before = site.log().await;
    for (page, to) in [(&second, "/notes"), (&third, "/")] {
        let answer = browser.submit(fill(page, "eve@example.org")).await;
        assert_eq!(
            (answer.status().as_u16(), answer.location()),
            (303, Some(to))
        );
        assert!(
            browser.cookie("__Host-flash").is_some(),
            "the next page says who is signed in"
        );
        let now = browser.cookie("__Host-session").unwrap();
        assert_eq!(now.value(), session.value(), "still ada's");
    }
    assert_eq!(site.log().await, before, "no security event");
    // Dewar still refuses another site's form, and a visitor without a token.
    let forged = browser.as_cross_site("https://evil.example");
    let answer = forged.submit(fill(&second, "eve@example.org"));
    assert_eq!(answer.await.status(), 403);
    let nobody = site.visitor.another();
    let answer = nobody.submit(fill(&second, "eve@example.org"));
    assert_eq!(answer.await.status(), 403);
    // A page that was loaded after the sign-in signs in again.
    let page = ada.get("/sign-in").await;
    let answer = ada.submit(fill(&page, "eve@example.org"));
    assert_eq!(answer.await.status(), 303);
    assert!(ada.get("/notes").await.text().contains("eve"));
}
