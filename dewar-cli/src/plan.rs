use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Files to write. If one of the new files exists already, none is written.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    new: Vec<(PathBuf, String)>,
    changed: Vec<(PathBuf, String)>,
}

impl Plan {
    /// A file that must not exist yet.
    pub(crate) fn add(&mut self, path: impl Into<PathBuf>, text: String) {
        self.new.push((path.into(), text));
    }

    /// A file that exists, with its new text.
    pub(crate) fn change(&mut self, path: impl Into<PathBuf>, text: String) {
        self.changed.push((path.into(), text));
    }

    /// Writes them below this folder, and lists what it wrote.
    pub(crate) fn write(&self, below: &Path) -> Result<String, Error> {
        if let Some((path, _)) = self.new.iter().find(|(path, _)| below.join(path).exists()) {
            return Err(Error::Exists(path.clone()));
        }
        let new = self.new.iter().map(|file| ("new    ", file));
        let changed = self.changed.iter().map(|file| ("changed", file));
        let mut said = Vec::new();
        for (what, (path, text)) in new.chain(changed) {
            let file = below.join(path);
            let folder = file.parent().unwrap_or(below);
            fs::create_dir_all(folder).map_err(|error| Error::File(folder.to_owned(), error))?;
            fs::write(&file, text).map_err(|error| Error::File(file.clone(), error))?;
            said.push(format!("  {what}  {}", path.display()));
        }
        Ok(said.join("\n"))
    }
}

/// The text of a file of the application.
pub(crate) fn read(below: &Path, path: &str) -> Result<String, Error> {
    fs::read_to_string(below.join(path)).map_err(|_| Error::NoApplication(path.into()))
}
