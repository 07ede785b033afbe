use std::fmt;

use serde::Deserialize;

/// The crates that a program was built from, read from its embedded lock file.
///
/// ```
/// use dewar::dependencies::Parts;
/// let parts = Parts::of_lock_file("version = 4")?;
/// assert!(parts.list().is_empty());
/// # Ok::<(), dewar::dependencies::Unreadable>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts(Vec<Part>);

/// One package at one version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Part {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its source; none for the application's own crates.
    pub source: Option<String>,
    /// The SHA-256 of the fetched crate, in hexadecimal.
    pub checksum: Option<String>,
    /// The crates that it depends on, as the lock file writes them.
    #[serde(default)]
    pub(super) dependencies: Vec<String>,
}

/// The text is not a lock file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("this is not a lock file of cargo: {0}")]
pub struct Unreadable(String);

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<Part>,
}

impl Parts {
    /// Reads a `Cargo.lock`.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not one.
    pub fn of_lock_file(text: &str) -> Result<Self, Unreadable> {
        let file: CargoLock =
            toml::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
        Ok(Self(file.package))
    }

    /// All parts, in the lock file's order.
    #[must_use]
    pub fn list(&self) -> &[Part] {
        &self.0
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            let from = part.source.as_deref().unwrap_or("this workspace");
            writeln!(f, "{} {} ({from})", part.name, part.version)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn the_list_names_each_part_its_version_and_where_it_is_from() {
        let text = "version = 4\n[[package]]\nname = \"portal\"\nversion = \"0.1.0\"\n\
            [[package]]\nname = \"time\"\nversion = \"0.3.44\"\nsource = \"registry+https://example.org/index\"\n";
        let parts = Parts::of_lock_file(text).unwrap();
        assert_eq!(
            parts.to_string(),
            "portal 0.1.0 (this workspace)\ntime 0.3.44 (registry+https://example.org/index)\n"
        );
        assert!(Parts::of_lock_file("[[package]]\nname = 7").is_err());
    }
}
