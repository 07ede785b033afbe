use std::sync::Arc;

use http::Extensions;
use tokio::sync::watch;

use super::super::cli::JobsCommand;
use super::super::launch::Blueprint;
use super::super::run::LAST_LETTERS;
use super::super::serving::{StopSignals, start_log};
use super::super::{Dewar, background};
use super::{print, print_json};
use crate::audit::{Entry, Event, command_line};
use crate::jobs::{JobId, Listed, STATES, list};
use crate::pages::{Error, Position};

/// The most jobs of each state that `jobs list` prints, the latest ones.
const MOST: usize = 200;

/// Lists, retries and runs jobs.
pub(super) async fn run(
    mut plan: Blueprint,
    what: JobsCommand,
    state: impl FnOnce(&Dewar) -> Extensions,
) -> Result<(), Error> {
    // Listing only reads and opens no room.
    if let JobsCommand::List { json } = what {
        return print_all(&plan, json).await;
    }
    let drain = plan.config.https.limits.drain_timeout;
    if let JobsCommand::Run { .. } = what {
        start_log("info,dewar::audit=warn");
        plan.config.jobs.concurrency = plan.config.jobs.concurrency.max(1);
    }
    let opened = plan.open().await;
    let dewar = opened.map_err(|findings| Error::launch(&findings))?.dewar;
    let done = match what {
        JobsCommand::List { .. } => Ok(()),
        JobsCommand::Retry { id } => retry(&dewar, JobId::new(id)).await,
        JobsCommand::Run { once } => {
            background::recover(&dewar).await.map_err(Error::internal)?;
            let runner = Arc::new(dewar.runner(state(&dewar)));
            if once {
                let attempts = runner.run_due().await;
                attempts.map_err(Error::from).and_then(|attempts| {
                    print(&format_args!(
                        "{attempts} attempts. `jobs list` shows what is left.\n"
                    ))
                })
            } else {
                serve(&dewar, |stopped| runner.start(stopped, drain)).await
            }
        }
    };
    // Letters that the jobs wrote. Those that the server does not take now wait in the database.
    dewar.accounts().finish_requests().await;
    dewar.mailer().settle_within(LAST_LETTERS).await;
    background::end_log(&dewar).await;
    dewar.rooms().node.release().await;
    done
}

/// Runs jobs until a signal stops the process.
async fn serve(
    dewar: &Dewar,
    start: impl FnOnce(&watch::Receiver<()>) -> Vec<tokio::task::JoinHandle<()>>,
) -> Result<(), Error> {
    let (stop, stopped) = watch::channel(());
    let mut tasks = start(&stopped);
    if tasks.is_empty() {
        return Err(Error::command(
            "this application has no jobs: register them with `App::job`",
        ));
    }
    tasks.extend(background::of_every_program(dewar, &stopped));
    let signals = StopSignals::listen()?;
    tracing::info!("running jobs");
    signals.received().await;
    tracing::info!("stopping: Dewar finishes the running jobs first");
    stop.send_replace(());
    for task in tasks {
        task.await.map_err(Error::internal)?;
    }
    Ok(())
}

async fn retry(dewar: &Dewar, id: JobId) -> Result<(), Error> {
    let tx = dewar.db().begin().await?;
    if !dewar.jobs().retry(&tx, id).await? {
        return Err(Error::command(format!(
            "there is no failed job {id}, or one with its key waits already; see `jobs list`"
        )));
    }
    let entry = Entry::new(Event::AuthzAdmin).actor(command_line());
    let entry = entry
        .subject(format_args!("job {id}"))
        .detail("tried again");
    tx.record(dewar.log(), entry).await?;
    tx.commit().await?;
    print(&format_args!("The job {id} waits again.\n"))
}

async fn print_all(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let db = plan.database_to_read().await;
    let db = db.map_err(|findings| Error::launch(&findings))?;
    let mut all = Vec::new();
    if let Some(db) = db
        && db.has_table("dewar_jobs").await?
    {
        for state in STATES {
            all.extend(list(&db, state, &Position::Start, MOST).await?);
        }
    }
    if json {
        return print_json(&all);
    }
    if all.is_empty() {
        return print(&"No job waits, runs or has failed.\n");
    }
    for job in all {
        print(&line(&job))?;
    }
    Ok(())
}

/// `17  failed   send-invoice  10 attempts  the printer is busy`.
fn line(job: &Listed) -> String {
    let Listed {
        id,
        name,
        state,
        attempts,
        problem,
        ..
    } = job;
    let problem = problem.as_deref().unwrap_or_default();
    let line = format!("{id:>8}  {state:<8} {name}  {attempts} attempts  {problem}");
    format!("{}\n", line.trim_end())
}
