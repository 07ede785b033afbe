use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::*;
use crate::accounts;
use crate::audit::Log;
use crate::database::{Db, Migration};
use crate::sessions;

const HOUR: Duration = Duration::from_secs(3600);

fn person(number: i64) -> CountedSender {
    CountedSender::Usual(RequestSender::Person(number))
}

/// A /64 of its own for each number.
fn network(number: u32) -> CountedSender {
    let [a, b, c, d] = number.to_be_bytes().map(u16::from);
    let network = IpAddr::from([0x2001, a, (b << 8) | c, d, 0, 0, 0, 0]);
    CountedSender::Usual(RequestSender::Network(Some(network)))
}

/// Nodes of one database.
struct Nodes {
    db: Db,
    clock: Clock,
    ring: KeyRing,
    directory: tempfile::TempDir,
}

impl Nodes {
    async fn open() -> Self {
        let db = Db::temporary().unwrap();
        let rooms = [accounts::MIGRATIONS, sessions::MIGRATIONS];
        let all: Vec<Migration> = rooms.into_iter().flatten().copied().collect();
        db.migrate(&all).await.unwrap();
        Self {
            db,
            clock: Clock::manual(1_800_000_000),
            ring: KeyRing::ephemeral(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// One more node, with its own memory.
    fn node(&self, name: &str, limit: RateLimit) -> Arc<Counter> {
        self.node_at(name, limit, &self.clock)
    }

    /// A node whose clock is its own.
    fn node_at(&self, name: &str, limit: RateLimit, clock: &Clock) -> Arc<Counter> {
        let log = Log::open(self.directory.path().join(name), [7; 32], clock.clone());
        let config = sessions::Config::default();
        let sessions = Sessions::new(self.db.clone(), config, clock.clone(), log.unwrap());
        let counts = SharedCounts::new(sessions, clock.clone(), self.ring.clone());
        Arc::new(Counter::new(limit, "GET / 0".to_owned(), counts))
    }

    async fn rows(&self) -> i64 {
        let rows = self.db.query("SELECT count(*) FROM dewar_rate_limits", []);
        rows.await.unwrap()[0].get(0).unwrap()
    }

    /// Makes the store useless, and well again with both.
    async fn change(&self, changes: &[Migration]) {
        let rooms = [accounts::MIGRATIONS, sessions::MIGRATIONS, changes];
        let all: Vec<Migration> = rooms.into_iter().flatten().copied().collect();
        self.db.migrate(&all).await.unwrap();
    }
}

const LOST: Migration = Migration::new("lost", "ALTER TABLE dewar_rate_limits RENAME TO away");
const FOUND: Migration = Migration::new("found", "ALTER TABLE away RENAME TO dewar_rate_limits");

/// How many of so many requests at once are admitted.
async fn admitted(nodes: &[Arc<Counter>], sender: CountedSender, each: usize) -> usize {
    let all = nodes
        .iter()
        .flat_map(|node| (0..each).map(|_| node.take(sender)));
    let all = join_all(all).await;
    all.iter().filter(|taken| taken.is_ok()).count()
}

/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_low_limit_is_exact_over_all_nodes() {
    let nodes = Nodes::open().await;
    let limit = RateLimit::per_hour(5).by_user();
    let all = [
        nodes.node("one", limit),
        nodes.node("two", limit),
        nodes.node("three", limit),
    ];
    assert_eq!(admitted(&all, person(1), 20).await, 5);
    assert_eq!(
        admitted(&all, person(2), 20).await,
        5,
        "another has their own"
    );
    for node in &all {
        let refusal = node.take(person(1)).await.unwrap_err();
        assert!(
            refusal.wait() > HOUR / 6 && refusal.wait() <= HOUR / 5,
            "{refusal:?}"
        );
    }
    nodes.clock.advance(HOUR / 5);
    assert_eq!(admitted(&all, person(1), 20).await, 1);
    // A restart forgets nothing.
    assert_eq!(
        admitted(&[nodes.node("four", limit)], person(1), 20).await,
        0
    );
}

/// The promise of the documentation: a tenth more for each node within the time, and not a request more.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_high_limit_admits_a_tenth_more_for_each_node_at_most_and_costs_few_queries() {
    let nodes = Nodes::open().await;
    let limit = RateLimit::per_minute(200).by_user();
    let all = [
        nodes.node("one", limit),
        nodes.node("two", limit),
        nodes.node("three", limit),
    ];
    let before = nodes.db.statements();
    let passed = admitted(&all, person(1), 300).await;
    assert!((200..=200 + 3 * 20).contains(&passed), "{passed}");
    // Nobody has to wait for the others, and a flood is refused from memory.
    let asked = nodes.db.statements() - before;
    let refused = nodes.db.statements();
    assert_eq!(admitted(&all, person(1), 300).await, 0);
    assert_eq!(nodes.db.statements(), refused, "{asked} at first");
    let mut passed = passed;
    for _ in 0..60 {
        nodes.clock.advance(Duration::from_secs(1));
        passed += admitted(&all, person(1), 20).await;
    }
    assert!(passed <= 200 + 200 + 2 * 3 * 20, "{passed}");
}

/// Many visitors who send little cost the store nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_sends_little_costs_no_query_and_no_row() {
    let nodes = Nodes::open().await;
    let node = nodes.node("one", RateLimit::per_minute(100).by_address());
    let before = nodes.db.statements();
    for number in 0..1_000 {
        for _ in 0..5 {
            assert_eq!(node.take(network(number)).await, Ok(()));
        }
    }
    assert_eq!(nodes.db.statements(), before);
    assert_eq!(node.left(&network(7)), (95, Duration::from_secs(3)));
    assert_eq!(node.take(network(7)).await, Ok(()));
    assert_eq!(nodes.rows().await, 1);
    assert_eq!(node.left(&network(7)), (94, Duration::from_millis(3_600)));
    nodes.clock.advance(Duration::from_secs(4));
    node.counts.sweep().await.unwrap();
    assert_eq!(nodes.rows().await, 0);
}

/// Requests that trickle in are not free: those that no store knows are counted until their time is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_trickle_over_many_nodes_does_not_pass_the_limit() {
    let nodes = Nodes::open().await;
    let limit = RateLimit::per_minute(60).by_user();
    let names = ["a", "b", "c", "d"];
    let all = names.map(|name| nodes.node(name, limit));
    let mut passed = admitted(&all, person(1), 60).await;
    for _ in 0..180 {
        nodes.clock.advance(Duration::from_secs(1));
        passed += admitted(&all, person(1), 1).await;
    }
    let most = 60 + 3 * 60 + 3 * names.len() * 6;
    assert!((60..=most).contains(&passed), "{passed} of {most}");
}

