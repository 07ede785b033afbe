//! The folder of a temporary database.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;

use crate::{database::Error, secrets::random};

/// A folder that is deleted when this is dropped.
#[derive(Debug)]
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// A new folder, and the path of a database in it.
    pub(super) fn make() -> Result<(Self, PathBuf), Error> {
        // Random, because a killed process leaves its folder, and its number comes back.
        let name = HEXLOWER.encode(&random::<8>());
        let folder = std::env::temp_dir().join(format!("dewar-database-{name}"));
        // Fails if another user made it first.
        make_folder(&folder).map_err(|error| super::unopened(&folder, &error))?;
        let path = folder.join("database.sqlite");
        Ok((Self(folder), path))
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a temporary database was not deleted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_owners_alone_and_is_made_once() {
        use std::os::unix::fs::PermissionsExt;
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a");
        make_folder(&folder).unwrap();
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let again = make_folder(&folder).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }
}
