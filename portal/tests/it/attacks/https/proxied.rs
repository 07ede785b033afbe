//! A portal behind a configured proxy, and visitors who send headers that only the proxy may set.

use dewar::testing::Browser;

use crate::company::{PASSWORD, Portal};

const TRUSTING: [(&str, &str); 3] = [
    ("DEWAR_HTTPS_TRUSTED_PROXIES", "127.0.0.1"),
    ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for"),
    ("DEWAR_ACCOUNTS_RATE_LIMIT", "3"),
];

/// Tries to sign in with a chain whose last address the proxy appended, and returns the status.
async fn try_to_sign_in(browser: &Browser, chain: &str, password: &str) -> u16 {
    let page = browser.get("/sign-in").await;
    let form = page
        .form("/sign-in")
        .fill("email", "ada@example.org")
        .fill("password", password);
    let (kind, body) = form.encoded();
    let request = browser
        .raw("POST", "/sign-in")
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-for", chain)
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("x-forwarded-port", "80")
        .header("forwarded", "for=203.0.113.9;host=evil.example")
        .header("x-real-ip", "203.0.113.9")
        .header("content-type", kind)
        .body(body);
    request.send().await.unwrap().status().as_u16()
}

/// A rate limit by address is worth nothing if the attacker can choose the address.
///
/// ASVS: V4.1.3, V15.3.4, V6.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_behind_a_proxy_cannot_choose_an_address() {
    let portal = Portal::open_with(&TRUSTING).await;
    let mut statuses = Vec::new();
    for number in 0..5 {
        let attacker = portal.visitor();
        let chain = format!("203.0.113.{number}, \"evil, 198.51.100.7");
        statuses.push(try_to_sign_in(&attacker, &chain, "wrong").await);
    }
    let last = statuses.split_off(3);
    assert!(!statuses.contains(&429), "{statuses:?}");
    assert_eq!(last, [429, 429]);
    // Every other visitor comes through the same proxy, and is not limited.
    let ada = portal.visitor();
    assert_ne!(try_to_sign_in(&ada, "198.51.100.8", PASSWORD).await, 429);
    let log = portal.log().await;
    assert!(log.contains("198.51.100.7"), "{log}");
    for written in ["203.0.113", "evil"] {
        assert!(!log.contains(written), "{log}");
    }
}

/// The same headers from a client that is not the proxy.
///
/// ASVS: V4.1.3
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_the_proxy_cannot_speak_for_anyone() {
    let mut settings = TRUSTING;
    settings[0].1 = "10.0.0.1";
    let portal = Portal::open_with(&settings).await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        let chain = format!("198.51.100.{number}");
        statuses.push(try_to_sign_in(&portal.visitor(), &chain, "wrong").await);
    }
    assert_eq!(statuses.pop(), Some(429), "{statuses:?}");
    let log = portal.log().await;
    assert!(
        log.contains("127.0.0.1") && !log.contains("198.51.100"),
        "{log}"
    );
}