/// Addresses of strangers push nobody's count out of memory who keeps sending; and the store has the count of all others.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_addresses_does_not_reset_a_hot_sender() {
    let nodes = Nodes::open().await;
    let node = nodes.node("one", RateLimit::per_minute(40).by_address());
    // Requests that are on their way to the store side by side: a tenth more at most.
    let passed = admitted(&[Arc::clone(&node)], network(0), 60).await;
    assert!((40..=44).contains(&passed), "{passed}");
    for number in 1..60_000 {
        assert_eq!(node.take(network(number)).await, Ok(()));
        if number % 5_000 == 0 {
            assert!(node.take(network(0)).await.is_err(), "{number}");
        }
    }
    let held = {
        let senders = node.senders();
        senders.young.len() + senders.old.len()
    };
    assert!(held <= MOST_SENDERS, "{held}");
    let before = nodes.db.statements();
    assert!(node.take(network(0)).await.is_err());
    assert_eq!(nodes.db.statements(), before);
    // And one that was forgotten passes no more than a node's own part.
    node.senders().young.clear();
    node.senders().old.clear();
    assert!(admitted(&[node], network(0), 60).await <= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_a_node_counts_alone_or_refuses() {
    let nodes = Nodes::open().await;
    let open = RateLimit::per_hour(5).by_user();
    let (counts, refuses) = (
        nodes.node("one", open),
        nodes.node("two", open.fail_closed()),
    );
    assert_eq!(admitted(&[Arc::clone(&counts)], person(1), 2).await, 2);
    nodes.change(&[LOST]).await;
    assert_eq!(admitted(&[Arc::clone(&counts)], person(1), 9).await, 3);
    assert_eq!(admitted(&[Arc::clone(&counts)], person(2), 9).await, 5);
    assert_eq!(
        refuses.take(person(3)).await,
        Err(RateRefusal::NotCounted(ALONE_FOR))
    );
    nodes.change(&[LOST, FOUND]).await;
    // It asks again after some seconds, and remembers what it counted meanwhile.
    nodes.clock.advance(ALONE_FOR);
    assert_eq!(refuses.take(person(3)).await, Ok(()));
    assert_eq!(admitted(&[counts], person(2), 9).await, 0);
}

/// Somebody who hangs up while their request is counted is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_given_up_is_not_free() {
    let nodes = Nodes::open().await;
    let node = nodes.node("one", RateLimit::per_hour(40).by_user());
    for _ in 0..2 {
        assert_eq!(node.take(person(1)).await, Ok(()));
    }
    // Whether the store has counted them or not, nobody is told; they stay counted.
    for _ in 0..3 {
        let _given_up = node.take(person(1)).now_or_never();
    }
    let local = node.senders().find(&person(1)).unwrap();
    assert_eq!(local.under_way, 0);
    // On a server requests are on their way to the store side by side: then a node may admit a tenth more.
    assert!(admitted(&[node], person(1), 60).await <= 38 + 4);
}

