//! Second factors, and somebody who has the password alone.

mod changes;
mod required;

use std::time::Duration;

use dewar::app::AccountPages;
use dewar::roles::{Access, Role};
use dewar::testing::{Authenticator, Browser, PASSWORD, Site, TestResponse};
use dewar::{App, CurrentUser, Redirect, accounts, get, post};
use futures_util::future::join_all;

#[derive(Role, Clone, Copy)]
enum Staff {
    Member,
    #[role(administrator)]
    Head,
}

const ADA: &str = "ada@example.org";
const PAST_RECENT: Duration = Duration::from_secs(11 * 60);

async fn front() -> &'static str {
    "the front page"
}

async fn desk(_person: CurrentUser) -> &'static str {
    "a desk"
}

async fn rules() -> &'static str {
    "the rules"
}

async fn change_rules(_recently: accounts::RecentlyAuthenticated) -> Redirect {
    Redirect::to("/rules").flash("The rules are new.")
}

fn app(app: App) -> App {
    app.account_pages(AccountPages::new())
        .public([get("/", front)])
        .signed_in([get("/desk", desk)])
        .role(
            Staff::Head,
            [get("/rules", rules), post("/rules", change_rules)],
        )
        .any_role([Staff::Member, Staff::Head], [get("/ledger", rules)])
        .sign_up_as(Staff::Member)
}

/// A member with an authenticator app, two minutes after it was added.
async fn ada(site: &Site) -> (Browser, Authenticator) {
    site.add_user(ADA, &["member"]).await;
    let ada = site.sign_in(ADA).await;
    let phone = Authenticator::add(&ada, accounts::FACTORS, site.clock()).await;
    site.clock().advance(Duration::from_secs(120));
    (ada, phone)
}

/// Gives the right password. The page that asks for the code is the response.
async fn give_password(browser: &Browser, email: &str) -> TestResponse {
    let page = browser.get("/sign-in").await;
    let form = page.form("/sign-in").fill("email", email);
    browser.submit(form.fill("password", PASSWORD)).await
}

async fn give(browser: &Browser, asks: &TestResponse, code: &str) -> TestResponse {
    let form = asks.form("/second-factor").fill("code", code);
    browser.submit(form).await
}

/// The status of a sign-in of Ada with this code, in a new browser.
async fn sign_in_with(site: &Site, code: &str) -> u16 {
    let browser = site.visitor();
    let asks = give_password(&browser, ADA).await;
    assert_eq!(asks.status(), 200, "{}", asks.text());
    give(&browser, &asks, code).await.status().as_u16()
}

fn is_of_users(access: Access) -> bool {
    matches!(
        access,
        Access::AnyRole(_) | Access::Role(_) | Access::SignedIn
    )
}

fn is_signed_in(browser: &Browser) -> bool {
    browser.cookie("__Host-session").is_some()
}

/// Sends these fields with a token of this page, as a page of the application would.
async fn send(
    browser: &Browser,
    path: &str,
    with_token: &TestResponse,
    fields: &str,
) -> TestResponse {
    let token = with_token
        .forms()
        .iter()
        .find_map(|form| form.value("csrf_token"));
    let body = format!("csrf_token={}{fields}", token.unwrap());
    let raw = browser
        .raw("POST", path)
        .header("sec-fetch-site", "same-origin");
    let raw = raw.header("accept", "text/html").form(&body);
    raw.send().await.unwrap()
}

/// ASVS: V6.3.3, V6.5.5, V6.5.8
#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_an_app_signs_in_with_its_code() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let browser = site.visitor();
    let asks = give_password(&browser, ADA).await;
    let field = "input[name=code]";
    for (name, value) in [("autocomplete", "one-time-code"), ("inputmode", "numeric")] {
        assert_eq!(asks.attribute(field, name).as_deref(), Some(value));
    }
    let now = site.clock().now();
    let late = phone.code(now - 90);
    let wrong = give(&browser, &asks, &late).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.texts(".error")[0].contains("does not work"));
    assert!(!wrong.text().contains(&late), "a code is not shown again");
    let answer = give(&browser, &wrong, &phone.code(now)).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(browser.get("/desk").await.text(), "a desk");
}

