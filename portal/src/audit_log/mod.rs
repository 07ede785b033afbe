//! The audit log as administrators read it.

use dewar::audit::{Log, Recorded};
use dewar::forms::Int;
use dewar::{Form, Page, Query};
use serde::Serialize;

/// How many entries stand on a page.
const SHOWN: usize = 50;

/// Where to read on.
#[derive(Form, Debug)]
pub(crate) struct Since {
    before: Option<Int<1, { i64::MAX }>>,
}

/// An entry as the page shows it.
#[derive(Debug, Serialize)]
struct EntryView {
    seq: u64,
    time: String,
    when: String,
    event: String,
    actor: Option<String>,
    what: String,
    address: Option<String>,
}

/// `GET /admin/audit`
pub(crate) async fn list(log: Log, Query(since): Query<Since>) -> dewar::Result<Page> {
    let before = since
        .before
        .and_then(|before| u64::try_from(before.get()).ok());
    let entries = log
        .latest(SHOWN, before)
        .await
        .map_err(dewar::Error::internal)?;
    let older = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    let entries: Vec<EntryView> = entries.into_iter().map(view).collect();
    Ok(Page::new("audit_log/list.html")
        .with("entries", entries)
        .with("older", older)
        .with("newest", before.is_none()))
}

fn view(entry: Recorded) -> EntryView {
    let request = entry
        .method
        .zip(entry.path)
        .map(|(method, path)| format!("{method} {path}"));
    let parts = [entry.subject, request, entry.outcome, entry.detail];
    let what: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    EntryView {
        seq: entry.seq,
        // `2026-11-23T21:40:00.123+00:00`, to the second
        when: entry
            .time
            .chars()
            .take(19)
            .map(|c| if c == 'T' { ' ' } else { c })
            .collect(),
        time: entry.time,
        event: entry.event,
        actor: entry.actor,
        what: what.join(", "),
        address: entry.address,
    }
}
