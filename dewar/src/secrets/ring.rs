use super::error::Error;
use super::file::{self, KeyFile};
use super::key::Key;
use super::random::random;
use super::source::{KeySource, Stamp};
use crate::audit::{ChainKeys, Clock, Finding, Mode};
use data_encoding::BASE32_NOPAD;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The key ring: a current key, which signs and seals, and older ones, which verify and open what they made. Clones
/// share it, and [`refresh`](Self::refresh) changes all of them.
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
    shared: Arc<Shared>,
}

struct Shared {
    keys: RwLock<Arc<ActiveKeys>>,
    clock: Clock,
    /// None for a ring without a file.
    source: Option<KeySource>,
    seen: Mutex<SourceState>,
}

/// The last state of the file.
#[derive(Default)]
struct SourceState {
    stamp: Option<Stamp>,
    /// Why that state is not in use.
    refused: Vec<Finding>,
}

/// The keys in use at a moment.
pub(super) struct ActiveKeys {
    pub(super) current: Key,
    /// Newest first.
    pub(super) previous: Vec<Key>,
    /// They verify only the audit log's old entries.
    revoked: Vec<Key>,
    findings: Vec<Finding>,
}

/// The changes from reading the key file again, by the ids of keys.
///
/// ```
/// use dewar::secrets::{KeyChange, KeyRing};
/// // A ring that is kept nowhere does not change.
/// assert_eq!(KeyRing::ephemeral().reload(), Ok(KeyChange::default()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyChange {
    /// The keys that are known from now on.
    pub added: Vec<String>,
    /// The new current key, if it changed. It signs once it is old enough, because other processes may not know it yet.
    pub current: Option<String>,
    /// The keys whose signed and sealed values are refused from now on.
    pub revoked: Vec<String>,
    /// The keys that are no longer in the file. They count as revoked, and old entries of the audit log cannot be
    /// verified without them.
    pub removed: Vec<String>,
}

impl KeyRing {
    /// Reads the key file. If it is missing, development makes one and logs that, and production refuses.
    ///
    /// # Errors
    /// Everything that is wrong with the keys, at once; each finding refuses the launch.
    pub fn open_or_create(source: impl Into<KeySource>, mode: Mode) -> Result<Self, Vec<Finding>> {
        let source = source.into();
        if let Some(ring) = Self::open_if_there(source.clone(), mode)? {
            return Ok(ring);
        }
        Self::of(source.clone(), KeyFile::missing(&source, mode)?)
    }

    /// Reads the key file and makes none; `None` if the start of development would make one.
    ///
    /// # Errors
    /// As [`open_or_create`](Self::open_or_create).
    pub(crate) fn open_if_there(
        source: KeySource,
        mode: Mode,
    ) -> Result<Option<Self>, Vec<Finding>> {
        let lost = KeyFile::lost_at_restart(&source, mode);
        if let Some(finding) = lost.as_ref().filter(|finding| finding.refuses_launch) {
            return Err(vec![finding.clone()]);
        }
        let Some(mut file) = KeyFile::read(&source)? else {
            let made = mode == Mode::Development && !source.is_named();
            return if made {
                Ok(None)
            } else {
                Err(vec![KeyFile::nothing(&source)])
            };
        };
        file.findings.extend(lost);
        Self::of(source, file).map(Some)
    }

