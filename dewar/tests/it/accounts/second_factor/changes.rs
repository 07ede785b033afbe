//! Attacks on the change of a second factor: to add one to another's account, to remove one, to get around one.

use super::*;

async fn has_factor(site: &Site) -> bool {
    let accounts = site.dewar().accounts();
    let user = accounts.find_by_email(ADA).await.unwrap().unwrap().id;
    accounts.has_second_factor(user).await.unwrap()
}

/// An attacker sits down at an open browser, and knows the password.
///
/// ASVS: V7.5.1, V6.3.4
#[tokio::test(flavor = "multi_thread")]
async fn nobody_removes_a_factor_without_one() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let browser = site.visitor();
    let asks = give_password(&browser, ADA).await;
    let code = phone.code(site.clock().now());
    assert_eq!(give(&browser, &asks, &code).await.status(), 303);
    let page = browser.get(accounts::FACTORS).await;
    let remove = "/account/second-factor/remove";
    assert_eq!(page.status(), 200);
    site.clock().advance(PAST_RECENT);
    let asks = send(&browser, remove, &page, "").await;
    assert_eq!(asks.status(), 403);
    // The password is not asked for, and counts for nothing.
    assert!(asks.attribute("[name=password]", "name").is_none());
    let field = format!("&password={}", PASSWORD.replace(' ', "+"));
    let forged = send(&browser, "/confirm", &page, &field).await;
    assert!(forged.status().is_client_error(), "{}", forged.status());
    let form = asks.form("/second-factor").fill("code", "000000");
    assert_eq!(browser.submit(form).await.status(), 422);
    for path in [remove, "/account/second-factor/codes", "/account/password"] {
        assert_eq!(
            send(&browser, path, &page, "").await.status(),
            403,
            "{path}"
        );
    }
    // Nor by a page of another site, nor without a token.
    let bare = browser.raw("POST", remove).header("accept", "text/html");
    let bare = bare.header("sec-fetch-site", "cross-site").form("");
    assert_eq!(bare.send().await.unwrap().status(), 403);
    assert!(has_factor(&site).await);
    let code = phone.code(site.clock().now());
    let removed = give(&browser, &asks, &code).await;
    assert_eq!(
        removed.location(),
        Some(accounts::FACTORS),
        "{}",
        removed.text()
    );
    assert!(!has_factor(&site).await);
    let left = "SELECT count(*) FROM dewar_recovery_codes";
    let rows = site.db().query(left, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 0);
    let letters = site.letters().await;
    let told = |part: &str| letters.iter().any(|letter| letter.subject().contains(part));
    assert!(told("A second factor protects") && told("has no second factor"));
}

/// ASVS: V6.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_keeps_the_factor_and_signs_nobody_in() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let browser = site.visitor();
    let form = browser.get("/forgot").await.form("/forgot");
    browser.submit(form.fill("email", ADA)).await;
    site.dewar().accounts().settle().await;
    let letters = site.letters().await;
    let link = letters
        .iter()
        .flat_map(|letter| letter.links())
        .find(|link| link.contains("/reset/"));
    let link = link.unwrap();
    let path = link.get(link.find("/reset/").unwrap()..).unwrap();
    let new = "nine lanterns over a wet harbour";
    let form = browser.get(path).await.form(path).fill("password", new);
    assert_eq!(browser.submit(form).await.status(), 303);
    assert!(!is_signed_in(&browser) && has_factor(&site).await);
    let page = browser.get("/sign-in").await;
    let form = page.form("/sign-in").fill("email", ADA);
    let asks = browser.submit(form.fill("password", new)).await;
    assert_eq!(asks.status(), 200);
    assert!(!is_signed_in(&browser));
    let code = phone.code(site.clock().now());
    assert_eq!(give(&browser, &asks, &code).await.status(), 303);
}

