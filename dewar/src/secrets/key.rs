use super::purpose::Purpose;
use super::random::to_array;
use aws_lc_rs::aead::{AES_256_GCM_SIV, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use aws_lc_rs::hmac;
use std::fmt;
use zeroize::Zeroizing;

/// One key of the ring, as its subkeys.
pub(super) struct Key {
    pub(super) id: String,
    /// From when on every process is assumed to know it, in unix seconds.
    pub(super) known_at: i64,
    root: Prk,
    api_token: Subkeys,
    column: Subkeys,
    cookie: Subkeys,
    csrf: Subkeys,
    cursor: Subkeys,
    device: Subkeys,
    flash: Subkeys,
    hidden: Subkeys,
    link: Subkeys,
    session: Subkeys,
}

/// The subkeys of one purpose, one for each use.
pub(super) struct Subkeys {
    pub(super) mac: hmac::Key,
    pub(super) seal: RandomizedNonceKey,
    pub(super) sign: hmac::Key,
}

impl Key {
    pub(super) fn new(id: String, known_at: i64, material: &[u8]) -> Self {
        let root = Salt::new(HKDF_SHA256, b"dewar keys v1").extract(material);
        Self {
            api_token: Subkeys::derive(&root, Purpose::ApiToken),
            column: Subkeys::derive(&root, Purpose::Column),
            cookie: Subkeys::derive(&root, Purpose::Cookie),
            csrf: Subkeys::derive(&root, Purpose::Csrf),
            cursor: Subkeys::derive(&root, Purpose::Cursor),
            device: Subkeys::derive(&root, Purpose::Device),
            flash: Subkeys::derive(&root, Purpose::Flash),
            hidden: Subkeys::derive(&root, Purpose::Hidden),
            link: Subkeys::derive(&root, Purpose::Link),
            session: Subkeys::derive(&root, Purpose::Session),
            id,
            known_at,
            root,
        }
    }

    /// Calls a function with the subkeys of a purpose. The application's and rarely used ones are derived here, the
    /// others at load.
    pub(super) fn with<T>(&self, purpose: Purpose, use_it: impl FnOnce(&Subkeys) -> T) -> T {
        match purpose {
            Purpose::ApiToken => use_it(&self.api_token),
            Purpose::Column => use_it(&self.column),
            Purpose::Cookie => use_it(&self.cookie),
            Purpose::Csrf => use_it(&self.csrf),
            Purpose::Cursor => use_it(&self.cursor),
            Purpose::Device => use_it(&self.device),
            Purpose::Flash => use_it(&self.flash),
            Purpose::Hidden => use_it(&self.hidden),
            Purpose::Link => use_it(&self.link),
            Purpose::Session => use_it(&self.session),
            Purpose::Acme
            | Purpose::Application(_)
            | Purpose::AuditChain
            | Purpose::Provider
            | Purpose::StandIn
            | Purpose::Unsubscribe => use_it(&Subkeys::derive(&self.root, purpose)),
        }
    }

    /// The key of the audit log's chain.
    pub(super) fn chain(&self) -> [u8; 32] {
        *derive(&self.root, "chain", Purpose::AuditChain)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Subkeys {
    #[expect(
        clippy::expect_used,
        reason = "AES-256 takes a key of 32 bytes, as this one has"
    )]
    fn derive(root: &Prk, purpose: Purpose) -> Self {
        let hmac = |usage| hmac::Key::new(hmac::HMAC_SHA256, &*derive(root, usage, purpose));
        let seal = derive(root, "seal", purpose);
        Self {
            mac: hmac("mac"),
            seal: RandomizedNonceKey::new(&AES_256_GCM_SIV, &*seal).expect("32 bytes"),
            sign: hmac("sign"),
        }
    }
}

/// HKDF-Expand (RFC 5869, 2.3). The label is last, so that two labels cannot run into each other.
#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA256 can give 8,160 bytes, and the code needs 32"
)]
fn derive(root: &Prk, usage: &str, purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let (owner, name) = purpose.label();
    let info = [usage.as_bytes(), b" ", owner.as_bytes(), name.as_bytes()];
    let mut key = Zeroizing::new([0; 32]);
    let expanded = root.expand(&info, hmac::HMAC_SHA256).expect("32 bytes");
    expanded.fill(key.as_mut()).expect("32 bytes");
    key
}

/// The HMAC-SHA256 of parts, each prefixed with its length: `["ab", "c"]` is not `["a", "bc"]`.
pub(super) fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    to_array(context.sign().as_ref())
}
