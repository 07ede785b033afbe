use std::collections::BTreeMap;

use serde::Serialize;

/// The things that the audit looked at, and those that it did not, with the reasons.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// Numbers by name: `files`, `lines`, `functions`, `routes`; `pages`, `parameters`, `requests` of a running application.
    pub counts: BTreeMap<&'static str, u64>,
    /// The audit should have looked at these, and could not. A report with such an entry is not complete.
    pub failed: Vec<Skipped>,
    /// The audit left these out on purpose.
    pub skipped: Vec<Skipped>,
    /// Sentences about the things that the audit does not cover at all.
    pub not_covered: Vec<&'static str>,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The file, folder or address.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// A report names at most so many skipped things and counts the others.
const NAMED: usize = 1_000;

impl Coverage {
    /// Adds to a number.
    pub fn count(&mut self, what: &'static str, number: u64) {
        let count = self.counts.entry(what).or_default();
        *count = count.saturating_add(number);
    }

    /// Notes something that could not be looked at, for this reason.
    pub fn fail(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.count("failed", 1);
        Self::note(&mut self.failed, what.into(), why.into());
    }

    /// Notes something that was left out on purpose.
    pub fn skip(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.count("skipped", 1);
        Self::note(&mut self.skipped, what.into(), why.into());
    }

    fn note(list: &mut Vec<Skipped>, what: String, why: String) {
        if list.len() < NAMED {
            list.push(Skipped { what, why });
        }
    }

    /// Whether something could not be looked at.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        !self.failed.is_empty()
    }
}
