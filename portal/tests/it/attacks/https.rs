//! `https`: every request has one reading, and every response its headers.

mod acme;
mod behind;
mod floods;
mod proxied;
mod reading;
mod reports;
mod slow;
mod tls;

use dewar::testing::{PATIENCE, TestResponse};

use crate::company::{Portal, document};

/// ASVS: V4.1.3, V13.4.5
#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_host_is_refused() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "evil.example:443",
    ] {
        let status = visitor
            .raw("GET", "/")
            .header("host", host)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16();
        assert!([400, 421].contains(&status), "{host}: {status}");
    }
    assert_eq!(visitor.get("/").await.status(), 200);
}

/// An address that two parsers could read differently.
///
/// ASVS: V4.2.1, V4.2.3
#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_readings_is_refused() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    for (request, wanted) in [
        ("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", 200),
        (
            "GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        (
            "GET https://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n",
            0,
        ),
        (
            "GET //evil.example HTTP/1.1\r\nhost: localhost\r\n\r\n",
            400,
        ),
    ] {
        let mut socket = visitor.socket().await.unwrap();
        socket.send(request.as_bytes()).await.unwrap();
        let heard = socket.hear(PATIENCE).await;
        let status = heard.status().unwrap_or(0);
        let refused = status >= 400;
        if wanted == 0 {
            assert!(refused, "{request}: {}", heard.text());
        } else {
            assert_eq!(status, wanted, "{request}: {}", heard.text());
        }
    }
}

/// Every response has the headers, whatever produces it: the early checks, the router, a failed handler, static files, the
/// listener for plain HTTP.
///
/// ASVS: V3.4.3, V3.4.4, V3.4.5, V3.4.6, V3.4.8, V4.1.1, V13.4.6, V16.5.1
#[tokio::test]
async fn no_answer_is_without_its_headers_not_even_a_broken_one() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let style = ada
        .get("/")
        .await
        .attribute("link[rel=stylesheet]", "href")
        .unwrap();
    let broken = format!("{}/file", document(&ada, "Plan").await);
    let sql = "UPDATE documents SET file_id = 'no file has this name'";
    assert_eq!(portal.db().execute(sql, []).await.unwrap(), 1);
    let http = format!(
        "http://localhost:{}/",
        portal.running.http().unwrap().port()
    );
    let requests = [
        (500, ada.raw("GET", &broken).header("accept", "text/html")),
        (
            500,
            ada.raw("GET", &broken).header("accept", "application/json"),
        ),
        (200, ada.raw("GET", "/")),
        (400, ada.raw("GET", "/documents?page=x")),
        (403, ada.raw("GET", "/admin/users")),
        (404, ada.raw("GET", "/nothing")),
        (
            405,
            ada.raw("DELETE", "/account")
                .header("sec-fetch-site", "same-origin"),
        ),
        (405, ada.raw("TRACE", "/")),
        (403, ada.raw("POST", "/sign-out")),
        (421, ada.raw("GET", "/").header("host", "evil.example")),
        (414, ada.raw("GET", &format!("/{}", "a".repeat(9_000)))),
        (200, ada.raw("GET", &style)),
        (404, ada.raw("GET", "/static/nothing.css")),
        (301, ada.raw("GET", &http)),
        (403, ada.raw("POST", &http)),
    ];
    for (status, request) in requests {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{}", answer.url());
        has_its_headers(&answer);
        let kept = answer.header("cache-control").unwrap_or_default();
        let is_public = answer.url().ends_with(&style);
        assert_eq!(kept.contains("no-store"), !is_public, "{status}: {kept}");
        let text = answer.text().to_lowercase();
        assert!(
            !text.contains("no file has") && !text.contains("uploads"),
            "{text}"
        );
    }
}

fn has_its_headers(answer: &TestResponse) {
    let what = format!("{} {}", answer.status(), answer.url());
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    for name in ["server", "x-powered-by", "via", "x-aspnet-version"] {
        assert!(answer.header(name).is_none(), "{what}: {name}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    if !answer.bytes().is_empty() {
        let kind = answer.header("content-type").unwrap();
        let is_said = !kind.starts_with("text/") || kind.contains("charset=utf-8");
        assert!(is_said, "{what}: {kind}");
    }
}

/// ASVS: V3.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_is_never_the_same() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let policy = async || {
        visitor
            .get("/")
            .await
            .header("content-security-policy")
            .unwrap()
            .to_owned()
    };
    let (one, two) = (policy().await, policy().await);
    assert!(one.contains("'nonce-"));
    assert_ne!(one, two);
}

/// ASVS: V4.2.5, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_and_addresses_without_end_are_refused() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let long = visitor
        .raw("GET", &format!("/{}", "a".repeat(9_000)))
        .send()
        .await
        .unwrap();
    assert_eq!(long.status(), 414);
    let large = visitor
        .raw("GET", "/")
        .header("x-large", "a".repeat(40_000))
        .send()
        .await;
    assert!(large.is_err() || large.is_ok_and(|answer| answer.status() == 431));
    let mut many = visitor.raw("GET", "/");
    for number in 0..200 {
        many = many.header(&format!("x-{number}"), "a");
    }
    let many = many.send().await;
    assert!(many.is_err() || many.is_ok_and(|answer| answer.status() == 431));
}
