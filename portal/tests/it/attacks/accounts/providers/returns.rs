//! Returns that are of another browser, of another provider, or not the first.

use std::time::Duration;

use test_servers::{Provider, ProviderUser};

use super::{Works, ada, is_signed_in, leave, told};

/// Login CSRF: the attacker sends the victim a return of the attacker's own sign-in (RFC 9700, 4.7.1).
///
/// ASVS: V10.1.2, V10.2.1, V10.4.8
#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_another_browser_signs_nobody_in_and_ends_no_sign_in_under_way() {
    let works = Works::open().await;
    let eve = ProviderUser::verified("subject-of-eve", "eve@example.org");
    let attacker = works.portal.visitor();
    let of_eve = works.returned(&attacker, &eve).await;
    let victim = works.portal.visitor();
    for _ in 0..2 {
        let answer = works.come_back(&victim, &of_eve).await;
        assert_eq!(answer.location(), Some("/sign-in"));
        assert!(!is_signed_in(&victim).await);
    }
    // The same while the victim is on the way.
    let of_ada = works.returned(&victim, &ada()).await;
    works.come_back(&victim, &of_eve).await;
    assert!(told(&victim).await.contains("began in another browser"));
    assert!(!is_signed_in(&victim).await);
    assert_eq!(works.known().await, (0, 0));
    works.come_back(&victim, &of_ada).await;
    assert!(victim.get("/account").await.text().contains("ada"));
    works.come_back(&attacker, &of_eve).await;
    assert!(is_signed_in(&attacker).await, "the browser that began");
}

/// The state of the victim's own sign-in with a code of the attacker: the nonce and the verifier are not of this code.
///
/// ASVS: V10.4.6, V10.5.1
#[tokio::test(flavor = "multi_thread")]
async fn an_injected_code_opens_nothing() {
    let works = Works::open().await;
    let eve = ProviderUser::verified("subject-of-eve", "eve@example.org");
    for careless in [false, true] {
        works.provider.behave().is_careless = careless;
        let of_eve = works.returned(&works.portal.visitor(), &eve).await;
        let victim = works.portal.visitor();
        let of_victim = works.returned(&victim, &ada()).await;
        let state = of_victim.split("state=").nth(1).unwrap();
        let code = of_eve.split("&state=").next().unwrap();
        let mixed = format!("{code}&state={state}");
        works.come_back(&victim, &mixed).await;
        assert!(!is_signed_in(&victim).await, "careless: {careless}");
        assert_eq!(works.known().await, (0, 0));
    }
}

/// ASVS: V10.4.2, V10.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_return_counts_once_even_if_the_provider_takes_its_code_again() {
    let works = Works::open().await;
    works.provider.behave().is_careless = true;
    let browser = works.portal.visitor();
    let back = works.returned(&browser, &ada()).await;
    let cookie = browser
        .cookie("__Host-provider")
        .unwrap()
        .value()
        .to_owned();
    works.come_back(&browser, &back).await;
    assert!(is_signed_in(&browser).await);
    assert!(browser.cookie("__Host-provider").is_none());
    let thief = works.portal.visitor();
    thief.plant_cookie("__Host-provider", &cookie);
    works.come_back(&thief, &back).await;
    assert!(!is_signed_in(&thief).await);
    assert!(works.portal.log().await.contains("authn_token_reuse"));
    // One that nobody used is over after ten minutes.
    let late = works.portal.visitor();
    let back = works.returned(&late, &ada()).await;
    let cookie = late.cookie("__Host-provider").unwrap().value().to_owned();
    works.portal.clock.advance(Duration::from_secs(600));
    late.plant_cookie("__Host-provider", &cookie);
    works.come_back(&late, &back).await;
    assert!(!is_signed_in(&late).await);
}

/// Two providers, one of them hostile: what begins at one ends at the same one (RFC 9207; RFC 9700, 4.4).
///
/// ASVS: V10.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_another_provider_opens_nothing() {
    let evil = Provider::open(0).await;
    let internal = evil.issuer().to_owned();
    let more = [
        ("DEWAR_ACCOUNTS_PROVIDERS_EVIL_ISSUER", evil.issuer()),
        ("DEWAR_ACCOUNTS_PROVIDERS_EVIL_CLIENT_ID", evil.client_id()),
    ];
    let works = Works::open_beside(&more, &internal).await;
    let browser = works.portal.visitor();
    let back = works.returned(&browser, &ada()).await;
    let at_evil = back.replace("/sign-in/return/work", "/sign-in/return/evil");
    works.come_back(&browser, &at_evil).await;
    assert!(!is_signed_in(&browser).await, "another redirect URI");
    let (before, _) = back.split_once("&iss=").unwrap();
    for iss in [
        String::new(),
        format!("&iss={}", evil.issuer()),
        "&iss=".to_owned(),
    ] {
        let browser = works.portal.visitor();
        let back = works.returned(&browser, &ada()).await;
        let (before, _) = back.split_once("&iss=").unwrap();
        works.come_back(&browser, &format!("{before}{iss}")).await;
        assert!(!is_signed_in(&browser).await, "{iss}");
    }
    assert_eq!(works.known().await, (0, 0));
    works.come_back(&browser, before).await;
    let browser = works.portal.visitor();
    let left = leave(&browser, "/sign-in", "/sign-in/with/work").await;
    assert!(left.starts_with(works.provider.issuer()));
    works
        .come_back(&browser, &works.provider.allow(&left, &ada()))
        .await;
    assert!(is_signed_in(&browser).await);
}

/// ASVS: V14.2.1, V16.2.5
#[tokio::test(flavor = "multi_thread")]
async fn no_log_and_no_row_has_what_a_return_carries() {
    let works = Works::open().await;
    let browser = works.portal.visitor();
    let back = works.returned(&browser, &ada()).await;
    works.come_back(&browser, &back).await;
    let denied = works.returned(&works.portal.visitor(), &ada()).await;
    works.come_back(&works.portal.visitor(), &denied).await;
    let kept = works.portal.everything() + &works.portal.log().await;
    for address in [back, denied] {
        for part in ["code=", "state="] {
            let value = address.split(part).nth(1).unwrap();
            let value = value.split('&').next().unwrap();
            assert!(value.len() > 15 && !kept.contains(value), "{part}");
        }
    }
}

/// A user who says no there, and a return without a code.
///
/// ASVS: V10.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_return_with_an_error_opens_nothing_and_says_so() {
    let works = Works::open().await;
    for (instead, said) in [
        ("error=access_denied", "You cancelled"),
        ("error=server_error&code=x", "did not work"),
        ("code=", "did not work"),
        ("a=b", "did not work"),
    ] {
        let browser = works.portal.visitor();
        let back = works.returned(&browser, &ada()).await;
        let (at, rest) = back.split_once("code=").unwrap();
        let (_, rest) = rest.split_once('&').unwrap();
        works
            .come_back(&browser, &format!("{at}{instead}&{rest}"))
            .await;
        assert!(told(&browser).await.contains(said), "{instead}");
        assert!(!is_signed_in(&browser).await, "{instead}");
    }
    assert_eq!(works.known().await, (0, 0));
}
