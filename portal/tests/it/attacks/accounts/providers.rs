//! Sign-in with a provider (OpenID Connect): nobody signs in with a token, a return or an identity that is not theirs.

mod linked;
mod misbehaving;
mod returns;
mod token;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dewar::testing::{Browser, TestResponse};
use tempfile::TempDir;
use test_servers::{Provider, ProviderUser};

use crate::attacks::csrf::everywhere::own_token;
use crate::company::{PASSWORD, Portal, sign_in};

/// A portal whose settings have one provider, `work`.
pub(super) struct Works {
    pub(super) portal: Portal,
    pub(super) provider: Provider,
    _secret: TempDir,
}

const ISSUER: &str = "DEWAR_ACCOUNTS_PROVIDERS_WORK_ISSUER";
const CLIENT: &str = "DEWAR_ACCOUNTS_PROVIDERS_WORK_CLIENT_ID";
const SECRET: &str = "DEWAR_ACCOUNTS_PROVIDERS_WORK_CLIENT_SECRET_FILE";
const INTERNAL: &str = "DEWAR_HTTPS_OUTGOING_INTERNAL";

impl Works {
    pub(super) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With more settings, named as in the environment.
    pub(super) async fn open_with(more: &[(&str, &str)]) -> Self {
        Self::open_beside(more, "").await
    }

    /// Beside another server of this machine that the portal may ask.
    pub(super) async fn open_beside(more: &[(&str, &str)], other: &str) -> Self {
        let provider = Provider::open(0).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, format!("{}\n", provider.client_secret())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let mut settings = vec![
            (ISSUER, provider.issuer()),
            (CLIENT, provider.client_id()),
            (SECRET, file.to_str().unwrap()),
            ("DEWAR_ACCOUNTS_RATE_LIMIT", "1000"),
        ];
        let internal = [provider.issuer(), other].join(",");
        settings.push((INTERNAL, internal.trim_end_matches(',')));
        settings.extend(more);
        let portal = Portal::open_with(&settings).await;
        provider.behave().now = portal.clock.now();
        Self {
            portal,
            provider,
            _secret: folder,
        }
    }

    /// The return of a browser that leaves for the provider, whose user allows it. The browser has not opened it yet.
    pub(super) async fn returned(&self, browser: &Browser, user: &ProviderUser) -> String {
        let left = leave(browser, "/sign-in", "/sign-in/with/work").await;
        self.provider.allow(&left, user)
    }

    /// Opens an address as the provider's page does.
    pub(super) async fn come_back(&self, browser: &Browser, to: &str) -> TestResponse {
        browser.as_cross_site(self.provider.issuer()).get(to).await
    }

    /// The whole way, as the user.
    pub(super) async fn sign_in(&self, browser: &Browser, user: &ProviderUser) -> TestResponse {
        let back = self.returned(browser, user).await;
        self.come_back(browser, &back).await
    }

    /// How many accounts and identities there are.
    pub(super) async fn known(&self) -> (i64, i64) {
        let users = self.portal.count("SELECT count(*) FROM dewar_users").await;
        let identities = "SELECT count(*) FROM dewar_identities";
        (users, self.portal.count(identities).await)
    }
}

/// Presses a provider's button on a page: the address to which the browser goes.
pub(super) async fn leave(browser: &Browser, page: &str, button: &str) -> String {
    let page = browser.get(page).await;
    let form = format!("form[action^='{button}']");
    let answer = browser.submit(page.form(&form)).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let refresh = answer.header("refresh").unwrap();
    let address = refresh.strip_prefix("0;url=").unwrap().to_owned();
    assert_eq!(answer.attribute("main a", "href").unwrap(), address);
    address
}

pub(super) async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status() == 200
}

/// The message on the next page.
pub(super) async fn told(browser: &Browser) -> String {
    let page = browser.get("/sign-in").await;
    page.text()
}

pub(super) fn ada() -> ProviderUser {
    ProviderUser::verified("subject-of-ada", "ada@example.org")
}

/// The way without an attack: an account, a session under a new token, and the same account the next time.
///
/// ASVS: V10.1.2, V10.2.1, V10.5.1, V10.5.3, V10.5.4, V7.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_provider_gets_one_account_and_nobody_keeps_the_providers_tokens() {
    let works = Works::open().await;
    let browser = works.portal.visitor();
    let answer = works.sign_in(&browser, &ada()).await;
    assert_eq!(
        (answer.status().as_u16(), answer.location()),
        (303, Some("/"))
    );
    assert!(is_signed_in(&browser).await);
    let again = works.portal.visitor();
    works.sign_in(&again, &ada()).await;
    assert!(is_signed_in(&again).await);
    assert_eq!(works.known().await, (1, 1));
    // The address may change at the provider; the subject is who it is.
    let renamed = ProviderUser::verified("subject-of-ada", "lovelace@example.org");
    let third = works.portal.visitor();
    works.sign_in(&third, &renamed).await;
    assert!(is_signed_in(&third).await);
    assert_eq!(works.known().await, (1, 1));
    let kept = works.portal.everything() + &works.portal.log().await;
    assert!(!kept.contains("that-nobody-keeps") && !kept.contains(works.provider.client_secret()));
}

