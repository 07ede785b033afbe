//! Files and directories that only their owner may read.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::{Finding, Practice};

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

/// Why a directory could not be used or made here. Makes nothing.
pub(crate) fn unusable_directory(path: &Path) -> Option<io::Error> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find_map(|above| above.metadata().ok())?;
    (!there.is_dir()).then(|| io::Error::from(io::ErrorKind::NotADirectory))
}

/// Why an existing file could not be written. Makes and changes nothing.
pub(crate) fn unusable_file(path: &Path) -> Option<io::Error> {
    match path.metadata() {
        // Opening a pipe would wait for its reader.
        Ok(metadata) if metadata.is_dir() => Some(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Some(io::Error::other("it is not a regular file")),
        Ok(_) => OpenOptions::new().append(true).open(path).err(),
        Err(error) => (error.kind() != io::ErrorKind::NotFound).then_some(error),
    }
}

/// The refusal of a start if others than its owner and its group can read the file with a password that a setting names.
pub(crate) fn readable_password(
    (practice, finding): (Practice, &'static str),
    setting: &str,
    file: &Path,
    why: &'static str,
) -> Option<Finding> {
    let open = TooOpen::at(file, 0o037)?;
    Some(
        Finding::refuse(practice, finding, format!("{setting}: {}", open.title()))
            .why(why)
            .fix(format!(
                "{}, and change the password if another user may have read it",
                open.fix()
            ))
            .cwe(732)
            .asvs(&["13.3.1"]),
    )
}

/// A file or directory whose mode gives access to more users than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooOpen {
    path: PathBuf,
    mode: u32,
    unwanted: u32,
}

impl TooOpen {
    /// Whether a path has permission bits among `unwanted`: `0o077` means anyone but the owner, `0o037` lets its group
    /// read. A missing file has none.
    pub(crate) fn at(path: &Path, unwanted: u32) -> Option<Self> {
        Self::of(path, &fs::metadata(path).ok()?, unwanted)
    }

    /// The same for a file that is open already.
    pub(crate) fn of(path: &Path, metadata: &Metadata, unwanted: u32) -> Option<Self> {
        (excess(metadata, unwanted) != 0).then(|| Self {
            path: path.to_owned(),
            mode: excess(metadata, 0o7777),
            unwanted,
        })
    }

    /// The problem, as the end of a sentence about the file.
    pub(crate) fn what(&self) -> String {
        format!("has mode {:04o} and is accessible to others", self.mode)
    }

    /// The problem, with the file's name.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.path.display(), self.what())
    }

    /// The command that fixes it and removes only those bits.
    pub(crate) fn fix(&self) -> String {
        let mode = self.mode & !self.unwanted;
        format!("chmod {mode:04o} {}", self.path.display())
    }
}

/// The permission bits of a file that are among `unwanted` (0o077: anyone but the owner).
pub(crate) fn excess(metadata: &Metadata, unwanted: u32) -> u32 {
    metadata.permissions().mode() & unwanted
}

/// Whether a file belongs to another user than this process; `None` if that is unknown.
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

/// The identity of a file, which differs from that of a later file with its name.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Makes a rename in a directory last through a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The path of a file with an ending added: `audit.jsonl` and `.head` are `audit.jsonl.head`.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The directory that a file is in.
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

    /// Only root can give a file to another user, which this test needs.
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
        assert!(unusable_file(&path).is_none() && unusable_file(&inner.join("none")).is_none());
        let error = unusable_file(&inner).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert!(unusable_file(Path::new("/dev/null")).is_some());
        assert_eq!(directory_of(Path::new("a/b")), Path::new("a"));
        assert_eq!(directory_of(Path::new("b")), Path::new("."));
        assert_eq!(directory_of(Path::new("/")), Path::new("."));
    }

    #[test]
    fn a_mode_that_is_too_open_is_told_with_the_command_that_mends_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path();
        for (mode, unwanted, mended) in [
            (0o644, 0o077, Some("0600")),
            (0o644, 0o037, Some("0640")),
            (0o666, 0o037, Some("0640")),
            (0o440, 0o077, Some("0400")),
            (0o1777, 0o077, Some("1700")),
            (0o640, 0o037, None),
            (0o600, 0o077, None),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let found = TooOpen::at(path, unwanted);
            let expected = mended.map(|mended| {
                let name = path.display();
                let title = format!("{name} has mode {mode:04o} and is accessible to others");
                (title, format!("chmod {mended} {name}"))
            });
            let told = found.map(|found| (found.title(), found.fix()));
            assert_eq!(told, expected, "{mode:o} {unwanted:o}");
        }
        assert_eq!(TooOpen::at(&path.join("none"), 0o777), None);
    }
}
