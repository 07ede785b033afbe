//! Findings of source code and of a running application that is not built on Dewar: one type, so that both can be joined.
//!
//! | file | purpose |
//! |---|---|
//! | `check.rs` | a check as data: `--list`, reports, rules of SARIF and the docs come from it |
//! | `finding.rs` | one finding, with its place and the way of the value |
//! | `coverage.rs` | what was looked at, what was not, and why |
//! | `sarif.rs`, `terminal.rs` | the report for programs and for people |

mod check;
mod coverage;
mod finding;
mod sarif;
mod terminal;

use dewar::audit::Severity;
use serde::Serialize;

pub use check::ScanCheck;
pub use coverage::{Coverage, Skipped};
pub use finding::{Confidence, ScanFinding, Step};

use crate::report::{CheckOutcome, ExitVerdict, Report};

/// The report on a folder of source code, or on the application at an address.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ScanReport {
    /// The folder or the address.
    pub target: String,
    /// The findings, the worst first.
    pub findings: Vec<ScanFinding>,
    /// The coverage of the audit.
    pub coverage: Coverage,
}

impl ScanReport {
    /// A report without findings yet.
    #[must_use]
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            findings: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    /// Sorts the findings: the worst first, then by place. The same finding is kept once.
    pub fn sort(&mut self) {
        self.findings.sort_by(|one, other| {
            (other.severity.cmp(&one.severity)).then_with(|| one.place().cmp(&other.place()))
        });
        self.findings
            .dedup_by(|one, other| one.place() == other.place());
    }

    /// The verdict, without findings below this severity.
    ///
    /// A target of which something could not be looked at is never clean: without findings, the verdict is unknown.
    #[must_use]
    pub fn verdict(&self, fail_on: Severity) -> ExitVerdict {
        if self.findings.iter().any(|found| found.severity >= fail_on) {
            ExitVerdict::Found
        } else if self.coverage.is_incomplete() {
            ExitVerdict::Unknown
        } else {
            ExitVerdict::Clean
        }
    }

    /// The report as JSON, with the fields of its type.
    ///
    /// # Errors
    /// Never for a report of this crate; only the type of the JSON writer allows an error.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// The report as SARIF 2.1.0, with these checks as its rules.
    ///
    /// # Errors
    /// Never for a report of this crate; only the type of the JSON writer allows an error.
    pub fn sarif(&self, checks: &[&ScanCheck]) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&sarif::document(self, checks))
    }
}

impl From<&Report> for ScanReport {
    /// The report of the white box in the form of the others.
    fn from(report: &Report) -> Self {
        let mut scan = Self::new(report.url.clone());
        let findings = report.findings.iter();
        scan.findings = findings
            .map(|finding| ScanFinding::of_white_box(finding, &report.url))
            .collect();
        scan.coverage.count("requests", report.requests);
        scan.coverage.count("checks", report.asked.len() as u64);
        for asked in &report.asked {
            match &asked.result {
                CheckOutcome::Failed(why) => scan.coverage.fail(asked.id, why.clone()),
                CheckOutcome::Unasked(why) => scan.coverage.skip(asked.id, why.clone()),
                CheckOutcome::Found(_) => {}
            }
        }
        scan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_could_not_be_read_is_never_clean() {
        let mut report = ScanReport::new(".");
        assert_eq!(report.verdict(Severity::Info).status(), 0);
        report.coverage.fail("a.py", "it is not UTF-8");
        assert_eq!(report.verdict(Severity::Info).status(), 2);
        report
            .findings
            .push(ScanFinding::new(&check::tests::CHECK, "text"));
        assert_eq!(report.verdict(Severity::High).status(), 1);
        assert_eq!(report.verdict(Severity::Critical).status(), 2);
    }
}
