//! Scripts of other origins.

use super::{APP, Site};

const EVIL: &str = "https://evil.example";

/// ASVS: V3.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_listed_origin_reads_and_no_other_does() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.service(&["tickets_read"]).await);
    let call = async |origin: &str| {
        let headers = [
            ("authorization", &*bearer),
            ("origin", origin),
            ("sec-fetch-site", "cross-site"),
        ];
        site.call_with("GET", "/api/tickets", &headers).await
    };
    let answer = call(APP).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
    assert!(
        vary.iter()
            .any(|line| line.to_str().unwrap().contains("origin")),
        "{vary:?}"
    );
    for other in [
        EVIL,
        "null",
        "https://app.example.evil.example",
        "http://app.example",
    ] {
        let answer = call(other).await;
        assert_eq!(answer.status(), 403, "{other}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{other}"
        );
    }
    assert!(site.log().await.contains("malicious_cors"));
    // A route without a list is for programs and our own pages alone.
    let headers = [("authorization", &*bearer), ("origin", APP)];
    assert_eq!(
        site.call_with("GET", "/api/me", &headers).await.status(),
        403
    );
    let own = site.running.url().to_owned();
    let headers = [
        ("authorization", &*bearer),
        ("origin", own.trim_end_matches('/')),
    ];
    assert_eq!(
        site.call_with("GET", "/api/tickets", &headers)
            .await
            .status(),
        200
    );
    site.running.stop().await.unwrap();
}

/// A refused request tells the listed origin's script why; it could not read the problem otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_listed_origin_reads_problems_too() {
    let site = Site::open().await;
    let answer = site
        .call_with("GET", "/api/tickets", &[("origin", APP)])
        .await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    site.running.stop().await.unwrap();
}

/// ASVS: V3.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_without_a_query_and_for_its_route_alone() {
    let site = Site::open().await;
    let browser = site.signed_in("ada", &[]).await;
    let ask = async |path: &str, origin: &str, method: &str, headers: &str| {
        // The browser sends its cookies too, which no browser does with a preflight.
        let request = browser.raw("OPTIONS", path).header("origin", origin);
        let request = request
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers);
        request.send().await.unwrap()
    };
    let spent = site
        .statements(async || {
            let answer = ask("/api/tickets", APP, "POST", "authorization,content-type").await;
            assert_eq!(answer.status(), 204);
            assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
            assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
            assert_eq!(answer.header("access-control-max-age"), Some("600"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            for (path, origin, method, headers) in [
                ("/api/tickets", EVIL, "GET", "authorization"),
                ("/api/tickets", "null", "GET", "authorization"),
                ("/api/tickets", APP, "DELETE", "authorization"),
                ("/api/tickets", APP, "GET", "cookie"),
                ("/api/me", APP, "GET", "authorization"),
            ] {
                let answer = ask(path, origin, method, headers).await;
                assert_eq!(answer.status(), 403, "{path} {origin} {method} {headers}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        })
        .await;
    assert_eq!(spent, 0);
    // Other routes know no preflight.
    let answer = ask("/mine", APP, "GET", "").await;
    assert_ne!(answer.status(), 204);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    site.running.stop().await.unwrap();
}

/// A public read is for every origin, and nobody's session is read for one.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_read_of_another_origin_has_no_session() {
    let site = Site::open().await;
    let browser = site.signed_in("ada", &[]).await;
    for (path, origin, status, allowed) in [
        ("/status", EVIL, 200, Some("*")),
        ("/status", "null", 200, Some("*")),
        ("/news", APP, 200, Some(APP)),
        ("/news", EVIL, 403, None),
        ("/", APP, 403, None),
    ] {
        let spent = site
            .statements(async || {
                let request = browser.raw("GET", path).header("origin", origin);
                let request = request
                    .header("sec-fetch-site", "cross-site")
                    .header("sec-fetch-mode", "cors")
                    .header("sec-fetch-dest", "empty");
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), status, "{path} {origin}");
                assert_eq!(
                    answer.header("access-control-allow-origin"),
                    allowed,
                    "{path} {origin}"
                );
                assert_eq!(answer.header("access-control-allow-credentials"), None);
            })
            .await;
        assert_eq!(spent, 0, "{path} {origin}");
    }
    site.running.stop().await.unwrap();
}
