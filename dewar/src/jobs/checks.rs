//! The room's checks at start.

use super::config::Config;
use super::registry::Registry;
use super::rows;
use crate::audit::{Finding, Practice, Severity};
use crate::database::{Db, Error};

/// The most jobs that a node runs at once, in all queues.
const MOST_AT_ONCE: usize = 256;

/// The findings about the jobs and the schedules of the program.
pub(crate) fn findings(registry: &Registry, config: &Config) -> Vec<Finding> {
    let mut findings = registry.own_findings().to_vec();
    let queues = registry.queues();
    for job in registry.jobs() {
        let known = queues.iter().find(|queue| queue.name() == job.queue.name());
        if known.is_some_and(|known| *known != job.queue) {
            let title = format!(
                "the queue `{}` has two bounds (job `{}`)",
                job.queue.name(),
                job.name
            );
            findings.push(
                Finding::refuse(Practice::Audit, "jobs-queue-twice", title)
                    .why("only one of them could apply")
                    .fix("use one constant of `Queue` for all its jobs"),
            );
        }
    }
    let places = queues.iter().map(|queue| queue.places(config.concurrency));
    let all: usize = places.sum();
    if all > MOST_AT_ONCE {
        let title = format!(
            "this node would run {all} jobs at once, in {} queues",
            queues.len()
        );
        findings.push(
            Finding::refuse(Practice::Audit, "jobs-concurrency", title)
                .why("jobs would take the database's connections from requests")
                .fix(format!(
                    "lower `jobs.concurrency` and the bounds of the queues to {MOST_AT_ONCE} in all"
                ))
                .cwe(770),
        );
    }
    let schedules = registry.schedules();
    for (number, schedule) in schedules.iter().enumerate() {
        if schedules
            .iter()
            .take(number)
            .any(|other| other.id == schedule.id)
        {
            let title = format!("the job `{}` is scheduled twice alike", schedule.job);
            findings.push(
                Finding::refuse(Practice::Audit, "jobs-schedule-twice", title)
                    .why("it would run once at each time, and the second line would do nothing")
                    .fix("remove one of the two lines"),
            );
        }
    }
    findings
}

/// The findings about jobs that no program's version knows any more.
pub(super) async fn of_rows(db: &Db, registry: &Registry) -> Result<Vec<Finding>, Error> {
    let unknown = rows::unknown(db, &registry.names()).await?;
    let findings = unknown.into_iter().map(|(name, count)| {
        let title = format!("{count} jobs wait whose name no job of this program has: `{name}`");
        Finding::warn(Practice::Audit, "jobs-unknown-name", title)
            .severity(Severity::Low)
            .why("Dewar keeps them and does not run them")
            .fix("register the job again under this name, or delete the rows in a migration")
    });
    Ok(findings.collect())
}
