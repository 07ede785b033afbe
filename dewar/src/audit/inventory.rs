use super::Practice;
use serde::Serialize;

/// One use of cryptography, as the command `keys inventory` lists it (ASVS 11.1.2). Each room lists its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cryptography {
    /// The room that uses it.
    pub(crate) word: Practice,
    /// Its kind.
    pub(crate) kind: AlgorithmKind,
    /// Its name in Dewar.
    pub(crate) name: String,
    /// The algorithm with its parameters.
    pub(crate) algorithm: String,
    /// Its purpose.
    pub(crate) used_for: String,
    /// The plan for it once large quantum computers exist (ASVS 11.1.4).
    pub(crate) after_quantum: &'static str,
}

/// A kind of cryptography.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AlgorithmKind {
    Certificate,
    CipherSuite,
    Hash,
    KeyExchange,
    PasswordHash,
    Protocol,
    Purpose,
    Random,
    Token,
}

impl AlgorithmKind {
    /// The kind as lists write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::CipherSuite => "cipher suite",
            Self::Hash => "hash",
            Self::KeyExchange => "key exchange",
            Self::PasswordHash => "password hash",
            Self::Protocol => "protocol",
            Self::Purpose => "purpose",
            Self::Random => "random",
            Self::Token => "token",
        }
    }
}

/// 256 bits of a symmetric key keep 128 bits of strength against Grover's search (NIST IR 8547, 4.1.3).
pub(crate) const STAYS: &str =
    "keep: symmetric, and 256 bits keep 128 bits of strength against a quantum search";
/// 128 bits in TLS, which the visitor's browser chooses.
pub(crate) const STAYS_AT_128: &str =
    "keep for now: NIST keeps AES-128 (IR 8547, 4.1.3); 256 bits are offered beside it";
/// Hashes and random values.
pub(crate) const UNTOUCHED: &str = "keep: no known attack weakens it in practice";

impl Cryptography {
    pub(crate) fn new(
        word: Practice,
        kind: AlgorithmKind,
        name: impl Into<String>,
        algorithm: impl Into<String>,
    ) -> Self {
        Self {
            word,
            kind,
            name: name.into(),
            algorithm: algorithm.into(),
            used_for: String::new(),
            after_quantum: UNTOUCHED,
        }
    }

    pub(crate) fn used_for(mut self, what: impl Into<String>) -> Self {
        self.used_for = what.into();
        self
    }

    pub(crate) const fn after_quantum(mut self, what: &'static str) -> Self {
        self.after_quantum = what;
        self
    }
}

/// The cryptography of this room.
pub(crate) fn own() -> Vec<Cryptography> {
    vec![
        Cryptography::new(
            Practice::Audit,
            AlgorithmKind::Hash,
            "audit log",
            "HMAC-SHA256, subkeys for lines and for the head",
        )
        .used_for("each entry is chained to the previous one")
        .after_quantum(STAYS),
    ]
}
