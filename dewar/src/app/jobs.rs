//! The jobs and schedules of an application, and the handles that its jobs get.

use std::time::Duration;

use http::Extensions;

use super::{App, Dewar};
use crate::jobs::{Job, JobContext, JobError, Plan, Rooms, Runner};

impl<S> App<S> {
    /// Registers a kind of job. Handlers enqueue it with [`Jobs`](crate::Jobs).
    ///
    /// ```
    /// use dewar::jobs::{Job, JobContext, JobError};
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct SendInvoice { invoice: i64 }
    /// impl Job for SendInvoice {
    ///     const NAME: &'static str = "send-invoice";
    ///     async fn run(self, _: &JobContext) -> Result<(), JobError> { Ok(()) }
    /// }
    /// fn app(app: dewar::App) -> dewar::App { app.job::<SendInvoice>() }
    /// ```
    pub fn job<J: Job>(mut self) -> Self {
        self.parts.jobs.add::<J>();
        self
    }

    /// Runs a job at each multiple of an interval since 1970: every ten minutes at 0:00, 0:10, and so on. One node runs it. If no
    /// program ran at several of these times, the job runs once at the next start.
    ///
    /// ```
    /// # use dewar::jobs::{Job, JobContext, JobError};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct CleanUp;
    /// # impl Job for CleanUp {
    /// #     const NAME: &'static str = "clean-up";
    /// #     async fn run(self, _: &JobContext) -> Result<(), JobError> { Ok(()) }
    /// # }
    /// use std::time::Duration;
    /// fn app(app: dewar::App) -> dewar::App { app.every(Duration::from_secs(600), &CleanUp) }
    /// ```
    pub fn every<J: Job>(mut self, interval: Duration, job: &J) -> Self {
        self.parts.jobs.schedule(Plan::every(interval), job);
        self
    }

    /// Runs a job each day at a time, in UTC. Otherwise as [`every`](Self::every).
    ///
    /// ```
    /// # use dewar::jobs::{Job, JobContext, JobError};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct CleanUp;
    /// # impl Job for CleanUp {
    /// #     const NAME: &'static str = "clean-up";
    /// #     async fn run(self, _: &JobContext) -> Result<(), JobError> { Ok(()) }
    /// # }
    /// fn app(app: dewar::App) -> dewar::App { app.daily_at("03:30", &CleanUp) }
    /// ```
    pub fn daily_at<J: Job>(mut self, time: &'static str, job: &J) -> Self {
        self.parts.jobs.schedule(Plan::daily_at(time), job);
        self
    }

    /// Runs a job at the times of a cron expression, in UTC: minute, hour, day of the month, month, day of the week. Otherwise as
    /// [`every`](Self::every). The start refuses an expression that is wrong.
    ///
    /// ```
    /// # use dewar::jobs::{Job, JobContext, JobError};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Digest;
    /// # impl Job for Digest {
    /// #     const NAME: &'static str = "digest";
    /// #     async fn run(self, _: &JobContext) -> Result<(), JobError> { Ok(()) }
    /// # }
    /// fn app(app: dewar::App) -> dewar::App { app.cron("0 6 * * 1", &Digest) } // Mondays at 6:00
    /// ```
    pub fn cron<J: Job>(mut self, expression: &'static str, job: &J) -> Self {
        self.parts.jobs.schedule(Plan::cron(expression), job);
        self
    }
}

impl JobContext {
    /// The open rooms of the application: its accounts, its sessions and its uploads.
    ///
    /// ```
    /// use dewar::jobs::{JobContext, JobError};
    /// async fn sweep(context: &JobContext) -> Result<(), JobError> {
    ///     context.dewar()?.uploads().sweep_old().await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Never in a job that an [`App`] runs.
    pub fn dewar(&self) -> Result<&Dewar, JobError> {
        self.service()
    }
}

impl Dewar {
    /// The runner of the jobs, with the application's own state among their handles.
    pub(super) fn runner(&self, state: Extensions) -> Runner {
        let rooms = self.rooms();
        let mut later = state;
        later.insert(rooms.accounts.clone());
        later.insert(rooms.uploads.clone());
        later.insert(self.clone());
        let given = Rooms {
            db: rooms.db.clone(),
            log: rooms.log.clone(),
            ring: rooms.ring.clone(),
            clock: rooms.clock.clone(),
            later,
        };
        Runner::new(rooms.jobs.clone(), given)
    }
}
