use super::{Challenge, Config, Served, Shared, shown};
use std::time::Duration;
use test_servers::{AcmeMistake, AcmeServer};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
const HOUR: Duration = Duration::from_secs(3_600);

fn by_handshake(shared: &Shared, authority: &AcmeServer) -> Config {
    Config {
        profile: Some("shortlived".to_owned()),
        ..shared.trusting(authority, Challenge::TlsAlpn01)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_six_days_renews_many_times_and_never_runs_out() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(6 * DAY);
    let acme = shared.node(&by_handshake(&shared, &authority)).await;
    let served = Served::start(&acme);
    acme.look().await;
    let mut ends = vec![acme.status().not_after.unwrap()];
    for _ in 0..30 * 24 {
        shared.clock.advance(HOUR);
        acme.look().await;
        let end = acme.status().not_after.unwrap();
        assert!(
            end - shared.clock.now() > DAY,
            "a certificate came near its end"
        );
        if ends.last() != Some(&end) {
            ends.push(end);
        }
    }
    assert!(shown(served.https, b"h2").await.is_some());
    let books = authority.books();
    assert_eq!(books.orders.len(), ends.len());
    assert!(
        (8..=11).contains(&ends.len()),
        "in 30 days, at half of 6: {}",
        ends.len()
    );
    assert_eq!(books.accounts, 1);
    // Every six hours, as the authority requested, and at most twice in six hours.
    assert!((100..=140).contains(&books.asked), "{}", books.asked);
    assert!(
        books
            .orders
            .iter()
            .all(|order| order.profile.as_deref() == Some("shortlived"))
    );
    let (first, later) = books.orders.split_first().unwrap();
    assert!(first.replaces.is_none());
    let mut named: Vec<&String> = later
        .iter()
        .map(|order| order.replaces.as_ref().unwrap())
        .collect();
    named.dedup();
    assert_eq!(named.len(), later.len(), "each names the one before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_brings_a_renewal_forward() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * DAY);
    let acme = shared.ordering_from(&authority).await;
    acme.look().await;
    // The authority must revoke many certificates, so its renewal window is in the past (ARI, RFC 9773).
    authority.books().window = (-7_200, -3_600);
    shared.clock.advance(HOUR * 7);
    acme.look().await;
    acme.look().await;
    assert_eq!(authority.books().orders.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_says_nothing_useful_leaves_a_third_of_the_life() {
    for mistake in [AcmeMistake::EmptyWindow, AcmeMistake::Mute] {
        let shared = Shared::at(NOW).await;
        let authority = shared.authority(90 * DAY);
        authority.books().mistake = mistake;
        let acme = shared.ordering_from(&authority).await;
        acme.look().await;
        assert_eq!(acme.status().renews_at, Some(NOW + 60 * DAY));
        for _ in 0..4 {
            shared.clock.advance(HOUR * 24 * 14);
            acme.look().await;
            acme.look().await;
        }
        assert_eq!(authority.books().orders.len(), 1, "{mistake:?}");
        shared.clock.advance(HOUR * 24 * 5);
        acme.look().await;
        acme.look().await;
        assert_eq!(authority.books().orders.len(), 2, "{mistake:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_orders_and_both_serve_the_certificate() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * DAY);
    let config = by_handshake(&shared, &authority);
    let (one, other) = (shared.node(&config).await, shared.node(&config).await);
    let served = [Served::start(&one), Served::start(&other)];
    tokio::join!(one.look(), other.look());
    assert_eq!(authority.books().orders.len(), 1);
    tokio::join!(one.look(), other.look());
    let [mine, theirs] = [
        shown(served[0].https, b"h2").await,
        shown(served[1].https, b"h2").await,
    ];
    assert_eq!(mine, theirs);
    shared.clock.advance(HOUR * 24 * 61);
    for _ in 0..3 {
        tokio::join!(one.look(), other.look());
    }
    assert_eq!(authority.books().orders.len(), 2);
    assert_eq!(one.status().not_after, other.status().not_after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_died_with_the_lease_is_waited_for_ten_minutes() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * DAY);
    let config = by_handshake(&shared, &authority);
    let (dead, alive) = (shared.node(&config).await, shared.node(&config).await);
    assert!(dead.0.store.take_lease().await.unwrap());
    alive.look().await;
    assert!(authority.books().orders.is_empty());
    shared.clock.advance(Duration::from_secs(601));
    alive.look().await;
    assert_eq!(authority.books().orders.len(), 1);
    // The dead node comes back, and cannot write its results.
    assert!(!dead.0.store.holds_lease().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_the_authority_does_not_have_is_named() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * DAY);
    let config = Config {
        profile: Some("shortlive".to_owned()),
        ..by_handshake(&shared, &authority)
    };
    let acme = shared.node(&config).await;
    acme.look().await;
    let failure = acme.status().failure;
    assert!(
        failure.contains("`shortlive`") && failure.contains("shortlived"),
        "{failure}"
    );
    assert!(authority.books().orders.is_empty());
}
