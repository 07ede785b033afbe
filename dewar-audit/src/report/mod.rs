//! The result of an audit: one set of findings, for people and for programs.

mod json;
mod terminal;

use dewar::audit::{Finding, Practice, Severity};
use serde::Serialize;

/// The report of an audit. Its `Display` is for a terminal, [`Report::json`] for a program.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The application.
    pub url: String,
    /// Every check, with its result.
    pub asked: Vec<CheckResult>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The number of requests.
    pub requests: u64,
}

/// One check, with its result.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CheckResult {
    /// The check.
    pub id: &'static str,
    /// Its word.
    pub word: Practice,
    /// The required behaviour.
    pub what: &'static str,
    /// The result.
    pub result: CheckOutcome,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The check failed for this reason, so the result is unknown.
    Failed(String),
    /// The check ran, and found so many problems.
    Found(usize),
    /// The check had nothing to look at, for this reason.
    Unasked(String),
}

/// The meaning of the command's exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitVerdict {
    /// 0: no findings at or above the given severity.
    Clean,
    /// 1: at least one finding.
    Found,
    /// 2: a check failed, whatever the others found.
    Unknown,
}

impl Report {
    pub(crate) fn of(url: String) -> Self {
        Self {
            url,
            asked: Vec::new(),
            findings: Vec::new(),
            requests: 0,
        }
    }

    /// The verdict, without findings below this severity.
    #[must_use]
    pub fn verdict(&self, fail_on: Severity) -> ExitVerdict {
        if self
            .asked
            .iter()
            .any(|asked| matches!(asked.result, CheckOutcome::Failed(_)))
        {
            ExitVerdict::Unknown
        } else if self
            .findings
            .iter()
            .any(|finding| finding.severity >= fail_on)
        {
            ExitVerdict::Found
        } else {
            ExitVerdict::Clean
        }
    }
}

impl ExitVerdict {
    /// The exit status.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Unknown => 2,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report(
        results: impl IntoIterator<Item = CheckOutcome>,
        severities: &[Severity],
    ) -> Report {
        let mut report = Report::of("https://localhost".to_owned());
        for result in results {
            report.asked.push(CheckResult {
                id: "csrf-forged",
                word: Practice::Csrf,
                what: "forgeries are refused",
                result,
            });
        }
        let finding = |severity: &Severity| {
            Finding::warn(Practice::Csrf, "csrf-forged", "POST /\u{1b}[2J").severity(*severity)
        };
        report.findings = severities.iter().map(finding).collect();
        report
    }

    #[test]
    fn the_verdict_counts_from_the_severity_that_was_named() {
        let low = report([CheckOutcome::Found(1)], &[Severity::Low]);
        assert_eq!(low.verdict(Severity::Medium).status(), 0);
        assert_eq!(low.verdict(Severity::Low).status(), 1);
        assert_eq!(
            report([CheckOutcome::Unasked(String::new())], &[])
                .verdict(Severity::Info)
                .status(),
            0
        );
    }

    #[test]
    fn what_could_not_be_looked_at_is_never_clean() {
        let failed = [
            CheckOutcome::Found(0),
            CheckOutcome::Failed("no connection".to_owned()),
        ];
        assert_eq!(
            report(failed.clone(), &[])
                .verdict(Severity::Critical)
                .status(),
            2
        );
        assert_eq!(
            report(failed, &[Severity::Critical])
                .verdict(Severity::Medium)
                .status(),
            2
        );
    }
}
