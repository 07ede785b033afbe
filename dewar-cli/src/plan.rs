use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

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
            let text = if file.extension().is_some_and(|end| end == "rs") {
                formatted(text).unwrap_or_else(|| text.clone())
            } else {
                text.clone()
            };
            fs::write(&file, text).map_err(|error| Error::File(file.clone(), error))?;
            said.push(format!("  {what}  {}", path.display()));
        }
        Ok(said.join("\n"))
    }
}

/// The text as rustfmt writes it. Where rustfmt is not installed, the text stays: `cargo fmt` would change it, and nothing else.
fn formatted(text: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_types,
        reason = "a tool for the author of an application; rustfmt gets a text on its standard input and no argument of anybody's"
    )]
    let mut rustfmt = std::process::Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // rustfmt reads all of it before it writes, and a text is shorter than a pipe.
    rustfmt.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let done = rustfmt.wait_with_output().ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    (done.status.success() && !text.is_empty()).then_some(text)
}

/// The text of a file of the application.
pub(crate) fn read(below: &Path, path: &str) -> Result<String, Error> {
    fs::read_to_string(below.join(path)).map_err(|_| Error::NoApplication(path.into()))
}
