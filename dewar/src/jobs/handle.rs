//! `Jobs`: enqueues jobs.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use data_encoding::HEXLOWER;
use http::request::Parts;
use tokio::sync::Notify;

use super::config::Config;
use super::error::Error;
use super::job::Job;
use super::registry::Registry;
use super::rows::{self, Added, Counts};
use crate::audit::{Clock, Finding};
use crate::database::{Db, Tx, refuse_while_reading};
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{self, RequestContext, Sealed};
use crate::secrets::{KeyRing, random};
use crate::sessions::UserId;

/// The most bytes of a payload.
const MOST_BYTES: usize = 64 * 1024;

/// How long after the last look of a program that has it a schedule is forgotten: a program that brings it back starts from then,
/// and does not run what it missed. Longer than the nodes of a deploy take to be replaced one after the other, and than
/// `SEEN_EVERY` of the runner.
const FORGOTTEN_AFTER: i64 = 15 * 60;

/// How long a count of all waiting jobs is used.
const COUNT_VALID: Duration = Duration::from_secs(1);

/// The number of a job.
///
/// ```
/// use dewar::jobs::JobId;
/// assert_eq!(JobId::new(7).to_string(), "7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(i64);

impl JobId {
    /// The job with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number in the database.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The handle of the room: an input of handlers, cheap to clone. Jobs that a handler enqueues count for the person who sent the
/// request, or for the visitor's network.
///
/// ```
/// use dewar::jobs::{Job, JobContext, JobError, Jobs};
/// use dewar::{Db, Redirect};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct SendInvoice { invoice: i64 }
/// # impl Job for SendInvoice {
/// #     const NAME: &'static str = "send-invoice";
/// #     async fn run(self, _: &JobContext) -> Result<(), JobError> { Ok(()) }
/// # }
/// async fn order(db: Db, jobs: Jobs) -> dewar::Result<Redirect> {
///     let tx = db.begin().await?;
///     let rows = tx.query("INSERT INTO invoices (sent) VALUES (0) RETURNING id", []).await?;
///     let invoice = rows.first().map(|row| row.get(0)).transpose()?.unwrap_or(0);
///     jobs.enqueue(&tx, &SendInvoice { invoice }).await?;
///     tx.commit().await?; // from now on the job runs
///     Ok(Redirect::to("/orders"))
/// }
/// # fn mounted(app: dewar::App) -> dewar::App {
/// #     app.job::<SendInvoice>().signed_in([dewar::post("/orders", order)])
/// # }
/// ```
#[derive(Clone)]
pub struct Jobs {
    pub(super) inner: Arc<Inner>,
    owner: Arc<str>,
}

pub(super) struct Inner {
    pub(super) db: Db,
    pub(super) ring: KeyRing,
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) registry: Registry,
    /// Wakes the runner of each queue.
    wake: HashMap<&'static str, Notify>,
    count: Mutex<Count>,
    pub(super) outcomes: Outcomes,
}

/// The number of all waiting jobs, as of a moment, with those that this node has added since.
#[derive(Debug, Default)]
struct Count {
    waiting: u64,
    at: Option<Instant>,
}

/// What became of attempts on this node, since its start.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    pub(super) running: AtomicU64,
    pub(super) done: AtomicU64,
    pub(super) again: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) milliseconds: AtomicU64,
}

/// The same, as numbers at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunCounts {
    pub(crate) running: u64,
    pub(crate) done: u64,
    pub(crate) again: u64,
    pub(crate) failed: u64,
    pub(crate) milliseconds: u64,
}

