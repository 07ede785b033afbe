use std::path::{Path, PathBuf};

use super::application;

/// The argument of the command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The address of any application.
    Address(String),
    /// An application built on dewar, which the audit runs.
    Application(String),
    /// A folder or file of source code.
    Source(PathBuf),
}

impl Target {
    /// An address by its scheme, then a binary beside this one by its bare name, then a folder, then a program by its path.
    pub(super) fn of(text: &str) -> Self {
        let path = Path::new(text);
        let is_bare = !text.contains(std::path::MAIN_SEPARATOR) && text != "." && text != "..";
        if text.starts_with("http://") || text.starts_with("https://") {
            Self::Address(text.to_owned())
        } else if is_bare && application::find(text).is_ok() {
            Self::Application(text.to_owned())
        } else if path.is_dir() || (path.is_file() && !is_program(path)) {
            Self::Source(path.to_owned())
        } else {
            Self::Application(text.to_owned())
        }
    }
}

/// Whether the system would run the file, and it is no Python.
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let is_python = path.extension().is_some_and(|extension| extension == "py");
    let runs = path
        .metadata()
        .is_ok_and(|about| about.permissions().mode() & 0o111 != 0);
    runs && !is_python
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_a_folder_or_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("app.py");
        std::fs::write(&script, "").unwrap();
        let of = |path: &Path| Target::of(path.to_str().unwrap());
        assert_eq!(of(folder.path()), Target::Source(folder.path().to_owned()));
        assert_eq!(of(&script), Target::Source(script.clone()));
        let own = std::env::current_exe().unwrap();
        assert_eq!(
            of(&own),
            Target::Application(own.to_str().unwrap().to_owned())
        );
        assert_eq!(Target::of("."), Target::Source(".".into()));
        let url = "https://localhost:8443";
        assert_eq!(Target::of(url), Target::Address(url.to_owned()));
        assert!(matches!(
            Target::of("no-such-program"),
            Target::Application(_)
        ));
    }
}
