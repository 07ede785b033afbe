use dewar::audit::{Practice, Severity};

/// A check as data. The list of checks, each finding, the rules of SARIF and the page of the docs come from it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ScanCheck {
    /// Its permanent id: `source-sql`.
    pub id: &'static str,
    /// The practice that it belongs to.
    pub practice: Practice,
    /// The severity of its findings.
    pub severity: Severity,
    /// The fault that it looks for, in a few words.
    pub what: &'static str,
    /// The harm that an attacker can do with it.
    pub why: &'static str,
    /// How to fix it.
    pub fix: &'static str,
    /// The weakness in the Common Weakness Enumeration.
    pub cwe: u16,
    /// The requirements of OWASP ASVS 5.0.
    pub asvs: &'static [&'static str],
    /// The page that says more.
    pub source: &'static str,
}

impl ScanCheck {
    /// A check. The page that says more is the one of its weakness; a check of a framework names another.
    #[must_use]
    pub const fn new(
        id: &'static str,
        practice: Practice,
        severity: Severity,
        cwe: u16,
        asvs: &'static [&'static str],
    ) -> Self {
        Self {
            id,
            practice,
            severity,
            what: "",
            why: "",
            fix: "",
            cwe,
            asvs,
            source: "",
        }
    }

    /// Adds the texts: the fault, the harm and the fix.
    #[must_use]
    pub const fn texts(mut self, what: &'static str, why: &'static str, fix: &'static str) -> Self {
        self.what = what;
        self.why = why;
        self.fix = fix;
        self
    }

    /// Adds the page that says more.
    #[must_use]
    pub const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    /// The page that says more.
    #[must_use]
    pub fn page(&self) -> String {
        if self.source.is_empty() {
            format!("https://cwe.mitre.org/data/definitions/{}.html", self.cwe)
        } else {
            self.source.to_owned()
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::scan) const CHECK: ScanCheck = ScanCheck::new(
        "source-test",
        Practice::Database,
        Severity::High,
        89,
        &["1.2.4"],
    )
    .texts(
        "SQL is built from text",
        "It can be changed.",
        "Bind values.",
    );
}
