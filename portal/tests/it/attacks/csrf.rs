//! `csrf`: another site's requests change nothing.

use dewar::App;
use dewar::roles::Access;

use crate::company::{PASSWORD, Portal, document, post, sign_in, token};

const CALM: &str = "SELECT (SELECT count(*) FROM documents) + (SELECT count(*) FROM comments) * 100
    + (SELECT count(*) FROM dewar_users) * 10000 + (SELECT count(*) FROM dewar_user_roles) * 1000000";

/// Every unsafe route of the table, in every way in which another site could call it.
///
/// ASVS: V3.5.1, V3.5.2, V3.5.3
#[tokio::test(flavor = "multi_thread")]
async fn no_unsafe_route_takes_a_request_of_another_site() {
    let portal = Portal::open().await;
    let grace = portal.person("grace", &["administrator", "reviewer"]).await;
    document(&grace, "Plan").await;
    let good = format!("csrf_token={}", token(&grace).await);
    let before = portal.count(CALM).await;
    let data = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(&data).unwrap()).route_table();
    let mut tried = 0;
    for entry in table
        .entries()
        .iter()
        .filter(|entry| entry.method == "POST")
    {
        if matches!(entry.access, Access::Webhook(_)) {
            continue;
        }
        let path = entry
            .path
            .replace("{id}", "1")
            .replace("{user}", "1")
            .replace("{token}", "x");
        let own = portal.running.url();
        for (headers, body) in [
            (vec![("sec-fetch-site", "cross-site")], good.as_str()),
            (vec![("sec-fetch-site", "same-site")], good.as_str()),
            (vec![("sec-fetch-site", "")], good.as_str()),
            (vec![("origin", "https://evil.example")], good.as_str()),
            (vec![("origin", "null")], good.as_str()),
            (
                vec![("origin", own), ("sec-fetch-site", "cross-site")],
                good.as_str(),
            ),
            (
                vec![
                    ("origin", "https://evil.example"),
                    ("sec-fetch-site", "same-origin"),
                ],
                good.as_str(),
            ),
            (vec![], good.as_str()),
            (vec![("sec-fetch-site", "same-origin")], "a=b"),
            (vec![("sec-fetch-site", "same-origin")], "csrf_token="),
            (vec![("sec-fetch-site", "same-origin")], "csrf_token=AAAA"),
        ] {
            let mut request = grace.raw("POST", &path).form(body);
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            let status = request.send().await.unwrap().status().as_u16();
            // 404: the record is looked up in the caller's scope before the body is read.
            assert!(
                [400, 403, 404, 415].contains(&status),
                "{path} {headers:?} {body}: {status}"
            );
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(portal.count(CALM).await, before);
}

/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_session_or_of_a_visitor_is_refused() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "Plan").await;
    let visitor = portal.visitor();
    let visitors = visitor
        .get("/sign-in")
        .await
        .form("/sign-in")
        .value("csrf_token")
        .unwrap()
        .to_owned();
    for foreign in [token(&eve).await, visitors] {
        let request = ada
            .raw("POST", &format!("{path}/comments"))
            .header("sec-fetch-site", "same-origin");
        let answer = request
            .form(&format!("csrf_token={foreign}&comment=hi"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403);
    }
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    assert_eq!(
        post(&ada, &format!("{path}/comments"), "comment=hi")
            .await
            .status(),
        303
    );
}

/// Login CSRF: somebody is signed in to the attacker's account.
///
/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_another_site() {
    let portal = Portal::open().await;
    portal.member("eve").await;
    let victim = portal.visitor();
    let body = format!(
        "email=eve%40example.org&password={}",
        PASSWORD.replace(' ', "+")
    );
    let bare = victim
        .raw("POST", "/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&body);
    assert_eq!(bare.send().await.unwrap().status(), 403);
    // A token that the attacker got for a browser of their own, without that browser's cookie.
    let attacker = portal.visitor();
    let stolen = attacker
        .get("/sign-in")
        .await
        .form("/sign-in")
        .value("csrf_token")
        .unwrap()
        .to_owned();
    let body = format!("csrf_token={stolen}&{body}");
    let forged = victim
        .raw("POST", "/sign-in")
        .header("sec-fetch-site", "same-origin")
        .form(&body);
    assert_eq!(forged.send().await.unwrap().status(), 403);
    assert!(victim.cookie("__Host-session").is_none());
    assert_eq!(
        sign_in(&victim, "eve@example.org", PASSWORD).await.status(),
        303
    );
}

/// ASVS: V3.5.3, V4.1.4
#[tokio::test(flavor = "multi_thread")]
async fn a_get_changes_nothing_however_it_is_dressed() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let token = token(&ada).await;
    let before = portal.count(CALM).await;
    for target in [
        format!("{path}/delete?csrf_token={token}"),
        format!("{path}/comments?comment=x&csrf_token={token}"),
        format!("/sign-out?csrf_token={token}"),
    ] {
        let request = ada
            .raw("GET", &target)
            .header("x-http-method-override", "POST");
        request.header("x-csrf-token", &token).send().await.unwrap();
        ada.raw("GET", &format!("{target}&_method=POST"))
            .send()
            .await
            .unwrap();
    }
    assert_eq!(portal.count(CALM).await, before);
    assert_eq!(ada.get("/documents").await.status(), 200, "still signed in");
}

/// ASVS: V3.5.8, V3.4.6
#[tokio::test(flavor = "multi_thread")]
async fn another_site_may_link_to_a_page_but_not_frame_or_fetch_it() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (mode, destination, status) in [
        ("navigate", "document", 200),
        ("navigate", "iframe", 403),
        ("navigate", "object", 403),
        ("no-cors", "image", 403),
        ("no-cors", "script", 403),
        ("cors", "empty", 403),
    ] {
        let request = ada
            .raw("GET", "/documents")
            .header("sec-fetch-site", "cross-site");
        let request = request
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", destination);
        assert_eq!(
            request.send().await.unwrap().status(),
            status,
            "{mode} {destination}"
        );
    }
}

/// The simple content types that a form of another site can send.
///
/// ASVS: V3.5.2
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_pretends_to_be_something_else_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let token = token(&ada).await;
    for kind in [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let request = ada
            .raw("POST", &format!("{path}/comments"))
            .header("sec-fetch-site", "same-origin");
        let request = request
            .header("content-type", kind)
            .body(format!("csrf_token={token}&comment=hi"));
        let status = request.send().await.unwrap().status().as_u16();
        assert!([400, 403, 415].contains(&status), "{kind}: {status}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
}
