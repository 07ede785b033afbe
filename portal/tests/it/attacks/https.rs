//! `https`: one reading of every request, and headers on every answer.

use std::time::Duration;

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

/// Bytes that two readers could read in two ways.
///
/// ASVS: V4.2.1, V4.2.2, V4.2.3
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
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
        ),
        (
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd",
            400,
        ),
        (
            "GET /../etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n",
            400,
        ),
        (
            "GET /static/%2e%2e/x HTTP/1.1\r\nhost: localhost\r\n\r\n",
            400,
        ),
        (
            "GET //evil.example HTTP/1.1\r\nhost: localhost\r\n\r\n",
            400,
        ),
        ("TRACE / HTTP/1.1\r\nhost: localhost\r\n\r\n", 405),
    ] {
        let mut socket = visitor.socket().await.unwrap();
        socket.send(request.as_bytes()).await.unwrap();
        let heard = socket.hear(Duration::from_millis(400)).await;
        let status = heard.status().unwrap_or(0);
        let refused = status >= 400;
        if wanted == 0 {
            assert!(refused, "{request}: {}", heard.text());
        } else {
            assert_eq!(status, wanted, "{request}: {}", heard.text());
        }
    }
}

/// ASVS: V3.4.1, V3.4.3, V3.4.4, V3.4.5, V3.4.6
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers_errors_too() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/static/nothing.css"),
        ("GET", "/admin/users"),
        ("GET", path.as_str()),
        ("PUT", "/documents"),
        ("POST", "/documents"),
        ("GET", "/documents?page=x"),
    ] {
        let answer = ada.raw(method, path).send().await.unwrap();
        let policy = answer
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("{method} {path}"));
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{method} {path}"
        );
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            Some("same-origin")
        );
        assert!(
            answer
                .header("cache-control")
                .is_some_and(|value| value.contains("no-store")),
            "{method} {path}"
        );
        assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none());
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

/// ASVS: V4.1.2, V12.2.1
#[tokio::test(flavor = "multi_thread")]
async fn plain_http_only_leads_to_https_on_the_same_host() {
    let portal = Portal::open().await;
    let http = portal.running.http().unwrap();
    let ask = async |request: &str| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = tokio::net::TcpStream::connect(http).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = socket.read_to_string(&mut answer);
        drop(tokio::time::timeout(Duration::from_millis(700), reading).await);
        answer.to_lowercase()
    };
    let answer =
        ask("GET /documents HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(
        answer.starts_with("http/1.1 301") && answer.contains("location: https://localhost:"),
        "{answer}"
    );
    let answer = ask("GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n").await;
    assert!(
        answer.starts_with("http/1.1 421") && !answer.contains("location:"),
        "{answer}"
    );
    let answer = ask("POST /sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("http/1.1 403"), "{answer}");
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
