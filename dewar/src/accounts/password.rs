//! How Dewar stores and compares a password.
//!
//! Argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet; ASVS 5.0 appendix C), as a PHC string,
//! which carries its own parameters and salt. Dewar normalizes a password to NFC and otherwise leaves it as it is: the same text
//! typed on two systems is the same bytes, and nothing is cut off (NIST SP 800-63B-4, 3.1.1.2).
use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::hash_formats::ParsedHash;
use super::scheme::Scheme;
pub(super) use crate::forms::{MIN_PASSWORD_LENGTH, MOST_BYTES};
use crate::secrets;

pub(super) const MEMORY_KIB: u32 = 19_456;
pub(super) const PASSES: u32 = 2;
pub(super) const LANES: u32 = 1;
pub(super) const OUTPUT: usize = 32;

/// A password in the form in which it is hashed, and as it was typed, for hashes of other frameworks.
pub(crate) struct NormalizedPassword {
    prepared: Zeroizing<String>,
    typed: Zeroizing<String>,
}

impl NormalizedPassword {
    /// The one normalization, for setting and for verifying.
    pub(crate) fn new(password: &str) -> Self {
        // Collecting would reallocate and leave copies that are not wiped; NFC makes a text at most three times longer.
        let mut prepared = Zeroizing::new(String::with_capacity(password.len().saturating_mul(3)));
        prepared.extend(password.nfc());
        let typed = Zeroizing::new(password.to_owned());
        Self { prepared, typed }
    }

    pub(crate) fn text(&self) -> &str {
        &self.prepared
    }

    /// Whether the password can be right at all. A sign-in with an overlong password costs the same as any other: its beginning
    /// is hashed, and the result is no.
    pub(super) fn fits(&self) -> bool {
        self.prepared.len() <= MOST_BYTES
    }

    pub(super) fn bytes(&self) -> &[u8] {
        let bytes = self.prepared.as_bytes();
        bytes.get(..MOST_BYTES).unwrap_or(bytes)
    }

    /// The password as it was typed, or the beginning of one that [does not fit](Self::typed_fits).
    pub(super) fn typed(&self) -> &str {
        let end = self.typed.floor_char_boundary(MOST_BYTES);
        self.typed.get(..end).unwrap_or_default()
    }

    pub(super) fn typed_fits(&self) -> bool {
        self.typed.len() <= MOST_BYTES
    }
}

impl fmt::Debug for NormalizedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A stored hash: a PHC string of Dewar's own, or one of the [formats](super::hash_formats) of other frameworks.
#[derive(Clone)]
pub(crate) struct StoredHash(String);

impl StoredHash {
    /// Instead of a hash: no password opens the account, until its owner chooses one by a link.
    pub(crate) const NO_PASSWORD: &str = "!";

    pub(crate) fn from_database(phc: String) -> Self {
        Self(phc)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the hash was made in another way than today's, by Dewar or by another framework.
    ///
    /// The next successful sign-in then stores a new one.
    pub(crate) fn needs_upgrade(&self, scheme: Scheme) -> bool {
        scheme.is_above(&self.0)
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why no hash could be computed. The text is for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// Argon2 did not accept the parameters, the salt or the amount of memory.
    #[error("argon2: {0}")]
    Argon2(argon2::Error),
    /// The result could not be serialized as a PHC string.
    #[error("PHC string: {0}")]
    Phc(String),
    /// scrypt did not accept the parameters.
    #[error("scrypt: {0}")]
    Scrypt(String),
    /// The password has more bytes than the scheme takes.
    #[error("the password has more bytes than are hashed")]
    TooLong,
}

/// The working memory of one hashing thread, reused for each hash.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    blocks: Vec<Block>,
}

impl Workspace {
    /// Hashes a password to store it, with a fresh salt.
    pub(crate) fn hash(
        &mut self,
        password: &NormalizedPassword,
        scheme: Scheme,
    ) -> Result<StoredHash, HashError> {
        if !scheme.takes(password) {
            return Err(HashError::TooLong);
        }
        match scheme {
            Scheme::Argon2id { memory_kib, passes } => self.argon2id(password, memory_kib, passes),
            Scheme::Bcrypt { cost } => super::hash_formats::bcrypt(cost, password.bytes())
                .map(StoredHash)
                .ok_or(HashError::TooLong),
        }
    }

