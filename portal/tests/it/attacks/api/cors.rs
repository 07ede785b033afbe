//! Scripts of other origins (CORS).

use dewar::testing::{Cookies, TestResponse};

use super::{ALL, change};
use crate::company::{Portal, document};

const APP: &str = "https://app.example";
const LISTED: (&str, &str) = ("DEWAR_API_CORS_ORIGINS", APP);

/// Origins that are nearly the listed one.
const OTHERS: [&str; 6] = [
    "https://evil.test",
    "null",
    "http://app.example",
    "https://app.example.evil.test",
    "https://sub.app.example",
    "https://app.example:8443",
];

/// What would let a script read it.
fn allows(answer: &TestResponse) -> [Option<&str>; 2] {
    let header = |name| answer.header(name);
    [
        header("access-control-allow-origin"),
        header("access-control-allow-credentials"),
    ]
}

/// The token may be right: a page that got hold of it uses it from no visitor's browser.
///
/// ASVS: V3.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_another_origin_reads_nothing() {
    for settings in [&[][..], &[LISTED]] {
        let portal = Portal::open_with(settings).await;
        let path = document(&portal.member("ada").await, "Plan").await;
        let path = format!("/api{path}");
        let (token, _) = portal.api_token("ada", &ALL).await;
        let send = async |method: &str, path: &str, origin: &str| {
            let raw = portal.program(&token, method, path);
            let raw = raw
                .header("origin", origin)
                .header("sec-fetch-site", "cross-site");
            let raw = raw.header("content-type", "application/json");
            raw.body(change().to_string()).send().await.unwrap()
        };
        let before = portal.everything();
        for origin in OTHERS {
            for (method, path) in [("GET", "/api/documents"), ("GET", &path), ("POST", &path)] {
                let answer = send(method, path, origin).await;
                assert_eq!(answer.status(), 403, "{method} {path} {origin}");
                assert_eq!(allows(&answer), [None; 2], "{method} {path} {origin}");
                assert!(!answer.text().contains("Plan"));
            }
        }
        // The origin that is listed for reading changes nothing either.
        assert_eq!(send("POST", &path, APP).await.status(), 403);
        assert_eq!(portal.everything(), before);
        assert!(portal.log().await.contains("malicious_cors"));
        let answer = send("GET", &path, APP).await;
        let expected = if settings.is_empty() {
            (403, [None; 2])
        } else {
            (200, [Some(APP), None])
        };
        assert_eq!((answer.status().as_u16(), allows(&answer)), expected);
        portal.running.stop().await.unwrap();
    }
}

/// A preflight costs no session and no query, and allows no credentials.
///
/// ASVS: V3.4.2, V3.5.2
#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_with_cookies_allows_no_credentials_and_no_other_origin() {
    let portal = Portal::open_with(&[LISTED]).await;
    let ada = portal.member("ada").await;
    let path = format!("/api{}", document(&ada, "Plan").await);
    let ask = async |path: &str, origin: &str, method: &str| {
        let raw = ada.raw("OPTIONS", path).cookies(Cookies::All);
        let raw = raw.header("origin", origin);
        let raw = raw.header("access-control-request-method", method);
        let raw = raw.header("access-control-request-headers", "authorization");
        raw.send().await.unwrap()
    };
    let before = portal.db().statements();
    for origin in OTHERS {
        let answer = ask(&path, origin, "GET").await;
        assert_eq!(allows(&answer), [None; 2], "{origin}");
        assert_eq!(answer.status(), 403, "{origin}");
    }
    for (path, method) in [(&*path, "POST"), ("/api/documents", "DELETE")] {
        let answer = ask(path, APP, method).await;
        let methods = answer.header("access-control-allow-methods");
        assert!(!methods.unwrap_or_default().contains(method), "{method}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    let answer = ask(&path, APP, "GET").await;
    assert_eq!(allows(&answer), [Some(APP), None], "{}", answer.status());
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(portal.db().statements(), before);
    // A page for people has no answer for a script.
    let answer = ask("/documents", APP, "GET").await;
    assert_eq!(allows(&answer), [None; 2], "{}", answer.status());
    portal.running.stop().await.unwrap();
}
