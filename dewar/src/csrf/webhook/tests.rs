//! Deliveries as their senders make them. Python's `hmac` made the signatures, not the code under test.

use std::time::Duration;

use futures_util::future::join_all;
use http::Request;

use super::*;
use crate::csrf::MIGRATIONS;
use crate::csrf::SignatureScheme::{GitHub, Stripe};

const BILLING: WebhookAuth = WebhookAuth::hmac("billing");
const CODE: WebhookAuth = WebhookAuth::hmac("code").with_scheme(GitHub);
const PAYMENTS: WebhookAuth = WebhookAuth::hmac("payments").with_scheme(Stripe);

const KEY: &[u8] = b"a key that only two programs hav";
const STRIPE: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STRIPE_BEFORE: &[u8] = b"whsec_other-key-of-the-same-length-0000";
/// The key and the body of GitHub's own page "Validating webhook deliveries".
const GITHUB: &[u8] = b"It's a Secret to Everybody";

const NOW: i64 = 1_700_000_000;
const TARGET: &str = "/hooks/billing?from=here";
const OURS: &str =
    "t=1700000000,v2=75bf84379aa28b2b767cfa15f272a28834bc94b8202845a214fe94c3354d1214";
const THEIRS: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
const V1: &str = "v1=211d3e17c85047207929a88be720ec275a19e8522b050ad76d8f99d78305a21c";
const V1_BEFORE: &str = "v1=433cd73e530fa6d5b27c3ef2b797c51c64662b0667884de8edc168318948a91d";

async fn database() -> Db {
    let db = Db::temporary().unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    db
}

fn webhooks(db: &Db, clock: &Clock) -> Webhooks {
    let senders = HashMap::from([
        ("billing", SharedKeys::of(&[KEY])),
        ("code", SharedKeys::of(&[GITHUB])),
        ("payments", SharedKeys::of(&[STRIPE, STRIPE_BEFORE])),
    ]);
    Webhooks::new(SenderKeys(senders), db.clone(), clock.clone())
}

fn parts(target: &str, header: &'static str, line: &str) -> Parts {
    let request = Request::post(target).header(header, line);
    request.body(()).unwrap().into_parts().0
}

fn ours(line: &str) -> Parts {
    parts(TARGET, "x-signature", line)
}

const BODY: &str = r#"{"invoice":7}"#;

async fn outcome(
    hooks: &Webhooks,
    by: WebhookAuth,
    parts: &Parts,
    body: &'static str,
) -> &'static str {
    match hooks.take(by, parts, Bytes::from(body)).await {
        Ok((_, taken)) => {
            taken.keep();
            "taken"
        }
        Err(WebhookRejection::Database(error)) => panic!("{error}"),
        Err(WebhookRejection::Forged) => "forged",
        Err(WebhookRejection::Replayed) => "replayed",
        Err(WebhookRejection::Stale) => "stale",
        Err(WebhookRejection::Twice) => "twice",
        Err(WebhookRejection::Unsigned) => "unsigned",
    }
}

#[tokio::test]
async fn a_delivery_in_each_spelling_is_taken_once() {
    let hooks = webhooks(&database().await, &Clock::manual(NOW));
    let stripe = format!(
        "t=1700000000,{V1},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
    );
    for (by, parts, body) in [
        (BILLING, ours(OURS), BODY),
        (
            CODE,
            parts("/hooks/code", "x-hub-signature-256", THEIRS),
            "Hello, World!",
        ),
        (
            PAYMENTS,
            parts("/hooks/payments", "stripe-signature", &stripe),
            r#"{"id":"evt_1"}"#,
        ),
    ] {
        assert_eq!(outcome(&hooks, by, &parts, body).await, "taken", "{by}");
        assert_eq!(outcome(&hooks, by, &parts, body).await, "replayed", "{by}");
    }
}

