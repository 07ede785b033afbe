//! What is asked before the application starts.
//!
//! Free space is not among it: the standard library cannot tell. A full disk is answered with 503 when it happens.

use std::fs;
use std::path::{Path, PathBuf};

use super::config::Config;
use crate::audit::{Finding, Word, owner_only};

/// What is wrong with where files are to lie. `served` are the directories whose files are handed out as they are.
#[must_use]
pub fn findings(config: &Config, served: &[&Path]) -> Vec<Finding> {
    let mut found = Vec::new();
    let here = real(&config.directory);
    for directory in served.iter().map(|path| real(path)) {
        if here.starts_with(&directory) || directory.starts_with(&here) {
            found.push(
                Finding::refuse(
                    Word::Uploads,
                    "uploads-served",
                    format!("{} is, holds or lies in a directory that is served", config.directory.display()),
                )
                .why("Files would be handed out without a look at who asks, and as what their names say.")
                .fix("Set uploads.directory to a directory outside.")
                .cwe(552)
                .asvs(&["5.3.1"]),
            );
        }
    }
    for directory in [&config.directory, &config.quarantine(), &config.kept()] {
        let Ok(metadata) = fs::metadata(directory) else {
            continue;
        };
        if owner_only::excess(&metadata, 0o077) != 0 {
            found.push(
                Finding::refuse(
                    Word::Uploads,
                    "uploads-readable",
                    format!("{} can be entered by others", directory.display()),
                )
                .why("Every other program on this machine could read what people sent.")
                .fix(format!("Run `chmod 700 {}`.", directory.display()))
                .cwe(276),
            );
        }
    }
    if let (Ok(quarantine), Ok(kept)) = (
        fs::metadata(config.quarantine()),
        fs::metadata(config.kept()),
    ) && owner_only::identity(&quarantine).0 != owner_only::identity(&kept).0
    {
        found.push(
            Finding::refuse(Word::Uploads, "uploads-two-file-systems", "quarantine and kept files lie on two file systems")
                .why("A file could not be moved from one to the other in one step, and a crash would leave half of it.")
                .fix("Put all of uploads.directory on one file system."),
        );
    }
    found
}

/// The path without links and dots, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute
        .ancestors()
        .find_map(|ancestor| {
            let real = fs::canonicalize(ancestor).ok()?;
            Some(
                absolute
                    .strip_prefix(ancestor)
                    .map_or_else(|_| real.clone(), |rest| real.join(rest)),
            )
        })
        .unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(config: &Config, served: &[&Path]) -> Vec<&'static str> {
        findings(config, served)
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn a_served_directory_holds_no_uploads_by_any_way() {
        let root = tempfile::tempdir().unwrap();
        let served = root.path().join("static");
        fs::create_dir(&served).unwrap();
        assert_eq!(ids(&Config::below(&served), &[&served]), ["uploads-served"]);
        assert_eq!(
            ids(&Config::below(root.path()), &[&served]),
            Vec::<&str>::new()
        );
        #[cfg(unix)]
        {
            let link = root.path().join("link");
            std::os::unix::fs::symlink(&served, &link).unwrap();
            assert_eq!(ids(&Config::below(&link), &[&served]), ["uploads-served"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_others_can_enter_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let config = Config::below(root.path());
        fs::create_dir(&config.directory).unwrap();
        fs::set_permissions(&config.directory, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(ids(&config, &[]), ["uploads-readable"]);
    }
}
