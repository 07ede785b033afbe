//! `https`: every answer is protected, errors too.

mod production;

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_every_header() {
    let site = Site::open().await;
    for path in ["/", "/sign-in", "/nothing", "/static/nothing.css", "/notes"] {
        let answer = site.visitor.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}");
        }
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert!(
            answer.header("strict-transport-security").is_none(),
            "not with the local authority"
        );
        assert!(answer.header("server").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_on_the_list_is_refused() {
    let site = Site::open().await;
    let answer = site
        .visitor
        .raw("GET", "/")
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 421);
}
