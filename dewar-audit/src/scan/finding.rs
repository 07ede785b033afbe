use dewar::audit::{Practice, Severity};
use serde::Serialize;

use super::ScanCheck;

/// One fault in one place: a line of a file, or a parameter of an address.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ScanFinding {
    /// The check's name, which never changes.
    pub id: &'static str,
    /// The weakness, such as `CWE-89`.
    pub cwe: String,
    /// How bad it is.
    pub severity: Severity,
    /// The practice that it belongs to.
    pub practice: Practice,
    /// How it is known.
    pub confidence: Confidence,
    /// The fault, in one line.
    pub title: String,
    /// The fault in this place: the value, its origin and what it reaches.
    pub message: String,
    /// The harm that an attacker can do with it.
    pub why: String,
    /// How to fix it.
    pub fix: String,
    /// The requirements of OWASP ASVS 5.0.
    pub asvs: &'static [&'static str],
    /// The file, relative to the folder that was audited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The first line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<usize>,
    /// The way of the value, from where it comes in to where it does harm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
    /// The method of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The address of the request, or the route's path in source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The parameter, as `where:name`: `query:id`, `header:Host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The proof: the request, what of the answer shows it, and a command that repeats it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// How a finding is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Confidence {
    /// The source says so by itself: a setting, or a protection that is missing.
    Declared,
    /// A value can arrive, on a way that the analysis did not follow in full.
    Likely,
    /// The way of the value was followed, or the attack had its effect.
    Proved,
}

/// One step on the way of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// The file, relative to the folder that was audited.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The line's text, shortened.
    pub text: String,
}

impl Step {
    /// A step.
    #[must_use]
    pub fn new(file: impl Into<String>, line: usize, text: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line,
            text: text.into(),
        }
    }
}

impl ScanFinding {
    /// A finding of a check, without a place yet.
    #[must_use]
    pub fn new(check: &ScanCheck, message: impl Into<String>) -> Self {
        Self {
            id: check.id,
            cwe: format!("CWE-{}", check.cwe),
            severity: check.severity,
            practice: check.practice,
            confidence: Confidence::Declared,
            title: check.what.to_owned(),
            message: message.into(),
            why: check.why.to_owned(),
            fix: check.fix.to_owned(),
            asvs: check.asvs,
            file: None,
            line: None,
            end_line: None,
            path: Vec::new(),
            method: None,
            url: None,
            parameter: None,
            evidence: Vec::new(),
        }
    }

    /// Adds the lines of a file.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: usize, end_line: usize) -> Self {
        self.file = Some(file.into());
        self.line = Some(line);
        self.end_line = Some(end_line.max(line));
        self
    }

    /// Adds the request, with the parameter as `where:name`.
    #[must_use]
    pub fn request(
        mut self,
        method: impl Into<String>,
        url: impl Into<String>,
        parameter: impl Into<String>,
    ) -> Self {
        self.method = Some(method.into());
        self.url = Some(url.into());
        let parameter = parameter.into();
        self.parameter = (!parameter.is_empty()).then_some(parameter);
        self
    }

    /// Says how it is known.
    #[must_use]
    pub const fn known(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Adds the way of the value.
    #[must_use]
    pub fn path(mut self, path: Vec<Step>) -> Self {
        self.path = path;
        self
    }

    /// A finding of the white box, which names the route in its title.
    pub(super) fn of_white_box(finding: &dewar::audit::Finding, url: &str) -> Self {
        Self {
            id: finding.id,
            cwe: finding
                .cwe
                .map(|cwe| format!("CWE-{cwe}"))
                .unwrap_or_default(),
            severity: finding.severity,
            practice: finding.word,
            confidence: Confidence::Proved,
            title: finding.title.clone(),
            message: finding.title.clone(),
            why: finding.why.clone(),
            fix: finding.fix.clone(),
            asvs: finding.asvs,
            file: None,
            line: None,
            end_line: None,
            path: Vec::new(),
            method: None,
            url: Some(url.to_owned()),
            parameter: None,
            evidence: Vec::new(),
        }
    }

    /// Two findings of one place are the same.
    pub(super) fn place(&self) -> impl Ord + use<> {
        (
            self.file.clone(),
            self.line,
            self.id,
            self.url.clone(),
            self.method.clone(),
            self.parameter.clone(),
        )
    }
}