#[tokio::test]
async fn what_is_signed_here_is_taken_here() {
    assert_eq!(signature(KEY, NOW, TARGET, BODY.as_bytes()), OURS);
}

#[tokio::test]
async fn a_delivery_that_was_altered_or_is_for_another_is_refused() {
    let hooks = webhooks(&database().await, &Clock::manual(NOW));
    let other_time = OURS.replace("t=1700000000", "t=1700000001");
    let stripe = format!("t=1700000000,{V1}");
    for (by, parts, body, wanted) in [
        (BILLING, ours(OURS), r#"{"invoice":8}"#, "forged"),
        (BILLING, ours(&other_time), BODY, "forged"),
        (
            BILLING,
            parts("/hooks/refunds?from=here", "x-signature", OURS),
            BODY,
            "forged",
        ),
        (
            BILLING,
            parts("/hooks/billing?from=there", "x-signature", OURS),
            BODY,
            "forged",
        ),
        (WebhookAuth::hmac("payments"), ours(OURS), BODY, "forged"),
        (WebhookAuth::hmac("nobody"), ours(OURS), BODY, "forged"),
        (CODE, ours(OURS), BODY, "unsigned"),
        (
            CODE,
            parts("/hooks/code", "x-hub-signature-256", THEIRS),
            "Hello, World?",
            "forged",
        ),
        (
            PAYMENTS,
            parts("/hooks/payments", "stripe-signature", &stripe),
            r#"{"id":"evt_2"}"#,
            "forged",
        ),
    ] {
        assert_eq!(
            outcome(&hooks, by, &parts, body).await,
            wanted,
            "{by} {body}"
        );
    }
    assert_eq!(outcome(&hooks, BILLING, &ours(OURS), BODY).await, "taken");
}

#[tokio::test]
async fn a_delivery_holds_for_five_minutes_and_not_a_second_more() {
    for (now, wanted) in [
        (NOW - 301, "stale"),
        (NOW - 300, "taken"),
        (NOW + 300, "taken"),
        (NOW + 301, "stale"),
    ] {
        let hooks = webhooks(&database().await, &Clock::manual(now));
        assert_eq!(
            outcome(&hooks, BILLING, &ours(OURS), BODY).await,
            wanted,
            "{now}"
        );
    }
}

/// Otherwise an attacker with a captured delivery of two signatures could cut off the one that was checked.
#[tokio::test]
async fn one_delivery_under_two_keys_is_one_delivery() {
    let hooks = webhooks(&database().await, &Clock::manual(NOW));
    let body = r#"{"id":"evt_1"}"#;
    let lines = [
        (format!("t=1700000000,{V1},{V1_BEFORE}"), "taken"),
        (format!("t=1700000000,{V1_BEFORE}"), "replayed"),
        (format!("t=1700000000,{V1}"), "replayed"),
    ];
    for (line, wanted) in lines {
        let parts = parts("/hooks/payments", "stripe-signature", &line);
        assert_eq!(
            outcome(&hooks, PAYMENTS, &parts, body).await,
            wanted,
            "{line}"
        );
    }
}

/// ASVS 15.4.2.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_the_same_moment_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("database.sqlite");
    let config = crate::database::Config::default();
    let (one, two) = (
        Db::open(&file, &config).unwrap(),
        Db::open(&file, &config).unwrap(),
    );
    one.migrate(MIGRATIONS).await.unwrap();
    let clock = Clock::manual(NOW);
    let nodes = [webhooks(&one, &clock), webhooks(&two, &clock)];
    let signed = ours(OURS);
    let all = (0..20).map(|number| outcome(&nodes[number % 2], BILLING, &signed, BODY));
    let outcomes = join_all(all).await;
    let taken = outcomes.iter().filter(|outcome| **outcome == "taken");
    assert_eq!(taken.count(), 1, "{outcomes:?}");
    // A restart does not forget them either.
    drop((nodes, one, two));
    let again = Db::open(&file, &config).unwrap();
    let hooks = webhooks(&again, &clock);
    assert_eq!(outcome(&hooks, BILLING, &signed, BODY).await, "replayed");
}

