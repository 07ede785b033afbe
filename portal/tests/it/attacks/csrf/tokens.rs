//! Tokens that are missing, invented, stolen or old.

use std::collections::HashSet;

use super::everywhere::{Encoding, Forged, Stage, Stolen, own_token};
use crate::company::{PASSWORD, Portal, encoded, sign_in, token};

/// The request claims to come from the portal's own page, and lacks only a token of its own session.
///
/// ASVS: V3.5.1, V3.5.2, V7.2.1, V14.2.1
#[tokio::test]
async fn no_unsafe_route_takes_a_request_without_a_token_of_its_own() {
    type Forge = fn(&mut Forged<'_>, &Stolen);
    let forgeries: [(&str, Forge); 8] = [
        ("no token", |forged, _| forged.token = None),
        ("an empty token", |forged, _| {
            forged.token = Some(String::new());
        }),
        ("an invented token", |forged, _| {
            forged.token = Some("A".repeat(86));
        }),
        // The attacker's token in the body and, somehow, in a cookie: a naive double submit.
        ("a token that is a cookie too", |forged, stolen| {
            let browser = &forged.case.browser;
            browser.plant_cookie("csrf_token", &stolen.visitor);
            forged.token = Some(stolen.visitor.clone());
        }),
        ("a token of another session", |forged, stolen| {
            forged.token = Some(stolen.session.clone());
        }),
        // It is valid for the attacker's own pre-session only.
        ("a token of another visitor", |forged, stolen| {
            forged.token = Some(stolen.visitor.clone());
        }),
        ("a token in the address", |forged, _| {
            let token = forged.token.take().unwrap();
            forged.path = format!("{}?csrf_token={token}", forged.path);
        }),
        // A form of any site can send `text/plain`, with the fields of a form in it.
        ("plain text", |forged, _| forged.encoding = Encoding::Plain),
    ];
    let stage = Stage::open().await;
    for (what, forge) in forgeries {
        stage.refuses(what, forge).await;
    }
}

/// ASVS: V3.5.1, V7.2.4
#[tokio::test]
async fn a_token_of_before_signing_in_is_worth_nothing_after() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let browser = portal.visitor();
    let before = own_token(&browser).await;
    sign_in(&browser, "ada@example.org", PASSWORD).await;
    let first = own_token(&browser).await;
    sign_in(&browser, "ada@example.org", PASSWORD).await;
    for old in [before, first] {
        let form = browser.get("/account").await.form("/sign-out");
        assert_eq!(
            browser
                .submit(form.tamper("csrf_token", &old))
                .await
                .status(),
            403
        );
    }
    let form = browser.get("/account").await.form("/sign-out");
    assert_eq!(browser.submit(form).await.status(), 303);
}

/// In a compressed page an attacker could otherwise guess the token byte by byte (BREACH, CVE-2013-3587).
///
/// ASVS: V3.5.1
#[tokio::test]
async fn a_token_looks_different_wherever_it_stands() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let mut seen = HashSet::new();
    for _ in 0..5 {
        for form in ada.get("/account").await.forms() {
            assert!(
                seen.insert(form.value("csrf_token").unwrap()),
                "a token came twice"
            );
        }
    }
    assert!(seen.len() >= 10);
}

/// The page was open too long: nothing changes, and no typed value is lost. The page shows the typed values as text, and no
/// password.
///
/// ASVS: V3.5.1, V1.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_old_shows_what_was_typed_and_does_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let typed = "<script>alert(1)</script> for the team";
    let before = portal.everything();
    let page = ada.get("/documents/new").await;
    let form = page.form("/documents").tamper("csrf_token", "too-old");
    let form = form.fill("title", typed).file("file", "note.txt", "x\n");
    let answer = ada.submit(form).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.texts("dd.typed"), [typed]);
    assert_eq!(answer.texts("dt"), ["Title"]);
    let visitor = portal.visitor();
    let page = visitor.get("/sign-in").await;
    let form = page.form("/sign-in").tamper("csrf_token", "too-old");
    let form = form
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    let answer = visitor.submit(form).await;
    assert_eq!(
        (answer.status().as_u16(), answer.texts("dd.typed")),
        (403, vec!["ada@example.org".to_owned()])
    );
    assert!(!answer.text().contains(PASSWORD));
    // Dewar refuses another site's form before it reads any of it, so the page has nothing of it.
    let request = ada
        .raw("POST", "/documents")
        .header("sec-fetch-site", "cross-site")
        .header("accept", "text/html");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request
        .body("title=planted-by-another-site")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert!(!answer.text().contains("planted-by-another-site"));
    assert_eq!(before, portal.everything());
}

/// The one form of the portal without a page of its own: on a disk it changes nothing, so the attacks above cannot see it.
///
/// ASVS: V3.5.1, V3.5.3
#[tokio::test]
async fn nobody_gets_a_ticket_for_a_file_from_another_site_or_without_a_token() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let (own, stolen) = (token(&ada).await, token(&eve).await);
    for (site, sent, status) in [
        ("same-origin", own.as_str(), 200),
        ("same-origin", stolen.as_str(), 403),
        ("same-origin", "", 403),
        ("same-site", own.as_str(), 403),
        ("cross-site", own.as_str(), 403),
    ] {
        let fields = format!("csrf_token={}&name=plan.txt&size=9", encoded(sent));
        let request = ada.raw("POST", "/documents/tickets");
        let request = request.header("sec-fetch-site", site).form(&fields);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{site}: {}", answer.text());
    }
}
