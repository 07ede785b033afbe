//! The audit log, for administrators.

use std::collections::HashMap;

use dewar::accounts::user;
use dewar::audit::{Log, Recorded};
use dewar::forms::Int;
use dewar::{Db, Form, Page, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;

/// The number of entries on a page.
const SHOWN: usize = 50;

/// The log's actor for somebody who worked on the machine itself; the machine's user name follows.
const COMMAND_LINE: &str = "command line";

/// The entry where the page begins.
#[derive(Form, Debug)]
pub(crate) struct Since {
    before: Option<Int<1, { i64::MAX }>>,
}

/// An entry for the page.
#[derive(Debug, Serialize)]
struct EntryView {
    seq: u64,
    time: String,
    when: String,
    event: String,
    /// None also for the command line.
    actor: Option<String>,
    /// For the command line, the machine's user, if the log has one.
    by_command: Option<String>,
    what: String,
    address: Option<String>,
}

/// `GET /admin/audit`
pub(crate) async fn list(log: Log, db: Db, Query(since): Query<Since>) -> dewar::Result<Page> {
    let before = since
        .before
        .and_then(|before| u64::try_from(before.get()).ok());
    let entries = log
        .latest(SHOWN, before)
        .await
        .map_err(dewar::Error::internal)?;
    let older = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    let names = names(&entries, &db).await?;
    let entries: Vec<EntryView> = entries
        .into_iter()
        .map(|entry| view(entry, &names))
        .collect();
    Ok(Page::new("audit_log/list.html")
        .with("entries", entries)
        .with("older", older)
        .with("newest", before.is_none()))
}

/// The current names of the users whose numbers are in the log. The log itself has the numbers, because names change.
async fn names(entries: &[Recorded], db: &Db) -> dewar::Result<HashMap<String, String>> {
    let numbers = entries
        .iter()
        .flat_map(|entry| [&entry.actor, &entry.subject])
        .filter_map(|who| who.as_ref()?.parse::<i64>().ok());
    let found = user::Entity::find()
        .filter(user::Column::Id.is_in(numbers))
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|person| (person.id.to_string(), person.name))
        .collect())
}

fn view(entry: Recorded, names: &HashMap<String, String>) -> EntryView {
    let named = |who: Option<String>| {
        who.map(|number| match names.get(&number) {
            Some(name) => format!("{name} ({number})"),
            None => number,
        })
    };
    let by_command = entry.actor.as_deref();
    let by_command = by_command.and_then(|actor| actor.strip_prefix(COMMAND_LINE));
    let by_command = by_command.map(|user| user.trim_start().to_owned());
    let request = entry
        .method
        .zip(entry.path)
        .map(|(method, path)| format!("{method} {path}"));
    let parts = [named(entry.subject), request, entry.outcome, entry.detail];
    let what: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    EntryView {
        seq: entry.seq,
        // `2026-11-23T21:40:00.123+00:00`, cut to the second
        when: entry
            .time
            .chars()
            .take(19)
            .map(|c| if c == 'T' { ' ' } else { c })
            .collect(),
        time: entry.time,
        event: entry.event,
        actor: named(entry.actor.filter(|_| by_command.is_none())),
        by_command,
        what: what.join(", "),
        address: entry.address,
    }
}
