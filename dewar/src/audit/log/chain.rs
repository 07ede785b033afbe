use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The link of an entry: a MAC over it and all entries before it, under the key.
pub(super) type ChainHash = [u8; 32];

/// Before the first entry.
pub(super) const START: ChainHash = [0; 32];

/// The keys of a log's chain: Dewar writes entries with the current one and verifies them with each.
///
/// ```
/// use dewar::audit::ChainKeys;
/// let keys = ChainKeys::new([1; 32]).and_previous([2; 32]);
/// assert_eq!(format!("{keys:?}"), "ChainKeys([redacted])");
/// ```
#[derive(Clone)]
pub struct ChainKeys {
    current: ChainKey,
    previous: Vec<ChainKey>,
}

impl ChainKeys {
    /// Sets the key that new entries are written with.
    #[must_use]
    pub fn new(current: [u8; 32]) -> Self {
        Self {
            current: ChainKey::new(current),
            previous: Vec::new(),
        }
    }

    /// Adds a key that older entries were written with.
    #[must_use]
    pub fn and_previous(mut self, key: [u8; 32]) -> Self {
        self.previous.push(ChainKey::new(key));
        self
    }

    pub(super) const fn current(&self) -> &ChainKey {
        &self.current
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ChainKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Whether one of the keys links this body to the entry before it.
    pub(super) fn links(&self, before: &ChainHash, body: &[u8], link: &ChainHash) -> bool {
        self.all()
            .any(|key| key.verify(&key.line, &[before, body], link))
    }
}

impl From<[u8; 32]> for ChainKeys {
    fn from(key: [u8; 32]) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for ChainKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKeys([redacted])")
    }
}

/// One key, three uses, so three subkeys: a line can never be used as a head, nor an end as a beginning.
#[derive(Clone)]
pub(super) struct ChainKey {
    line: hmac::Key,
    head: hmac::Key,
    base: hmac::Key,
}

impl ChainKey {
    fn new(key: [u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let subkey =
            |label: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, label).as_ref());
        Self {
            line: subkey(b"dewar audit line v1"),
            head: subkey(b"dewar audit head v1"),
            base: subkey(b"dewar audit base v1"),
        }
    }

    /// The link of a line to the one before it.
    pub(super) fn link(&self, before: &ChainHash, body: &[u8]) -> ChainHash {
        mac(&self.line, &[before, body])
    }

    fn verify(&self, key: &hmac::Key, parts: &[&[u8]], link: &ChainHash) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&mac(key, parts), link).is_ok()
    }
}

fn mac(key: &hmac::Key, parts: &[&[u8]]) -> ChainHash {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    let mut link = START;
    for (to, from) in link.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    link
}

/// The meaning of a sealed position in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The log's end: in `<log>.head`, and in the database.
    Head,
    /// The log's beginning, because earlier files were removed: in `<log>.base`.
    Base,
}

impl Mark {
    const fn key(self, key: &ChainKey) -> &hmac::Key {
        match self {
            Self::Head => &key.head,
            Self::Base => &key.base,
        }
    }
}

/// A position in the log: its end, so that a cut tail shows, or its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogPosition {
    pub(super) seq: u64,
    pub(super) link: ChainHash,
}

impl LogPosition {
    pub(super) const START: Self = Self {
        seq: 0,
        link: START,
    };

    /// The sidecar's text. Its MAC keeps an attacker who cuts the log from writing a matching one.
    pub(super) fn sealed(&self, mark: Mark, keys: &ChainKeys) -> String {
        let key = mark.key(keys.current());
        let mac = mac(key, &[&self.seq.to_be_bytes(), &self.link]);
        let file = HeadFile {
            seq: self.seq,
            chain: hex(&self.link),
            mac: hex(&mac),
        };
        serde_json::to_string(&file).unwrap_or_default() + "\n"
    }

    /// Reads the sidecar's text; `None` if these keys did not make it.
    pub(super) fn open(text: &str, mark: Mark, keys: &ChainKeys) -> Option<Self> {
        let file: HeadFile = serde_json::from_str(text.trim_end()).ok()?;
        let head = Self {
            seq: file.seq,
            link: unhex(file.chain.as_bytes())?,
        };
        let sent = unhex(file.mac.as_bytes())?;
        let parts: [&[u8]; 2] = [&head.seq.to_be_bytes(), &head.link];
        keys.all()
            .any(|key| key.verify(mark.key(key), &parts, &sent))
            .then_some(head)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFile {
    seq: u64,
    chain: String,
    mac: String,
}

pub(super) fn hex(link: &ChainHash) -> String {
    HEXLOWER.encode(link)
}

pub(super) fn unhex(text: &[u8]) -> Option<ChainHash> {
    HEXLOWER.decode(text).ok()?.try_into().ok()
}

const BEFORE_CHAIN: &[u8] = b",\"chain\":\"";
const AFTER_CHAIN: &[u8] = b"\"}";

/// Adds the chain to a body: `{…}` becomes `{…,"chain":"…"}`.
pub(super) fn line(body: &str, link: &ChainHash) -> String {
    let open = body.strip_suffix('}').unwrap_or(body);
    format!("{open},\"chain\":\"{}\"}}", hex(link))
}

/// Splits a line into its body and its chain, without parsing what an attacker may have written.
pub(super) fn split(line: &[u8]) -> Option<(Vec<u8>, ChainHash)> {
    let rest = line.strip_suffix(AFTER_CHAIN)?;
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    let mut body = rest.strip_suffix(BEFORE_CHAIN)?.to_vec();
    body.push(b'}');
    Some((body, unhex(digits)?))
}

/// The number of a line.
pub(super) fn seq(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    serde_json::from_slice::<Numbered>(line)
        .ok()
        .map(|numbered| numbered.seq)
}
