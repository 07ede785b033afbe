//! Two nodes, leases, owners.

use std::time::Duration;

use super::*;
use crate::jobs::rows::{self, Claim};
use crate::jobs::{Error, JobId};
use crate::sessions::UserId;

async fn claimed(node: &Node, lease: &str) -> Option<rows::Claimed> {
    claim_of(node, lease, usize::MAX).await
}

async fn claim_of(node: &Node, lease: &str, of_one_owner: usize) -> Option<rows::Claimed> {
    let now = node.clock.now();
    let claim = Claim {
        queue: "default",
        names: "[\"write\"]",
        lease,
        now,
        until: now + 60,
        of_one_owner,
    };
    rows::claim(&node.db, claim).await.unwrap()
}

#[tokio::test]
async fn two_nodes_that_claim_at_once_never_take_the_same_job() {
    let node = Node::new().await;
    for number in 0..20 {
        node.enqueue(number, Then::Done).await;
    }
    let mut takers = tokio::task::JoinSet::new();
    for taker in 0..8 {
        let (db, now) = (node.db.clone(), node.clock.now());
        takers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let lease = format!("taker {taker}");
                let claim = Claim {
                    queue: "default",
                    names: "[\"write\"]",
                    lease: &lease,
                    now,
                    until: now + 60,
                    of_one_owner: 1,
                };
                match rows::claim(&db, claim).await.unwrap() {
                    Some(claimed) => taken.push(claimed.id),
                    None => return taken,
                }
            }
        });
    }
    let mut all: Vec<JobId> = takers.join_all().await.into_iter().flatten().collect();
    assert_eq!(all.len(), 20);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 20);
}

/// A node that was killed says nothing: its lease ends, and another node runs the job.
#[tokio::test]
async fn a_job_whose_node_died_runs_on_another_one() {
    let node = Node::new().await;
    node.enqueue(7, Then::Done).await;
    let dead = claimed(&node, "dead").await.unwrap();
    let other = node.beside(registry()).await;
    node.advance(59);
    assert_eq!(other.run_due().await, 0, "the lease holds");
    node.advance(1);
    assert_eq!(other.run_due().await, 1);
    assert_eq!(other.written().await, [7]);
    // If it lives after all, it changes nothing any more.
    assert!(!rows::extend(&node.db, dead.id, "dead", 0).await.unwrap());
    assert!(!rows::done(&node.db, dead.id, "dead").await.unwrap());
}

#[tokio::test]
async fn a_node_without_its_lease_cannot_write_a_result() {
    let node = Node::new().await;
    node.enqueue(7, Then::Done).await;
    let late = claimed(&node, "late").await.unwrap();
    node.advance(60);
    assert_eq!(rows::reclaim(&node.db, node.clock.now()).await.unwrap(), 1);
    let new = claimed(&node, "new").await.unwrap();
    assert_eq!((new.id, new.attempt), (late.id, 2));
    let now = node.clock.now();
    let held = (late.id, "late");
    assert!(!rows::done(&node.db, late.id, "late").await.unwrap());
    assert!(!rows::again(&node.db, held, now, "x").await.unwrap());
    assert!(!rows::failed(&node.db, held, now, "x").await.unwrap());
    assert!(
        !rows::give_back(&node.db, late.id, "late", now)
            .await
            .unwrap()
    );
    let tx = node.db.begin().await.unwrap();
    assert!(!rows::done_in(&tx, late.id, "late").await.unwrap());
    drop(tx);
    assert!(rows::done(&node.db, new.id, "new").await.unwrap());
}

/// A job that kills its node each time has an end.
#[tokio::test]
async fn a_job_whose_nodes_die_fails_after_its_last_attempt() {
    let node = Node::new().await;
    node.enqueue(7, Then::Done).await;
    for _ in 0..3 {
        claimed(&node, "dead").await.unwrap();
        node.advance(60);
        rows::reclaim(&node.db, node.clock.now()).await.unwrap();
    }
    assert_eq!(node.run_due().await, 1);
    assert_eq!(
        node.written().await,
        Vec::<i64>::new(),
        "it did not run again"
    );
    let problem = Some(rows::LEASE_ENDED.to_owned());
    assert_eq!(node.rows().await, [("failed".to_owned(), 4, problem)]);
}

