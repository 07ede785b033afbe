//! What is enqueued and what is kept.

use super::*;
use crate::jobs::{Error, JobId};

#[tokio::test]
async fn a_rolled_back_transaction_enqueues_nothing() {
    let node = Node::new().await;
    let job = Write {
        number: 1,
        then: Then::Done,
    };
    let tx = node.db.begin().await.unwrap();
    node.jobs.enqueue(&tx, &job).await.unwrap();
    tx.rollback().await.unwrap();
    let tx = node.db.begin().await.unwrap();
    node.jobs.enqueue(&tx, &job).await.unwrap();
    drop(tx);
    assert_eq!(node.run_due().await, 0);
    assert_eq!((node.rows().await, node.written().await), (vec![], vec![]));
}

#[tokio::test]
async fn the_payload_is_sealed() {
    let node = Node::new().await;
    node.enqueue(778_899, Then::Done).await;
    let sql = "SELECT payload FROM dewar_jobs";
    let payload: String = node.db.query(sql, []).await.unwrap()[0].get(0).unwrap();
    assert!(
        !payload.contains("778899") && !payload.contains("Done"),
        "{payload}"
    );
    assert!(payload.starts_with(&format!("{}.", node.ring.signing_id())));
}

#[derive(Serialize, Deserialize)]
struct Large(String);

impl Job for Large {
    const NAME: &'static str = "large";

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_payload_that_is_too_large_and_a_job_that_is_not_registered_are_refused() {
    let mut registry = registry();
    registry.add::<Large>();
    let node = Node::with(registry, config()).await;
    let tx = node.db.begin().await.unwrap();
    let fits = Large("x".repeat(64 * 1024 - 2));
    node.jobs.enqueue(&tx, &fits).await.unwrap();
    let large = Large("x".repeat(64 * 1024 - 1));
    let refused = node.jobs.enqueue(&tx, &large).await.unwrap_err();
    assert!(
        matches!(refused, Error::Payload { name: "large", .. }),
        "{refused}"
    );
    drop(tx);
    let older = node.beside(super::registry()).await;
    let tx = older.db.begin().await.unwrap();
    let refused = older.jobs.enqueue(&tx, &fits).await.unwrap_err();
    assert!(
        matches!(refused, Error::Unregistered { name: "large" }),
        "{refused}"
    );
}

async fn unique(node: &Node, key: &str) -> JobId {
    let job = Write {
        number: 1,
        then: Then::GiveUp,
    };
    let tx = node.db.begin().await.unwrap();
    let id = node
        .jobs
        .prepare(&job)
        .unique(key)
        .enqueue(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_key_is_there_once_until_its_job_has_ended() {
    let node = Node::new().await;
    let first = unique(&node, "a").await;
    assert_eq!(unique(&node, "a").await, first);
    let other = unique(&node, "b").await;
    assert_ne!(other, first);
    assert_eq!(node.run_due().await, 2);
    let again = unique(&node, "a").await;
    assert_ne!(again, first, "the failed one is in nobody's way");
    // And the failed one cannot come back beside it.
    let tx = node.db.begin().await.unwrap();
    assert!(!node.jobs.retry(&tx, first).await.unwrap());
    assert!(node.jobs.retry(&tx, other).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(node.run_due().await, 2);
}

#[tokio::test]
async fn a_failed_job_that_is_tried_again_has_all_its_attempts() {
    let node = Node::new().await;
    node.enqueue(1, Then::GiveUp).await;
    node.run_due().await;
    let sql = "SELECT id FROM dewar_jobs";
    let id = node.db.query(sql, []).await.unwrap()[0].get(0).unwrap();
    let tx = node.db.begin().await.unwrap();
    assert!(node.jobs.retry(&tx, JobId::new(id)).await.unwrap());
    assert!(
        !node.jobs.retry(&tx, JobId::new(id)).await.unwrap(),
        "it waits already"
    );
    assert!(!node.jobs.retry(&tx, JobId::new(id + 1)).await.unwrap());
    tx.commit().await.unwrap();
    let rows = node.rows().await;
    assert_eq!((rows[0].0.as_str(), rows[0].1), ("waiting", 0));
    assert_eq!(node.run_due().await, 1);
}

/// Failed jobs are bounded in number and in time.
#[tokio::test]
async fn failed_jobs_are_kept_for_a_while_and_not_without_end() {
    let node = Node::new().await;
    for number in 0..5 {
        node.enqueue(number, Then::GiveUp).await;
        node.run_due().await;
        node.advance(1);
    }
    node.enqueue(6, Then::Soon).await;
    node.run_due().await;
    node.jobs.sweep().await.unwrap();
    let counts = node.jobs.counts().await.unwrap();
    assert_eq!((counts.failed, counts.waiting, counts.running), (3, 1, 0));
    node.advance(15 * 24 * 3_600);
    node.jobs.sweep().await.unwrap();
    let counts = node.jobs.counts().await.unwrap();
    assert_eq!(
        (counts.failed, counts.waiting),
        (0, 1),
        "what waits is never swept"
    );
}
