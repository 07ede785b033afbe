//! Files and directories that only their owner may read.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

/// Adds "create with mode 0600" to the options; an existing file keeps its mode.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Makes a directory, and those above it, with mode 0700; what exists keeps its mode.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Why a directory could not be used or made here; nothing is made for the question.
pub(crate) fn unusable_directory(path: &Path) -> Option<io::Error> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find_map(|above| above.metadata().ok())?;
    (!there.is_dir()).then(|| io::Error::from(io::ErrorKind::NotADirectory))
}

/// The permission bits of a file that are among `unwanted` (0o077: anyone but the owner).
pub(crate) fn excess(metadata: &Metadata, unwanted: u32) -> u32 {
    metadata.permissions().mode() & unwanted
}

/// Whether a file belongs to another user than this process; `None` where that cannot be told.
pub(crate) fn foreign(metadata: &Metadata) -> Option<bool> {
    let process = fs::metadata("/proc/self").ok()?;
    Some(process.uid() != metadata.uid())
}

/// Whether a file belongs to root.
pub(crate) fn is_roots(metadata: &Metadata) -> bool {
    metadata.uid() == 0
}

/// Gives a new file the owner, the group and the mode of the one it is to replace.
pub(crate) fn same_owner(file: &File, before: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(before.permissions())
}

/// Tells a file from the one that took its name.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Makes a rename in a directory last through a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The directory a file stands in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_the_one_that_took_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (directory.path().join("one"), directory.path().join("other"));
        for path in [&one, &other] {
            fs::write(path, "the same").unwrap();
        }
        let of = |path: &Path| identity(&fs::metadata(path).unwrap());
        assert_eq!(of(&one), of(&one));
        assert_eq!(of(&one).0, of(&other).0, "one file system");
        assert_ne!(of(&one), of(&other));
        assert_ne!(of(&one).0, of(Path::new("/proc/self/status")).0);
        let before = of(&one);
        fs::rename(&other, &one).unwrap();
        assert_ne!(of(&one), before);
    }

    /// With the rights of root a file is given away, so that there is one of somebody else's.
    #[test]
    fn a_file_is_ours_roots_or_somebody_elses() {
        let own = tempfile::NamedTempFile::new().unwrap();
        let (ours, roots) = (
            own.as_file().metadata().unwrap(),
            fs::metadata("/").unwrap(),
        );
        let we_are_root = ours.uid() == 0;
        assert_eq!(
            (foreign(&ours), is_roots(&ours)),
            (Some(false), we_are_root)
        );
        assert_eq!(
            (foreign(&roots), is_roots(&roots)),
            (Some(!we_are_root), true)
        );
        if we_are_root {
            fchown(own.as_file(), Some(65_534), None).unwrap();
            let given = own.as_file().metadata().unwrap();
            assert_eq!((foreign(&given), is_roots(&given)), (Some(true), false));
        }
    }

    #[test]
    fn what_is_made_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        create_directory(&inner).unwrap();
        create_directory(&inner).unwrap();
        for made in [&inner, &directory.path().join("a")] {
            let metadata = fs::metadata(made).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o700);
            assert_eq!(excess(&metadata, 0o077), 0);
            assert_eq!(excess(&metadata, 0o300), 0o300);
            assert_eq!(foreign(&metadata), Some(false));
        }
        let path = inner.join("file");
        let mut options = OpenOptions::new();
        let options = private(options.write(true).create(true));
        let file = options.open(&path).unwrap();
        let made = file.metadata().unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
        let zero = fs::metadata("/proc/1").unwrap().uid() == 0;
        assert_eq!(is_roots(&fs::metadata("/proc/1").unwrap()), zero);
        assert_eq!(is_roots(&made), made.uid() == 0);

        fs::write(inner.join("before"), "").unwrap();
        let before = inner.join("before");
        fs::set_permissions(&before, fs::Permissions::from_mode(0o640)).unwrap();
        same_owner(&file, &fs::metadata(&before).unwrap()).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);

        assert!(unusable_directory(&inner.join("not/yet")).is_none());
        let error = unusable_directory(&path.join("below/a/file")).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
        assert_eq!(directory_of(Path::new("a/b")), Path::new("a"));
        assert_eq!(directory_of(Path::new("b")), Path::new("."));
        assert_eq!(directory_of(Path::new("/")), Path::new("."));
    }
}
