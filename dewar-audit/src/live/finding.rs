//! What the audit of a running application found, and what it looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use dewar::audit::{Practice, Severity};
use serde::Serialize;

use super::table::check;

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Confidence {
    /// The attack had its effect.
    Proved,
    /// The answers say so.
    Firm,
    /// A sign that a person has to judge.
    Tentative,
}

/// One finding, with its proof.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveFinding {
    pub(crate) id: &'static str,
    pub(crate) cwe: String,
    pub(crate) severity: Severity,
    pub(crate) practice: Practice,
    pub(crate) title: String,
    pub(crate) why: &'static str,
    pub(crate) fix: &'static str,
    pub(crate) method: String,
    pub(crate) url: String,
    /// The pattern of the route: `/notes/{}`.
    pub(crate) route: String,
    pub(crate) parameter: String,
    /// `query`, `form`, `json`, `path`, `header`, `cookie` or `file`.
    pub(crate) place: String,
    pub(crate) confidence: Confidence,
    pub(crate) evidence: Vec<String>,
    pub(crate) asvs: &'static [&'static str],
}

impl LiveFinding {
    pub(super) fn of(id: &str, method: &str, route: &str) -> Self {
        let row = check(id);
        Self {
            id: row.id,
            cwe: format!("CWE-{}", row.cwe),
            severity: row.severity,
            practice: row.practice,
            title: row.title.to_owned(),
            why: row.why,
            fix: row.fix,
            method: method.to_owned(),
            url: String::new(),
            route: route.to_owned(),
            parameter: String::new(),
            place: String::new(),
            confidence: Confidence::Proved,
            evidence: Vec::new(),
            asvs: row.asvs,
        }
    }

    pub(super) fn at(mut self, place: &str, parameter: &str) -> Self {
        place.clone_into(&mut self.place);
        parameter.clone_into(&mut self.parameter);
        self
    }

    pub(super) fn note(mut self, text: impl Into<String>) -> Self {
        self.evidence.push(text.into());
        self
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    pub(super) fn titled(mut self, detail: &str) -> Self {
        self.title = format!("{} ({detail})", self.title);
        self
    }
}

/// What was looked at and what was not.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct LiveCoverage {
    pub(crate) requests: u64,
    pub(crate) seconds: u64,
    pub(crate) pages: usize,
    pub(crate) routes: Vec<String>,
    /// How many parameters were tried in each place.
    pub(crate) parameters: BTreeMap<&'static str, usize>,
    pub(crate) signed_in: Vec<String>,
    pub(crate) skipped: BTreeSet<String>,
    pub(crate) notes: Vec<String>,
    /// Why the audit ended early: then nothing is known about the rest.
    pub(crate) failed: Option<String>,
}

/// The findings, each once, written as they come.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) all: Vec<LiveFinding>,
    pub(super) file: Option<PathBuf>,
}

impl Findings {
    /// Whether this fault is reported already.
    pub(super) fn has(&self, id: &str, method: &str, route: &str, parameter: &str) -> bool {
        self.all.iter().any(|known| {
            known.id == id
                && known.method == method
                && known.route == route
                && known.parameter == parameter
        })
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        self.all.iter().any(|known| known.id == id)
    }

    pub(super) fn add(&mut self, finding: LiveFinding) -> bool {
        if self.has(finding.id, &finding.method, &finding.route, &finding.parameter) {
            return false;
        }
        if let (Some(path), Ok(line)) = (&self.file, serde_json::to_string(&finding))
            && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
        {
            // A killed audit keeps what it found; the report at the end has all of it again.
            drop(writeln!(file, "{line}"));
        }
        self.all.push(finding);
        true
    }
}
