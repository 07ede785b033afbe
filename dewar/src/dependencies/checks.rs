use super::{Part, Parts};
use crate::audit::{Finding, Severity, Word};

impl Parts {
    /// What start-up asks of the parts.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.list().iter().filter_map(judge).collect()
    }
}

fn judge(part: &Part) -> Option<Finding> {
    let name = format!("{} {}", part.name, part.version);
    let source = part.source.as_deref()?;
    if !source.starts_with("registry+") && !source.starts_with("sparse+") {
        let title = format!("{name} comes from {source}");
        return Some(
            Finding::warn(
                Word::Dependencies,
                "dependencies-not-from-a-registry",
                title,
            )
            .severity(Severity::Medium)
            .why("it has no advisories and no checksum, and can change under the same name")
            .fix("take a released version")
            .cwe(1104)
            .asvs(&["15.2.4"]),
        );
    }
    if part.checksum.is_none() {
        return Some(
            Finding::refuse(
                Word::Dependencies,
                "dependencies-no-checksum",
                format!("{name} has no checksum"),
            )
            .why("what was built may not be what was published")
            .fix("remove the lock file's entry and run `cargo update -p` for it")
            .cwe(494)
            .asvs(&["15.2.4"]),
        );
    }
    None
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
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"git+https://host.example/a\"";
        assert_eq!(ids(lock), ["dependencies-not-from-a-registry"]);
    }

    #[test]
    fn a_part_without_a_checksum_is_refused() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.example\"";
        assert_eq!(ids(lock), ["dependencies-no-checksum"]);
    }
}
