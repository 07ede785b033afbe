//! One attempt at a job: with a timeout, under a lease that is extended while it runs, and with its result in the database.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::backoff;
use super::handle::JobId;
use super::job::{JobContext, JobError, NextAttempt};
use super::registry::Registered;
use super::rows::{self, Claimed};
use super::runner::Runner;
use crate::database::Error as DatabaseError;
use crate::secrets::Secret;

/// How long a job that was told to end may take to do so. One that blocks its thread does not end.
const TO_END: Duration = Duration::from_secs(5);

/// How an attempt ended.
#[derive(Debug)]
enum Outcome {
    /// The program stops.
    Cut,
    Done,
    Failed(JobError),
    /// Another node may run it.
    LeaseLost,
}

/// The task of a job, which ends with this value.
struct Task(JoinHandle<Result<(), JobError>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Runner {
    /// Runs a claimed job, and writes what became of it.
    pub(super) async fn attempt(&self, claimed: Claimed) {
        let inner = &*self.jobs.inner;
        let Some(job) = inner.registry.find(&claimed.name) else {
            return; // The claim named only known jobs.
        };
        inner.outcomes.running.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let outcome = if claimed.attempt > job.max_attempts {
            // Its node ended in the last attempt: perhaps because of it.
            Outcome::Failed(JobError::permanent(rows::LEASE_ENDED))
        } else {
            self.run(job, &claimed).await
        };
        let took = began.elapsed();
        inner.outcomes.running.fetch_sub(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        inner
            .outcomes
            .milliseconds
            .fetch_add(took, Ordering::Relaxed);
        self.settle(job, &claimed, outcome).await;
    }

    async fn run(&self, job: &Registered, claimed: &Claimed) -> Outcome {
        let payload = match claimed.open(&self.jobs.inner.ring) {
            Ok(payload) => payload,
            Err(error) => return Outcome::Failed(error),
        };
        let context = self.context(job, claimed);
        let has_finished = Arc::clone(&context.has_finished);
        let (job, timeout) = (*job, job.timeout);
        let work = async move { job.work(payload, &context).await };
        let mut task = Task(tokio::spawn(work));
        let outcome = tokio::select! {
            ended = &mut task.0 => return ended_as(ended),
            () = tokio::time::sleep(timeout) => {
                Outcome::Failed(JobError::retry("it took longer than its timeout"))
            }
            () = self.lease_lost(claimed, &has_finished) => Outcome::LeaseLost,
            () = self.is_cut() => Outcome::Cut,
        };
        task.0.abort();
        if tokio::time::timeout(TO_END, &mut task.0).await.is_err() {
            tracing::error!(job = job.name, id = %claimed.id, "a job blocks its thread and cannot be ended");
        }
        outcome
    }

    fn context(&self, job: &Registered, claimed: &Claimed) -> JobContext {
        JobContext {
            id: claimed.id,
            lease: claimed.lease.as_str().into(),
            attempt: claimed.attempt,
            max_attempts: job.max_attempts,
            jobs: self.jobs.for_owner(&claimed.owner),
            rooms: Arc::clone(&self.rooms),
            stopping: self.stopping(),
            has_finished: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Ends when the program ends its jobs.
    async fn is_cut(&self) {
        let mut cut = self.cut.subscribe();
        // The sender lives as long as this runner.
        drop(cut.wait_for(|cut| *cut).await);
    }

    /// Extends the lease from time to time. Ends when it is lost, or could not be extended until its end.
    async fn lease_lost(&self, claimed: &Claimed, has_finished: &AtomicBool) {
        let inner = &*self.jobs.inner;
        let lease = inner.config.lease;
        let mut ends = Instant::now() + lease;
        loop {
            tokio::time::sleep(lease / 3).await;
            if has_finished.load(Ordering::Acquire) {
                continue;
            }
            let before = Instant::now();
            let until = inner.clock.now().saturating_add_unsigned(lease.as_secs());
            match rows::extend(&inner.db, claimed.id, &claimed.lease, until).await {
                Ok(true) => ends = before + lease,
                Ok(false) if has_finished.load(Ordering::Acquire) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, id = %claimed.id, "the lease of a job was not extended");
                    if Instant::now() + lease / 3 >= ends {
                        return;
                    }
                }
            }
        }
    }

    /// Writes what became of an attempt. If the database is away, it tries until the lease ends; then the job runs again.
    async fn settle(&self, job: &Registered, claimed: &Claimed, outcome: Outcome) {
        let (inner, id) = (&*self.jobs.inner, claimed.id);
        let held = (id, claimed.lease.as_str());
        let now = inner.clock.now();
        let db = &inner.db;
        let counts = &inner.outcomes;
        match outcome {
            Outcome::Cut => {
                self.write(id, || rows::give_back(db, id, held.1, now))
                    .await;
            }
            Outcome::LeaseLost => {
                tracing::warn!(job = job.name, %id, "the lease of a job ended; another node may run it");
            }
            Outcome::Done => {
                counts.done.fetch_add(1, Ordering::Relaxed);
                self.write(id, || rows::done(db, id, held.1)).await;
            }
            Outcome::Failed(error) => {
                let attempt = claimed.attempt;
                let wait = match error.next {
                    NextAttempt::Never => None,
                    _ if attempt >= job.max_attempts => None,
                    NextAttempt::After(wait) => Some(wait.max(backoff::SHORTEST)),
                    NextAttempt::Later => Some(backoff::wait(attempt)),
                };
                let problem = error.summary();
                if let Some(wait) = wait {
                    tracing::warn!(job = job.name, %id, attempt, ?error, ?wait, "a job is tried again");
                    counts.again.fetch_add(1, Ordering::Relaxed);
                    let due_at = now.saturating_add_unsigned(wait.as_secs());
                    self.write(id, || rows::again(db, held, due_at, problem))
                        .await;
                } else {
                    tracing::error!(job = job.name, %id, attempt, ?error, "a job failed");
                    counts.failed.fetch_add(1, Ordering::Relaxed);
                    self.write(id, || rows::failed(db, held, now, problem))
                        .await;
                }
            }
        }
    }

    async fn write<F>(&self, id: JobId, change: impl Fn() -> F)
    where
        F: Future<Output = Result<bool, DatabaseError>>,
    {
        let ends = Instant::now() + self.jobs.inner.config.lease;
        loop {
            match change().await {
                // Without a row the job finished itself, or another node has it.
                Ok(_) => return,
                Err(error) if error.is_for_a_moment() && Instant::now() < ends => {
                    tracing::debug!(%error, %id, "the result of a job waits for the database");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => {
                    tracing::error!(%error, %id, "the result of a job was not written; it runs again");
                    return;
                }
            }
        }
    }
}

fn ended_as(ended: Result<Result<(), JobError>, JoinError>) -> Outcome {
    match ended {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(error)) => Outcome::Failed(error),
        // The panic's own text is in the log; it can have values.
        Err(error) if error.is_panic() => Outcome::Failed(JobError::retry("it panicked")),
        Err(_) => Outcome::Cut,
    }
}

impl Claimed {
    /// Opens the payload. One that was sealed with a revoked key, for another row or for a job of another name never opens.
    fn open(&self, ring: &crate::secrets::KeyRing) -> Result<Secret<String>, JobError> {
        let refused = || JobError::retry("the payload cannot be opened with the keys of this node");
        let opened = rows::PAYLOAD.open(ring, &self.seal, &self.payload);
        let opened = opened.map_err(|error| refused().because(error))?;
        let of_name = opened.expose().split_once('\n');
        match of_name.filter(|(name, _)| *name == self.name) {
            Some((_, payload)) => Ok(Secret::new(payload.to_owned())),
            None => Err(refused().because("it was sealed for a job of another name")),
        }
    }
}
