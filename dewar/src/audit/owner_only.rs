//! Files and directories that only their owner may read.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Adds "create with mode 0600" to the options; an existing file keeps its mode.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Makes a directory, and those above it, with mode 0700; what exists keeps its mode.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// The permission bits of a file that are among `unwanted` (0o077: anyone but the owner).
#[cfg(unix)]
pub(crate) fn excess(metadata: &Metadata, unwanted: u32) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & unwanted
}

/// Where permissions are not mode bits, the directory's access list is the operator's.
#[cfg(not(unix))]
pub(crate) fn excess(_metadata: &Metadata, _unwanted: u32) -> u32 {
    0
}

/// Whether a file belongs to another user than this process; `None` where that cannot be told.
#[cfg(unix)]
pub(crate) fn foreign(metadata: &Metadata) -> Option<bool> {
    use std::os::unix::fs::MetadataExt;
    let process = fs::metadata("/proc/self").ok()?;
    Some(process.uid() != metadata.uid())
}

/// Whether a file belongs to another user than this process; `None` where that cannot be told.
#[cfg(not(unix))]
pub(crate) fn foreign(_metadata: &Metadata) -> Option<bool> {
    None
}

/// Whether a file belongs to root.
#[cfg(unix)]
pub(crate) fn is_roots(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == 0
}

/// Whether a file belongs to root.
#[cfg(not(unix))]
pub(crate) fn is_roots(_metadata: &Metadata) -> bool {
    false
}

/// Gives a new file the owner, the group and the mode of the one it is to replace.
#[cfg(unix)]
pub(crate) fn same_owner(file: &File, before: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(before.permissions())
}

/// Gives a new file the owner, the group and the mode of the one it is to replace.
#[cfg(not(unix))]
pub(crate) fn same_owner(file: &File, before: &Metadata) -> io::Result<()> {
    file.set_permissions(before.permissions())
}

/// Tells a file from the one that took its name.
#[cfg(unix)]
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Tells a file from the one that took its name.
#[cfg(not(unix))]
pub(crate) fn identity(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Makes a rename in a directory last through a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

/// The directory a file stands in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}
