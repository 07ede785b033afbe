//! The page for developers: who reads it, and what it says.

use dewar::testing::Cookies;

use crate::company::{Portal, address, sign_in};

const PAGE: &str = "/dewar";

/// It shows routes, requests and settings of development, and no value that anybody sent.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_developers_shows_no_value_of_a_request_or_a_setting() {
    let portal = Portal::open_with(&[("DEWAR_NAME", "Quiet-Name-7")]).await;
    let ada = portal.member("ada").await;
    let wrong = portal.visitor();
    let refused = sign_in(&wrong, &address("ada"), "a wrong password that nobody has").await;
    assert_eq!(refused.status(), 422);
    for path in [
        "/documents?search=hidden-word",
        "/no-such-place/hidden-word",
    ] {
        drop(ada.get(path).await);
    }
    let page = portal.visitor().get(PAGE).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let text = page.text();
    for part in [
        "/documents/{id}/edit",
        "role:member",
        "limit 600/60s:token@api",
        "form: ",
        "documents/list.html",
        "letters/accounts/reset",
        "remove-old-notices",
        "DEWAR_SESSIONS_IDLE",
        "no route",
        "/sign-in",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let hidden = [
        "hidden-word",
        "ada@example.org",
        "nobody has",
        "Quiet-Name-7",
    ];
    for part in hidden {
        assert!(!text.contains(part), "{part}: {text}");
    }
    // Requests for the page itself are not among the requests, so reading it changes nothing.
    assert_eq!(
        portal
            .visitor()
            .get(PAGE)
            .await
            .text()
            .matches("<td>GET</td>")
            .count(),
        text.matches("<td>GET</td>").count()
    );
    // Other sites neither frame it nor read it.
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(
        page.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
    assert_eq!(page.header("access-control-allow-origin"), None);
}

/// A name of a stranger that leads to this machine (DNS rebinding, CWE-350) is no name of the application.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_developers_is_no_page_under_the_name_of_another_host() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    for host in ["evil.test", "evil.test:8443", "127.0.0.1.evil.test"] {
        let request = visitor.raw("GET", PAGE).cookies(Cookies::No);
        let response = request.header("host", host).send().await.unwrap();
        assert_eq!(response.status(), 421, "{host}");
    }
    for path in ["/dewar/", "/dewar/x"] {
        let response = visitor.raw("GET", path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    let posted = visitor
        .raw("POST", PAGE)
        .header("sec-fetch-site", "same-origin");
    assert_ne!(posted.form("").send().await.unwrap().status(), 200);
    assert_eq!(visitor.get(PAGE).await.status(), 200);
}

/// Development on a machine that others reach, through a proxy that is near.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_developers_is_for_this_machine_alone() {
    let portal = Portal::open_with(&[
        ("DEWAR_HTTPS_TRUSTED_PROXIES", "127.0.0.1"),
        ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for"),
    ])
    .await;
    let visitor = portal.visitor();
    for from in [
        "127.0.0.1",
        "198.51.100.7",
        "2001:db8::7",
        "198.51.100.7, 127.0.0.1",
    ] {
        let request = visitor.raw("GET", PAGE).header("x-forwarded-for", from);
        assert_eq!(request.send().await.unwrap().status(), 404, "{from}");
    }
}

/// A tunnel on this machine, which brings strangers in, says so in headers, and nobody told Dewar of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_developers_and_the_mailbox_are_in_no_tunnel() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let said = [
        ("forwarded", "for=198.51.100.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "portal.example"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "198.51.100.7"),
        ("via", "1.1 tunnel"),
    ];
    for path in [PAGE, "/dewar/mail"] {
        assert_eq!(visitor.get(path).await.status(), 200, "{path}");
        for (name, value) in said {
            let request = visitor.raw("GET", path).header(name, value);
            assert_eq!(request.send().await.unwrap().status(), 404, "{path} {name}");
        }
    }
}
