use crate::audit::{Clock, owner_only};
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// How long a new key only verifies before it signs. Programs check the file every five seconds, so by then every
/// process that reads it knows the key.
pub(super) const SETTLE: Duration = Duration::from_secs(15);

/// Where the key ring's file is, who put it there, and the clock for the age of a key.
///
/// ```
/// use dewar::secrets::{KeyRing, KeySource};
/// # let directory = tempfile::tempdir()?;
/// let source = KeySource::in_directory(directory.path().join("keys"));
/// let key = KeyRing::create(&source).expect("an empty directory");
/// assert_eq!(KeyRing::list(&source).expect("a good file"), [key]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeySource {
    file: PathBuf,
    named: FileNaming,
    settle: Duration,
    clock: Clock,
}

/// How the file was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileNaming {
    /// By systemd: a file of the unit's credentials directory.
    Credential,
    /// By default: it lies in the data directory, and Dewar made it.
    Default,
    /// By the setting `secrets.file`, outside of the data directory.
    Setting,
}

/// The origin of a secret's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileOwner {
    /// The operator's platform: a mounted secret, a credential. Its group may read it.
    Handed,
    /// Dewar: only its user may read it.
    Ours,
}

impl FileOwner {
    /// The permission bits that may not be set: other users never write, and do not read a file of ours.
    pub(crate) const fn unwanted(self) -> u32 {
        match self {
            Self::Handed => 0o037,
            Self::Ours => 0o077,
        }
    }
}

impl KeySource {
    /// `keys.toml` in a directory that only this program uses.
    #[must_use]
    pub fn in_directory(directory: impl AsRef<Path>) -> Self {
        Self::of(directory.as_ref().join("keys.toml"), FileNaming::Default)
    }

    /// A file that the settings name, such as a mounted secret. Its group may read it, its directory may be root's, and
    /// Dewar does not make it if it is missing.
    #[must_use]
    pub fn named(file: impl Into<PathBuf>) -> Self {
        Self::of(file.into(), FileNaming::Setting)
    }

    /// A credential that systemd passed to the service.
    pub(super) fn credential(file: PathBuf) -> Self {
        Self::of(file, FileNaming::Credential)
    }

    /// The same source with another path.
    pub(super) fn moved_to(mut self, file: PathBuf) -> Self {
        self.file = file;
        self
    }

    const fn of(file: PathBuf, named: FileNaming) -> Self {
        Self {
            file,
            named,
            settle: SETTLE,
            clock: Clock::system(),
        }
    }

    /// Sets the clock for the age of keys and for the time of a new key.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how long a new key only verifies; it must be longer than the file takes to reach every node.
    #[must_use]
    pub const fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the settings or systemd named the file: then Dewar does not make it if it is missing.
    pub(crate) fn is_named(&self) -> bool {
        self.named != FileNaming::Default
    }

    /// How the file was named, for a reader.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.named {
            FileNaming::Credential => "systemd credential",
            FileNaming::Default => "data directory",
            FileNaming::Setting => "secrets.file",
        }
    }

    /// How long a new key only verifies.
    pub(crate) const fn settles_after(&self) -> Duration {
        self.settle
    }

    /// The file's permission bits.
    pub(crate) fn mode(&self) -> Option<u32> {
        let metadata = fs::metadata(&self.file).ok()?;
        Some(owner_only::excess(&metadata, 0o7777))
    }

    pub(super) const fn how(&self) -> FileNaming {
        self.named
    }

    pub(super) const fn place(&self) -> FileOwner {
        match self.named {
            FileNaming::Credential | FileNaming::Setting => FileOwner::Handed,
            FileNaming::Default => FileOwner::Ours,
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(super) const fn the_clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn settle_seconds(&self) -> i64 {
        i64::try_from(self.settle.as_secs()).unwrap_or(i64::MAX)
    }

    /// The file behind all symlinks.
    pub(super) fn target(&self) -> PathBuf {
        fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone())
    }

    /// The directories in which somebody could replace the file.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let named = owner_only::directory_of(&self.file).to_owned();
        let real = owner_only::directory_of(&self.target()).to_owned();
        let same = fs::canonicalize(&named).is_ok_and(|named| named == real);
        if same { vec![named] } else { vec![named, real] }
    }

    /// Whether this program cannot change the file, whatever its permissions. A credential is a copy that is deleted
    /// with the service, and Kubernetes swaps the directory behind `..data`.
    pub(super) fn is_a_copy(&self) -> bool {
        let behind_a_swap = |path: &Path| {
            path.components().any(
                |part| matches!(part, Component::Normal(name) if name.as_encoded_bytes().starts_with(b"..")),
            )
        };
        self.named == FileNaming::Credential
            || (self.named == FileNaming::Setting && behind_a_swap(&self.target()))
    }

    /// The state of the file, to compare with another one.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        fs::metadata(&self.file).ok().map(|it| Stamp::of(&it))
    }
}

impl From<&Self> for KeySource {
    fn from(source: &Self) -> Self {
        source.clone()
    }
}

impl From<&Path> for KeySource {
    fn from(directory: &Path) -> Self {
        Self::in_directory(directory)
    }
}

impl From<&PathBuf> for KeySource {
    fn from(directory: &PathBuf) -> Self {
        Self::in_directory(directory)
    }
}

/// A state of a file. It includes the time of its last change of permissions: Dewar checks a file again when it was
/// opened to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    identity: (u64, u64),
    length: u64,
    times: [(i64, i64); 2],
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            identity: owner_only::identity(metadata),
            length: metadata.len(),
            times: [
                (metadata.mtime(), metadata.mtime_nsec()),
                (metadata.ctime(), metadata.ctime_nsec()),
            ],
        }
    }
}