/// ASVS: V7.5.1, V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn nobody_adds_a_factor_to_the_account_of_another() {
    let site = Site::start(app).await;
    for email in [ADA, "eve@example.org"] {
        site.add_user(email, &["member"]).await;
    }
    let (ada, eve) = (
        site.sign_in(ADA).await,
        site.sign_in("eve@example.org").await,
    );
    let hers = eve.get(accounts::FACTORS).await;
    let secret = hers.form(accounts::FACTORS).value("secret").unwrap();
    let page = ada.get(accounts::FACTORS).await;
    let form = page.form(accounts::FACTORS).fill("code", "123456");
    let answer = ada.submit(form.tamper("secret", &secret)).await;
    assert_eq!(answer.status(), 400, "a secret is sealed for one session");
    assert!(!has_factor(&site).await);
    // A wrong code adds none, and the page keeps its picture.
    let form = page.form(accounts::FACTORS).fill("code", "12345");
    let answer = ada.submit(form).await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().contains("<svg class=\"qr\"") && !answer.texts("code.token").is_empty());
    assert!(!has_factor(&site).await);
    // With her own, only her own account has one.
    Authenticator::add(&eve, accounts::FACTORS, site.clock()).await;
    assert!(!has_factor(&site).await);
}

/// ASVS: V7.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_new_factor_ends_the_sessions_that_had_the_password_alone() {
    let site = Site::start(app).await;
    site.add_user(ADA, &["member"]).await;
    let (thief, ada) = (site.sign_in(ADA).await, site.sign_in(ADA).await);
    assert_eq!(thief.get("/desk").await.status(), 200);
    Authenticator::add(&ada, accounts::FACTORS, site.clock()).await;
    assert_eq!(thief.get("/desk").await.status(), 303);
    assert_eq!(ada.get("/desk").await.status(), 200);
    // A second app cannot be slipped in beside the first.
    let page = ada.get(accounts::FACTORS).await;
    assert!(page.texts("code.token").is_empty());
}

/// ASVS: V6.5.2, V14.2.4
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_log_and_sealed_for_their_owner() {
    let site = Site::start(app).await;
    let (browser, phone) = ada(&site).await;
    let recovery = phone.recovery_code().unwrap();
    assert_eq!(sign_in_with(&site, &recovery).await, 303);
    let code = phone.code(site.clock().now());
    assert_eq!(sign_in_with(&site, &code).await, 303);
    site.dewar().log().flush().await;
    let log = std::fs::read_to_string(site.data().join("audit.jsonl")).unwrap();
    assert!(log.contains("authn_factor_added") && log.contains("authn_recovery_code_used"));
    for secret in [recovery.as_str(), &recovery.replace(' ', ""), &code] {
        assert!(!log.contains(&format!("\"{secret}\"")), "{secret}");
    }
    assert!(
        !browser
            .get("/account/sessions")
            .await
            .text()
            .contains(&recovery)
    );
    // The envelope of one user does not open for another.
    site.add_user("eve@example.org", &["member"]).await;
    let eve = site.sign_in("eve@example.org").await;
    Authenticator::add(&eve, accounts::FACTORS, site.clock()).await;
    let swap = "UPDATE dewar_factors SET secret =
        (SELECT secret FROM dewar_factors WHERE user_id <> 1) WHERE user_id = 1";
    site.db().execute(swap, []).await.unwrap();
    site.clock().advance(Duration::from_secs(3600));
    let code = phone.code(site.clock().now());
    assert_eq!(sign_in_with(&site, &code).await, 422);
    site.dewar().log().flush().await;
    let log = std::fs::read_to_string(site.data().join("audit.jsonl")).unwrap();
    assert!(log.contains("crypt_decrypt_fail"));
}

/// ASVS: V6.5.6, V6.4.4
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_resets_a_lost_factor_and_its_owner_reads_of_it() {
    let site = Site::start(app).await;
    let (browser, _phone) = ada(&site).await;
    let accounts = site.dewar().accounts();
    let user = accounts.find_by_email(ADA).await.unwrap().unwrap().id;
    assert!(accounts.reset_factors(None, user).await.unwrap());
    assert!(!accounts.reset_factors(None, user).await.unwrap());
    assert_eq!(browser.get("/desk").await.status(), 303, "signed out");
    let again = site.sign_in(ADA).await;
    assert_eq!(again.get("/desk").await.status(), 200);
    accounts.settle().await;
    let letters = site.letters().await;
    assert!(
        letters
            .iter()
            .any(|letter| letter.subject().contains("no second factor"))
    );
}