impl Jobs {
    /// The handle for the application itself, after the migrations.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn open(
        config: Config,
        registry: Registry,
        (db, ring, clock): (Db, KeyRing, Clock),
    ) -> Result<Self, crate::database::Error> {
        for job in registry.jobs() {
            rows::move_to_queue(&db, job.name, job.queue.name()).await?;
        }
        let queues = registry.queues();
        let wake = queues.iter().map(|queue| (queue.name(), Notify::new()));
        Ok(Self {
            inner: Arc::new(Inner {
                wake: wake.collect(),
                db,
                ring,
                clock,
                config,
                registry,
                count: Mutex::default(),
                outcomes: Outcomes::default(),
            }),
            owner: "".into(),
        })
    }

    /// The handle for a request.
    fn for_caller(&self, context: &RequestContext) -> Self {
        let network = || {
            let address = context.address().map(crate::https::ClientAddress::network);
            address.map_or_else(
                || "visitor".to_owned(),
                |network| format!("network {network}"),
            )
        };
        let owner = context
            .principal()
            .map_or_else(network, |person| of_person(person.id()));
        Self {
            inner: Arc::clone(&self.inner),
            owner: owner.into(),
        }
    }

    /// The handle for a job: jobs that it enqueues count for its own owner.
    pub(super) fn for_owner(&self, owner: &str) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            owner: owner.into(),
        }
    }

    /// Enqueues a job that runs as soon as the transaction has been committed, if it is.
    ///
    /// # Errors
    /// [`Error::TooMany`] if the owner has too many jobs, [`Error::Full`] if all have: 429 and 503 for the visitor.
    /// [`Error::Payload`] if the payload is larger than 64 KiB.
    pub async fn enqueue<J: Job>(&self, tx: &Tx, job: &J) -> Result<JobId, Error> {
        self.prepare(job).enqueue(tx).await
    }

    /// Enqueues a job that runs at a time, in Unix seconds, or soon after it.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_at<J: Job>(&self, tx: &Tx, at: i64, job: &J) -> Result<JobId, Error> {
        self.prepare(job).at(at).enqueue(tx).await
    }

    /// A job with more to say about it: a time, a key, another owner.
    pub fn prepare<'a, J: Job>(&'a self, job: &'a J) -> NewJob<'a, J> {
        NewJob {
            jobs: self,
            job,
            at: None,
            unique_key: None,
            owner: Arc::clone(&self.owner),
        }
    }

    /// Makes a failed job wait again. Returns false if there is no failed job of this number, or if one with its key waits already.
    ///
    /// # Errors
    /// The database failed.
    pub async fn retry(&self, tx: &Tx, id: JobId) -> Result<bool, Error> {
        let queue = rows::retry(tx, id, self.inner.clock.now()).await?;
        let Some(queue) = queue else {
            return Ok(false);
        };
        self.wake_after(tx, queue);
        Ok(true)
    }

    /// The jobs in each state.
    pub(crate) async fn counts(&self) -> Result<Counts, crate::database::Error> {
        rows::counts(&self.inner.db).await
    }

    /// What became of the attempts on this node.
    pub(crate) fn runs(&self) -> RunCounts {
        let Outcomes {
            running,
            done,
            again,
            failed,
            milliseconds,
        } = &self.inner.outcomes;
        let [running, done, again, failed, milliseconds] =
            [running, done, again, failed, milliseconds].map(|count| count.load(Ordering::Relaxed));
        RunCounts {
            running,
            done,
            again,
            failed,
            milliseconds,
        }
    }

    /// The findings about the rows.
    pub(crate) async fn findings(&self) -> Result<Vec<Finding>, crate::database::Error> {
        super::checks::of_rows(&self.inner.db, &self.inner.registry).await
    }

    /// Removes what is kept too long.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn sweep(&self) -> Result<(), crate::database::Error> {
        let Inner {
            db,
            clock,
            config,
            registry,
            ..
        } = &*self.inner;
        let now = clock.now();
        let before = now.saturating_sub_unsigned(config.failed_ttl.as_secs());
        rows::sweep_failed(db, before, config.max_failed).await?;
        let schedules = registry.schedule_ids();
        rows::sweep_schedules(db, &schedules, now.saturating_sub(FORGOTTEN_AFTER)).await?;
        Ok(())
    }

    /// The notification of a queue.
    pub(super) fn woken(&self, queue: &str) -> Option<&Notify> {
        self.inner.wake.get(queue)
    }

    /// Wakes the runner of a queue once a transaction is committed.
    fn wake_after(&self, tx: &Tx, queue: String) {
        let jobs = self.clone();
        tx.after_commit(move || {
            if let Some(notify) = jobs.woken(&queue) {
                notify.notify_one();
            }
        });
    }

    /// Counts one more waiting job, unless too many wait. Two nodes may each go over the bound by what they add within a second.
    async fn check_room(&self) -> Result<(), Error> {
        let most = self.inner.config.max_waiting;
        {
            let mut count = self.count();
            let is_fresh = count.at.is_some_and(|at| at.elapsed() < COUNT_VALID);
            if is_fresh && count.waiting < most {
                count.waiting += 1;
                return Ok(());
            }
        }
        let waiting = rows::waiting_up_to(&self.inner.db, most).await?;
        if waiting >= most {
            return Err(Error::Full { most });
        }
        let mut count = self.count();
        *count = Count {
            waiting: waiting + 1,
            at: Some(Instant::now()),
        };
        Ok(())
    }

    fn count(&self) -> std::sync::MutexGuard<'_, Count> {
        self.inner
            .count
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job whose payload is JSON already.
    pub(super) async fn add(
        &self,
        tx: &Tx,
        (name, owner): (&'static str, &str),
        text: &str,
        (due_at, unique_key): (i64, Option<&str>),
    ) -> Result<Added, Error> {
        refuse_while_reading()?;
        let inner = &*self.inner;
        let job = inner.registry.find(name);
        let job = job.ok_or(Error::Unregistered { name })?;
        if text.len() > MOST_BYTES {
            let problem = "is larger than 64 KiB: store the data in a table of your own, and its id in the payload";
            return Err(Error::Payload { name, problem });
        }
        let seal = HEXLOWER.encode(&random::<16>());
        let new = rows::New {
            name,
            queue: job.queue.name(),
            owner,
            unique_key,
            payload: rows::seal(&inner.ring, name, &seal, text)?,
            seal: &seal,
            due_at,
            now: inner.clock.now(),
            max_per_owner: inner.config.max_per_owner,
        };
        let added = rows::add(tx, new).await?;
        if matches!(added, Added::New(_)) {
            self.wake_after(tx, job.queue.name().to_owned());
        }
        Ok(added)
    }
}

