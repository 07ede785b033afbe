use dewar::audit::{Practice, Severity};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::Sources;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "dependencies-source",
        word: Practice::Dependencies,
        severity: Severity::Medium,
        what: "every crate comes from a registry",
        why: "a crate from a git address has no advisories, and can change under the same name",
        fix: "use a published version",
        cwe: Some(1104),
        asvs: &["15.2.4"],
        look: source,
    },
    Check {
        id: "dependencies-checksum",
        word: Practice::Dependencies,
        severity: Severity::High,
        what: "every crate from a registry has a checksum in the lock file",
        why: "the compiled crate may differ from the published one",
        fix: "remove the entry from Cargo.lock and let `cargo update -p <name>` write it anew",
        cwe: Some(494),
        asvs: &["15.2.4"],
        look: checksum,
    },
];

const NO_LOCK_FILE: &str = "no lock file was given (--lock Cargo.lock)";

fn source(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(lock_file) = &looks.lock_file else {
            return Ok(Outcome::Unasked(NO_LOCK_FILE));
        };
        let seen = lock_file.parts().iter().filter_map(|part| {
            let source = part
                .source
                .as_deref()
                .filter(|source| !is_registry(source))?;
            Some(Evidence::new(
                "a crate does not come from a registry",
                format!("{} {} ({source})", part.name, part.version),
            ))
        });
        Ok(Outcome::Seen(seen.collect()))
    })
}

fn checksum(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(lock_file) = &looks.lock_file else {
            return Ok(Outcome::Unasked(NO_LOCK_FILE));
        };
        let without = lock_file.parts().iter().filter(|part| {
            part.checksum.is_none() && part.source.as_deref().is_some_and(is_registry)
        });
        let seen = without.map(|part| {
            Evidence::new(
                "a crate has no checksum",
                format!("{} {}", part.name, part.version),
            )
        });
        Ok(Outcome::Seen(seen.collect()))
    })
}

fn is_registry(source: &str) -> bool {
    source.starts_with("registry+") || source.starts_with("sparse+")
}
