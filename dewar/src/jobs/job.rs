//! A kind of job, and what it gets when it runs.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Extensions;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

use super::handle::{JobId, Jobs};
use super::rows;
use crate::audit::{Clock, Log};
use crate::database::{Db, Tx};
use crate::pages;
use crate::secrets::KeyRing;

/// A kind of job: its payload, and the work.
///
/// The payload is stored as JSON, sealed, and may be read by a later version of the program: give a new field
/// `#[serde(default)]`. Store ids in it, and load the records when the job runs. Do not store passwords and keys in it.
///
/// ```
/// use dewar::jobs::{Job, JobContext, JobError};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Forget { visitor: i64 }
/// impl Job for Forget {
///     const NAME: &'static str = "forget-visitor";
///     async fn run(self, context: &JobContext) -> Result<(), JobError> {
///         let tx = context.db().begin().await?;
///         tx.execute("DELETE FROM visits WHERE visitor = ?", [self.visitor.into()]).await?;
///         context.finish_in(&tx).await?; // the job is done if, and only if, this transaction commits
///         tx.commit().await?;
///         Ok(())
///     }
/// }
/// fn app(app: dewar::App) -> dewar::App { app.job::<Forget>() }
/// ```
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name in the database, of `a-z`, `0-9` and `-`. Do not change it while jobs of that name wait.
    const NAME: &'static str;

    /// The queue, whose bound applies to all its jobs together.
    const QUEUE: Queue = Queue::DEFAULT;

    /// How long one attempt may take.
    const TIMEOUT: Duration = Duration::from_secs(5 * 60);

    /// How often it is tried before it counts as failed, from 1. With the waits in between, ten attempts take about two hours.
    const MAX_ATTEMPTS: u32 = 10;

    /// Does the work. It may run more than once, and on several nodes one after another.
    ///
    /// Work that blocks the thread goes into `tokio::task::spawn_blocking`: a timeout cannot stop it otherwise.
    fn run(self, context: &JobContext) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// A queue: how many of its jobs one node runs at once, beside those of other queues.
///
/// ```
/// use dewar::jobs::Queue;
/// const REPORTS: Queue = Queue::new("reports", 1);
/// assert_eq!(REPORTS.name(), "reports");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    name: &'static str,
    /// None for the queue whose bound is the setting `jobs.concurrency`.
    concurrency: Option<usize>,
}

impl Queue {
    /// The queue of jobs that name no other. Its bound is the setting `jobs.concurrency`.
    pub const DEFAULT: Self = Self {
        name: "default",
        concurrency: None,
    };

    /// A queue that runs at most `concurrency` jobs on each node.
    ///
    /// # Panics
    /// If `concurrency` is 0 or above 256, or the name has other characters than `a-z`, `0-9` and `-`; in a `const`, while it is
    /// compiled.
    #[must_use]
    pub const fn new(name: &'static str, concurrency: usize) -> Self {
        assert!(is_name(name), "a queue's name has only a-z, 0-9 and -");
        assert!(
            concurrency >= 1 && concurrency <= 256,
            "a queue runs from 1 to 256 jobs at once"
        );
        Self {
            name,
            concurrency: Some(concurrency),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many of its jobs a node runs, by this setting.
    pub(super) fn places(&self, setting: usize) -> usize {
        self.concurrency.unwrap_or(setting)
    }
}

/// Whether a name can be one of a job or a queue.
pub(super) const fn is_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    if rest.is_empty() || rest.len() > 64 {
        return false;
    }
    while let [byte, after @ ..] = rest {
        if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        rest = after;
    }
    true
}

/// What a job gets when it runs.
///
/// ```
/// use dewar::jobs::{JobContext, JobError};
/// async fn count(context: &JobContext) -> Result<i64, JobError> {
///     let rows = context.db().query("SELECT count(*) FROM notes", []).await?;
///     Ok(rows.first().map(|row| row.get(0)).transpose()?.unwrap_or(0))
/// }
/// ```
#[derive(Clone)]
pub struct JobContext {
    pub(super) id: JobId,
    pub(super) lease: Arc<str>,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) jobs: Jobs,
    pub(super) rooms: Arc<Rooms>,
    pub(super) stopping: watch::Receiver<bool>,
    /// Whether the job has finished itself, in a transaction that may be committed already.
    pub(super) has_finished: Arc<AtomicBool>,
}

