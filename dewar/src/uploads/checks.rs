//! The room's checks at start.

use std::fs;

use super::config::Config;
use super::{storage, virus_scan};
use crate::audit::owner_only::{self, TooOpen};
use crate::audit::{Finding, Practice};

/// The findings about the directory of the files. Dewar serves no directory as it is: static files are inside the
/// program.
#[must_use]
pub fn findings(config: &Config) -> Vec<Finding> {
    let mut found = storage::findings(&config.storage, &config.s3);
    for directory in [&config.directory, &config.quarantine(), &config.kept()] {
        if let Some(open) = TooOpen::at(directory, 0o077) {
            found.push(
                Finding::refuse(Practice::Uploads, "uploads-readable", open.title())
                    .why("Every other program on this machine could read the users' files.")
                    .fix(open.fix())
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
            Finding::refuse(
                Practice::Uploads,
                "uploads-two-file-systems",
                "the quarantine and the stored files are on two file systems",
            )
            .why("Dewar could not move a file in one step, and a crash would leave half of it.")
            .fix("Put all of uploads.directory on one file system."),
        );
    }
    found.extend(virus_scan::findings(config));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(config: &Config) -> Vec<&'static str> {
        findings(config).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_directory_that_others_can_enter_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let config = Config::below(root.path());
        fs::create_dir(&config.directory).unwrap();
        fs::set_permissions(&config.directory, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(ids(&config), ["uploads-readable"]);
        fs::set_permissions(&config.directory, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(ids(&config), Vec::<&str>::new());
    }
}