/// ASVS: V6.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_also_for_many_at_once() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let mut asked = Vec::new();
    for _ in 0..5 {
        let browser = site.visitor();
        let asks = give_password(&browser, ADA).await;
        asked.push((browser, asks));
    }
    let now = site.clock().now();
    let code = phone.code(now);
    let given = asked
        .iter()
        .map(|(browser, asks)| give(browser, asks, &code));
    let answers = join_all(given).await;
    let accepted = answers.iter().filter(|answer| answer.status() == 303);
    assert_eq!(accepted.count(), 1);
    assert_eq!(
        asked
            .iter()
            .filter(|(browser, _)| is_signed_in(browser))
            .count(),
        1
    );
    assert_eq!(sign_in_with(&site, &code).await, 422);
    // After a later code no earlier one works, although the clock would still allow it.
    site.clock().advance(Duration::from_secs(3600));
    let now = site.clock().now();
    assert_eq!(sign_in_with(&site, &phone.code(now)).await, 303);
    assert_eq!(sign_in_with(&site, &phone.code(now - 30)).await, 422);
    assert_eq!(sign_in_with(&site, &phone.code(now + 30)).await, 303);
}

/// ASVS: V6.5.1, V6.5.2
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_works_once_also_for_many_at_once() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let code = phone.recovery_code().unwrap();
    let mut asked = Vec::new();
    for _ in 0..4 {
        let browser = site.visitor();
        let asks = give_password(&browser, ADA).await;
        asked.push((browser, asks));
    }
    let given = asked
        .iter()
        .map(|(browser, asks)| give(browser, asks, &code));
    let answers = join_all(given).await;
    let accepted = answers.iter().filter(|answer| answer.status() == 303);
    assert_eq!(accepted.count(), 1);
    assert_eq!(sign_in_with(&site, &code).await, 422);
    let other = phone.recovery_code().unwrap().replace(' ', "-");
    assert_eq!(sign_in_with(&site, &other).await, 303);
    let letters = site.letters().await;
    let told = letters
        .iter()
        .filter(|letter| letter.subject().contains("recovery code was used"));
    assert_eq!(told.count(), 2);
    let left = "SELECT count(*) FROM dewar_recovery_codes WHERE length(code_hash) = 32";
    let rows = site.db().query(left, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 8);
}

/// Every route of signed-in users, with the right password and without the code.
///
/// ASVS: V6.3.3, V6.3.4
#[tokio::test(flavor = "multi_thread")]
async fn the_second_step_cannot_be_skipped() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let browser = site.visitor();
    let asks = give_password(&browser, ADA).await;
    assert!(!is_signed_in(&browser));
    let scratch = tempfile::tempdir().unwrap();
    let table = app(App::in_directory(&scratch).unwrap()).route_table();
    let mut refused = 0;
    for entry in table.entries() {
        if !is_of_users(entry.access) {
            continue;
        }
        let path = entry.path.replace("{id}", "x");
        let answer = if entry.method == "GET" {
            browser.get(&path).await
        } else {
            send(&browser, &path, &asks, "&code=123456").await
        };
        let to_sign_in = answer
            .location()
            .is_some_and(|to| to.starts_with("/sign-in"));
        assert!(
            answer.status() == 401 || to_sign_in,
            "{path}: {}",
            answer.status()
        );
        refused += 1;
    }
    assert!(refused > 12, "{refused}");
    assert!(!is_signed_in(&browser));
    // The same page with the code opens them.
    let code = phone.code(site.clock().now());
    assert_eq!(give(&browser, &asks, &code).await.status(), 303);
    assert_eq!(browser.get("/desk").await.status(), 200);
}

