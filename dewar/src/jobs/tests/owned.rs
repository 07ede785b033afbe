//! A job belongs to its name and to its owner.

use super::*;
use crate::jobs::Error;
use crate::sessions::UserId;

/// A job whose payload looks like that of `Write`, and that would do something else with it.
#[derive(Debug, Serialize, Deserialize)]
struct Erase {
    number: i64,
    then: Then,
}

impl Job for Erase {
    const NAME: &'static str = "erase";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let erase = "DELETE FROM written WHERE number = ?";
        context.db().execute(erase, [self.number.into()]).await?;
        Ok(())
    }
}

/// A job that enqueues others.
#[derive(Debug, Serialize, Deserialize)]
struct FanOut {
    jobs: i64,
    of_the_application: bool,
}

impl Job for FanOut {
    const NAME: &'static str = "fan-out";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let tx = context.db().begin().await?;
        for number in 0..self.jobs {
            let job = Write {
                number,
                then: Then::Done,
            };
            let mut new = context.jobs().prepare(&job).at(2_000_000);
            if self.of_the_application {
                new = new.of_the_application();
            }
            match new.enqueue(&tx).await {
                Ok(_) => {}
                Err(Error::TooMany { .. }) => return Err(JobError::permanent("too many")),
                Err(error) => return Err(JobError::permanent("another error").because(error)),
            }
        }
        Ok(tx.commit().await?)
    }
}

async fn node() -> Node {
    let mut registry = registry();
    registry.add::<Erase>();
    registry.add::<FanOut>();
    Node::with(registry, config()).await
}

/// Somebody who can write the table turns one job into another: the payload does not open (CWE-345).
#[tokio::test]
async fn a_row_under_the_name_of_another_job_does_not_run() {
    let node = node().await;
    node.enqueue(7, Then::Done).await;
    assert_eq!(node.run_due().await, 1);
    node.enqueue(7, Then::Done).await;
    let sql = "UPDATE dewar_jobs SET name = 'erase'";
    assert_eq!(node.db.execute(sql, []).await.unwrap(), 1);
    node.run_due().await;
    assert_eq!(node.written().await, [7]);
    let problem = node.rows().await[0].2.clone().unwrap();
    assert!(problem.contains("cannot be opened"), "{problem}");
    // Under its own name it runs.
    node.db
        .execute("UPDATE dewar_jobs SET name = 'write'", [])
        .await
        .unwrap();
    node.advance(3_600);
    assert_eq!(node.run_due().await, 1);
    assert_eq!(node.written().await, [7, 7]);
}

/// One person cannot get more than their share of jobs by a job that makes others (CWE-770).
#[tokio::test]
async fn a_job_that_a_job_enqueues_counts_for_its_owner() {
    for (jobs, of_the_application, wanted) in [(3, false, 3), (30, false, 0), (9, true, 9)] {
        let node = node().await;
        let tx = node.db.begin().await.unwrap();
        let fan_out = FanOut {
            jobs,
            of_the_application,
        };
        let new = node.jobs.prepare(&fan_out).owner(UserId::new(7));
        new.enqueue(&tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(node.run_due().await, 1);
        let sql = "SELECT owner FROM dewar_jobs WHERE name = 'write'";
        let rows = node.db.query(sql, []).await.unwrap();
        let owners = rows.iter().map(|row| row.get::<String>(0).unwrap());
        let owners: Vec<String> = owners.collect();
        assert_eq!(owners.len(), wanted, "{jobs}");
        let is_of_nobody = |owner: &String| owner.is_empty();
        assert!(
            owners
                .iter()
                .all(|owner| is_of_nobody(owner) == of_the_application),
            "{owners:?}"
        );
    }
}
