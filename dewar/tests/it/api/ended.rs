//! Tokens that no longer work, and those that never did.

use dewar::api::TokenHolder;
use dewar::testing::wait_until;

use super::{Site, challenge};

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

async fn works(site: &Site, token: &str) -> bool {
    let answer = site.call("GET", "/api/tickets", token).await;
    match answer.status().as_u16() {
        200 => true,
        401 => {
            assert!(challenge(&answer).contains("error=\"invalid_token\""));
            assert!(
                answer
                    .text()
                    .contains("unknown, has expired or was revoked")
            );
            false
        }
        other => panic!("{other}: {}", answer.text()),
    }
}

/// ASVS: V7.4.1, V7.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_with_its_time_and_with_its_revocation() {
    let site = Site::open().await;
    let (expiring, _) = site.token(TokenHolder::Service, &["tickets_read"]).await;
    let (revoked, id) = site.token(TokenHolder::Service, &["tickets_read"]).await;
    assert!(works(&site, &expiring).await && works(&site, &revoked).await);
    let tokens = site.running.dewar().api_tokens();
    assert!(
        tokens
            .revoke(None, TokenHolder::Service, &id)
            .await
            .unwrap()
    );
    assert!(!works(&site, &revoked).await && works(&site, &expiring).await);
    assert!(
        !tokens
            .revoke(None, TokenHolder::Service, &id)
            .await
            .unwrap()
    );
    site.clock
        .advance(30 * DAY - std::time::Duration::from_secs(1));
    assert!(works(&site, &expiring).await);
    site.clock.advance(std::time::Duration::from_secs(1));
    assert!(!works(&site, &expiring).await);
    let log = site.log().await;
    assert!(
        log.contains("authn_token_reuse") && log.contains("authn_token_revoked"),
        "{log}"
    );
    site.running.stop().await.unwrap();
}

/// A personal token follows its owner: the account, its sessions and its roles.
///
/// ASVS: V7.4.2, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_personal_token_ends_with_what_its_owner_loses() {
    let site = Site::open().await;
    let accounts = site.running.dewar().accounts();
    let grace = site.user("grace", &["administrator"]).await;
    let scopes = ["tickets_read", "reviews_read"];
    for how in ["disabled", "demoted", "signed out", "nothing"] {
        let user = site.user(&how.replace(' ', "-"), &["reviewer"]).await;
        let (token, _) = site.token(TokenHolder::Person(user), &scopes).await;
        assert_eq!(site.call("GET", "/api/reviews", &token).await.status(), 200);
        match how {
            "disabled" => accounts.disable(Some(grace), user).await.unwrap(),
            "demoted" => accounts.set_roles(grace, user, &[]).await.unwrap(),
            "signed out" => drop(
                accounts
                    .sign_out_everywhere(Some(grace), user)
                    .await
                    .unwrap(),
            ),
            _ => {}
        }
        let kept = ["demoted", "nothing"].contains(&how);
        assert_eq!(works(&site, &token).await, kept, "{how}");
        let reviews = site.call("GET", "/api/reviews", &token).await;
        let wanted = match how {
            "nothing" => 200,
            "demoted" => 403,
            _ => 401,
        };
        assert_eq!(reviews.status(), wanted, "{how}");
    }
    site.running.stop().await.unwrap();
}

/// Without the role, nobody gets the scope in the first place.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_of_a_role_is_given_to_its_holders_alone() {
    let site = Site::open().await;
    let ada = site.user("ada", &[]).await;
    let tokens = site.running.dewar().api_tokens();
    for (scopes, days, name) in [
        (&["reviews_read"][..], 30, "a"),
        (&["no_such_scope"], 30, "a"),
        (&[], 30, "a"),
        (&["tickets_read"], 0, "a"),
        (&["tickets_read"], 91, "a"),
        (&["tickets_read"], 30, " "),
        (&["tickets_read"], 30, "a\nb"),
    ] {
        let request = dewar::api::TokenRequest { name, scopes, days };
        let made = tokens
            .create(Some(ada), TokenHolder::Person(ada), request)
            .await;
        assert!(made.is_err(), "{scopes:?} {days} {name:?}");
    }
    let request = dewar::api::TokenRequest {
        name: "a",
        scopes: &["tickets_read"],
        days: 90,
    };
    for _ in 0..20 {
        tokens
            .create(Some(ada), TokenHolder::Person(ada), request)
            .await
            .unwrap();
    }
    let one_more = tokens
        .create(Some(ada), TokenHolder::Person(ada), request)
        .await;
    assert!(
        matches!(one_more, Err(dewar::api::Error::TooMany(20))),
        "{one_more:?}"
    );
    site.running.stop().await.unwrap();
}