/// A flood of new senders does not fill the store: each node then counts the new ones alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_the_store_are_bounded() {
    let nodes = Nodes::open().await;
    let node = nodes.node("one", RateLimit::per_hour(5).by_address());
    assert_eq!(admitted(&[Arc::clone(&node)], network(0), 3).await, 3);
    let shared = &node.counts.0;
    shared.rows.store(MOST_ROWS, Ordering::Relaxed);
    let now = node.counts.now();
    shared.recounted_at.store(now, Ordering::Relaxed);
    for number in 1..50 {
        assert_eq!(admitted(&[Arc::clone(&node)], network(number), 7).await, 5);
    }
    assert_eq!(nodes.rows().await, 1);
    assert_eq!(
        admitted(&[Arc::clone(&node)], network(0), 7).await,
        2,
        "a known one is counted there"
    );
    node.counts.sweep().await.unwrap();
    assert_eq!(admitted(&[Arc::clone(&node)], network(99), 7).await, 5);
    assert_eq!(nodes.rows().await, 2);
}

/// A limit that must be counted asks a full store too. And a node that only believes that it is full looks again.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_believes_in_too_many_rows_counts_them_again() {
    let nodes = Nodes::open().await;
    let limit = RateLimit::per_hour(5).by_address();
    let all = [nodes.node("one", limit), nodes.node("two", limit)];
    let must = [
        nodes.node("three", limit.fail_closed()),
        nodes.node("four", limit.fail_closed()),
    ];
    for node in all.iter().chain(&must) {
        let shared = &node.counts.0;
        shared.rows.store(MOST_ROWS, Ordering::Relaxed);
        shared
            .recounted_at
            .store(node.counts.now(), Ordering::Relaxed);
    }
    assert_eq!(admitted(&all, network(1), 9).await, 10, "each alone");
    assert_eq!(admitted(&must, network(2), 9).await, 5);
    nodes.clock.advance(FULL_FOR);
    for node in &all {
        assert_eq!(node.take(network(4)).await, Ok(()));
    }
    assert_eq!(admitted(&all, network(3), 9).await, 5);
    assert!(all.iter().all(|node| !node.counts.is_full()));
}

/// A node whose clock was wrong, and a limit that was longer before, lock nobody out: neither in the store nor in memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_far_ahead_locks_nobody_out() {
    let nodes = Nodes::open().await;
    let limit = RateLimit::per_minute(6).by_user();
    let ahead = Clock::manual(1_800_000_000 + 365 * 24 * 3_600);
    let wrong = nodes.node_at("wrong", limit, &ahead);
    let longer = nodes.node("longer", RateLimit::per_hour(6).by_user());
    assert_eq!(admitted(&[wrong], person(1), 9).await, 6);
    assert_eq!(admitted(&[longer], person(2), 9).await, 6);
    let node = nodes.node("right", limit);
    let far = Local {
        empty_at: node.counts.now() + 365 * 24 * 3_600_000_000,
        is_in_store: true,
        ..Local::default()
    };
    node.senders().put(person(3), far);
    node.counts
        .0
        .alone_until
        .store(far.empty_at, Ordering::Relaxed);
    assert_eq!(node.left(&person(3)), (0, Duration::from_secs(60)));
    for number in 1..4 {
        let refusal = node.take(person(number)).await.unwrap_err();
        let most = Duration::from_secs(10);
        assert!(refusal.wait() <= most, "{number}: {refusal:?}");
    }
    nodes.clock.advance(Duration::from_secs(10));
    for number in 1..4 {
        assert_eq!(node.take(person(number)).await, Ok(()), "{number}");
    }
}

/// A statement that has to give way is of one request; a limit on another route is counted in the store as before.
#[test]
fn a_busy_store_is_not_a_lost_one() {
    use crate::database::Error as Database;
    for error in [Database::Busy, Database::Conflict] {
        assert!(is_of_this_request(&error.into()));
    }
    let why = || "gone".to_owned();
    for error in [
        Database::Closed.into(),
        Database::ConnectionLost { why: why() }.into(),
        Error::Unreachable(why()),
    ] {
        assert!(!is_of_this_request(&error), "{error}");
    }
}

/// The store has no address and no token, and nobody without the keys can try all addresses.
#[tokio::test(flavor = "multi_thread")]
async fn senders_of_two_limits_and_two_kinds_are_told_apart() {
    let nodes = Nodes::open().await;
    let limit = RateLimit::per_hour(5).by_user();
    let node = nodes.node("one", limit);
    let other = Counter::new(limit, "GET /other 0".to_owned(), node.counts.clone());
    let senders = [
        person(1),
        person(2),
        network(1),
        CountedSender::Token([1; 16]),
    ];
    let mut keys: Vec<_> = senders
        .iter()
        .flat_map(|one| [node.key(*one), other.key(*one)])
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 2 * senders.len());
    let elsewhere = Nodes {
        ring: KeyRing::ephemeral(),
        ..nodes
    };
    let elsewhere = elsewhere.node("two", limit);
    assert_ne!(elsewhere.key(network(1)), node.key(network(1)));
}
