//! Reloads a renewed certificate while connections are served.

use super::certificate::days_left;
use super::config::Config;
use super::error::Error;
use super::local::LocalAuthority;
use super::tls::{CertificateFiles, Certificates};
use crate::audit::{Clock, Finding, Practice, owner_only};
use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The metadata of a file that change when it is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    identity: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl Print {
    fn of(metadata: &Metadata) -> Option<Self> {
        Some(Self {
            identity: owner_only::identity(metadata),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

type Prints = [Option<Print>; 2];

/// Watches the certificate files and the age of the local authority's certificate.
#[derive(Debug)]
pub(crate) struct Reload {
    config: Config,
    authority: Option<LocalAuthority>,
    certificates: Arc<Certificates>,
    clock: Clock,
    /// The files at the last read.
    read: Prints,
    /// The files at the last look: a renewal writes two files, and one alone is no valid certificate.
    seen: Prints,
    looks: u32,
    /// The last findings, so that none is logged twice.
    said: Vec<String>,
}

/// How often Dewar looks at the files. It reads them after two looks without a change between them.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The number of looks after which Dewar reads unchanged files again: a certificate may have become valid, or may end
/// soon.
const LOOKS_AN_HOUR: u32 = 3600;

impl Reload {
    /// Starts to watch.
    pub(crate) fn new(
        config: Config,
        authority: Option<LocalAuthority>,
        certificates: Arc<Certificates>,
        clock: Clock,
    ) -> Self {
        Self {
            config,
            authority,
            certificates,
            clock,
            // The files are read once more: they may have changed since they were read at start.
            read: [None; 2],
            seen: [None; 2],
            looks: 0,
            said: Vec::new(),
        }
    }

    /// Reads the certificate again if its files changed or an hour has passed. It logs each finding once.
    pub(crate) async fn look(&mut self) {
        self.looks += 1;
        let now = prints(self.config.files.as_ref()).await;
        let settled = now == self.seen;
        self.seen = now;
        let changed = settled && now != self.read;
        if !changed && self.looks < LOOKS_AN_HOUR {
            return;
        }
        (self.read, self.looks) = (now, 0);
        let before = self.certificates.not_after();
        let found = self.renew();
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        // A changed file is logged again, even with the same fault.
        if changed || said != self.said {
            for finding in &said {
                tracing::warn!("{finding}");
            }
            if changed && found.iter().any(|finding| finding.refuses_launch) {
                tracing::warn!("Dewar keeps the current certificate");
            }
        }
        self.said = said;
        let after = self.certificates.not_after();
        if after != before {
            let days = after.map_or(0, |end| days_left(end, self.clock.now()));
            tracing::info!(days, "Dewar uses another certificate now");
        }
    }

    /// Reads the files, or renews the local authority's certificate near its end. After a failure the current one stays.
    fn renew(&self) -> Vec<Finding> {
        let (hosts, now) = (&self.config.hosts, self.clock.now());
        if let Some(files) = &self.config.files {
            return files
                .reload(&self.certificates, hosts, now)
                .unwrap_or_else(|refused| refused);
        }
        let renewed = self
            .authority
            .as_ref()
            .map(|authority| authority.renew(&self.certificates, hosts, now));
        match renewed {
            Some(Err(error)) => vec![not_renewed(&error)],
            Some(Ok(())) | None => Vec::new(),
        }
    }
}

async fn prints(files: Option<&CertificateFiles>) -> Prints {
    match files {
        Some(files) => [print(&files.certificate).await, print(&files.key).await],
        None => [None, None],
    }
}

/// Runs off the runtime's threads: the files may lie on a disk that does not respond.
async fn print(path: &Path) -> Option<Print> {
    Print::of(&tokio::fs::metadata(path).await.ok()?)
}

fn not_renewed(error: &Error) -> Finding {
    let title = format!("the local authority could not renew its certificate: {error}");
    Finding::warn(Practice::Https, "https-local-renewal", title)
        .why("Browsers refuse it after its 90 days.")
        .fix("Fix the cause; Dewar tries again in an hour.")
}

#[cfg(test)]
mod tests;
