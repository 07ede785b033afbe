mod claims;
mod kept;
mod owned;
mod running;
mod schedules;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Extensions;
use serde::{Deserialize, Serialize};

use super::job::Rooms;
use super::runner::Runner;
use super::{Config, Job, JobContext, JobError, Jobs, MIGRATIONS, Plan, Queue, Registry};
use crate::audit::{Clock, Log};
use crate::database::{Db, Migration};
use crate::secrets::KeyRing;

/// What the jobs of a test did, in the order in which they did it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) runs: Arc<AtomicU64>,
}

impl Seen {
    pub(super) fn count(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }
}

/// A job that writes its number into a table, and then does as its payload says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Write {
    pub(super) number: i64,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) enum Then {
    Done,
    Fail,
    FailWithValue,
    FinishAndFail,
    GiveUp,
    Never,
    Panic,
    Soon,
}

impl Job for Write {
    const NAME: &'static str = "write";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        context.state::<Seen>()?.runs.fetch_add(1, Ordering::SeqCst);
        let tx = context.db().begin().await?;
        tx.execute(
            "INSERT INTO written (number) VALUES (?)",
            [self.number.into()],
        )
        .await?;
        if self.then == Then::FinishAndFail {
            context.finish_in(&tx).await?;
        }
        tx.commit().await?;
        match self.then {
            Then::Done => Ok(()),
            Then::Fail | Then::FinishAndFail => Err(JobError::retry("it failed")),
            Then::FailWithValue => Err(std::io::Error::other("ada@example.org is unknown"))?,
            Then::GiveUp => Err(JobError::permanent("it never works")),
            Then::Never => std::future::pending().await,
            Then::Panic => panic!("it panicked on purpose"),
            Then::Soon => Err(JobError::retry("soon").after(Duration::from_secs(5))),
        }
    }
}

/// A job with a timeout of a moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Endless;

impl Job for Endless {
    const NAME: &'static str = "endless";
    const TIMEOUT: Duration = Duration::from_millis(20);
    const MAX_ATTEMPTS: u32 = 2;
    const QUEUE: Queue = Queue::new("slow", 1);

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        std::future::pending().await
    }
}

const TABLES: &[Migration] = &[Migration::new(
    "written_0001",
    "CREATE TABLE written (id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL) STRICT",
)];

/// A node with a database, and a clock that stands still.
pub(super) struct Node {
    pub(super) db: Db,
    pub(super) ring: KeyRing,
    pub(super) clock: Clock,
    pub(super) jobs: Jobs,
    pub(super) runner: Arc<Runner>,
    pub(super) seen: Seen,
    _folder: tempfile::TempDir,
}

pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add::<Write>();
    registry.add::<Endless>();
    registry
}

pub(super) fn config() -> Config {
    Config {
        max_per_owner: 5,
        max_waiting: 20,
        max_failed: 3,
        ..Config::default()
    }
}

impl Node {
    pub(super) async fn new() -> Self {
        Self::with(registry(), config()).await
    }

    pub(super) async fn with(registry: Registry, config: Config) -> Self {
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        db.migrate(&[MIGRATIONS, TABLES].concat()).await.unwrap();
        let shared = (db, KeyRing::ephemeral(), Clock::manual(1_000_000));
        Self::on(shared, registry, config).await
    }

    /// Another node with the same database, keys and clock.
    pub(super) async fn beside(&self, registry: Registry) -> Self {
        let shared = (self.db.clone(), self.ring.clone(), self.clock.clone());
        Self::on(shared, registry, config()).await
    }

    async fn on(
        (db, ring, clock): (Db, KeyRing, Clock),
        registry: Registry,
        config: Config,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path().join("audit"), [7; 32], clock.clone()).unwrap();
        let shared = (db.clone(), ring.clone(), clock.clone());
        let jobs = Jobs::open(config, registry, shared).await.unwrap();
        let seen = Seen::default();
        let mut later = Extensions::new();
        later.insert(seen.clone());
        let rooms = Rooms {
            db: db.clone(),
            log,
            ring: ring.clone(),
            clock: clock.clone(),
            later,
        };
        Self {
            runner: Arc::new(Runner::new(jobs.clone(), rooms)),
            db,
            ring,
            clock,
            jobs,
            seen,
            _folder: folder,
        }
    }

    pub(super) async fn enqueue(&self, number: i64, then: Then) {
        let tx = self.db.begin().await.unwrap();
        self.jobs
            .enqueue(&tx, &Write { number, then })
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) async fn run_due(&self) -> u64 {
        self.runner.run_due().await.unwrap()
    }

    /// What the jobs wrote, in order.
    pub(super) async fn written(&self) -> Vec<i64> {
        let rows = self.db.query("SELECT number FROM written ORDER BY id", []);
        let rows = rows.await.unwrap();
        rows.iter().map(|row| row.get(0).unwrap()).collect()
    }

    /// The rows: state, attempts and problem.
    pub(super) async fn rows(&self) -> Vec<(String, i64, Option<String>)> {
        let sql = "SELECT state, attempts, problem FROM dewar_jobs ORDER BY id";
        let rows = self.db.query(sql, []).await.unwrap();
        let rows = rows.iter();
        rows.map(|row| {
            (
                row.get(0).unwrap(),
                row.get(1).unwrap(),
                row.get(2).unwrap(),
            )
        })
        .collect()
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}
