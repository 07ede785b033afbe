//! Runs the jobs of this node: takes those that are due, a bounded number at once in each queue, and ticks the schedules.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::error::Error;
use super::handle::Jobs;
use super::job::{Queue, Rooms};
use super::rows::{self, Added, Claim, Claimed};
use super::schedule::Schedule;
use crate::database::{DataVersion, Error as DatabaseError};
use crate::secrets::random;

/// The longest wait of the schedules for their next tick, which another node may have taken.
const LOOK_AT_SCHEDULES: Duration = Duration::from_secs(30);

/// How often a row says that a program with this schedule still looks at it, and how far the clocks of two nodes may differ, in
/// seconds.
const SEEN_EVERY: i64 = 5 * 60;

/// The most jobs of one [`Runner::run_due`]: a job that enqueues itself again and again would have no end.
const MOST_AT_ONCE: u64 = 10_000;

/// The runner of an application.
pub(crate) struct Runner {
    pub(super) jobs: Jobs,
    pub(super) rooms: Arc<Rooms>,
    /// Jobs see that the program stops.
    stopping: watch::Sender<bool>,
    /// Ends the jobs that are still running.
    pub(super) cut: watch::Sender<bool>,
}

/// What a look into a queue found.
enum Found {
    Job(Box<Claimed>),
    /// Nothing to do until something is enqueued, or this time has passed.
    Nothing(Duration),
}

/// What the last look into a queue found, as long as the database is the same.
#[derive(Default)]
struct LastLook {
    version: Option<DataVersion>,
    next: rows::Next,
}

impl Runner {
    pub(crate) fn new(jobs: Jobs, rooms: Rooms) -> Self {
        Self {
            jobs,
            rooms: Arc::new(rooms),
            stopping: watch::Sender::new(false),
            cut: watch::Sender::new(false),
        }
    }

    /// Starts a task for each queue and one for the schedules, unless this node runs no jobs. After the stop each ends when its
    /// jobs have, or when the drain timeout is over.
    pub(crate) fn start(
        self: &Arc<Self>,
        stopped: &watch::Receiver<()>,
        drain: Duration,
    ) -> Vec<JoinHandle<()>> {
        let inner = Arc::clone(&self.jobs.inner);
        if inner.config.concurrency == 0 || inner.registry.jobs().is_empty() {
            return Vec::new();
        }
        let runner = self;
        let queues = inner.registry.queues().into_iter();
        let mut tasks: Vec<_> = queues
            .map(|queue| {
                let dispatch = Arc::clone(runner).dispatch(queue, stopped.clone(), drain);
                tokio::spawn(dispatch)
            })
            .collect();
        if !inner.registry.schedules().is_empty() {
            tasks.push(tokio::spawn(
                Arc::clone(runner).tick_forever(stopped.clone()),
            ));
        }
        tasks
    }

