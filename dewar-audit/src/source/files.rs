use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::scan::Coverage;
use crate::sources::Error;

/// Bounds of the audit of a folder.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceOptions {
    /// The largest file that is read.
    pub max_file: u64,
    /// The most files that are read.
    pub max_files: usize,
    /// The most bytes that are read in all.
    pub max_bytes: u64,
    /// Whether folders of tests are read too.
    pub with_tests: bool,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            max_file: 4 * 1024 * 1024,
            max_files: 50_000,
            max_bytes: 512 * 1024 * 1024,
            with_tests: false,
        }
    }
}

/// The kind of a file that the audit reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dockerfile,
    Environment,
    Python,
    Template,
}

/// A file, by its path relative to the folder.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// Every file of a project, by its path with `/`.
pub(super) type Files = BTreeMap<String, SourceFile>;

/// Folders that hold the code of others, or nothing that runs in production.
const FOREIGN: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".nox",
    ".venv",
    "venv",
    "env",
    ".env.d",
    "virtualenv",
    "site-packages",
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".eggs",
    "build",
    "dist",
    "bower_components",
    "target",
];

const TESTS: &[&str] = &["tests", "test", "testing", "fixtures"];

/// Deeper folders are left out: only a hostile archive has them.
const DEPTH: usize = 64;

/// Reads the files of a folder. Symbolic links are not followed, so that no link leads out of it.
pub(super) fn read(
    path: &Path,
    options: &SourceOptions,
    coverage: &mut Coverage,
) -> Result<Files, Error> {
    let about = fs::metadata(path).map_err(Error::file(path))?;
    let mut walk = Walk {
        options,
        coverage,
        files: Files::new(),
        bytes: 0,
    };
    if about.is_dir() {
        // A link named on the command line is followed; only links below it are not.
        let root = fs::canonicalize(path).map_err(Error::file(path))?;
        walk.folder(&root, "", 0);
    } else {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        walk.file(path, name, Kind::Python);
    }
    Ok(walk.files)
}

struct Walk<'a> {
    options: &'a SourceOptions,
    coverage: &'a mut Coverage,
    files: Files,
    bytes: u64,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, relative: &str, depth: usize) {
        if depth > DEPTH {
            self.coverage
                .fail(relative, "the folder is nested too deeply");
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.coverage.fail(relative, error.to_string()),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Some(name) = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
            else {
                continue;
            };
            let relative = match relative {
                "" => name.clone(),
                folder => format!("{folder}/{name}"),
            };
            self.entry(&path, &name, relative, depth);
        }
    }

    fn entry(&mut self, path: &Path, name: &str, relative: String, depth: usize) {
        let about = match fs::symlink_metadata(path) {
            Ok(about) => about,
            Err(error) => return self.coverage.fail(relative, error.to_string()),
        };
        if about.is_symlink() {
            if kind(name).is_some() || path.is_dir() {
                self.coverage.skip(relative, "a symbolic link");
            }
        } else if about.is_dir() {
            if FOREIGN.contains(&name) || path.join("pyvenv.cfg").exists() {
                self.coverage.skip(relative, "the code of others");
            } else if !self.options.with_tests && TESTS.contains(&name) && is_tests(path) {
                self.coverage.skip(relative, "tests");
            } else {
                self.folder(path, &relative, depth.saturating_add(1));
            }
        } else if let (true, Some(kind)) = (about.is_file(), kind(name)) {
            self.file(path, relative, kind);
        }
    }

    fn file(&mut self, path: &Path, relative: String, kind: Kind) {
        if self.files.len() >= self.options.max_files || self.bytes >= self.options.max_bytes {
            return self.coverage.fail(relative, "the project is too large");
        }
        match self.text(path) {
            Ok(text) => {
                let lines = text.lines().count();
                self.bytes = self.bytes.saturating_add(text.len() as u64);
                self.coverage.count("files", 1);
                self.coverage.count("lines", lines as u64);
                self.files.insert(relative, SourceFile { kind, text });
            }
            Err(why) => self.coverage.fail(relative, why),
        }
    }

    /// Reads no more than the bound, whatever the file system says about the size.
    fn text(&self, path: &Path) -> Result<String, String> {
        let file = fs::File::open(path).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        let most = self.options.max_file;
        file.take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if bytes.len() as u64 > most {
            return Err(format!("the file is larger than {most} bytes"));
        }
        String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())
    }
}

/// A folder named `tests` may be a package of the application; one of tests has files that say so.
fn is_tests(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| {
        name.starts_with("test_") || name == "conftest.py" || name.ends_with("_test.py")
    })
}

fn kind(name: &str) -> Option<Kind> {
    let lower = name.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    if ends(&[".py", ".pyw"]) {
        Some(Kind::Python)
    } else if ends(&[".html", ".htm", ".jinja", ".jinja2", ".j2", ".xhtml"]) {
        Some(Kind::Template)
    } else if lower == "dockerfile" || lower.starts_with("dockerfile.") {
        Some(Kind::Dockerfile)
    } else if lower == ".env" || lower == ".env.production" || lower == ".flaskenv" {
        Some(Kind::Environment)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(folder: &Path, options: &SourceOptions) -> (Files, Coverage) {
        let mut coverage = Coverage::default();
        let files = read(folder, options, &mut coverage).unwrap();
        (files, coverage)
    }

    #[test]
    fn a_link_does_not_lead_out_of_the_folder() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret.py"), "x = 1").unwrap();
        std::os::unix::fs::symlink(outside.path(), inside.path().join("out")).unwrap();
        std::os::unix::fs::symlink(inside.path(), inside.path().join("round")).unwrap();
        let file = outside.path().join("secret.py");
        std::os::unix::fs::symlink(file, inside.path().join("link.py")).unwrap();
        let (files, coverage) = read_in(inside.path(), &SourceOptions::default());
        assert!(files.is_empty());
        assert_eq!(coverage.skipped.len(), 3, "{coverage:?}");
    }

    #[test]
    fn a_large_file_is_not_read_and_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("large.py")).unwrap();
        file.set_len(1 << 30).unwrap();
        fs::write(folder.path().join("latin.py"), b"x = '\xe9'").unwrap();
        let (files, coverage) = read_in(folder.path(), &SourceOptions::default());
        assert!(files.is_empty());
        assert_eq!(coverage.failed.len(), 2, "{coverage:?}");
    }
}
