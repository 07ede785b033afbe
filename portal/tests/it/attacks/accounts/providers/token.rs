//! ID tokens that are not for this sign-in, or not of this provider.

use serde_json::{Map, Value, json};
use test_servers::TokenSigning;

use super::{Works, ada, is_signed_in, told};

type Change = fn(&mut Map<String, Value>);

const CHANGES: [(&str, Change); 16] = [
    ("another issuer", |claims| {
        set(claims, "iss", json!("https://evil.example"))
    }),
    ("no issuer", |claims| remove(claims, "iss")),
    ("another audience", |claims| {
        set(claims, "aud", json!("another"))
    }),
    ("two audiences", |claims| {
        set(claims, "aud", json!(["portal", "another"]))
    }),
    ("no audience", |claims| remove(claims, "aud")),
    ("another party", |claims| {
        set(claims, "azp", json!("another"))
    }),
    ("another nonce", |claims| {
        set(claims, "nonce", json!("another"))
    }),
    ("no nonce", |claims| remove(claims, "nonce")),
    ("an empty nonce", |claims| set(claims, "nonce", json!(""))),
    ("expired", |claims| later(claims, "exp", -361)),
    ("no end", |claims| remove(claims, "exp")),
    ("of long ago", |claims| later(claims, "iat", -61)),
    ("of the future", |claims| later(claims, "iat", 61)),
    ("not yet", |claims| {
        let issued = claims["iat"].clone();
        set(claims, "nbf", issued);
        later(claims, "nbf", 61);
    }),
    ("no subject", |claims| remove(claims, "sub")),
    ("an empty subject", |claims| set(claims, "sub", json!(""))),
];

fn set(claims: &mut Map<String, Value>, name: &str, value: Value) {
    claims.insert(name.to_owned(), value);
}

fn remove(claims: &mut Map<String, Value>, name: &str) {
    claims.remove(name);
}

fn later(claims: &mut Map<String, Value>, name: &str, seconds: i64) {
    let time = claims[name].as_i64().unwrap() + seconds;
    set(claims, name, json!(time));
}

async fn is_refused(works: &Works, how: &str) {
    let browser = works.portal.visitor();
    let answer = works.sign_in(&browser, &ada()).await;
    assert_eq!(
        (answer.status().as_u16(), answer.location()),
        (303, Some("/sign-in")),
        "{how}"
    );
    assert!(told(&browser).await.contains("did not work"), "{how}");
    assert!(!is_signed_in(&browser).await, "{how}");
    assert_eq!(works.known().await, (0, 0), "{how}");
}

/// ASVS: V9.2.1, V9.2.2, V9.2.3, V9.2.4, V10.5.1, V10.5.3, V10.5.4
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_this_sign_in_opens_nothing() {
    let works = Works::open().await;
    for (how, change) in CHANGES {
        works.provider.behave().claims = Some(Box::new(change));
        is_refused(&works, how).await;
    }
    works.provider.behave().claims = None;
    let browser = works.portal.visitor();
    works.sign_in(&browser, &ada()).await;
    assert!(is_signed_in(&browser).await, "the same without a change");
}

/// ASVS: V9.1.1, V9.1.2, V9.1.3
#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_signature_of_the_providers_key_opens_nothing() {
    let works = Works::open().await;
    for signing in [
        TokenSigning::Unsigned,
        TokenSigning::HmacWithPublicKey,
        TokenSigning::ForeignKey,
        TokenSigning::Damaged,
    ] {
        works.provider.behave().signing = signing;
        is_refused(&works, &format!("{signing:?}")).await;
    }
    // A description that lists what is not accepted changes nothing.
    works.provider.behave().description = Some(Box::new(|all| {
        let every = json!(["none", "HS256", "ES256"]);
        all.insert("id_token_signing_alg_values_supported".to_owned(), every);
    }));
    works
        .portal
        .clock
        .advance(std::time::Duration::from_secs(3601));
    works.provider.behave().now = works.portal.clock.now();
    for signing in [TokenSigning::Unsigned, TokenSigning::HmacWithPublicKey] {
        works.provider.behave().signing = signing;
        is_refused(&works, &format!("{signing:?}, listed")).await;
    }
    works.provider.behave().signing = TokenSigning::Right;
    let browser = works.portal.visitor();
    works.sign_in(&browser, &ada()).await;
    assert!(is_signed_in(&browser).await);
}

/// A new key signs people in at once; keys that nobody has cost one request a minute.
///
/// ASVS: V9.1.3
#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_fetched_and_made_up_keys_cause_no_flood_of_requests() {
    let works = Works::open().await;
    let asked = |works: &Works| works.provider.behave().asked.get("/keys").copied();
    works.sign_in(&works.portal.visitor(), &ada()).await;
    assert_eq!(asked(&works), Some(1));
    works
        .portal
        .clock
        .advance(std::time::Duration::from_secs(61));
    works.provider.behave().now = works.portal.clock.now();
    works.provider.rotate();
    let browser = works.portal.visitor();
    works.sign_in(&browser, &ada()).await;
    assert!(is_signed_in(&browser).await);
    assert_eq!(asked(&works), Some(2));
    works.provider.rotate();
    for _ in 0..5 {
        works.sign_in(&works.portal.visitor(), &ada()).await;
    }
    assert_eq!(
        asked(&works),
        Some(2),
        "within a minute the keys are not fetched again"
    );
}
