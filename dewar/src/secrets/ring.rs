use super::error::Error;
use super::file::KeyFile;
use super::key::Key;
use super::random::random;
use crate::audit::{ChainKeys, Finding, Mode};
use data_encoding::BASE32_NOPAD;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The keys: a current one, with which everything new is made, and older ones, with which what is still
/// about is verified and opened. Clones share it, and [`reload`](Self::reload) changes all of them.
///
/// ```
/// use dewar::secrets::{KeyRing, Purpose};
/// let ring = KeyRing::ephemeral();
/// let sealed = ring.seal(Purpose::Hidden, b"user 7", b"DE89 3704 0044 0532 0130 00")?;
/// assert_eq!(*ring.open(Purpose::Hidden, b"user 7", &sealed)?, b"DE89 3704 0044 0532 0130 00");
/// assert!(ring.open(Purpose::Hidden, b"user 8", &sealed).is_err());
/// # Ok::<(), dewar::secrets::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    shared: Arc<RwLock<Arc<Keys>>>,
}

/// What is in use at a moment.
pub(super) struct Keys {
    pub(super) current: Key,
    /// Newest first.
    pub(super) previous: Vec<Key>,
    /// They verify the audit log's old entries and nothing else.
    retired: Vec<Key>,
    findings: Vec<Finding>,
}

impl KeyRing {
    /// Reads `keys.toml` in a directory. Where there is none, development makes one and says so, and
    /// production refuses.
    ///
    /// # Errors
    /// Everything that is wrong with the keys, at once; each refuses the launch.
    pub fn open_or_create(dir: &Path, mode: Mode) -> Result<Self, Vec<Finding>> {
        let file = match KeyFile::read(dir)? {
            Some(file) => file,
            None => KeyFile::missing(dir, mode)?,
        };
        let keys = Keys::of(file)?;
        Ok(Self {
            shared: Arc::new(RwLock::new(Arc::new(keys))),
        })
    }

    /// A ring with one random key that is kept nowhere: for tests and examples. What it seals cannot be
    /// opened by the next process.
    #[must_use]
    pub fn ephemeral() -> Self {
        let material = Zeroizing::new(random::<32>());
        let keys = Keys {
            current: Key::new(new_id(), &*material),
            previous: Vec::new(),
            retired: Vec::new(),
            findings: Vec::new(),
        };
        Self {
            shared: Arc::new(RwLock::new(Arc::new(keys))),
        }
    }

    /// Reads the file again, after another process rotated. What cannot be read changes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with the keys.
    pub fn reload(&self, dir: &Path) -> Result<(), Vec<Finding>> {
        let Some(file) = KeyFile::read(dir)? else {
            return Err(vec![KeyFile::nothing(dir)]);
        };
        let keys = Arc::new(Keys::of(file)?);
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// What is worth knowing about the keys and does not refuse the launch.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.keys().findings.clone()
    }

    /// The id of the current key.
    #[must_use]
    pub fn current_id(&self) -> String {
        self.keys().current.id.clone()
    }

    /// The keys of the audit log's chain, for [`Log::open`](crate::audit::Log::open). Retired keys are
    /// among them: the old entries were written with them.
    #[must_use]
    pub fn chain_keys(&self) -> ChainKeys {
        let keys = self.keys();
        let older = keys.previous.iter().chain(&keys.retired);
        older.fold(ChainKeys::new(keys.current.chain()), |all, key| {
            all.and_previous(key.chain())
        })
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.shared.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("current", &self.current_id())
            .finish_non_exhaustive()
    }
}

impl Keys {
    fn of(file: KeyFile) -> Result<Self, Vec<Finding>> {
        let (mut current, mut previous, mut retired) = (None, Vec::new(), Vec::new());
        for stored in &file.keys {
            let key = Key::new(stored.id.clone(), &stored.material);
            if stored.id == file.current {
                current = Some(key);
            } else if stored.retired.is_some() {
                retired.push(key);
            } else {
                previous.push(key);
            }
        }
        let current = current.ok_or_else(|| vec![file.no_current()])?;
        Ok(Self {
            current,
            previous,
            retired,
            findings: file.findings,
        })
    }

    /// The key that something names: current or previous, never retired.
    pub(super) fn named(&self, id: &str) -> Result<&Key, Error> {
        let mut usable = std::iter::once(&self.current).chain(&self.previous);
        usable.find(|key| key.id == id).ok_or(Error::UnknownKey)
    }
}

/// Eight letters and digits: enough to name a key, and no secret.
pub(super) fn new_id() -> String {
    BASE32_NOPAD.encode(&random::<5>()).to_ascii_lowercase()
}
