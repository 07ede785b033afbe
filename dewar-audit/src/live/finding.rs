//! The findings of the audit of a running application, and its coverage.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use dewar::audit::Severity;
use serde::Serialize;

use super::table::check;
use crate::scan::{Confidence, ScanFinding};

/// One finding, with its proof.
#[derive(Debug, Clone)]
pub(crate) struct LiveFinding {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    pub(crate) title: String,
    pub(crate) method: String,
    pub(crate) url: String,
    /// The pattern of the route: `/notes/{}`.
    pub(crate) route: String,
    pub(crate) parameter: String,
    /// `query`, `form`, `json`, `path`, `header`, `cookie` or `file`.
    pub(crate) place: String,
    pub(crate) confidence: Confidence,
    pub(crate) evidence: Vec<String>,
}

impl LiveFinding {
    pub(super) fn of(id: &str, method: &str, route: &str) -> Self {
        let row = check(id);
        Self {
            id: row.id,
            severity: row.severity,
            title: row.what.to_owned(),
            method: method.to_owned(),
            url: String::new(),
            route: route.to_owned(),
            parameter: String::new(),
            place: String::new(),
            confidence: Confidence::Proved,
            evidence: Vec::new(),
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

    /// The finding as all reports have it.
    pub(super) fn shared(&self) -> ScanFinding {
        let parameter = match (self.place.as_str(), self.parameter.as_str()) {
            ("", name) => name.to_owned(),
            (place, name) => format!("{place}:{name}"),
        };
        let mut finding = ScanFinding::new(
            check(self.id),
            format!("{} {}", self.title, self.route_text())
                .trim_end()
                .to_owned(),
        )
        .request(self.method.clone(), self.url.clone(), parameter)
        .known(self.confidence);
        finding.severity = self.severity;
        finding.title.clone_from(&self.title);
        finding.evidence.clone_from(&self.evidence);
        finding
    }

    fn route_text(&self) -> String {
        if self.route == "*" {
            String::new()
        } else {
            format!("at {} {}", self.method, self.route)
        }
    }

    pub(super) fn titled(mut self, detail: &str) -> Self {
        self.title = format!("{} ({detail})", self.title);
        self
    }
}

/// The coverage of the audit.
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
        if self.has(
            finding.id,
            &finding.method,
            &finding.route,
            &finding.parameter,
        ) {
            return false;
        }
        if let (Some(path), Ok(line)) = (&self.file, serde_json::to_string(&finding.shared()))
            && let Ok(mut file) = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
        {
            // A killed audit keeps what it found; the report at the end has all of it again.
            drop(writeln!(file, "{line}"));
        }
        self.all.push(finding);
        true
    }
}
