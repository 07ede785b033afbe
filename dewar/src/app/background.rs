//! The background tasks of a running application.

use std::error::Error;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Dewar;
use crate::audit::{COUNTED_WITHIN, Entry, Event};
use crate::database::NameChange;
use crate::https::acme::{self, Acme};
use crate::https::{LOOK_EVERY, REPORTS_WINDOW, Reload};
use crate::secrets::KeyChange;

/// How often the database stores where the audit log ends.
const REMEMBER_EVERY: Duration = Duration::from_secs(5);

/// How often Dewar checks the free space on the disk.
const ROOM_EVERY: Duration = Duration::from_secs(1);

/// How often Dewar scans the files that wait for the virus scanner.
const SCANS_EVERY: Duration = Duration::from_secs(10);

/// How often Dewar removes what has expired.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How often Dewar compares the stored files with their rows.
const COMPARE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often Dewar reads the key file again. A new key begins to sign after three times that period, `secrets.activation_delay`,
/// so that every process knows it by then.
const KEYS_EVERY: Duration = Duration::from_secs(5);

/// How often Dewar looks whether this program still has the name of its node.
const NAME_EVERY: Duration = Duration::from_secs(2);

/// Starts the background tasks. Each ends at the stop.
pub(super) fn begin(
    dewar: &Dewar,
    reload: Reload,
    acme: Option<Acme>,
    stopped: &watch::Receiver<()>,
) -> Vec<JoinHandle<()>> {
    let mut tasks = of_every_program(dewar, stopped);
    tasks.extend([
        tokio::spawn(sweep(dewar.clone(), stopped.clone())),
        tokio::spawn(reports(dewar.clone(), stopped.clone())),
        tokio::spawn(room_on_the_disk(dewar.clone(), stopped.clone())),
        tokio::spawn(virus_scans(dewar.clone(), stopped.clone())),
        tokio::spawn(compare_files(dewar.clone(), stopped.clone())),
        tokio::spawn(renew(reload, stopped.clone())),
        tokio::spawn(dewar.live().clone().run(stopped.clone())),
    ]);
    tasks.extend(acme.map(|acme| tokio::spawn(certificate(acme, stopped.clone()))));
    tasks
}

/// Starts the tasks that a program which only runs jobs needs too: without the keys of the moment it opens nothing that another
/// program sealed since.
pub(super) fn of_every_program(
    dewar: &Dewar,
    stopped: &watch::Receiver<()>,
) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(keys(dewar.clone(), stopped.clone())),
        tokio::spawn(refusals(dewar.clone(), stopped.clone())),
        tokio::spawn(audit_end(dewar.clone(), stopped.clone())),
        tokio::spawn(node_name(dewar.clone(), stopped.clone())),
        tokio::spawn(dewar.mailer().clone().run(stopped.clone())),
    ]
}

/// Removes what has expired, from time to time.
async fn sweep(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        if let Err(error) = dewar.sessions().sweep().await {
            tracing::warn!(%error, "old sessions were not removed");
        }
        if let Err(error) = dewar.rooms().counts.sweep().await {
            tracing::warn!(%error, "old counts of rate limits were not removed");
        }
        if let Err(error) = dewar.accounts().sweep().await {
            tracing::warn!(%error, "old links and rate limit counters were not removed");
        }
        if let Err(error) = dewar.jobs().sweep().await {
            tracing::warn!(%error, "old failed jobs were not removed");
        }
        if let Err(error) = dewar.api_tokens().sweep().await {
            tracing::warn!(%error, "ended API tokens were not removed");
        }
        if let Err(error) = dewar.live().sweep().await {
            tracing::warn!(%error, "old live events were not removed");
        }
        if let Err(error) = dewar.mailer().sweep().await {
            tracing::warn!(%error, "old emails were not removed");
        }
        if let Err(error) = dewar.uploads().sweep_old().await {
            tracing::warn!(%error, "uncommitted files were not removed");
        }
        if let Err(error) = dewar.db().explain_searches().await {
            tracing::warn!(%error, "the plans of searches are not known");
        }
        if let Err(error) = dewar.rooms().webhooks.sweep().await {
            tracing::warn!(%error, "old webhook requests were not removed");
        }
    }
}

/// Scans the files that wait for the virus scanner.
async fn virus_scans(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(SCANS_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        let scanned = tokio::select! {
            _ = stopped.changed() => return,
            scanned = dewar.uploads().scan_waiting() => scanned,
        };
        if let Err(error) = scanned {
            tracing::warn!(%error, "waiting files were not scanned for viruses");
        }
    }
}

/// Removes files without a row, once a day. The start has done it before.
async fn compare_files(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(COMPARE_EVERY);
    every.tick().await;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        let swept = tokio::select! {
            _ = stopped.changed() => return,
            swept = dewar.uploads().sweep_storage() => swept,
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "the stored files were not compared with their rows");
        }
    }
}

/// Logs how often browsers repeated a report that the log has already.
async fn reports(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(REPORTS_WINDOW);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => dewar.rooms().reports.settle(),
        }
    }
}

/// Logs how often the events came that were only counted.
async fn refusals(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(COUNTED_WITHIN);
    every.tick().await;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => dewar.log().settle(),
        }
    }
}