/// The rooms that jobs use.
pub(crate) struct Rooms {
    pub(crate) db: Db,
    pub(crate) log: Log,
    pub(crate) ring: KeyRing,
    pub(crate) clock: Clock,
    /// The handles of later rooms and the application's state, each by its type.
    pub(crate) later: Extensions,
}

impl JobContext {
    /// The number of the job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The number of this attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether this attempt is the last one.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.rooms.db
    }

    /// The audit log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.rooms.log
    }

    /// The key ring.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.rooms.ring
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.rooms.clock
    }

    /// Enqueues further jobs. They count for the owner of this one, so `jobs.max_per_owner` bounds them too;
    /// [`NewJob::of_the_application`](super::NewJob::of_the_application) counts one for no owner.
    #[must_use]
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The application's own state, of [`App::with_state`](crate::App::with_state).
    ///
    /// ```
    /// use dewar::jobs::{JobContext, JobError};
    /// #[derive(Clone)]
    /// struct Shop { currency: &'static str }
    /// fn currency(context: &JobContext) -> Result<&'static str, JobError> {
    ///     Ok(context.state::<Shop>()?.currency)
    /// }
    /// ```
    ///
    /// # Errors
    /// The application has a state of another type.
    pub fn state<S: Send + Sync + 'static>(&self) -> Result<&S, JobError> {
        self.service()
    }

    /// The handle of a later room.
    pub(crate) fn service<T: Send + Sync + 'static>(&self) -> Result<&T, JobError> {
        let found = self.rooms.later.get();
        found.ok_or_else(|| {
            JobError::permanent("the application has no such state").because(type_name::<T>())
        })
    }

    /// Finishes the job in this transaction: the job's changes and its end are committed together, so its changes happen once,
    /// even if the node dies. After that, return `Ok`.
    ///
    /// # Errors
    /// The job is no longer this node's: its lease ended, and another node may run it. Return the error, and with it drop the
    /// transaction.
    pub async fn finish_in(&self, tx: &Tx) -> Result<(), JobError> {
        if rows::done_in(tx, self.id, &self.lease).await? {
            self.has_finished.store(true, Ordering::Release);
            Ok(())
        } else {
            Err(JobError::retry("the lease of the job ended"))
        }
    }

    /// Waits until the program stops. A long job that watches it can return an error early, and runs again after the start.
    pub async fn stopping(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that the sender is gone, which is a stop as well.
        drop(stopping.wait_for(|stopping| *stopping).await);
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms").finish_non_exhaustive()
    }
}

/// Why an attempt failed, and whether there is another one.
///
/// `?` turns every error into one, which is tried again. The database and the page of administrators get a text of the program
/// (here the name of the error's type) and no values; the whole error goes to the program's log.
///
/// ```
/// use dewar::jobs::JobError;
/// use std::time::Duration;
/// let busy = JobError::retry("the printer is busy").after(Duration::from_secs(60));
/// let gone = JobError::permanent("the invoice was deleted");
/// assert_eq!(gone.summary(), "the invoice was deleted");
/// # drop(busy);
/// ```
pub struct JobError {
    summary: &'static str,
    pub(super) next: NextAttempt,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// When a job that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextAttempt {
    After(Duration),
    Later,
    Never,
}

impl JobError {
    /// The job is tried again, after a wait that grows with each attempt.
    #[must_use]
    pub const fn retry(summary: &'static str) -> Self {
        Self {
            summary,
            next: NextAttempt::Later,
            cause: None,
        }
    }

    /// The job has failed, and is not tried again by itself.
    #[must_use]
    pub const fn permanent(summary: &'static str) -> Self {
        Self {
            summary,
            next: NextAttempt::Never,
            cause: None,
        }
    }

    /// Sets the wait until the next attempt, of at least a second.
    #[must_use]
    pub const fn after(mut self, wait: Duration) -> Self {
        self.next = NextAttempt::After(wait);
        self
    }

    /// The cause, for the program's log alone.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The text for the database and for administrators. It has no values.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        self.summary
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::retry(type_name::<E>()).because(error)
    }
}

/// For the log: the summary, and the cause with its chain of sources.
impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.summary)?;
        let Some(cause) = &self.cause else {
            return Ok(());
        };
        // A page's error shows its cause only so; its `Display` is for visitors.
        if let Some(error) = cause.downcast_ref::<pages::Error>() {
            return write!(f, ": {error:?}");
        }
        write!(f, ": {cause}")?;
        let mut source = cause.source();
        while let Some(deeper) = source {
            write!(f, ": {deeper}")?;
            source = deeper.source();
        }
        Ok(())
    }
}