/// ASVS: V6.3.4, V7.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_pending_sign_in_belongs_to_one_browser_and_ends() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let (browser, other) = (site.visitor(), site.visitor());
    let asks = give_password(&browser, ADA).await;
    let pending = asks.form("/second-factor").value("pending").unwrap();
    let code = phone.code(site.clock().now());
    // Another browser cannot use it, and nobody can make one.
    let elsewhere = give_password(&other, ADA).await;
    for forged in [pending.as_str(), "", "{\"SignIn\":{\"user\":1}}"] {
        let form = elsewhere.form("/second-factor").fill("code", &code);
        let answer = other.submit(form.tamper("pending", forged)).await;
        assert!(answer.status().is_client_error(), "{forged}");
    }
    assert!(!is_signed_in(&other));
    // After its time it leads back to the password.
    site.clock().advance(PAST_RECENT);
    let code = phone.code(site.clock().now());
    let late = give(&browser, &asks, &code).await;
    assert_eq!(late.location(), Some("/sign-in"));
    assert!(!is_signed_in(&browser));
    // So does one from before everything was signed out.
    let asks = give_password(&browser, ADA).await;
    let found = site.dewar().accounts().find_by_email(ADA).await.unwrap();
    let user = found.unwrap().id;
    let accounts = site.dewar().accounts();
    accounts.sign_out_everywhere(None, user).await.unwrap();
    let ended = give(&browser, &asks, &code).await;
    assert_eq!(ended.location(), Some("/sign-in"));
    assert!(!is_signed_in(&browser));
}

/// ASVS: V7.2.4
#[tokio::test(flavor = "multi_thread")]
async fn the_session_is_new_after_the_second_step() {
    let site = Site::start(app).await;
    let (_, phone) = ada(&site).await;
    let browser = site.visitor();
    let planted = "A".repeat(43);
    browser.plant_cookie("__Host-session", &planted);
    let asks = give_password(&browser, ADA).await;
    let before = browser.cookies();
    let code = phone.code(site.clock().now());
    assert_eq!(give(&browser, &asks, &code).await.status(), 303);
    let session = browser.cookie("__Host-session").unwrap();
    assert_ne!(session.value(), planted);
    let known_before = |value: &str| before.iter().any(|cookie| cookie.value() == value);
    assert!(!known_before(session.value()));
    // The page that asked is worth nothing any more.
    let again = phone.code(site.clock().now() + 30);
    assert_ne!(give(&browser, &asks, &again).await.status(), 200);
    let sessions = "SELECT count(*) FROM dewar_sessions";
    let rows = site.db().query(sessions, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 2);
}

/// ASVS: V6.3.1, V6.1.1
#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_is_slowed_down_and_locks_no_owner_out() {
    let site = Site::start(app).await;
    let (owner, phone) = ada(&site).await;
    let thief = site.visitor();
    let mut asks = give_password(&thief, ADA).await;
    let mut guesses = 0;
    while asks.status() != 429 {
        assert!(guesses < 20, "nothing slows the guesses down");
        // Never one of the three that are right.
        let code = phone.code(site.clock().now() - 900 - 30 * guesses);
        asks = give(&thief, &asks, &code).await;
        guesses += 1;
    }
    assert!(asks.header("retry-after").is_some());
    let now = site.clock().now();
    assert_eq!(give(&thief, &asks, &phone.code(now)).await.status(), 429);
    assert!(!is_signed_in(&thief));
    // The owner: in a known browser, and with a recovery code in any.
    let page = owner.get("/desk").await;
    assert_eq!(page.status(), 200);
    let sign_out = owner.get("/account/sessions").await;
    assert_eq!(sign_out.status(), 200);
    assert_eq!(send(&owner, "/sign-out", &sign_out, "").await.status(), 303);
    let asks = give_password(&owner, ADA).await;
    assert_eq!(give(&owner, &asks, &phone.code(now)).await.status(), 303);
    let recovery = phone.recovery_code().unwrap();
    assert_eq!(sign_in_with(&site, &recovery).await, 303);
    // And everywhere after a while.
    site.clock().advance(Duration::from_secs(3600));
    let code = phone.code(site.clock().now());
    assert_eq!(sign_in_with(&site, &code).await, 303);
}
