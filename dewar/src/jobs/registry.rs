//! The kinds of job and the schedules of an application.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::job::{Job, JobContext, JobError, Queue, is_name};
use super::schedule::{Plan, Schedule};
use crate::audit::{Finding, Practice};
use crate::secrets::Secret;

type Work<'a> = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send + 'a>>;

/// A kind of job, without its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registered {
    pub(super) name: &'static str,
    pub(super) queue: Queue,
    pub(super) timeout: Duration,
    pub(super) max_attempts: u32,
    kind: TypeId,
    run: for<'a> fn(Secret<String>, &'a JobContext) -> Work<'a>,
}

impl Registered {
    fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            queue: J::QUEUE,
            timeout: J::TIMEOUT,
            max_attempts: J::MAX_ATTEMPTS.max(1),
            kind: TypeId::of::<J>(),
            run: run::<J>,
        }
    }

    /// Reads the payload and does the work.
    pub(super) fn work<'a>(&self, payload: Secret<String>, context: &'a JobContext) -> Work<'a> {
        (self.run)(payload, context)
    }
}

fn run<J: Job>(payload: Secret<String>, context: &JobContext) -> Work<'_> {
    Box::pin(async move {
        let job: J = serde_json::from_str(payload.expose()).map_err(|error| unreadable(&error))?;
        drop(payload);
        job.run(context).await
    })
}

/// A payload of another version of the program. It is tried again, because a node with the right version may come. The error's
/// own text can have values of the payload, so only its place is logged.
fn unreadable(error: &serde_json::Error) -> JobError {
    let (kind, column) = (error.classify(), error.column());
    JobError::retry("the payload does not fit this version of the program")
        .because(format!("{kind:?} at column {column}"))
}

/// The jobs and the schedules of an application, as it registers them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    jobs: Vec<Registered>,
    schedules: Vec<Schedule>,
    findings: Vec<Finding>,
}

impl Registry {
    /// Adds a kind of job.
    pub(crate) fn add<J: Job>(&mut self) {
        let new = Registered::of::<J>();
        if !is_name(new.name) {
            let title = format!("the job name `{}` is not allowed", new.name);
            self.findings.push(
                Finding::refuse(Practice::Audit, "jobs-name", title)
                    .why("it stands in the database, in commands and in metrics")
                    .fix("use 1 to 64 characters of a-z, 0-9 and -"),
            );
        }
        match self.jobs.iter().find(|job| job.name == new.name) {
            None => self.jobs.push(new),
            Some(known) if known.kind == new.kind => {}
            Some(_) => {
                let title = format!("two jobs have the name `{}`", new.name);
                self.findings.push(
                    Finding::refuse(Practice::Audit, "jobs-name-twice", title)
                        .why("Dewar would give the payload of one to the other")
                        .fix("give one of them another `Job::NAME`"),
                );
            }
        }
    }

    /// Adds a schedule, and its job.
    pub(crate) fn schedule<J: Job>(&mut self, plan: Result<Plan, Finding>, job: &J) {
        self.add::<J>();
        let payload = serde_json::to_string(job).map_err(|_| {
            let title = format!("the payload of the scheduled job `{}` is no JSON", J::NAME);
            Finding::refuse(Practice::Audit, "jobs-schedule", title)
                .why("it could not be stored")
                .fix("use types that serde_json writes, such as maps with texts as keys")
        });
        match (plan, payload) {
            (Err(finding), _) | (_, Err(finding)) => {
                let title = format!("{} (job `{}`)", finding.title, J::NAME);
                self.findings.push(Finding { title, ..finding });
            }
            (Ok(plan), Ok(payload)) => self.schedules.push(Schedule::new(J::NAME, plan, payload)),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Registered> {
        self.jobs.iter().find(|job| job.name == name)
    }

    pub(super) fn jobs(&self) -> &[Registered] {
        &self.jobs
    }

    pub(super) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// The ids of the schedules, as a list in JSON.
    pub(super) fn schedule_ids(&self) -> String {
        let ids: Vec<_> = self.schedules.iter().map(|one| one.id.as_str()).collect();
        serde_json::json!(ids).to_string()
    }

    /// The queues, each once, in the order of their jobs.
    pub(super) fn queues(&self) -> Vec<Queue> {
        let mut queues: Vec<Queue> = Vec::new();
        for job in &self.jobs {
            if queues.iter().all(|queue| queue.name() != job.queue.name()) {
                queues.push(job.queue);
            }
        }
        queues
    }

    /// The names of the jobs of a queue, as a list in JSON.
    pub(super) fn names_of(&self, queue: &str) -> String {
        let of_queue = self.jobs.iter().filter(|job| job.queue.name() == queue);
        // Names have no character that JSON escapes.
        let names: Vec<_> = of_queue.map(|job| format!("\"{}\"", job.name)).collect();
        format!("[{}]", names.join(","))
    }

    /// All names, as a list in JSON.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self
            .jobs
            .iter()
            .map(|job| format!("\"{}\"", job.name))
            .collect();
        format!("[{}]", names.join(","))
    }

    pub(super) fn own_findings(&self) -> &[Finding] {
        &self.findings
    }
}
