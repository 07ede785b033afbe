//! What a running application does beside answering.

use std::time::Duration;

use tokio::sync::watch;

use super::Dewar;
use crate::https::acme::{self, Acme};
use crate::https::{LOOK_EVERY, REPORTS_WINDOW, Reload};

/// How often what is past its time is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Removes what is past its time, now and then.
pub(super) async fn sweep(dewar: Dewar, mut stopped: watch::Receiver<()>) {
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
pub(super) async fn reports(dewar: Dewar, mut stopped: watch::Receiver<()>) {
    let mut every = tokio::time::interval(REPORTS_WINDOW);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => dewar.rooms().reports.settle(),
        }
    }
}

/// Takes a renewed certificate into use while connections are served.
pub(super) async fn renew(mut reload: Reload, mut stopped: watch::Receiver<()>) {
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
pub(super) async fn certificate(acme: Acme, mut stopped: watch::Receiver<()>) {
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