async fn for_person(node: &Node, person: i64, number: i64) -> Result<JobId, Error> {
    let tx = node.db.begin().await.unwrap();
    let job = Write {
        number,
        then: Then::Done,
    };
    let new = node.jobs.prepare(&job).owner(UserId::new(person));
    let id = new.enqueue(&tx).await?;
    tx.commit().await.unwrap();
    Ok(id)
}

/// CWE-770: one person fills their own share, and nobody else's.
#[tokio::test]
async fn one_person_cannot_fill_the_queue() {
    let node = Node::new().await;
    for number in 0..5 {
        for_person(&node, 1, number).await.unwrap();
    }
    let refused = for_person(&node, 1, 5).await.unwrap_err();
    assert!(matches!(refused, Error::TooMany { most: 5 }), "{refused}");
    let shown = crate::pages::Error::from(refused);
    assert_eq!(shown.kind(), crate::pages::ErrorKind::TooManyRequests);
    for_person(&node, 2, 10).await.unwrap();
    // The application itself has no share, only the bound of all.
    for number in 0..14 {
        node.enqueue(number, Then::Done).await;
    }
    let full = for_person(&node, 3, 0).await.unwrap_err();
    assert!(matches!(full, Error::Full { most: 20 }), "{full}");
    assert_eq!(node.run_due().await, 20);
    for_person(&node, 1, 6).await.unwrap();
}

#[tokio::test]
async fn one_person_s_jobs_leave_places_for_those_of_others() {
    let node = Node::new().await;
    for number in 0..5 {
        for_person(&node, 1, number).await.unwrap();
    }
    let other = for_person(&node, 2, 10).await.unwrap();
    let first = claim_of(&node, "1", 2).await.unwrap();
    claim_of(&node, "2", 2).await.unwrap();
    let third = claim_of(&node, "3", 2).await.unwrap();
    assert_eq!(third.id, other, "the person with two running jobs waits");
    assert!(claim_of(&node, "4", 2).await.is_none());
    assert!(rows::done(&node.db, first.id, "1").await.unwrap());
    assert!(claim_of(&node, "5", 2).await.is_some());
}

/// A job of a newer version of the program waits for a node that knows it.
#[tokio::test]
async fn a_job_of_an_unknown_name_is_kept_and_named() {
    let node = Node::new().await;
    node.enqueue(7, Then::Done).await;
    let mut older = Registry::default();
    older.add::<Endless>();
    let older = node.beside(older).await;
    node.advance(3_600);
    assert_eq!(older.run_due().await, 0);
    let findings = older.jobs.findings().await.unwrap();
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.id, "jobs-unknown-name");
    assert!(finding.title.contains("`write`") && !finding.refuses_launch);
    assert_eq!(node.jobs.findings().await.unwrap(), []);
    assert_eq!(node.run_due().await, 1);
}

/// The background runner takes jobs without a poll, as many at once as it may.
#[tokio::test]
async fn the_runner_is_woken_by_a_commit_and_ends_at_the_stop() {
    let slow = Config {
        poll_interval: Duration::from_secs(60),
        ..config()
    };
    let node = Node::with(registry(), slow).await;
    let (stop, stopped) = tokio::sync::watch::channel(());
    let tasks = node.runner.start(&stopped, Duration::from_secs(600));
    assert_eq!(tasks.len(), 2, "one for each queue");
    for number in 0..10 {
        node.enqueue(number, Then::Done).await;
    }
    crate::testing::wait_until("the jobs ran", async || node.rows().await.is_empty()).await;
    assert_eq!(node.seen.count(), 10);
    stop.send_replace(());
    for task in tasks {
        task.await.unwrap();
    }
    node.enqueue(10, Then::Done).await;
    assert_eq!(node.rows().await.len(), 1, "nobody runs it");
}

/// A job that is running at the stop gets the drain timeout, and then runs again somewhere else: its attempt does not count.
#[tokio::test]
async fn a_job_that_outlives_the_stop_is_given_back() {
    let node = Node::new().await;
    let (stop, stopped) = tokio::sync::watch::channel(());
    let tasks = node.runner.start(&stopped, Duration::from_millis(10));
    node.enqueue(1, Then::Never).await;
    crate::testing::wait_until("it runs", async || node.written().await == [1]).await;
    stop.send_replace(());
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(node.rows().await, [("waiting".to_owned(), 0, None)]);
    assert_eq!(node.jobs.runs().running, 0);
}