fn of_person(id: UserId) -> String {
    format!("person {id}")
}

/// A job that is not enqueued yet.
///
/// ```
/// use dewar::database::Tx;
/// use dewar::jobs::{Error, Job, Jobs};
/// use std::time::Duration;
/// /// One letter in a quarter of an hour, however often somebody writes.
/// async fn remind(tx: &Tx, jobs: &Jobs, letter: &impl Job, reader: i64) -> Result<(), Error> {
///     let key = format!("reader {reader}");
///     jobs.prepare(letter).after(Duration::from_secs(900)).unique(&key).enqueue(tx).await?;
///     Ok(())
/// }
/// ```
#[must_use = "a job is not enqueued until `enqueue` is called"]
pub struct NewJob<'a, J> {
    jobs: &'a Jobs,
    job: &'a J,
    at: Option<i64>,
    unique_key: Option<&'a str>,
    owner: Arc<str>,
}

impl<'a, J: Job> NewJob<'a, J> {
    /// Sets the time of its first attempt, in Unix seconds.
    pub fn at(mut self, unix_seconds: i64) -> Self {
        self.at = Some(unix_seconds);
        self
    }

    /// Sets the wait until its first attempt.
    pub fn after(self, wait: Duration) -> Self {
        let now = self.jobs.inner.clock.now();
        self.at(now.saturating_add_unsigned(wait.as_secs()))
    }

    /// If a job of the same kind with this key waits or runs, that one stays, and this one is not added. So the key has to say
    /// everything in which two jobs differ.
    pub fn unique(mut self, key: &'a str) -> Self {
        self.unique_key = Some(key);
        self
    }

    /// Counts the job for a person, whose jobs are bounded (`jobs.max_per_owner`). A handler's jobs count for its caller already.
    pub fn owner(mut self, person: UserId) -> Self {
        self.owner = of_person(person).into();
        self
    }

    /// Counts the job for no owner. Bound how often somebody can cause it.
    pub fn of_the_application(mut self) -> Self {
        self.owner = "".into();
        self
    }

    /// Enqueues it in this transaction. Returns its number, or that of the job with the same key.
    ///
    /// # Errors
    /// As [`Jobs::enqueue`].
    pub async fn enqueue(self, tx: &Tx) -> Result<JobId, Error> {
        let text = serde_json::to_string(self.job).map_err(|_| Error::Payload {
            name: J::NAME,
            problem: "cannot be written as JSON",
        })?;
        // Not for schedules, each of which has one waiting job: a flood of jobs does not keep them out.
        self.jobs.check_room().await?;
        let at = self.at.unwrap_or_else(|| self.jobs.inner.clock.now());
        let whose = (J::NAME, &*self.owner);
        let added = self.jobs.add(tx, whose, &text, (at, self.unique_key));
        match added.await? {
            Added::New(id) | Added::Known(id) => Ok(id),
            Added::OwnerFull => Err(Error::TooMany {
                most: self.jobs.inner.config.max_per_owner,
            }),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Jobs {
    type Rejection = pages::Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, pages::Error> {
        let context = RequestContext::of(parts)?;
        Ok(context.service::<Self>()?.for_caller(context))
    }
}

impl HandlerInput for Jobs {
    fn describe(_: &mut Described, _: Sealed) {}
}

impl FromParts for Jobs {}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl<J> fmt::Debug for NewJob<'_, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewJob").finish_non_exhaustive()
    }
}
