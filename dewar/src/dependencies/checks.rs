use std::collections::BTreeSet;

use super::{Part, Parts};
use crate::audit::{Finding, Practice, Severity};

/// The public registry, as lock files name it.
const PUBLIC: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

impl Parts {
    /// The findings about the parts, for the start.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut seen = BTreeSet::new();
        let mut findings = Vec::new();
        for part in self.list() {
            if !seen.insert((&part.name, &part.version)) {
                findings.push(twice(part));
            }
            findings.extend(judge(part));
        }
        findings
    }
}

/// One name and version from two sources: the author of the second chose the first one's name (dependency confusion).
fn twice(part: &Part) -> Finding {
    let title = format!(
        "the lock file contains {} {} twice",
        part.name, part.version
    );
    Finding::refuse(Practice::Dependencies, "dependencies-part-twice", title)
        .why("one of the two is not the crate that was published under this name")
        .fix("find out which one you need, and remove the other from Cargo.toml")
        .cwe(427)
        .asvs(&["15.2.4"])
}

fn judge(part: &Part) -> Option<Finding> {
    let name = format!("{} {}", part.name, part.version);
    let source = part.source.as_deref()?;
    let Some(address) = ["registry+", "sparse+"]
        .iter()
        .find_map(|kind| source.strip_prefix(kind))
    else {
        return Some(elsewhere(&name, source));
    };
    if PUBLIC.contains(&source) {
        return unchecked(&name, part);
    }
    if !address.starts_with("https://") && !address.starts_with("file://") {
        let title = format!("{name} comes from {address}, without TLS");
        return Some(
            Finding::refuse(
                Practice::Dependencies,
                "dependencies-registry-without-tls",
                title,
            )
            .why("an attacker on the network could replace the crates, with matching checksums")
            .fix("name the registry by its https:// address")
            .cwe(319)
            .asvs(&["15.2.4"]),
        );
    }
    if ["crates.io", "crates-io", "rust-lang"]
        .iter()
        .any(|known| address.contains(known))
    {
        let title = format!("{name} comes from {address}, which imitates the public registry");
        return Some(
            Finding::refuse(
                Practice::Dependencies,
                "dependencies-lookalike-registry",
                title,
            )
            .why("an attacker chooses a similar name so that nobody notices it")
            .fix("remove the lock file's entry, and the registry from cargo's configuration")
            .cwe(427)
            .asvs(&["15.2.4"]),
        );
    }
    unchecked(&name, part).or_else(|| Some(other(&name, address)))
}

fn elsewhere(name: &str, source: &str) -> Finding {
    let title = format!("{name} comes from {source}");
    Finding::warn(
        Practice::Dependencies,
        "dependencies-not-from-a-registry",
        title,
    )
    .severity(Severity::Medium)
    .why("it has no advisories and no checksum, and can change under the same name")
    .fix("use a published version")
    .cwe(1104)
    .asvs(&["15.2.4"])
}

fn other(name: &str, address: &str) -> Finding {
    let title = format!("{name} comes from the registry {address}");
    Finding::warn(Practice::Dependencies, "dependencies-other-registry", title)
        .severity(Severity::Low)
        .why("advisory databases cover the crates of the public registry alone")
        .fix("nothing, if the registry is yours; otherwise use the crate from the public registry")
        .cwe(1104)
        .asvs(&["15.2.4"])
}

/// The finding about a part without the SHA-256 of the published crate.
fn unchecked(name: &str, part: &Part) -> Option<Finding> {
    let title = match part.checksum.as_deref() {
        None => format!("{name} has no checksum"),
        Some(text) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            return None;
        }
        Some(_) => format!("{name} has an invalid checksum"),
    };
    Some(
        Finding::refuse(Practice::Dependencies, "dependencies-no-checksum", title)
            .why("the compiled crate may differ from the published one")
            .fix("remove the lock file's entry and run `cargo update -p` for it")
            .cwe(494)
            .asvs(&["15.2.4"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(lock_file: &str) -> Vec<&'static str> {
        Parts::of_lock_file(lock_file)
            .unwrap()
            .findings()
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn our_own_lock_file_has_nothing_against_it() {
        assert_eq!(ids(include_str!("../../../Cargo.lock")), Vec::<&str>::new());
    }

    #[test]
    fn a_part_from_a_git_address_is_reported() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for source in [
            "git+https://host.example/a".to_owned(),
            format!("git+https://host.example/a#{commit}"),
            format!("git+https://host.example/a?rev={commit}#{commit}"),
            format!("git+https://host.example/a?tag=v1.0.0#{commit}"),
            format!("git+https://host.example/a?branch=main#{commit}"),
            format!("git+ssh://git@host.example/a#{commit}"),
            format!("git+https://github.com/rust-lang/crates.io-index#{commit}"),
        ] {
            let lock =
                format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"");
            assert_eq!(ids(&lock), ["dependencies-not-from-a-registry"], "{source}");
        }
    }

    #[test]
    fn a_part_without_a_checksum_is_refused() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.example\"";
        assert_eq!(ids(lock), ["dependencies-no-checksum"]);
    }

    fn from(source: &str) -> String {
        let sum = "0123456789abcdef".repeat(4);
        format!(
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{sum}\"\n"
        )
    }

    #[test]
    fn a_registry_is_the_public_one_or_it_is_named() {
        for source in PUBLIC {
            assert_eq!(ids(&from(source)), Vec::<&str>::new(), "{source}");
        }
        for (source, id) in [
            (
                "registry+http://index.example/a",
                "dependencies-registry-without-tls",
            ),
            (
                "sparse+http://index.crates.io/",
                "dependencies-registry-without-tls",
            ),
            (
                "sparse+https://index.crates.io.evil.example/",
                "dependencies-lookalike-registry",
            ),
            (
                "registry+https://github.com/rust-1ang/crates.io-index",
                "dependencies-lookalike-registry",
            ),
            (
                "registry+https://github.com/rust-lang/crates.io-index2",
                "dependencies-lookalike-registry",
            ),
            (
                "sparse+https://crates.example.org/",
                "dependencies-other-registry",
            ),
        ] {
            assert_eq!(ids(&from(source)), [id], "{source}");
        }
    }

    #[test]
    fn a_part_is_there_once_and_its_checksum_is_one() {
        let good = from(PUBLIC[0]);
        assert_eq!(ids(&format!("{good}{good}")), ["dependencies-part-twice"]);
        for wrong in ["", "0123", &"x".repeat(64)] {
            let lock = good.replace(&"0123456789abcdef".repeat(4), wrong);
            assert_eq!(ids(&lock), ["dependencies-no-checksum"], "{wrong}");
        }
    }
}