/// ASVS: V7.2.4, V10.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_with_the_provider_ends_the_session_before_and_takes_none_from_outside() {
    let works = Works::open().await;
    let browser = works.portal.member("eve").await;
    let before = browser.cookie("__Host-session").unwrap();
    works.sign_in(&browser, &ada()).await;
    let after = browser.cookie("__Host-session").unwrap();
    assert_ne!(before.value(), after.value());
    assert!(browser.get("/account").await.text().contains("ada"));
    let with_the_old = works.portal.visitor();
    with_the_old.plant_cookie("__Host-session", before.value());
    assert!(!is_signed_in(&with_the_old).await);
}

/// ASVS: V3.4.3, V10.2.1, V4.1.2
#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_provider_widens_no_policy_and_begins_on_our_own_page_alone() {
    let works = Works::open().await;
    let browser = works.portal.visitor();
    let page = browser.get("/sign-in").await;
    let form = page.form("form[action^='/sign-in/with/work']");
    let forged = browser
        .as_cross_site("https://evil.example")
        .sending_all_cookies();
    assert_eq!(forged.submit(form).await.status(), 403);
    let answer = browser
        .submit(page.form("form[action^='/sign-in/with/work']"))
        .await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let left = answer.header("refresh").unwrap();
    for part in [
        "response_type=code",
        "code_challenge_method=S256",
        "scope=openid+email+profile",
        "&state=",
        "&nonce=",
    ] {
        assert!(left.contains(part), "{left}");
    }
    let own = format!("{}/sign-in/return/work", works.portal.running.url());
    let own = data_encoding::HEXLOWER.encode(own.as_bytes());
    let uri = left.split("redirect_uri=").nth(1).unwrap();
    let uri = uri
        .split('&')
        .next()
        .unwrap()
        .replace("%3A", ":")
        .replace("%2F", "/");
    assert_eq!(data_encoding::HEXLOWER.encode(uri.as_bytes()), own);
    assert_eq!(
        browser.get("/sign-in/return/other?state=a").await.status(),
        404
    );
}

/// The other routes of providers, forged: the right token from another site, and our own site without a token.
///
/// ASVS: V3.5.1, V3.5.3
#[tokio::test(flavor = "multi_thread")]
async fn no_route_of_a_provider_takes_a_request_of_another_site() {
    let works = Works::open().await;
    let visitor = works.portal.visitor();
    let member = works.portal.member("ada").await;
    linked::connect(&works, &member, &ada()).await;
    let before = works.known().await;
    for (browser, path) in [
        (&visitor, "/sign-in/with/work"),
        (&member, "/confirm/with/work"),
        (&member, "/account/providers"),
        (&member, "/account/providers/work/connect"),
        (&member, "/account/providers/1/disconnect"),
    ] {
        let token = own_token(browser).await;
        let own = browser.base().trim_end_matches('/').to_owned();
        for (origin, site, token) in [
            ("https://evil.example", "cross-site", Some(token)),
            (own.as_str(), "same-origin", None),
        ] {
            let body = token.map(|token| format!("csrf_token={token}"));
            let request = browser
                .raw("POST", path)
                .header("origin", origin)
                .header("sec-fetch-site", site)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.unwrap_or_default());
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} from {origin}");
            assert!(answer.header("refresh").is_none(), "{path} from {origin}");
        }
    }
    assert_eq!(works.known().await, before);
}

/// A provider that is away stops nobody who has a password.
///
/// ASVS: V6.3.1, V16.5.2
#[tokio::test(flavor = "multi_thread")]
async fn while_the_provider_is_away_the_password_opens_the_account() {
    let Works {
        portal,
        provider,
        _secret,
    } = Works::open().await;
    portal.member("ada").await;
    drop(provider);
    let browser = portal.visitor();
    let page = browser.get("/sign-in").await;
    let answer = browser
        .submit(page.form("form[action^='/sign-in/with/work']"))
        .await;
    assert_eq!(
        (answer.status().as_u16(), answer.location()),
        (303, Some("/sign-in"))
    );
    assert!(
        told(&browser)
            .await
            .contains("does not answer at the moment")
    );
    let answer = sign_in(&browser, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status(), 303);
    assert!(is_signed_in(&browser).await);
}
