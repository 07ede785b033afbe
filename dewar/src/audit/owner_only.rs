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