#[tokio::test]
async fn what_was_given_back_or_dropped_is_taken_again_and_what_was_kept_is_not() {
    let hooks = webhooks(&database().await, &Clock::manual(NOW));
    let signed = ours(OURS);
    let take = || hooks.take(BILLING, &signed, Bytes::from(BODY));
    take().await.unwrap().1.give_back().await;
    drop(take().await.unwrap());
    // The dropped delivery is forgotten in the background. A request that is refused meanwhile forgets nothing.
    let mut taken = take().await;
    for _ in 0..1_000 {
        if taken.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
        taken = take().await;
    }
    taken.unwrap().1.keep();
    for _ in 0..20 {
        assert!(matches!(take().await, Err(WebhookRejection::Replayed)));
    }
}

#[tokio::test]
async fn the_list_is_swept_only_of_what_nobody_would_accept() {
    let (db, clock) = (database().await, Clock::manual(NOW));
    let hooks = webhooks(&db, &clock);
    let code = parts("/hooks/code", "x-hub-signature-256", THEIRS);
    assert_eq!(outcome(&hooks, BILLING, &ours(OURS), BODY).await, "taken");
    assert_eq!(outcome(&hooks, CODE, &code, "Hello, World!").await, "taken");
    clock.advance(Duration::from_secs(300));
    assert_eq!(hooks.sweep().await.unwrap(), 0);
    assert_eq!(
        outcome(&hooks, BILLING, &ours(OURS), BODY).await,
        "replayed"
    );
    clock.advance(Duration::from_secs(301));
    assert_eq!(hooks.sweep().await.unwrap(), 1);
    // It has no time, so Dewar would accept it for ever.
    clock.advance(Duration::from_secs(10 * 365 * 86_400));
    assert_eq!(hooks.sweep().await.unwrap(), 0);
    assert_eq!(
        outcome(&hooks, CODE, &code, "Hello, World!").await,
        "replayed"
    );
}

/// Any clock that is right within the tolerance would still accept it until then, and none after that.
#[test]
fn a_delivery_is_remembered_as_long_as_any_clock_would_take_it() {
    for (at, until) in [(0, 600), (300, 900), (-300, 600)] {
        assert_eq!(in_time(NOW + at, NOW).unwrap(), NOW + until, "{at}");
    }
    for at in [301, -301, -NOW, i64::MAX - NOW] {
        assert!(matches!(
            in_time(NOW + at, NOW),
            Err(WebhookRejection::Stale)
        ));
    }
}

#[tokio::test]
async fn a_developer_is_shown_who_may_deliver_and_no_key() {
    let hooks = webhooks(&database().await, &Clock::manual(NOW));
    let shown = format!("{hooks:?}");
    assert!(
        shown.contains("billing") && shown.contains("payments"),
        "{shown}"
    );
    for key in [KEY, STRIPE, GITHUB] {
        let (text, bytes) = (std::str::from_utf8(key).unwrap(), format!("{key:?}"));
        assert!(!shown.contains(text) && !shown.contains(&bytes), "{shown}");
    }
}

#[tokio::test]
async fn of_deliveries_without_a_time_the_newest_are_remembered() {
    let db = database().await;
    for number in 0..10_u8 {
        let taken =
            AcceptedDelivery::take(&db, "code", [number; 32], NOW + i64::from(number), None).await;
        taken.unwrap().unwrap().keep();
    }
    assert_eq!(accepted_delivery::sweep(&db, NOW, 10).await.unwrap(), 0);
    assert_eq!(accepted_delivery::sweep(&db, NOW, 4).await.unwrap(), 5);
    let newest = AcceptedDelivery::take(&db, "code", [9; 32], NOW, None)
        .await
        .unwrap();
    assert!(newest.is_none());
}
