//! The checks, one file a word. A check is data, and a function over the [sources](crate::sources).
//!
//! | field | purpose |
//! |---|---|
//! | `id` | permanent, to look a finding up |
//! | `what` | a report without findings lists what was checked |
//! | `why`, `fix` | the reader of a finding needs no other page |
//! | `cwe`, `asvs` | to count findings against a standard |

mod accounts;
mod audit;
mod csrf;
mod database;
mod dependencies;
mod forms;
mod https;
mod pages;
mod roles;
mod secrets;
mod sessions;
mod uploads;

use std::fmt;
use std::pin::Pin;

use dewar::audit::{Finding, Practice, Severity};

use crate::sources::{Error, Sources};

/// One check of the auditor.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// Its permanent id.
    pub id: &'static str,
    /// The practice that it belongs to.
    pub word: Practice,
    /// The severity of its findings.
    pub severity: Severity,
    /// The required behaviour.
    pub what: &'static str,
    /// The harm that an attacker could do otherwise.
    pub why: &'static str,
    /// How to fix it.
    pub fix: &'static str,
    /// The weakness in the Common Weakness Enumeration.
    pub cwe: Option<u16>,
    /// The requirements of OWASP ASVS 5.0.
    pub asvs: &'static [&'static str],
    pub(crate) look: for<'a> fn(&'a Sources) -> Looking<'a>,
}

/// A check in progress.
pub(crate) type Looking<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Error>> + Send + 'a>>;

/// The result of a check.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The problems, each with its place; none if all is well.
    Seen(Vec<Evidence>),
    /// The check had nothing to look at, for this reason.
    Unasked(&'static str),
}

/// One problem in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    what: String,
    place: String,
}

impl Evidence {
    pub(crate) fn new(what: impl Into<String>, place: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: place.into(),
        }
    }
}

/// Every check, in the order of the audit.
///
/// The checks of one word stand together, and the words have the order of the practices, except for the last two.
///
/// ```
/// use dewar::audit::Practice;
/// for word in Practice::ALL {
///     assert!(dewar_audit::checks::all().any(|check| check.word == word));
/// }
/// ```
pub fn all() -> impl Iterator<Item = &'static Check> {
    let words: [&'static [Check]; 12] = [
        dependencies::CHECKS,
        secrets::CHECKS,
        sessions::CHECKS,
        https::CHECKS,
        forms::CHECKS,
        pages::CHECKS,
        csrf::CHECKS,
        roles::CHECKS,
        database::CHECKS,
        uploads::CHECKS,
        // After all checks that sign in, because it tries until the rate limit stops it.
        accounts::CHECKS,
        // The last one, because it reads the application's log about the others.
        audit::CHECKS,
    ];
    words.into_iter().flatten()
}

/// A finding names at most so many places and counts the others.
const PLACES: usize = 4;

impl Check {
    /// One finding for each problem, with its places.
    pub(crate) fn findings(&self, seen: Vec<Evidence>) -> Vec<Finding> {
        let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
        for Evidence { what, place } in seen {
            match grouped.iter_mut().find(|(known, _)| *known == what) {
                Some((_, places)) if places.contains(&place) => {}
                Some((_, places)) => places.push(place),
                None => grouped.push((what, vec![place])),
            }
        }
        grouped
            .into_iter()
            .map(|(what, places)| self.finding(&what, &places))
            .collect()
    }

    fn finding(&self, what: &str, places: &[String]) -> Finding {
        let named: Vec<&str> = places.iter().take(PLACES).map(String::as_str).collect();
        let others = places.len().saturating_sub(PLACES);
        let others = if others > 0 {
            format!(" and {others} more")
        } else {
            String::new()
        };
        let finding = Finding::warn(
            self.word,
            self.id,
            format!("{what}: {}{others}", named.join(", ")),
        )
        .severity(self.severity)
        .why(self.why)
        .fix(self.fix)
        .asvs(self.asvs);
        match self.cwe {
            Some(cwe) => finding.cwe(cwe),
            None => finding,
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_an_id_of_its_own_that_begins_with_its_word() {
        let ids: Vec<&str> = all().map(|check| check.id).collect();
        for check in all() {
            assert!(
                check.id.starts_with(&format!("{}-", check.word)),
                "{}",
                check.id
            );
            assert_eq!(
                ids.iter().filter(|id| **id == check.id).count(),
                1,
                "{}",
                check.id
            );
            let says_all = [check.what, check.why, check.fix]
                .iter()
                .all(|text| !text.is_empty());
            assert!(says_all && !check.asvs.is_empty(), "{}", check.id);
        }
    }

    #[test]
    fn places_of_one_fault_are_one_finding() {
        let check = all().next().unwrap();
        let seen = ["/a", "/b", "/a", "/c", "/d", "/e", "/f"]
            .map(|place| Evidence::new("it is open", place));
        let findings = check.findings(seen.to_vec());
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].title, "it is open: /a, /b, /c, /d and 2 more");
    }
}