/// Writes the entries of committed transactions that a killed process left in the database.
pub(super) async fn recover(dewar: &Dewar) -> Result<(), Box<dyn Error + Send + Sync>> {
    let waiting = dewar.db().audit_waiting(dewar.log().node()).await?;
    let done = dewar.log().recover(waiting).await?;
    if !done.is_empty() {
        dewar.db().audit_written(&done).await?;
    }
    Ok(())
}

/// Frees the reserve when the disk is full, and allocates it again afterwards.
async fn room_on_the_disk(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(ROOM_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        let reserve = dewar.rooms().reserve.clone();
        let Ok(looked) = tokio::task::spawn_blocking(move || reserve.look()).await else {
            continue;
        };
        match looked {
            Ok(None) => {}
            Ok(Some(change)) => dewar.log().record(Entry::new(change.event())),
            Err(error) => tracing::debug!(%error, "the free disk space cannot be determined"),
        }
    }
}

/// Stores in the database how far the log is on the disk. It costs a request nothing: one write in some seconds, and only if
/// something was recorded.
async fn audit_end(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(REMEMBER_EVERY);
    let mut known = None;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => remember(&dewar, &mut known).await,
        }
    }
}

/// Keeps the name of this node, and says it if another program has it.
async fn node_name(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(NAME_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        tokio::select! {
            _ = stopped.changed() => return,
            () = keep_name(&dewar) => {}
        }
    }
}

/// The same, once.
pub(super) async fn keep_name(dewar: &Dewar) {
    let node = dewar.log().node();
    let (outcome, detail) = match dewar.rooms().node.look().await {
        None => return,
        Some(NameChange::Taken) => {
            tracing::error!(%node, "another program runs as this node: stop one of them, and give it its own `node` and `data`; this one is not ready");
            ("taken", "another program runs as this node")
        }
        Some(NameChange::Back) => {
            tracing::warn!(%node, "the name of this node is free again, and this program has it");
            ("given back", "the other program of this name ended")
        }
    };
    let entry = Entry::new(Event::AuditNodeConflict).subject(format_args!("node {node}"));
    dewar.log().record(entry.outcome(outcome).detail(detail));
}

/// Ends the audit log, as the last thing that a command or a server does: it writes what was only counted, waits for the disk, and
/// stores where the log ends. The log has the entries then, so their rows need not wait for the next start of a server.
pub(super) async fn end_log(dewar: &Dewar) {
    dewar.log().settle();
    dewar.log().flush().await;
    remember(dewar, &mut None).await;
}

/// Stores where the log ends, once.
async fn remember(dewar: &Dewar, known: &mut Option<String>) {
    let rows = dewar.log().rows_written();
    if !rows.is_empty()
        && let Err(error) = dewar.db().audit_written(&rows).await
    {
        tracing::warn!(%error, "rows whose entries are in the audit log were not removed; the next start removes them");
    }
    // The record is that of the program which has the name.
    if !dewar.rooms().node.is_held() {
        return;
    }
    let head = dewar.log().sealed_head();
    if let Some(head) = head.filter(|head| known.as_ref() != Some(head)) {
        let (db, node) = (dewar.db(), dewar.log().node());
        match db.remember_audit_end(node, head.clone()).await {
            Ok(()) => *known = Some(head),
            Err(error) => {
                tracing::warn!(%error, "the database did not record where the audit log ends")
            }
        }
    }
}

/// Loads a key file that another process changed. No request is lost, and none waits.
async fn keys(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(KEYS_EVERY);
    let mut signing = dewar.keys().signing_id();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        let ring = dewar.keys().clone();
        // A file on a slow volume must not block a thread that serves requests.
        let Ok(found) = tokio::task::spawn_blocking(move || ring.refresh()).await else {
            continue;
        };
        let signs = dewar.keys().signing_id();
        if matches!(found, Some(Ok(_))) || signs != signing {
            dewar.log().use_keys(dewar.keys().chain_keys()).await;
            signing = signs;
        }
        match found {
            None => {}
            Some(Ok(change)) => tell(&dewar, &change),
            Some(Err(findings)) => {
                for finding in &findings {
                    tracing::warn!("the keys in use do not change: {finding}");
                }
                let ids: Vec<&str> = findings.iter().map(|finding| finding.id).collect();
                let entry = Entry::new(Event::CryptKeyChanged).outcome("refused");
                dewar.log().record(entry.detail(format_args!(
                    "a changed key file cannot be used: {}",
                    ids.join(", ")
                )));
            }
        }
    }
}

fn tell(dewar: &Dewar, change: &KeyChange) {
    let current = change.current.iter().map(|id| (id, "is the current key"));
    let added = change.added.iter().map(|id| (id, "is known"));
    let revoked = change.revoked.iter().map(|id| (id, "is revoked"));
    let removed = change
        .removed
        .iter()
        .map(|id| (id, "is no longer in the file"));
    for (id, what) in added.chain(current).chain(revoked).chain(removed) {
        tracing::info!(key = id, what, "the keys changed");
        let entry = Entry::new(Event::CryptKeyChanged).subject(format_args!("key {id}"));
        dewar.log().record(entry.outcome("taken").detail(what));
    }
}

/// Loads a renewed certificate while connections are served.
async fn renew(mut reload: Reload, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        reload.look().await;
    }
}

/// Orders and renews the certificate by ACME, and loads a certificate that another node ordered.
async fn certificate(acme: Acme, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(acme::LOOK_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        tokio::select! {
            // Gives up an order in progress: the next node, or start, makes another.
            _ = stopped.changed() => return acme.give_up().await,
            () = acme.look() => {}
        }
    }
}
