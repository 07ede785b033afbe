//! **jobs: what is enqueued in a committed transaction runs, and nobody's jobs keep out those of others.**
//!
//! ```
//! use dewar::jobs::{Job, JobContext, JobError, Jobs};
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct SendInvoice { invoice: i64 }
//! impl Job for SendInvoice {
//!     const NAME: &'static str = "send-invoice";
//!     async fn run(self, context: &JobContext) -> Result<(), JobError> {
//!         context.db().execute("UPDATE invoices SET sent = 1 WHERE id = ?", [self.invoice.into()]).await?;
//!         Ok(())
//!     }
//! }
//! fn app(app: dewar::App) -> dewar::App { app.job::<SendInvoice>() }
//! ```
//!
//! A job runs at least once. It runs again if its node dies, if it fails, or if it takes too long, so write it so that a second run
//! does no harm, or finish it in the transaction of its own changes ([`JobContext::finish_in`]).
//!
//! A page for administrators: `.role(Staff::Administrator, [get(jobs::PAGE, jobs::page), post("/admin/jobs/{id}/retry", jobs::retry)])`.
//!
//! # What it refuses
//!
//! 1. A job of a transaction that was rolled back: [`Jobs::enqueue`] takes the [`Tx`](crate::database::Tx), and a job is a row of it.
//! 2. A job from the handler of a `GET` (CSRF: CWE-352), which cannot begin a transaction.
//! 3. More waiting jobs of one person or one network than `jobs.max_per_owner`, and more in all than `jobs.max_waiting` (CWE-770).
//!    One owner has at most half of a queue's places while others wait.
//! 4. A payload of more than 64 KiB. Payloads are sealed in the database.
//! 5. A job without an end: each has a timeout, a most number of attempts, and a lease that another node takes over.
//! 6. An unknown job name, a schedule that is written wrongly, and two jobs of one name: Dewar names them at start.
//!
//! # How to loosen it
//!
//! The bounds are settings, section `jobs`. [`Job::TIMEOUT`], [`Job::MAX_ATTEMPTS`] and [`Job::QUEUE`] are constants of each job.
//! [`NewJob::of_the_application`] counts a job for no owner; you then owe a bound on how often somebody can cause it.
//!
//! # What the audit asks
//!
//! Does every waiting job have a name that this program knows? Is every schedule readable? Which queues run how many at once?

mod attempt;
mod backoff;
mod checks;
mod config;
mod cron;
mod endpoints;
mod error;
mod handle;
mod job;
mod overview;
mod registry;
mod rows;
mod runner;
mod schedule;

#[cfg(test)]
mod tests;

pub(crate) use checks::findings;
pub use config::Config;
pub use endpoints::{PAGE, Which, page, retry};
pub use error::Error;
pub use handle::{JobId, Jobs, NewJob};
pub(crate) use job::Rooms;
pub use job::{Job, JobContext, JobError, Queue};
pub(crate) use registry::Registry;
pub(crate) use rows::{Counts, Listed, MIGRATIONS, PAYLOAD, STATES, list};
pub(crate) use runner::Runner;
pub(crate) use schedule::Plan;

/// The examples of the page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/jobs.md")]
struct JobsPage;
