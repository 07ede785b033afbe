use std::path::Path;

use dewar::dependencies::{Part, Parts};

use super::Error;

/// The lock file of the application's build.
///
/// ```
/// use dewar_audit::sources::LockFile;
/// let lock_file = LockFile::read("[[package]]\nname = \"demo\"\nversion = \"1.0.0\"\n")?;
/// assert_eq!(lock_file.parts()[0].name, "demo");
/// # Ok::<(), dewar_audit::sources::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LockFile(Parts);

impl LockFile {
    /// Reads a `Cargo.lock`.
    ///
    /// # Errors
    /// If the text is not a lock file.
    pub fn read(text: &str) -> Result<Self, Error> {
        Ok(Self(Parts::of_lock_file(text)?))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a lock file.
    pub fn read_file(path: &Path) -> Result<Self, Error> {
        Self::read(&std::fs::read_to_string(path).map_err(Error::file(path))?)
    }

    /// Every package in it.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        self.0.list()
    }
}
