//! Schedules, and the findings about them.

use super::*;
use crate::jobs::findings;

fn every_hour() -> Registry {
    let mut registry = registry();
    let job = Write {
        number: 1,
        then: Then::Done,
    };
    registry.schedule(Plan::every(Duration::from_secs(3_600)), &job);
    registry
}

#[tokio::test]
async fn a_scheduled_job_runs_once_at_each_tick() {
    let node = Node::with(every_hour(), config()).await;
    assert_eq!(node.run_due().await, 0, "not at the first start");
    for ticks in 1..4 {
        node.advance(3_600);
        assert_eq!(node.run_due().await, 1);
        assert_eq!(node.run_due().await, 0);
        assert_eq!(node.seen.count(), ticks);
    }
}

#[tokio::test]
async fn one_of_two_nodes_runs_a_tick() {
    let node = Node::with(every_hour(), config()).await;
    let other = node.beside(every_hour()).await;
    node.run_due().await;
    node.advance(3_600);
    let (one, two) = tokio::join!(node.run_due(), other.run_due());
    assert_eq!((one + two, node.written().await), (1, vec![1]));
}

#[tokio::test]
async fn ticks_that_passed_while_no_node_ran_are_one_run() {
    let node = Node::with(every_hour(), config()).await;
    node.run_due().await;
    node.advance(24 * 3_600);
    let started = node.beside(every_hour()).await;
    assert_eq!(started.run_due().await, 1);
    assert_eq!(started.run_due().await, 0);
}

/// A node whose clock was years ahead stored its next tick there.
#[tokio::test]
async fn a_schedule_that_a_wrong_clock_moved_far_ahead_runs_again() {
    let node = Node::with(every_hour(), config()).await;
    node.run_due().await;
    let far = "UPDATE dewar_job_schedules SET next_at = next_at + 1000000000, seen_at = ?";
    let year = 366 * 24 * 3_600;
    node.db
        .execute(far, [(node.clock.now() + year).into()])
        .await
        .unwrap();
    // The node with that clock may be at work, so the first look changes nothing.
    node.advance(3_600);
    assert_eq!(node.run_due().await, 0);
    assert_eq!(node.run_due().await, 0, "it waits for the next tick");
    node.advance(3_600);
    assert_eq!(node.run_due().await, 1);
    // A clock that is a little ahead is nothing special.
    let near = "UPDATE dewar_job_schedules SET next_at = next_at + 3600";
    node.db.execute(near, []).await.unwrap();
    node.advance(3_600);
    assert_eq!(node.run_due().await, 0);
    assert_eq!(node.run_due().await, 0);
    node.advance(3_600);
    assert_eq!(node.run_due().await, 1);
}

#[tokio::test]
async fn a_schedule_that_comes_back_starts_from_then() {
    let node = Node::with(every_hour(), config()).await;
    node.run_due().await;
    // A program without it is deployed. For some minutes the older one may still run beside it.
    let without = node.beside(registry()).await;
    let rows = async || {
        let rows = node
            .db
            .query("SELECT schedule FROM dewar_job_schedules", []);
        rows.await.unwrap().len()
    };
    node.advance(600);
    without.jobs.sweep().await.unwrap();
    assert_eq!(rows().await, 1);
    node.advance(600);
    node.jobs.sweep().await.unwrap();
    assert_eq!(rows().await, 1, "a program keeps its own");
    without.jobs.sweep().await.unwrap();
    assert_eq!(rows().await, 0);
    node.advance(24 * 3_600);
    let again = node.beside(every_hour()).await;
    assert_eq!(again.run_due().await, 0);
    node.advance(3_600);
    assert_eq!(again.run_due().await, 1);
}

/// A job that takes longer than its interval does not pile up.
#[tokio::test]
async fn a_tick_whose_last_job_still_waits_is_left_out() {
    let mut registry = registry();
    let job = Write {
        number: 1,
        then: Then::Fail,
    };
    registry.schedule(Plan::every(Duration::from_secs(1)), &job);
    let node = Node::with(registry, config()).await;
    node.run_due().await;
    node.advance(1);
    assert_eq!(node.run_due().await, 1);
    for _ in 0..5 {
        node.advance(1);
        assert_eq!(node.run_due().await, 0);
    }
    assert_eq!(node.rows().await.len(), 1);
}

#[derive(Serialize, Deserialize)]
struct Twin;

impl Job for Twin {
    const NAME: &'static str = "write";
    const QUEUE: Queue = Queue::new("default", 3);

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Many;

impl Job for Many {
    const NAME: &'static str = "Many jobs";
    const QUEUE: Queue = Queue::new("many", 256);

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct OtherBound;

impl Job for OtherBound {
    const NAME: &'static str = "other-bound";
    const QUEUE: Queue = Queue::new("slow", 7);

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

#[test]
fn what_is_wrong_is_found_at_start_all_at_once() {
    let mut registry = every_hour();
    assert_eq!(findings(&registry, &config()), []);
    registry.add::<Write>();
    let same = Write {
        number: 1,
        then: Then::Done,
    };
    registry.schedule(Plan::every(Duration::from_secs(3_600)), &same);
    registry.schedule(Plan::cron("0 3 * *"), &same);
    registry.schedule(Plan::daily_at("25:00"), &same);
    registry.add::<Twin>();
    registry.add::<Many>();
    registry.add::<OtherBound>();
    let found = findings(&registry, &config());
    let ids: Vec<_> = found.iter().map(|finding| finding.id).collect();
    assert_eq!(
        ids,
        [
            "jobs-schedule",
            "jobs-schedule",
            "jobs-name-twice",
            "jobs-name",
            "jobs-queue-twice",
            "jobs-concurrency",
            "jobs-schedule-twice",
        ]
    );
    assert!(
        found
            .iter()
            .all(|finding| finding.refuses_launch && !finding.fix.is_empty())
    );
    assert!(found[0].title.contains("`0 3 * *`") && found[0].title.contains("`write`"));
}
