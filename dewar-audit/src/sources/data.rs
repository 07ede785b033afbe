use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::Error;

/// The most files that are checked one by one.
const MOST: usize = 10_000;

/// The data directory of an application on this machine.
#[derive(Debug, Clone)]
pub struct Data {
    root: PathBuf,
    found: Vec<DirectoryEntry>,
}

/// A file or directory below it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DirectoryEntry {
    /// Its path relative to the data directory.
    pub path: PathBuf,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its permission bits; none if the system has no such bits.
    pub mode: Option<u32>,
}

impl Data {
    /// Lists the directory. Symbolic links are listed and not followed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn list(root: &Path) -> Result<Self, Error> {
        let mut found = Vec::new();
        let mut open = vec![PathBuf::new()];
        while let Some(directory) = open.pop() {
            let whole = root.join(&directory);
            for entry in fs::read_dir(&whole).map_err(Error::file(&whole))? {
                let entry = entry.map_err(Error::file(&whole))?;
                let path = directory.join(entry.file_name());
                // The application removed the file in the meantime.
                let Ok(metadata) = entry.metadata() else {
                    continue;
                };
                if metadata.is_dir() {
                    open.push(path.clone());
                }
                found.push(DirectoryEntry {
                    path,
                    is_directory: metadata.is_dir(),
                    mode: mode(&metadata),
                });
                if found.len() >= MOST {
                    open.clear();
                    break;
                }
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self {
            root: root.to_owned(),
            found,
        })
    }

    /// The path of the directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its content.
    #[must_use]
    pub fn all(&self) -> &[DirectoryEntry] {
        &self.found
    }

    /// The regular files.
    pub fn files(&self) -> impl Iterator<Item = &DirectoryEntry> {
        self.found.iter().filter(|found| !found.is_directory)
    }
}

impl DirectoryEntry {
    /// Whether other users than its owner may read or write it.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o077 != 0)
    }

    /// Its permissions as `chmod` writes them.
    #[must_use]
    pub fn permissions(&self) -> String {
        self.mode.map_or_else(
            || "unknown".to_owned(),
            |mode| format!("{:04o}", mode & 0o7777),
        )
    }
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere there are no permission bits"
)]
fn mode(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(metadata.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_metadata: &Metadata) -> Option<u32> {
    None
}
