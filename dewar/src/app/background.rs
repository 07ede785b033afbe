//! What a running application does beside answering.

use std::error::Error;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Dewar;
use crate::audit::{COUNTED_WITHIN, Entry, Event};
use crate::https::acme::{self, Acme};
use crate::https::{LOOK_EVERY, REPORTS_WINDOW, Reload};
use crate::secrets::KeyChange;

/// How often the database is told where the audit log ends.
const REMEMBER_EVERY: Duration = Duration::from_secs(5);

/// How often the free room on the disk is looked at.
const ROOM_EVERY: Duration = Duration::from_secs(1);

/// How often what is past its time is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How often the key file is looked at. A key signs after thrice that time, `secrets.activation_delay`, so that it is known to every
/// process by then.
const KEYS_EVERY: Duration = Duration::from_secs(5);

/// Everything that is done beside answering, each as a task that ends at the stop.
pub(super) fn begin(
    dewar: &Dewar,
    reload: Reload,
    acme: Option<Acme>,
    stopped: &watch::Receiver<()>,
) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![
        tokio::spawn(sweep(dewar.clone(), stopped.clone())),
        tokio::spawn(keys(dewar.clone(), stopped.clone())),
        tokio::spawn(reports(dewar.clone(), stopped.clone())),
        tokio::spawn(refusals(dewar.clone(), stopped.clone())),
        tokio::spawn(audit_end(dewar.clone(), stopped.clone())),
        tokio::spawn(room_on_the_disk(dewar.clone(), stopped.clone())),
        tokio::spawn(renew(reload, stopped.clone())),
    ];
    tasks.extend(acme.map(|acme| tokio::spawn(certificate(acme, stopped.clone()))));
    tasks
}

/// Removes what is past its time, now and then.
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
        if let Err(error) = dewar.accounts().sweep().await {
            tracing::warn!(%error, "old links and throttles were not removed");
        }
        if let Err(error) = dewar.uploads().sweep_old().await {
            tracing::warn!(%error, "files that nobody claimed were not removed");
        }
        if let Err(error) = dewar.rooms().webhooks.sweep().await {
            tracing::warn!(%error, "old deliveries were not removed");
        }
    }
}

/// Tells the log how often browsers reported what it has named already.
async fn reports(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(REPORTS_WINDOW);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => dewar.rooms().reports.settle(),
        }
    }
}

/// Tells the log how often came what it only counted.
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
    let waiting = dewar.db().audit_waiting().await?;
    let done = dewar.log().recover(waiting).await?;
    if !done.is_empty() {
        dewar.db().audit_written(&done).await?;
    }
    Ok(())
}

/// Gives the reserve up where the disk is full, and takes it again.
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
            Err(error) => tracing::debug!(%error, "nobody knows how full the disk is"),
        }
    }
}

/// Has the database remember how far the log is on the disk. This costs a request nothing: one write in some seconds, where
/// something was recorded at all.
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

/// The same, once; at the stop too.
pub(super) async fn remember(dewar: &Dewar, known: &mut Option<String>) {
    let rows = dewar.log().rows_written();
    if !rows.is_empty()
        && let Err(error) = dewar.db().audit_written(&rows).await
    {
        tracing::warn!(%error, "rows of entries that are in the audit log were not removed; the next start does it");
    }
    let head = dewar.log().sealed_head();
    if let Some(head) = head.filter(|head| known.as_ref() != Some(head)) {
        match dewar.db().remember_audit_end(head.clone()).await {
            Ok(()) => *known = Some(head),
            Err(error) => {
                tracing::warn!(%error, "the database was not told where the audit log ends")
            }
        }
    }
}

/// Takes a key file into use that another process changed: no request is lost on the way, and none waits for it.
async fn keys(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(KEYS_EVERY);
    let mut signing = dewar.keys().signing_id();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        let ring = dewar.keys().clone();
        // A file on a slow volume must not hold a thread up that answers requests.
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
                    tracing::warn!("the keys in use stay in use: {finding}");
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

/// Takes a renewed certificate into use while connections are served.
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

/// Orders and renews the certificate by ACME, and takes what another node got into use.
async fn certificate(acme: Acme, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(acme::LOOK_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        tokio::select! {
            // An order under way is given up: the next node, or start, makes another.
            _ = stopped.changed() => return acme.give_up().await,
            () = acme.look() => {}
        }
    }
}