/// A typing mistake costs no query. An unknown token costs as many as one that has ended, so their times tell nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_costs_what_an_ended_one_costs_and_a_typing_mistake_nothing() {
    let site = Site::open().await;
    let (ended, id) = site.token(TokenHolder::Service, &["tickets_read"]).await;
    let tokens = site.running.dewar().api_tokens();
    assert!(
        tokens
            .revoke(None, TokenHolder::Service, &id)
            .await
            .unwrap()
    );
    let other = Site::open().await;
    let unknown = other.service(&["tickets_read"]).await;
    let spent = async |token: &str| {
        site.statements(async || assert!(!works(&site, token).await))
            .await
    };
    assert_eq!((spent(&ended).await, spent(&unknown).await), (1, 1));
    let mut typed = ended.into_bytes();
    typed.swap(20, 21);
    typed[22] = if typed[22] == b'a' { b'b' } else { b'a' };
    assert_eq!(spent(&String::from_utf8(typed).unwrap()).await, 0);
    site.running.stop().await.unwrap();
    other.running.stop().await.unwrap();
}

/// A flood of guesses is stopped before the database, and a program that works goes on beside it.
///
/// ASVS: V2.4.1, V6.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_guesses_is_stopped_and_stops_no_program() {
    let site = Site::open_with(&[("DEWAR_API_FAILURE_LIMIT", "5")]).await;
    let other = Site::open().await;
    let (honest, late) = (
        site.service(&["tickets_read"]).await,
        site.service(&["tickets_read"]).await,
    );
    assert!(works(&site, &honest).await);
    for _ in 0..5 {
        let guess = other.service(&["tickets_read"]).await;
        assert!(!works(&site, &guess).await);
    }
    let guess = other.service(&["tickets_read"]).await;
    let spent = site
        .statements(async || {
            for _ in 0..20 {
                let answer = site.call("GET", "/api/tickets", &guess).await;
                assert_eq!(answer.status(), 429);
                assert!(answer.header("retry-after").is_some());
            }
        })
        .await;
    assert_eq!(spent, 0);
    assert!(
        works(&site, &honest).await,
        "it was accepted before the flood"
    );
    assert_eq!(site.call("GET", "/api/tickets", &late).await.status(), 429);
    site.clock.advance(std::time::Duration::from_secs(600));
    assert!(works(&site, &late).await);
    site.running.stop().await.unwrap();
    other.running.stop().await.unwrap();
}

/// The last use is written at most once a minute, after the response.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_written_once_a_minute() {
    let site = Site::open().await;
    let token = site.service(&["tickets_read"]).await;
    let used = async || {
        let all = site
            .running
            .dewar()
            .api_tokens()
            .list_of(TokenHolder::Service)
            .await;
        all.unwrap()[0].used_at
    };
    assert_eq!(used().await, None);
    let first = site.clock.now();
    assert!(works(&site, &token).await);
    wait_until("the first use is written", async || {
        used().await == Some(first)
    })
    .await;
    site.clock.advance(std::time::Duration::from_secs(59));
    let mut spent = u64::MAX;
    for _ in 0..5 {
        let now = site
            .statements(async || assert!(works(&site, &token).await))
            .await;
        // The program's own work in the background counts too, now and then.
        spent = spent.min(now);
    }
    assert_eq!(spent, 1, "one read");
    site.clock.advance(std::time::Duration::from_secs(1));
    let now = site.clock.now();
    assert!(works(&site, &token).await);
    wait_until("the next use is written", async || {
        used().await == Some(now)
    })
    .await;
    site.running.stop().await.unwrap();
}