    fn of(source: KeySource, file: KeyFile) -> Result<Self, Vec<Finding>> {
        let stamp = file.stamp.or_else(|| source.stamp());
        let seen = SourceState {
            stamp,
            refused: Vec::new(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                keys: RwLock::new(Arc::new(ActiveKeys::of(file)?)),
                clock: source.the_clock().clone(),
                source: Some(source),
                seen: Mutex::new(seen),
            }),
        })
    }

    /// A ring with one random key that is never stored: for tests and examples. The next process cannot open what it seals.
    #[must_use]
    pub fn ephemeral() -> Self {
        let material = Zeroizing::new(random::<32>());
        let keys = ActiveKeys {
            current: Key::new(new_id(), i64::MIN, &*material),
            previous: Vec::new(),
            revoked: Vec::new(),
            findings: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                keys: RwLock::new(Arc::new(keys)),
                clock: Clock::system(),
                source: None,
                seen: Mutex::default(),
            }),
        }
    }

    /// Reads the file again if it has changed; `None` if not. A file that cannot be used changes nothing, and is
    /// reported once. It reads the disk, so do not call it while handling a request.
    pub fn refresh(&self) -> Option<Result<KeyChange, Vec<Finding>>> {
        let source = self.shared.source.as_ref()?;
        let seen = self.seen().stamp;
        (source.stamp() != seen).then(|| self.reload())
    }

    /// Reads the file again. A file that cannot be used changes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with the keys.
    pub fn reload(&self) -> Result<KeyChange, Vec<Finding>> {
        let Some(source) = &self.shared.source else {
            return Ok(KeyChange::default());
        };
        let mut seen = self.seen();
        seen.stamp = source.stamp();
        let read = KeyFile::read(source).and_then(|file| match file {
            Some(file) => Ok((file.stamp, ActiveKeys::of(file)?)),
            None => Err(vec![KeyFile::nothing(source)]),
        });
        match read {
            Ok((stamp, keys)) => {
                *seen = SourceState {
                    stamp,
                    refused: Vec::new(),
                };
                let keys = Arc::new(keys);
                let mut held = self
                    .shared
                    .keys
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                let change = held.change_to(&keys);
                *held = keys;
                Ok(change)
            }
            Err(findings) => {
                seen.refused.clone_from(&findings);
                Err(findings)
            }
        }
    }

    /// The findings about the keys in use, and about a newer file that cannot be used.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.keys().findings.clone();
        findings.extend(self.seen().refused.iter().cloned());
        findings
    }

    /// The id of the current key.
    #[must_use]
    pub fn current_id(&self) -> String {
        self.keys().current.id.clone()
    }

    /// The id of the key that signs and seals: the current one, unless it is so new that another process may not know it yet.
    #[must_use]
    pub fn signing_id(&self) -> String {
        self.keys().signing(self.now()).id.clone()
    }

    /// The keys of the audit log's chain, for [`Log::open`](crate::audit::Log::open). They include revoked keys,
    /// because old entries were written with them.
    #[must_use]
    pub fn chain_keys(&self) -> ChainKeys {
        let keys = self.keys();
        let signing = keys.signing(self.now());
        let others = keys.usable().chain(&keys.revoked);
        let others = others.filter(|key| key.id != signing.id);
        others.fold(ChainKeys::new(signing.chain()), |all, key| {
            all.and_previous(key.chain())
        })
    }

    pub(super) fn keys(&self) -> Arc<ActiveKeys> {
        let keys = self.shared.keys.read();
        Arc::clone(&keys.unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn now(&self) -> i64 {
        self.shared.clock.now()
    }

    fn seen(&self) -> MutexGuard<'_, SourceState> {
        let seen = self.shared.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("current", &self.current_id())
            .finish_non_exhaustive()
    }
}

impl ActiveKeys {
    fn of(file: KeyFile) -> Result<Self, Vec<Finding>> {
        let (mut current, mut previous, mut revoked) = (None, Vec::new(), Vec::new());
        let settle = file.source.settle_seconds();
        for stored in &file.keys {
            let known_at = stored.created.saturating_add(settle);
            let key = Key::new(stored.id.clone(), known_at, &stored.material);
            if stored.id == file.current {
                current = Some(key);
            } else if stored.revoked.is_some() {
                revoked.push(key);
            } else {
                previous.push(key);
            }
        }
        let current = current.ok_or_else(|| vec![file.no_current()])?;
        Ok(Self {
            current,
            previous,
            revoked,
            findings: file.findings,
        })
    }

    /// The key that signs and seals at a moment.
    pub(super) fn signing(&self, now: i64) -> &Key {
        file::signing(&self.current, &self.previous, |key| key.known_at, now)
    }

    /// The keys that verify and open: all except the revoked.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// The key with an id: current or previous, never revoked.
    pub(super) fn named(&self, id: &str) -> Result<&Key, Error> {
        self.usable()
            .find(|key| key.id == id)
            .ok_or(Error::UnknownKey)
    }

    fn change_to(&self, new: &Self) -> KeyChange {
        let is_in = |keys: &[Key], id: &str| keys.iter().any(|key| key.id == id);
        let added = new.usable().filter(|key| self.named(&key.id).is_err());
        let gone = self.usable().filter(|key| new.named(&key.id).is_err());
        let (revoked, removed): (Vec<_>, Vec<_>) =
            gone.partition(|key| is_in(&new.revoked, &key.id));
        let ids = |keys: Vec<&Key>| keys.iter().map(|key| key.id.clone()).collect();
        KeyChange {
            added: ids(added.collect()),
            current: (new.current.id != self.current.id).then(|| new.current.id.clone()),
            revoked: ids(revoked),
            removed: ids(removed),
        }
    }
}

/// Eight letters and digits: enough to name a key, and not secret.
pub(super) fn new_id() -> String {
    BASE32_NOPAD.encode(&random::<5>()).to_ascii_lowercase()
}
