//! What a running application does beside answering.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Dewar;
use crate::audit::Clock;
use crate::https::{self, Certificates, Config as Https, LocalAuthority};

/// How often what is past its time is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How often the certificate is read again.
const RENEW_EVERY: Duration = Duration::from_secs(3600);

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

/// Takes a renewed certificate into use while connections are served.
pub(super) async fn renew(
    config: Https,
    authority: Option<LocalAuthority>,
    certificates: Arc<Certificates>,
    clock: Clock,
    mut stopped: watch::Receiver<()>,
) {
    let mut every = tokio::time::interval(RENEW_EVERY);
    // The first tick is at once, and the certificate was read a moment ago.
    every.tick().await;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = every.tick() => {}
        }
        for finding in https::renew(&config, authority.as_ref(), &certificates, clock.now()) {
            tracing::warn!("{finding}");
        }
    }
}
