use super::super::cli::{MailCommand, RefusedCommand};
use super::super::launch::{Blueprint, refuse_if_any};
use super::database::existing;
use super::users::OLDER;
use super::{print, print_json};
use crate::audit::Finding;
use crate::database::Db;
use crate::mail;
use crate::pages::Error;

/// Lists letters and addresses, and lets letters go again.
pub(super) async fn run(plan: Blueprint, what: MailCommand) -> Result<(), Error> {
    match what {
        MailCommand::List { json } => list(&plan, json).await,
        MailCommand::Refused {
            what: RefusedCommand::List { json },
        } => list_refused(&plan, json).await,
        MailCommand::Retry => {
            let (db, now) = (to_change(&plan).await?, plan.clock.now());
            let letters = mail::retry(&db, now).await?;
            print(&format_args!(
                "{letters} letters wait again; the running application sends them within a minute.\n"
            ))
        }
        MailCommand::Refused {
            what: RefusedCommand::Clear { address },
        } => {
            let db = to_change(&plan).await?;
            let cleared = mail::clear_refused(&db, &address).await;
            if cleared.map_err(Error::command)? {
                print(&"Letters go to this address again.\n")
            } else {
                Err(Error::command("no mail server has refused this address"))
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(findings: Vec<Finding>) -> Error {
    Error::launch(&findings)
}

/// The database for a change of rows. A program that is newer than the tables has to migrate them first.
async fn to_change(plan: &Blueprint) -> Result<Db, Error> {
    refuse_if_any(&plan.findings).map_err(refused)?;
    to_read(plan).await?;
    Ok(plan.database().map_err(refused)?.of_the_framework())
}

async fn to_read(plan: &Blueprint) -> Result<Db, Error> {
    refuse_if_any(&plan.findings).map_err(refused)?;
    let db = existing(plan).await?;
    if db.has_table("dewar_letters").await? {
        Ok(db)
    } else {
        Err(Error::command(OLDER))
    }
}

async fn list(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let letters = mail::letters(&to_read(plan).await?).await?;
    if json {
        return print_json(&letters);
    }
    for letter in &letters {
        print(&format_args!(
            "{:<8} {} {:<40} {} ({} attempts) {}\n",
            letter.state,
            day(letter.at),
            letter.address,
            letter.template,
            letter.attempts,
            letter.reason.as_deref().unwrap_or_default(),
        ))?;
    }
    Ok(())
}

async fn list_refused(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let addresses = mail::refused(&to_read(plan).await?).await?;
    if json {
        return print_json(&addresses);
    }
    for refused in &addresses {
        print(&format_args!(
            "{} {:<40} {}\n",
            day(refused.refused_at),
            refused.address,
            refused.reason
        ))?;
    }
    Ok(())
}

/// The day of a moment, in UTC.
fn day(at: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(at);
    at.map_or_else(|_| "unknown   ".to_owned(), |at| at.date().to_string())
}
