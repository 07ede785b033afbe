//! Tokens that no longer work, those that never did, and floods of guesses.

use std::time::Duration;

use dewar::api::TokenHolder;
use dewar::sessions::UserId;

use super::{ALL, challenge, read};
use crate::company::{PASSWORD, Portal, post};

const DAY: Duration = Duration::from_secs(24 * 3600);
const LIST: &str = "/api/documents";

/// The status of a request with this token. All tokens that do not work get one text.
async fn status(portal: &Portal, token: &str) -> u16 {
    let answer = read(portal, token, LIST).await;
    if answer.status() == 401 {
        assert!(challenge(&answer).contains("error=\"invalid_token\""));
        let text = answer.text();
        assert!(
            text.contains("unknown, has expired or was revoked"),
            "{text}"
        );
    }
    answer.status().as_u16()
}

/// The token with one letter changed: its checksum is wrong.
fn misspelled(token: &str, at: usize) -> String {
    let mut letters = token.as_bytes().to_vec();
    letters[at] = if letters[at] == b'a' { b'b' } else { b'a' };
    String::from_utf8(letters).unwrap()
}

/// ASVS: V7.4.1, V7.3.2
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_a_revoked_and_a_misspelled_token_open_nothing() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let ada = TokenHolder::Person(UserId::new(1));
    let (token, _) = portal.api_token("ada", &ALL).await;
    let (revoked, id) = portal.api_token("ada", &ALL).await;
    assert_eq!(status(&portal, &revoked).await, 200);
    let tokens = portal.running.dewar().api_tokens();
    assert!(tokens.revoke(None, ada, &id).await.unwrap());
    assert_eq!(status(&portal, &revoked).await, 401);
    for at in [7, 30, token.len() - 1] {
        assert_eq!(status(&portal, &misspelled(&token, at)).await, 401, "{at}");
    }
    for other in [
        token.chars().skip(1).collect(),
        token.to_uppercase(),
        format!("{token}a"),
    ] {
        assert_eq!(status(&portal, &other).await, 401, "{other}");
    }
    portal.clock.advance(30 * DAY - Duration::from_secs(1));
    assert_eq!(status(&portal, &token).await, 200);
    portal.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&portal, &token).await, 401);
    let log = portal.log().await;
    assert!(log.contains("authn_token_reuse"), "{log}");
    portal.running.stop().await.unwrap();
}

/// A token follows its owner at the next request: the account, the sessions, the password and the role.
///
/// ASVS: V7.4.2, V7.4.3, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_token_loses_what_its_owner_loses() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    for (name, expected) in [
        ("disabled", 401),
        ("demoted", 403),
        ("leaving", 401),
        ("renewed", 401),
        ("nothing", 200),
    ] {
        let owner = portal.member(name).await;
        let (token, _) = portal.api_token(name, &ALL).await;
        assert_eq!(status(&portal, &token).await, 200, "{name}");
        let id = portal.id_of(name).await;
        let user = |act: &str| format!("/admin/users/{id}/{act}");
        let changed = match name {
            "disabled" => post(&grace, &user("disable"), "").await,
            "demoted" => post(&grace, &user("roles"), "").await,
            "leaving" => post(&grace, &user("sign-out"), "").await,
            "renewed" => {
                let fields = format!(
                    "current_password={PASSWORD}&new_password=nine lanterns over a wet harbour"
                );
                post(&owner, "/account/password", &fields.replace(' ', "+")).await
            }
            _ => post(&owner, "/account/name", "name=Countess").await,
        };
        assert_eq!(changed.status(), 303, "{name}: {}", changed.text());
        assert_eq!(status(&portal, &token).await, expected, "{name}");
    }
    portal.running.stop().await.unwrap();
}

/// Guesses of one network are stopped, and a program that works goes on beside them.
///
/// ASVS: V2.4.1, V6.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_guesses_is_stopped() {
    let portal = Portal::open_with(&[("DEWAR_API_FAILURE_LIMIT", "5")]).await;
    let elsewhere = Portal::open().await;
    portal.member("ada").await;
    elsewhere.member("ada").await;
    let (honest, _) = portal.api_token("ada", &ALL).await;
    let (late, _) = portal.api_token("ada", &ALL).await;
    assert_eq!(status(&portal, &honest).await, 200);
    for number in 0..5 {
        // Guesses with a right checksum, and others.
        let (guess, _) = elsewhere.api_token("ada", &ALL).await;
        let guess = if number % 2 == 0 {
            guess
        } else {
            misspelled(&guess, 9)
        };
        assert_eq!(status(&portal, &guess).await, 401);
    }
    let (guess, _) = elsewhere.api_token("ada", &ALL).await;
    for guess in [&guess, &misspelled(&guess, 9), &late] {
        let answer = read(&portal, guess, LIST).await;
        assert_eq!(answer.status(), 429);
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(status(&portal, &honest).await, 200);
    let log = portal.log().await;
    assert!(log.contains("excess_rate_limit_exceeded"), "{log}");
    portal.clock.advance(Duration::from_secs(600));
    assert_eq!(status(&portal, &late).await, 200);
    portal.running.stop().await.unwrap();
    elsewhere.running.stop().await.unwrap();
}

/// The account's own state counts too, however it came to it: disabling also ends the sessions, and this one does not.
///
/// ASVS: V7.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_disabled_account_opens_nothing_although_its_session_goes_on() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let (token, _) = portal.api_token("ada", &ALL).await;
    assert_eq!(status(&portal, &token).await, 200);
    portal
        .outside("UPDATE dewar_users SET disabled_at = 1")
        .await;
    assert_eq!(status(&portal, &token).await, 401);
    portal
        .outside("UPDATE dewar_users SET disabled_at = NULL")
        .await;
    assert_eq!(status(&portal, &token).await, 200);
    portal.running.stop().await.unwrap();
}