    /// The receiver of the stop, for a job.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Runs the jobs of a queue until the stop.
    async fn dispatch(
        self: Arc<Self>,
        queue: Queue,
        mut stopped: watch::Receiver<()>,
        drain: Duration,
    ) {
        let places = queue.places(self.jobs.inner.config.concurrency).max(1);
        let free = Arc::new(Semaphore::new(places));
        let (mut running, mut last) = (JoinSet::new(), LastLook::default());
        loop {
            let place = tokio::select! {
                _ = stopped.changed() => break,
                place = Arc::clone(&free).acquire_owned() => place,
            };
            while running.try_join_next().is_some() {}
            let found = self.look(queue, places, &mut last).await;
            let wait = match found {
                Ok(Found::Job(claimed)) => {
                    let runner = Arc::clone(&self);
                    running.spawn(async move {
                        runner.attempt(*claimed).await;
                        drop(place);
                        // A job of the same owner may have waited for this one.
                        runner.wake(queue);
                    });
                    continue;
                }
                Ok(Found::Nothing(wait)) => wait,
                Err(error) => {
                    tracing::warn!(%error, queue = queue.name(), "no jobs were taken");
                    self.jobs.inner.config.poll_interval
                }
            };
            drop(place);
            tokio::select! {
                _ = stopped.changed() => break,
                () = self.woken(queue) => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.drain(running, drain).await;
    }

    /// Lets the running jobs finish, and ends those that do not.
    async fn drain(&self, mut running: JoinSet<()>, drain: Duration) {
        self.stopping.send_replace(true);
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all).await.is_err() {
            tracing::warn!(
                jobs = running.len(),
                "the stop ended running jobs; they run again after the start, or on another node"
            );
            self.cut.send_replace(true);
            while running.join_next().await.is_some() {}
        }
    }

    fn wake(&self, queue: Queue) {
        if let Some(notify) = self.jobs.woken(queue.name()) {
            notify.notify_one();
        }
    }

    async fn woken(&self, queue: Queue) {
        match self.jobs.woken(queue.name()) {
            Some(notify) => notify.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Takes the next job of a queue, if one is due.
    async fn look(
        &self,
        queue: Queue,
        places: usize,
        last: &mut LastLook,
    ) -> Result<Found, DatabaseError> {
        let inner = &*self.jobs.inner;
        let (db, now) = (&inner.db, inner.clock.now());
        // Before the query: what is written after this moment has another version.
        let version = db.version();
        if version.is_none() || version != last.version {
            let next = rows::next(db, queue.name()).await?;
            *last = LastLook { version, next };
        }
        let (mut next, is_due) = (last.next, |at: Option<i64>| at.is_some_and(|at| at <= now));
        if is_due(next.leased_until) {
            let jobs = rows::reclaim(db, now).await?;
            if jobs > 0 {
                tracing::warn!(jobs, "jobs whose node ended run again");
            }
            next = rows::next(db, queue.name()).await?;
        }
        if is_due(next.due_at)
            && let Some(claimed) = self.take(queue, (places / 2).max(1)).await?
        {
            return Ok(Found::Job(Box::new(claimed)));
        }
        // A job that is due and was not taken waits for another of its owner, or for a program that knows its name.
        let poll = inner.config.poll_interval;
        let wait = next
            .due_at
            .filter(|at| *at > now)
            .map_or(poll, |at| Duration::from_secs(at.abs_diff(now)).min(poll));
        Ok(Found::Nothing(wait))
    }

    /// Takes the next job of a queue that is due.
    async fn take(
        &self,
        queue: Queue,
        of_one_owner: usize,
    ) -> Result<Option<Claimed>, DatabaseError> {
        let inner = &*self.jobs.inner;
        let now = inner.clock.now();
        let (names, lease) = (
            inner.registry.names_of(queue.name()),
            HEXLOWER.encode(&random::<16>()),
        );
        let claim = Claim {
            queue: queue.name(),
            names: &names,
            lease: &lease,
            now,
            until: now.saturating_add_unsigned(inner.config.lease.as_secs()),
            of_one_owner,
        };
        rows::claim(&inner.db, claim).await
    }

    /// Runs everything that is due, one after another, with the schedules, and returns how many attempts it made.
    pub(crate) async fn run_due(&self) -> Result<u64, Error> {
        let inner = &*self.jobs.inner;
        let mut ran = 0;
        loop {
            self.tick().await?;
            rows::reclaim(&inner.db, inner.clock.now()).await?;
            let before = ran;
            for queue in inner.registry.queues() {
                while let Some(claimed) = self.take(queue, usize::MAX).await? {
                    self.attempt(claimed).await;
                    ran += 1;
                    if ran >= MOST_AT_ONCE {
                        return Ok(ran);
                    }
                }
            }
            if ran == before {
                return Ok(ran);
            }
        }
    }

    /// Ticks the schedules until the stop.
    async fn tick_forever(self: Arc<Self>, mut stopped: watch::Receiver<()>) {
        loop {
            let wait = self.tick().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the schedules of jobs did not tick");
                Duration::from_secs(1)
            });
            tokio::select! {
                _ = stopped.changed() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Enqueues the jobs of all ticks that have passed, and returns how long the next one is away. However many ticks of a schedule
    /// passed while no node ran, its job runs once.
    async fn tick(&self) -> Result<Duration, Error> {
        let inner = &*self.jobs.inner;
        let now = inner.clock.now();
        let mut wait = LOOK_AT_SCHEDULES;
        for schedule in inner.registry.schedules() {
            let next = schedule.plan.next_after(now);
            let at = self.at(schedule, next, now).await?;
            if at <= now {
                self.take_tick(schedule, (at, next), now).await?;
            }
            let next = if at <= now { next } else { at };
            wait = wait.min(Duration::from_secs(next.abs_diff(now)));
        }
        Ok(wait.max(Duration::from_secs(1)))
    }

    /// When a schedule ticks next.
    async fn at(&self, schedule: &Schedule, next: i64, now: i64) -> Result<i64, Error> {
        let (db, id) = (&self.jobs.inner.db, &schedule.id);
        let row = rows::tick_of(db, id, next, now).await?;
        let at = row.next_at;
        if row.seen_at.abs_diff(now) > SEEN_EVERY.unsigned_abs() {
            // A node with another time of day may be at work. It would be here again before the next look of this one.
            rows::see_tick(db, id, now).await?;
            return Ok(at);
        }
        let latest = schedule.plan.next_after(next.saturating_add(SEEN_EVERY));
        if at <= latest || !rows::reset_tick(db, id, at, next).await? {
            return Ok(at);
        }
        tracing::warn!(
            job = schedule.job,
            next_at = at,
            "a node whose clock was far ahead had moved the next run of a schedule there; it is as this node's clock says again"
        );
        Ok(next)
    }

    async fn take_tick(
        &self,
        schedule: &Schedule,
        (at, next): (i64, i64),
        now: i64,
    ) -> Result<(), Error> {
        let jobs = &self.jobs;
        let key = format!("schedule {}", schedule.id);
        let key = key.as_str();
        let added = jobs.inner.db.transaction(|tx| async move {
            if !rows::take_tick(&tx, &schedule.id, at, next).await? {
                return Ok::<_, Error>(None);
            }
            let added = jobs.add(&tx, (schedule.job, ""), &schedule.payload, (now, Some(key)));
            added.await.map(Some)
        });
        match added.await? {
            None | Some(Added::New(_)) => {}
            Some(Added::Known(id)) => tracing::warn!(
                job = schedule.job,
                %id,
                "a scheduled job was not enqueued: the one of the last tick still waits or runs"
            ),
            Some(Added::OwnerFull) => tracing::warn!(
                job = schedule.job,
                "a scheduled job was not enqueued: other nodes added and ended jobs with its key meanwhile"
            ),
        }
        Ok(())
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}