    fn argon2id(
        &mut self,
        password: &NormalizedPassword,
        memory_kib: u32,
        passes: u32,
    ) -> Result<StoredHash, HashError> {
        let params =
            Params::new(memory_kib, passes, LANES, Some(OUTPUT)).map_err(HashError::Argon2)?;
        let salt = secrets::random::<16>();
        let mut output = Zeroizing::new([0; OUTPUT]);
        let written = ParamsString::try_from(&params).map_err(phc_error)?;
        let how = (Algorithm::Argon2id, Version::V0x13, params);
        self.fill(how, password.bytes(), &salt, output.as_mut())?;
        let phc = PasswordHash {
            algorithm: Ident::new("argon2id").map_err(phc_error)?,
            version: Some(Version::V0x13.into()),
            params: written,
            salt: Some(Salt::new(&salt).map_err(phc_error)?),
            hash: Some(Output::new(output.as_ref()).map_err(phc_error)?),
        };
        Ok(StoredHash(phc.to_string()))
    }

    /// Whether the password matches the stored hash.
    pub(crate) fn verify(&mut self, password: &NormalizedPassword, stored: &ParsedHash) -> bool {
        stored.verify(password, self)
    }

    /// Computes Argon2 in this memory.
    pub(super) fn fill(
        &mut self,
        (algorithm, version, params): (Algorithm, Version, Params),
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), HashError> {
        let needed = params.block_count();
        if self.blocks.len() < needed {
            self.blocks.resize(needed, Block::default());
        }
        let blocks = self.blocks.get_mut(..needed).unwrap_or_default();
        Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password, salt, output, blocks)
            .map_err(HashError::Argon2)
    }
}

