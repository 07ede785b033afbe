//! A renewed certificate is taken into use while connections are served.

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

/// What of a file changes when it is written again or another takes its name.
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

/// Watches the two files of the certificate, and the local authority's clock.
#[derive(Debug)]
pub(crate) struct Reload {
    config: Config,
    authority: Option<LocalAuthority>,
    certificates: Arc<Certificates>,
    clock: Clock,
    /// The files as they were last read.
    read: Prints,
    /// The files as they were at the last look: a renewal writes two, and half of one is no certificate.
    seen: Prints,
    looks: u32,
    /// What was said last, so that nothing is said twice.
    said: Vec<String>,
}

/// How often the files are looked at; two looks at the same files come before they are read.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks after which all is read again although no file changed: what was too early may be in date by now, and an end
/// that nears is warned about.
const LOOKS_AN_HOUR: u32 = 3600;

impl Reload {
    /// Begins to watch.
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
            // Read again once: they may have changed since they were read for the start.
            read: [None; 2],
            seen: [None; 2],
            looks: 0,
            said: Vec::new(),
        }
    }

    /// Reads the certificate again if its files changed, or an hour is over. What it has to say goes to the log, once.
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
        // A file that was written again is news, even where it is wrong in the same way as the last.
        if changed || said != self.said {
            for finding in &said {
                tracing::warn!("{finding}");
            }
            if changed && found.iter().any(|finding| finding.refuses_launch) {
                tracing::warn!("the certificate in use stays in use");
            }
        }
        self.said = said;
        let after = self.certificates.not_after();
        if after != before {
            let days = after.map_or(0, |end| days_left(end, self.clock.now()));
            tracing::info!(days, "another certificate is in use");
        }
    }

    /// Reads the files, or makes the local authority's anew when it nears its end. Where that fails, the one in use stays.
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

/// Off the runtime's threads: the files may lie on a disk that does not answer.
async fn print(path: &Path) -> Option<Print> {
    Print::of(&tokio::fs::metadata(path).await.ok()?)
}

fn not_renewed(error: &Error) -> Finding {
    let title = format!("the local authority could not renew its certificate: {error}");
    Finding::warn(Practice::Https, "https-local-renewal", title)
        .why("Browsers refuse it when its 90 days are over.")
        .fix("Mend what the cause names; the next try is in an hour.")
}

#[cfg(test)]
mod tests;
