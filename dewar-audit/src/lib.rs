//! **The auditor: it checks a running web application from outside, by the application's own route table.**
//!
//! ```no_run
//! use dewar_audit::sources::{HttpSource, Sources, HttpOptions, RouteList};
//! # async fn audit() -> Result<(), dewar_audit::sources::Error> {
//! let manner = HttpOptions::new("https://localhost:8443", "data/local-authority/authority.pem");
//! let routes = RouteList::read_file("routes.json".as_ref())?;
//! let report = dewar_audit::audit(&Sources::new(HttpSource::open(&manner)?, routes)).await;
//! assert!(report.findings.is_empty(), "{report}");
//! # Ok(()) }
//! ```
//!
//! 1. [`sources`]: the inputs of the checks: lock file, route table, data directory, responses.
//! 2. [`checks`]: the checks, one file a word; a check is data and a function over the sources.
//! 3. [`report`]: one set of findings, for people and for programs.
//! 4. [`source`]: the audit of a folder of source code; [`live`]: the audit of any application by its address; [`scan`]: their
//!    checks and findings.
//!
//! It attacks: it submits forms, and sends requests that the application should refuse. Use it on an application with data that
//! you can lose, and on one host. If the host is not this machine, name it twice.
#![forbid(unsafe_code)]

pub mod checks;
#[doc(hidden)]
pub mod command;
pub mod live;
pub mod report;
pub mod scan;
pub mod source;
pub mod sources;

use checks::{Check, Outcome};
use report::{CheckOutcome, CheckResult, Report};
use sources::Sources;

/// Runs every check, one after the other.
pub async fn audit(sources: &Sources) -> Report {
    audit_by(sources, checks::all(), |_| {}).await
}

/// Runs these checks, and calls back before each.
pub async fn audit_by(
    sources: &Sources,
    checks: impl IntoIterator<Item = &'static Check>,
    mut about_to: impl FnMut(&Check),
) -> Report {
    sources.begin();
    let mut report = Report::of(sources.answers.origin());
    for check in checks {
        about_to(check);
        let result = match (check.look)(sources).await {
            Ok(Outcome::Seen(seen)) => {
                let findings = check.findings(seen);
                let number = findings.len();
                report.findings.extend(findings);
                CheckOutcome::Found(number)
            }
            Ok(Outcome::Unasked(why)) => CheckOutcome::Unasked(why.to_owned()),
            Err(error) => CheckOutcome::Failed(error.to_string()),
        };
        report.asked.push(CheckResult {
            id: check.id,
            word: check.word,
            what: check.what,
            result,
        });
    }
    report.requests = sources.answers.asked();
    report
}
