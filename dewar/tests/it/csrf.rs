//! `csrf`: a request by another site changes nothing.

mod arguments;
mod connection;
mod table;
mod unsubscribe;
mod webhook;

use super::site::{PASSWORD, Site, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_button_works_with_its_token_and_not_without() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let token = page.form("/sign-out").value("csrf_token").unwrap();
    let press = |body: String, site: &str| {
        ada.raw("POST", "/bin")
            .header("sec-fetch-site", site)
            .form(&body)
    };
    let good = format!("csrf_token={token}");
    for (body, from, status) in [
        ("a=b", "same-origin", 403),
        (good.as_str(), "cross-site", 403),
        (good.as_str(), "same-site", 403),
        (good.as_str(), "same-origin", 303),
    ] {
        let answer = press(body.to_owned(), from).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body} from {from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_session_is_refused() {
    let site = Site::open().await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let token = eve
        .get("/notes")
        .await
        .form("/sign-out")
        .value("csrf_token")
        .unwrap();
    let own = ada.get("/notes").await.form("/sign-out");
    let own = own.value("csrf_token").unwrap();
    for (token, status) in [(token, 403), (own, 303)] {
        let request = ada.raw("POST", "/bin");
        let request = request.header("sec-fetch-site", "same-origin");
        let answer = request.form(&format!("csrf_token={token}")).send().await;
        assert_eq!(answer.unwrap().status(), status);
    }
}

/// A shared cache must not give a page that a link led to, to a frame of another site.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_which_headers_decided_it() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    for (method, path, from, status) in [
        ("GET", "/notes", "same-origin", 200),
        ("GET", "/notes", "cross-site", 403),
        ("GET", "/nowhere", "same-origin", 404),
        ("POST", "/bin", "cross-site", 403),
        ("POST", "/bin", "same-origin", 403),
    ] {
        let raw = ada.raw(method, path).header("sec-fetch-site", from);
        let answer = raw.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path} {from}");
        let vary = answer.headers().get_all("vary").iter();
        let vary: Vec<&str> = vary.filter_map(|value| value.to_str().ok()).collect();
        let vary = vary.join(", ");
        for name in [
            "sec-fetch-site",
            "sec-fetch-mode",
            "sec-fetch-dest",
            "origin",
        ] {
            assert!(vary.split(", ").any(|named| named == name), "{vary}");
        }
    }
}

/// An author writes a form by hand and forgets the token: in development the page names the form.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_a_token_is_explained_to_whoever_wrote_it() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let request = ada.raw("POST", "/bin").header("accept", "text/html");
    let request = request.header("sec-fetch-site", "same-origin").form("");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let text = answer.text();
    for part in [
        "POST /bin has no CSRF token",
        "{{ csrf_field }}",
        "bin.html, line 4",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another person's token is an attack, not an author's mistake.
    let request = ada.raw("POST", "/bin").header("accept", "text/html");
    let request = request.header("sec-fetch-site", "same-origin");
    let answer = request.form("csrf_token=x").send().await.unwrap();
    assert!(!answer.text().contains("bin.html"));
}

/// The cookie that ties a visitor's forms to the browser is worthless beside a session, and does not stay for the next
/// visitor.
#[tokio::test(flavor = "multi_thread")]
async fn the_visitors_cookie_is_gone_after_signing_in() {
    let site = Site::open().await;
    site.member("ada", &[]).await;
    let visitor = &site.visitor;
    visitor.get("/sign-in").await;
    assert!(visitor.cookie("__Host-visitor").is_some());
    let answer = sign_in(visitor, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status(), 303);
    assert!(visitor.cookie("__Host-visitor").is_none());
    assert!(visitor.cookie("__Host-session").is_some());
}
