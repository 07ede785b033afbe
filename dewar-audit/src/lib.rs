//! **The auditor: it looks at a running web application from outside, by the application's own route table.**
//!
//! ```no_run
//! use dewar_audit::looks::{Answers, Looks, Manner, Routes};
//! # async fn audit() -> Result<(), dewar_audit::looks::Error> {
//! let manner = Manner::new("https://localhost:8443", "data/local-authority/authority.pem");
//! let routes = Routes::read_file("routes.json".as_ref())?;
//! let report = dewar_audit::audit(&Looks::new(Answers::open(&manner)?, routes)).await;
//! assert!(report.findings.is_empty(), "{report}");
//! # Ok(()) }
//! ```
//!
//! 1. [`looks`]: the sides that it looks from: lock file, route table, data directory, answers.
//! 2. [`checks`]: the questions, one file a word; a check is data and a function over the looks.
//! 3. [`report`]: one set of findings, for people and for programs.
//!
//! It attacks: forms are sent, routes are called with what should be refused. It is for an application with data that
//! may be lost, and for one host, named twice where that is not this machine.
#![forbid(unsafe_code)]

pub mod checks;
#[doc(hidden)]
pub mod command;
pub mod looks;
pub mod report;

use checks::{Check, Outcome};
use looks::Looks;
use report::{Asked, Report, Result};

/// Asks every check, one after the other.
pub async fn audit(looks: &Looks) -> Report {
    audit_by(looks, checks::all(), |_| {}).await
}

/// Asks these checks, and says before each which it is.
pub async fn audit_by(
    looks: &Looks,
    checks: impl IntoIterator<Item = &'static Check>,
    mut about_to: impl FnMut(&Check),
) -> Report {
    looks.begin();
    let mut report = Report::of(looks.answers.origin());
    for check in checks {
        about_to(check);
        let result = match (check.look)(looks).await {
            Ok(Outcome::Seen(seen)) => {
                let findings = check.findings(seen);
                let number = findings.len();
                report.findings.extend(findings);
                Result::Found(number)
            }
            Ok(Outcome::Unasked(why)) => Result::Unasked(why.to_owned()),
            Err(error) => Result::Failed(error.to_string()),
        };
        report.asked.push(Asked {
            id: check.id,
            word: check.word,
            what: check.what,
            result,
        });
    }
    report.requests = looks.answers.asked();
    report
}
