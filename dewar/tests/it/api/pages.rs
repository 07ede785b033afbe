//! The pages of tokens.

use dewar::api::{SERVICE_TOKENS, TOKENS, TokenHolder};
use dewar::testing::Browser;

use super::{PASSWORD, Site};

/// Makes a token on a page, and returns its text.
async fn make(browser: &Browser, path: &str) -> String {
    let page = browser.get(path).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let form = page.form(path).fill("name", "Laptop").fill("days", "7");
    let made = browser.submit(form.check("scopes")).await;
    assert_eq!(made.status(), 200, "{}", made.text());
    let shown = made.texts("code.token");
    assert_eq!(shown.len(), 1);
    assert!(
        !browser.get(path).await.text().contains(&shown[0]),
        "shown once"
    );
    shown[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_makes_a_token_sees_it_once_and_revokes_it() {
    let site = Site::open().await;
    let browser = site.signed_in("ada", &[]).await;
    let token = make(&browser, TOKENS).await;
    assert_eq!(site.call("GET", "/api/me", &token).await.text(), "ada");
    let page = browser.get(TOKENS).await;
    assert!(page.text().contains("Laptop") && page.text().contains("Tickets read"));
    assert!(!page.text().contains("Reviews read"), "it needs a role");
    let form = page.form("form[action$='/revoke']");
    assert_eq!(browser.submit(form).await.status(), 303);
    assert_eq!(site.call("GET", "/api/me", &token).await.status(), 401);
    site.running.stop().await.unwrap();
}

/// A stolen session makes no token: that needs the password again.
///
/// ASVS: V7.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_needs_a_password_that_was_given_recently() {
    let site = Site::open().await;
    let browser = site.signed_in("ada", &[]).await;
    let page = browser.get(TOKENS).await;
    site.clock.advance(std::time::Duration::from_secs(11 * 60));
    let form = page.form(TOKENS).fill("name", "Laptop").fill("days", "7");
    let asked = browser.submit(form.check("scopes")).await;
    let listed = site.running.dewar().db();
    let count = async || {
        let rows = listed
            .query("SELECT count(*) FROM dewar_api_tokens", [])
            .await;
        rows.unwrap()[0].get::<i64>(0).unwrap()
    };
    assert_eq!((asked.status().as_u16(), count().await), (403, 0));
    let form = asked.form("/confirm").fill("password", PASSWORD);
    let made = browser.submit(form).await;
    assert_eq!(
        (made.status().as_u16(), count().await),
        (200, 1),
        "{}",
        made.text()
    );
    assert_eq!(made.texts("code.token").len(), 1);
    site.running.stop().await.unwrap();
}

/// ASVS: V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn nobody_revokes_or_sees_the_token_of_somebody_else() {
    let site = Site::open().await;
    let ada = site.user("ada", &[]).await;
    let (token, id) = site
        .token(TokenHolder::Person(ada), &["tickets_read"])
        .await;
    let eve = site.signed_in("eve", &[]).await;
    let page = eve.get(TOKENS).await;
    assert!(!page.text().contains(&id));
    make(&eve, TOKENS).await;
    let form = eve.get(TOKENS).await.form("form[action$='/revoke']");
    let csrf = form.value("csrf_token").unwrap();
    let refused = eve
        .raw("POST", &format!("/account/tokens/{id}/revoke"))
        .header("origin", site.running.url().trim_end_matches('/'))
        .form(&format!("csrf_token={csrf}"))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 404);
    assert_eq!(site.call("GET", "/api/me", &token).await.status(), 200);
    site.running.stop().await.unwrap();
}

/// The handlers ask for an administrator themselves: the heading of the test is wrong on purpose.
///
/// ASVS: V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_makes_a_token_for_a_service() {
    let site = Site::open().await;
    let member = site.signed_in("eve", &["reviewer"]).await;
    assert_eq!(member.get(SERVICE_TOKENS).await.status(), 403);
    let administrator = site.signed_in("grace", &["administrator"]).await;
    let token = make(&administrator, SERVICE_TOKENS).await;
    assert_eq!(site.call("GET", "/api/tickets", &token).await.status(), 200);
    assert_eq!(site.call("GET", "/api/me", &token).await.status(), 403);
    site.running.stop().await.unwrap();
}

/// Whoever had the session may hold the token. An ordinary sign-out ends none, because the person had the session.
///
/// ASVS: V7.4.1, V7.5.2
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_its_person_ends_takes_its_tokens_along() {
    let site = Site::open().await;
    let ada = site.signed_in("ada", &[]).await;
    let other = site.browser();
    let form = other.get("/sign-in").await.form("/sign-in");
    let form = form
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    other.submit(form).await;
    let (own, foreign) = (make(&ada, TOKENS).await, make(&other, TOKENS).await);
    let works = async |token: &str| site.call("GET", "/api/me", token).await.status() == 200;
    assert!(works(&own).await && works(&foreign).await);
    let page = ada.get("/account/sessions").await;
    assert!(
        page.text().contains("href=\"/account/tokens\""),
        "{}",
        page.text()
    );
    let form = page.form("form[action$='/end']");
    assert_eq!(ada.submit(form).await.status(), 303);
    assert!(works(&own).await && !works(&foreign).await);
    assert!(site.log().await.contains("1 API tokens of a session"));
    let form = ada.get("/account/sessions").await.form("/sign-out");
    assert_eq!(ada.submit(form).await.status(), 303);
    assert!(works(&own).await);
    site.running.stop().await.unwrap();
}

/// The owner learns of a token that somebody else made, and what ends it.
///
/// ASVS: V6.3.7
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_new_token_gets_a_letter() {
    let site = Site::open().await;
    let ada = site.user("ada", &[]).await;
    site.service(&["tickets_read"]).await;
    let letters = async || {
        let find =
            "SELECT count(*) FROM dewar_letters WHERE template = 'letters/accounts/token_created'";
        let rows = site.running.dewar().db().query(find, []).await.unwrap();
        rows[0].get::<i64>(0).unwrap()
    };
    assert_eq!(letters().await, 0);
    let (token, _) = site
        .token(TokenHolder::Person(ada), &["tickets_read"])
        .await;
    assert_eq!(site.call("GET", "/api/me", &token).await.status(), 200);
    assert_eq!(letters().await, 1);
    site.running.stop().await.unwrap();
}

/// A new password ends every token, as it ends every other session: somebody else may have made one.
///
/// ASVS: V7.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_tokens() {
    let site = Site::open().await;
    let browser = site.signed_in("ada", &[]).await;
    let token = make(&browser, TOKENS).await;
    assert_eq!(site.call("GET", "/api/me", &token).await.status(), 200);
    let page = browser.get("/account/password").await;
    let form = page
        .form("/account/password")
        .fill("current_password", PASSWORD);
    let form = form.fill("new_password", "three ducks under a wide sky");
    assert_eq!(browser.submit(form).await.status(), 303);
    assert_eq!(site.call("GET", "/api/me", &token).await.status(), 401);
    site.running.stop().await.unwrap();
}
