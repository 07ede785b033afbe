//! Several nodes with one database.

use std::collections::BTreeMap;
use std::sync::Arc;

use dewar::app::Running;
use tokio::sync::Semaphore;

use super::*;
use crate::company::ON_SQLITE;

/// What happened to the jobs of a test, beyond one node.
#[derive(Default)]
struct Seen {
    /// How often each job is running now.
    now: BTreeMap<i64, usize>,
    /// How often each one ran.
    all: BTreeMap<i64, usize>,
    /// The jobs that ran twice at once.
    at_once: BTreeSet<i64>,
}

static SEEN: LazyLock<Mutex<BTreeMap<String, Seen>>> = LazyLock::new(Mutex::default);

fn seen<T>(tag: &str, look: impl FnOnce(&mut Seen) -> T) -> T {
    look(SEEN.lock().unwrap().entry(tag.to_owned()).or_default())
}

/// A job that notes whether it runs on two nodes at once.
#[derive(Serialize, Deserialize)]
struct Noted {
    tag: String,
    number: i64,
}

impl Job for Noted {
    const NAME: &'static str = "noted";

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        seen(&self.tag, |seen| {
            *seen.all.entry(self.number).or_default() += 1;
            let now = seen.now.entry(self.number).or_default();
            *now += 1;
            if *now > 1 {
                seen.at_once.insert(self.number);
            }
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        seen(&self.tag, |seen| {
            *seen.now.entry(self.number).or_default() -= 1
        });
        Ok(())
    }
}

/// The doors of a held job: it says that it has begun, and goes on when it may.
struct Held {
    begun: Semaphore,
    go_on: Semaphore,
}

static HELD: LazyLock<Mutex<BTreeMap<String, Arc<Held>>>> = LazyLock::new(Mutex::default);

fn held(tag: &str) -> Arc<Held> {
    let mut all = HELD.lock().unwrap();
    let new = || {
        Arc::new(Held {
            begun: Semaphore::new(0),
            go_on: Semaphore::new(0),
        })
    };
    Arc::clone(all.entry(tag.to_owned()).or_insert_with(new))
}

/// A job whose first attempt waits for the test, and which pays in the transaction of its end.
#[derive(Serialize, Deserialize)]
struct Pay {
    tag: String,
}

impl Job for Pay {
    const NAME: &'static str = "pay";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        if context.attempt() == 1 {
            let held = held(&self.tag);
            held.begun.add_permits(1);
            held.go_on.acquire().await?.forget();
        }
        let tx = context.db().begin().await?;
        let pay = "UPDATE dewar_users SET name = name || '+1'";
        tx.execute(pay, []).await?;
        context.finish_in(&tx).await?;
        tx.commit().await?;
        ran().push((self.tag, i64::from(context.attempt())));
        Ok(())
    }
}

fn nodes(app: App, tag: &str) -> App {
    let noted = Noted {
        tag: tag.to_owned(),
        number: 0,
    };
    with_jobs(app)
        .job::<Pay>()
        .every(Duration::from_secs(3600), &noted)
}

/// A portal, and a second node with its data and its clock. With PostgreSQL each node has a directory and a name of its own; the
/// tests of the room claim there too.
async fn two() -> (Portal, Running) {
    let data = tempfile::tempdir().unwrap();
    let tag = data.path().display().to_string();
    let portal = Portal::with_more(data, &[ON_SQLITE], |app| nodes(app, &tag)).await;
    let other = App::in_directory_with(&portal.data, [ON_SQLITE]).unwrap();
    let other = nodes(portal::app(other), &tag).clock(portal.clock.clone());
    let other = other.start().await.unwrap();
    for node in [&portal.running, &other] {
        node.run_jobs().await.unwrap();
    }
    (portal, other)
}

/// Two nodes that look at once never run one job at once, and run each once.
///
/// ASVS: V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_never_run_one_job_at_once() {
    let (portal, other) = two().await;
    let tx = portal.db().begin().await.unwrap();
    for number in 1..=60 {
        let job = Noted {
            tag: tag(&portal),
            number,
        };
        enqueue_in(&portal, &tx, &job).await;
    }
    tx.commit().await.unwrap();
    let (one, two) = tokio::join!(portal.running.run_jobs(), other.run_jobs());
    assert_eq!(one.unwrap() + two.unwrap(), 60);
    seen(&tag(&portal), |seen| {
        assert_eq!(seen.at_once, BTreeSet::new());
        let once: BTreeMap<_, _> = (1..=60).map(|number| (number, 1)).collect();
        assert_eq!(seen.all, once);
    });
    assert_eq!(rows(&portal).await, []);
    other.stop().await.unwrap();
}

/// Of two nodes, one runs each tick of a schedule.
///
/// ASVS: V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_nodes_runs_a_schedule() {
    let (portal, other) = two().await;
    for hour in 1..=5 {
        portal.clock.advance(Duration::from_secs(3600));
        let (one, two) = tokio::join!(portal.running.run_jobs(), other.run_jobs());
        one.unwrap();
        two.unwrap();
        // A node that looked before the other one had enqueued the job leaves it to that one.
        seen(&tag(&portal), |seen| {
            assert_eq!(seen.all.get(&0), Some(&hour))
        });
    }
    other.stop().await.unwrap();
}

/// A node that said nothing until the end of its lease, and then goes on, changes nothing: another node has run the job.
///
/// ASVS: V15.4.2, V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_after_its_lease_pays_nothing_twice() {
    let (portal, other) = two().await;
    portal.member("ada").await;
    let tag = tag(&portal);
    let tx = portal.db().begin().await.unwrap();
    enqueue_in(&portal, &tx, &Pay { tag: tag.clone() }).await;
    tx.commit().await.unwrap();
    let held = held(&tag);
    let (late, _) = tokio::join!(portal.running.run_jobs(), async {
        held.begun.acquire().await.unwrap().forget();
        // The lease is over, as by a node that was suspended.
        portal.clock.advance(Duration::from_secs(3600));
        other.run_jobs().await.unwrap();
        assert_eq!(ran_in(&portal), [2], "the other node ran it");
        held.go_on.add_permits(1);
    });
    late.unwrap();
    assert_eq!(ran_in(&portal), [2]);
    let paid = "SELECT count(*) FROM dewar_users WHERE name = 'ada+1'";
    assert_eq!(portal.count(paid).await, 1);
    assert_eq!(rows(&portal).await, []);
    other.stop().await.unwrap();
}
