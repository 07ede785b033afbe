//! What becomes of an attempt.

use super::*;
use crate::jobs::rows;

#[tokio::test]
async fn a_job_that_is_done_leaves_no_row() {
    let node = Node::new().await;
    node.enqueue(1, Then::Done).await;
    node.enqueue(2, Then::Done).await;
    assert_eq!(node.run_due().await, 2);
    assert_eq!(node.written().await, [1, 2]);
    assert_eq!(node.rows().await, []);
    assert_eq!(node.jobs.runs().done, 2);
    assert_eq!(node.run_due().await, 0);
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_later_and_fails_for_good_in_the_end() {
    let node = Node::new().await;
    node.enqueue(1, Then::Fail).await;
    let problem = Some("it failed".to_owned());
    for attempt in 1..3 {
        assert_eq!(node.run_due().await, 1);
        assert_eq!(
            node.rows().await,
            [("waiting".to_owned(), attempt, problem.clone())]
        );
        assert_eq!(node.run_due().await, 0, "it waits");
        node.advance(3_600);
    }
    assert_eq!(node.run_due().await, 1);
    assert_eq!(node.rows().await, [("failed".to_owned(), 3, problem)]);
    node.advance(24 * 3_600);
    assert_eq!(node.run_due().await, 0);
    let runs = node.jobs.runs();
    assert_eq!((runs.again, runs.failed, runs.done), (2, 1, 0));
}

#[tokio::test]
async fn a_job_says_itself_when_it_is_tried_again_or_that_it_is_not() {
    let node = Node::new().await;
    node.enqueue(1, Then::GiveUp).await;
    node.enqueue(2, Then::Soon).await;
    assert_eq!(node.run_due().await, 2);
    let states: Vec<_> = node.rows().await.into_iter().map(|row| row.0).collect();
    assert_eq!(states, ["failed", "waiting"]);
    node.advance(4);
    assert_eq!(node.run_due().await, 0);
    node.advance(1);
    assert_eq!(node.run_due().await, 1);
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_the_next_job_runs() {
    let node = Node::new().await;
    node.enqueue(1, Then::Panic).await;
    node.enqueue(2, Then::Done).await;
    assert_eq!(node.run_due().await, 2);
    assert_eq!(node.written().await, [1, 2]);
    let problem = Some("it panicked".to_owned());
    assert_eq!(node.rows().await, [("waiting".to_owned(), 1, problem)]);
}

#[tokio::test]
async fn a_job_that_never_ends_is_ended() {
    let node = Node::new().await;
    let tx = node.db.begin().await.unwrap();
    node.jobs.enqueue(&tx, &Endless).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(node.run_due().await, 1);
    node.advance(3_600);
    assert_eq!(node.run_due().await, 1);
    let problem = Some("it took longer than its timeout".to_owned());
    assert_eq!(node.rows().await, [("failed".to_owned(), 2, problem)]);
}

/// The row, and the page that shows it, have no value of the error: it may name a person (CWE-209, CWE-532).
#[tokio::test]
async fn the_problem_of_a_job_has_no_values() {
    let node = Node::new().await;
    node.enqueue(1, Then::FailWithValue).await;
    node.run_due().await;
    let rows = node.rows().await;
    let [(_, _, Some(problem))] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(problem, "std::io::error::Error");
    let error = JobError::from(std::io::Error::other("ada@example.org"));
    assert!(
        format!("{error:?}").ends_with(": ada@example.org"),
        "the log has it"
    );
}

/// Its changes and its end are one transaction, so a node that dies after it does not run it again.
#[tokio::test]
async fn a_job_that_finished_itself_does_not_run_again() {
    let node = Node::new().await;
    node.enqueue(1, Then::FinishAndFail).await;
    assert_eq!(node.run_due().await, 1);
    node.advance(24 * 3_600);
    assert_eq!(node.run_due().await, 0);
    assert_eq!((node.written().await, node.rows().await), (vec![1], vec![]));
}

#[tokio::test]
async fn a_job_runs_at_its_time() {
    let node = Node::new().await;
    let job = |number| Write {
        number,
        then: Then::Done,
    };
    let tx = node.db.begin().await.unwrap();
    let at = node.clock.now() + 60;
    node.jobs.enqueue_at(&tx, at, &job(1)).await.unwrap();
    let later = job(2);
    let later = node.jobs.prepare(&later).after(Duration::from_secs(30));
    later.enqueue(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(node.run_due().await, 0);
    node.advance(30);
    assert_eq!(node.run_due().await, 1);
    node.advance(30);
    assert_eq!(node.run_due().await, 1);
    assert_eq!(node.written().await, [2, 1]);
}

/// After a deployment: a payload of the version before does not fit any more.
#[tokio::test]
async fn a_payload_that_does_not_fit_any_more_is_kept() {
    let node = Node::new().await;
    node.enqueue(1, Then::Done).await;
    let sql = "SELECT seal FROM dewar_jobs";
    let seal: String = node.db.query(sql, []).await.unwrap()[0].get(0).unwrap();
    let other = "{\"number\":\"ada@example.org\",\"then\":\"Done\"}";
    let other = rows::seal(&node.ring, Write::NAME, &seal, other).unwrap();
    let replace = "UPDATE dewar_jobs SET payload = ?";
    node.db.execute(replace, [other.into()]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(node.run_due().await, 1);
        node.advance(3_600);
    }
    let problem = "the payload does not fit this version of the program".to_owned();
    assert_eq!(node.rows().await, [("failed".to_owned(), 3, Some(problem))]);
    assert_eq!(node.seen.count(), 0);
}

/// CWE-345: a payload that somebody copied into another row does not open there.
#[tokio::test]
async fn a_payload_opens_in_its_own_row_alone() {
    let node = Node::new().await;
    node.enqueue(1, Then::Done).await;
    node.enqueue(2, Then::Done).await;
    let copy = "UPDATE dewar_jobs SET payload = (SELECT payload FROM dewar_jobs AS other ORDER BY id LIMIT 1)";
    node.db.execute(copy, []).await.unwrap();
    node.run_due().await;
    assert_eq!(node.written().await, [1], "in its own row it opens");
    assert_eq!(node.rows().await.len(), 1);
    for (state, _, problem) in node.rows().await {
        assert_eq!(state, "waiting");
        assert_eq!(
            problem.unwrap(),
            "the payload cannot be opened with the keys of this node"
        );
    }
}
