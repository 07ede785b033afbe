//! Providers that answer too much, too late, elsewhere or for another.

use serde_json::json;
use test_servers::ProviderReply;

use super::{Works, ada, is_signed_in, told};

/// ASVS: V10.5.3, V15.3.2, V5.2.3
#[tokio::test(flavor = "multi_thread")]
async fn a_description_of_another_issuer_or_with_addresses_of_others_is_not_used() {
    for (how, name, value) in [
        ("another issuer", "issuer", json!("https://evil.example")),
        (
            "no TLS",
            "token_endpoint",
            json!("http://evil.example/token"),
        ),
        (
            "no address",
            "authorization_endpoint",
            json!("javascript:alert(1)"),
        ),
        ("a file", "jwks_uri", json!("file:///etc/passwd")),
        ("no keys", "jwks_uri", json!(null)),
    ] {
        let works = Works::open().await;
        works.provider.behave().description = Some(Box::new(move |all| {
            all.insert(name.to_owned(), value.clone());
        }));
        let browser = works.portal.visitor();
        let page = browser.get("/sign-in").await;
        let answer = browser
            .submit(page.form("form[action^='/sign-in/with/work']"))
            .await;
        assert_eq!(answer.location(), Some("/sign-in"), "{how}");
        assert!(answer.header("refresh").is_none(), "{how}");
    }
}

/// Server-side request forgery: the description leads to a server of this machine that the operator does not list.
///
/// ASVS: V1.3.6, V15.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_description_does_not_lead_dewar_into_the_network() {
    let works = Works::open().await;
    let inside = test_servers::Provider::open(0).await;
    for name in ["token_endpoint", "jwks_uri"] {
        let to = format!("{}/{name}", inside.issuer());
        works
            .portal
            .clock
            .advance(std::time::Duration::from_secs(3601));
        works.provider.behave().now = works.portal.clock.now();
        works.provider.behave().description = Some(Box::new(move |all| {
            all.insert(name.to_owned(), json!(to));
        }));
        let browser = works.portal.visitor();
        works.sign_in(&browser, &ada()).await;
        assert!(!is_signed_in(&browser).await, "{name}");
    }
    works.provider.behave().description = None;
    works.provider.behave().token = ProviderReply::Redirect(format!("{}/token", inside.issuer()));
    works.sign_in(&works.portal.visitor(), &ada()).await;
    assert!(
        inside.behave().asked.is_empty(),
        "{:?}",
        inside.behave().asked
    );
}

/// ASVS: V5.2.3, V15.2.2, V16.5.2
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_late_or_wrong_signs_nobody_in() {
    let works = Works::open_with(&[("DEWAR_HTTPS_OUTGOING_TIMEOUT", "1s")]).await;
    for token in [
        ProviderReply::Giant,
        ProviderReply::Silent,
        ProviderReply::Status(500),
        ProviderReply::Status(204),
        ProviderReply::Redirect("/keys".to_owned()),
    ] {
        works.provider.behave().token = token.clone();
        let browser = works.portal.visitor();
        works.sign_in(&browser, &ada()).await;
        assert!(
            told(&browser).await.contains("does not answer"),
            "{token:?}"
        );
        assert!(!is_signed_in(&browser).await, "{token:?}");
    }
    assert_eq!(works.known().await, (0, 0));
}

/// A provider that hangs is asked by one visitor of many, and then not for a while.
///
/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_answer_is_not_asked_by_each_visitor() {
    let works = Works::open_with(&[("DEWAR_HTTPS_OUTGOING_TIMEOUT", "1s")]).await;
    works.provider.behave().discovery = ProviderReply::Silent;
    for _ in 0..4 {
        let browser = works.portal.visitor();
        let page = browser.get("/sign-in").await;
        browser
            .submit(page.form("form[action^='/sign-in/with/work']"))
            .await;
    }
    let asked = works.provider.behave().asked.values().sum::<usize>();
    assert_eq!(asked, 1);
}
