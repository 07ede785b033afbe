//! What an application's jobs are, for the developer's page.

use serde::Serialize;

use super::handle::Jobs;
use super::rows::Counts;
use crate::database::Error;

/// The jobs and how many wait.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    counts: Counts,
    jobs: Vec<JobRow>,
}

#[derive(Debug, Serialize)]
struct JobRow {
    name: &'static str,
    queue: &'static str,
    max_attempts: u32,
    /// The time limit of an attempt, in seconds.
    timeout: u64,
    plans: Vec<PlanRow>,
}

#[derive(Debug, Serialize)]
struct PlanRow {
    text: String,
    next: i64,
}

impl Jobs {
    /// The jobs and their schedules, without a payload.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn overview(&self) -> Result<Overview, Error> {
        let counts = self.counts().await?;
        let (registry, now) = (&self.inner.registry, self.inner.clock.now());
        let plans = |name: &str| {
            let of_job = registry.schedules().iter().filter(|one| one.job == name);
            let plans = of_job.map(|one| PlanRow {
                text: one.plan.text(),
                next: one.plan.next_after(now),
            });
            plans.collect()
        };
        let jobs = registry.jobs().iter().map(|job| JobRow {
            name: job.name,
            queue: job.queue.name(),
            max_attempts: job.max_attempts,
            timeout: job.timeout.as_secs(),
            plans: plans(job.name),
        });
        Ok(Overview {
            counts,
            jobs: jobs.collect(),
        })
    }
}