fn phc_error(error: impl fmt::Display) -> HashError {
    HashError::Phc(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Workspace {
        fn verifies(&mut self, password: &NormalizedPassword, stored: &StoredHash) -> bool {
            ParsedHash::parse(stored.as_str(), None)
                .is_ok_and(|parsed| self.verify(password, &parsed))
        }
    }

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let mut workspace = Workspace::default();
        let stored = workspace
            .hash(
                &NormalizedPassword::new("correct horse battery staple"),
                Scheme::default(),
            )
            .unwrap();
        assert!(
            stored
                .as_str()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            stored.as_str()
        );
        assert!(workspace.verifies(
            &NormalizedPassword::new("correct horse battery staple"),
            &stored
        ));
        assert!(!workspace.verifies(
            &NormalizedPassword::new("correct horse battery stapler"),
            &stored
        ));
        assert!(!stored.needs_upgrade(Scheme::default()));
    }

    #[test]
    fn composed_and_decomposed_spellings_are_one_password() {
        let mut workspace = Workspace::default();
        let stored = workspace
            .hash(
                &NormalizedPassword::new("caf\u{e9} au lait, s'il vous pla\u{ee}t"),
                Scheme::default(),
            )
            .unwrap();
        assert!(workspace.verifies(
            &NormalizedPassword::new("cafe\u{301} au lait, s'il vous plai\u{302}t"),
            &stored
        ));
        assert!(!workspace.verifies(
            &NormalizedPassword::new("cafe au lait, s'il vous plait"),
            &stored
        ));
    }

    #[test]
    fn nothing_is_cut_off_and_nul_is_a_character() {
        let mut workspace = Workspace::default();
        let long = format!("{}\0a", "x".repeat(MOST_BYTES - 2));
        let stored = workspace
            .hash(&NormalizedPassword::new(&long), Scheme::default())
            .unwrap();
        assert!(workspace.verifies(&NormalizedPassword::new(&long), &stored));
        assert!(!workspace.verifies(&NormalizedPassword::new(&format!("{long}y")), &stored));
        assert!(!workspace.verifies(
            &NormalizedPassword::new(&long.replace("\0a", "\0b")),
            &stored
        ));
        assert!(matches!(
            workspace.hash(
                &NormalizedPassword::new(&format!("{long}y")),
                Scheme::default()
            ),
            Err(HashError::TooLong)
        ));
    }

    #[test]
    fn weaker_and_foreign_hashes_want_an_upgrade_and_hungry_ones_are_refused() {
        let mut workspace = Workspace::default();
        let weak = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$\
                    iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A";
        assert!(StoredHash::from_database(weak.to_owned()).needs_upgrade(Scheme::default()));
        assert!(
            StoredHash::from_database("$2b$12$abc".to_owned()).needs_upgrade(Scheme::default())
        );
        let hungry = StoredHash::from_database(weak.replace("m=4096", "m=4194304"));
        assert!(!workspace.verifies(&NormalizedPassword::new("password"), &hungry));
        assert!(workspace.blocks.is_empty(), "nothing was allocated for it");
        let stored = workspace
            .hash(&NormalizedPassword::new("password"), Scheme::default())
            .unwrap();
        for (weaker, word) in [("m=19455,t=2", "memory"), ("m=19456,t=1", "passes")] {
            let weaker = stored.as_str().replace("m=19456,t=2", weaker);
            assert!(
                StoredHash::from_database(weaker).needs_upgrade(Scheme::default()),
                "{word}"
            );
        }
        for other in ["$argon2i$", "$argon2d$"] {
            let other = stored.as_str().replace("$argon2id$", other);
            assert!(StoredHash::from_database(other).needs_upgrade(Scheme::default()));
        }
        let slow = StoredHash::from_database(weak.replace("t=3", "t=17"));
        assert!(ParsedHash::parse(slow.as_str(), None).is_err());
    }

    /// A hash as the database may hold it: 16 bytes of salt, 32 of output.
    fn stored(head: &str, salt: usize, output: usize) -> StoredHash {
        let text = |bytes| data_encoding::BASE64_NOPAD.encode(&vec![7; bytes]);
        StoredHash::from_database(format!("${head}${}${}", text(salt), text(output)))
    }

    #[test]
    fn a_hash_is_made_anew_where_any_of_its_parts_is_weaker_than_today() {
        for (head, salt, output, wanted) in [
            ("argon2id$v=19$m=19456,t=2,p=1", 16, 32, false),
            ("argon2id$v=19$m=19457,t=3,p=1", 17, 33, false),
            ("argon2id$v=19$m=19455,t=2,p=1", 16, 32, true),
            ("argon2id$v=19$m=19456,t=1,p=1", 16, 32, true),
            ("argon2id$v=19$m=65536,t=1,p=1", 16, 32, true),
            ("argon2id$v=16$m=19456,t=2,p=1", 16, 32, true),
            ("argon2i$v=19$m=19456,t=2,p=1", 16, 32, true),
            ("argon2d$v=19$m=19456,t=2,p=1", 16, 32, true),
            ("argon2id$v=19$m=19456,t=2,p=1", 15, 32, true),
            ("argon2id$v=19$m=19456,t=2,p=1", 16, 31, true),
        ] {
            let stored = stored(head, salt, output);
            assert_eq!(
                stored.needs_upgrade(Scheme::default()),
                wanted,
                "{}",
                stored.as_str()
            );
        }
    }

    /// A row of the database must not make one sign-in cost as much as a hundred, in memory or in time.
    #[test]
    fn a_hash_may_ask_for_so_much_and_no_more() {
        for (head, computed) in [
            ("argon2id$v=19$m=8,t=16,p=1", true),
            ("argon2id$v=19$m=8,t=17,p=1", false),
            ("argon2id$v=19$m=131072,t=1,p=1", true),
            ("argon2id$v=19$m=131073,t=1,p=1", false),
        ] {
            let mut workspace = Workspace::default();
            let stored = stored(head, 16, 32);
            assert!(!workspace.verifies(&NormalizedPassword::new("password"), &stored));
            assert_eq!(!workspace.blocks.is_empty(), computed, "{head}");
        }
    }

    /// The same working memory serves a small hash after a large one, and a large one after a small one.
    #[test]
    fn a_workspace_serves_hashes_of_every_size() {
        let mut workspace = Workspace::default();
        let prepared = NormalizedPassword::new("correct horse battery staple");
        let today = workspace.hash(&prepared, Scheme::default()).unwrap();
        for head in ["argon2id$v=19$m=8,t=1,p=1", "argon2id$v=19$m=32768,t=1,p=1"] {
            assert!(!workspace.verifies(&prepared, &stored(head, 16, 32)));
            assert!(workspace.verifies(&prepared, &today), "after {head}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let prepared = NormalizedPassword::new("correct horse battery staple");
        let stored = Workspace::default()
            .hash(&prepared, Scheme::default())
            .unwrap();
        assert_eq!(format!("{prepared:?} {stored:?}"), "[redacted] [redacted]");
    }
}
