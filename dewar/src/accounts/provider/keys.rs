//! The keys of a provider (JSON Web Key Set, RFC 7517), and the signatures that they verify (RFC 7515, RFC 7518, RFC 8037).
//!
//! A token names its algorithm, and an attacker writes the token. So Dewar knows a list of algorithms with a public key, and a key
//! takes the algorithms of its own kind alone: `none` and HMAC with the public key as the secret are not in the list (RFC 8725,
//! 3.1; ASVS 9.1.1 to 9.1.3).
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// The most keys of a provider that Dewar reads.
const MOST: usize = 64;

/// An algorithm of a signature that a public key verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    EdDsa,
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            _ => return None,
        })
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::EdDsa | Self::Es256 | Self::Es384 | Self::Es512 => return None,
        })
    }

    fn ecdsa(self) -> Option<&'static EcdsaVerificationAlgorithm> {
        Some(match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &ECDSA_P521_SHA512_FIXED,
            Self::EdDsa
            | Self::Ps256
            | Self::Ps384
            | Self::Ps512
            | Self::Rs256
            | Self::Rs384
            | Self::Rs512 => return None,
        })
    }
}

/// The set as the provider sends it.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// A key as the provider sends it. A provider may have keys of kinds that nobody here knows.
#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug)]
enum PublicKey {
    Ed25519(Vec<u8>),
    /// The curve's algorithm, and the point in its long form.
    Ecdsa(Algorithm, Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    only: Option<Algorithm>,
    public: PublicKey,
}

/// The keys that verify the provider's signatures.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

/// The verdict about a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureVerdict {
    Valid,
    Invalid,
    /// None of the keys can be meant: the provider may have a new one.
    UnknownKey,
}

impl Keys {
    pub(super) fn read(set: KeySet) -> Self {
        let keys = set.keys.into_iter().take(MOST).filter_map(Key::read);
        Self(keys.collect())
    }

    /// Verifies a signature with the key that the token names, or else with the only one that can be meant.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> SignatureVerdict {
        let mut fitting = self.0.iter().filter(|key| {
            let is_named = id.is_none_or(|id| key.id.as_deref() == Some(id));
            is_named && key.takes(algorithm)
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) if key.verify(algorithm, message, signature) => {
                SignatureVerdict::Valid
            }
            (Some(_), None) => SignatureVerdict::Invalid,
            _ => SignatureVerdict::UnknownKey,
        }
    }
}

impl Key {
    fn read(written: serde_json::Value) -> Option<Self> {
        let written: WrittenKey = serde_json::from_value(written).ok()?;
        if written.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| BASE64URL_NOPAD.decode(text?.as_bytes()).ok();
        let public = match (&*written.kty, written.crv.as_deref()) {
            ("RSA", _) => PublicKey::Rsa {
                n: bytes(written.n)?,
                e: bytes(written.e)?,
            },
            ("EC", Some(curve)) => {
                let (algorithm, size) = match curve {
                    "P-256" => (Algorithm::Es256, 32),
                    "P-384" => (Algorithm::Es384, 48),
                    "P-521" => (Algorithm::Es512, 66),
                    _ => return None,
                };
                let (x, y) = (bytes(written.x)?, bytes(written.y)?);
                if x.len() != size || y.len() != size {
                    return None;
                }
                PublicKey::Ecdsa(algorithm, [&[4][..], &x, &y].concat())
            }
            ("OKP", Some("Ed25519")) => PublicKey::Ed25519(bytes(written.x)?),
            _ => return None,
        };
        let only = match written.alg {
            // A key for another use, such as encryption.
            Some(name) => Some(Algorithm::parse(&name)?),
            None => None,
        };
        Some(Self {
            id: written.kid,
            only,
            public,
        })
    }

    fn takes(&self, algorithm: Algorithm) -> bool {
        let is_kind = match &self.public {
            PublicKey::Ed25519(_) => algorithm == Algorithm::EdDsa,
            PublicKey::Ecdsa(own, _) => *own == algorithm,
            PublicKey::Rsa { .. } => algorithm.rsa().is_some(),
        };
        is_kind && self.only.is_none_or(|only| only == algorithm)
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verified = match (&self.public, algorithm.rsa(), algorithm.ecdsa()) {
            (PublicKey::Rsa { n, e }, Some(how), _) => {
                RsaPublicKeyComponents { n, e }.verify(how, message, signature)
            }
            (PublicKey::Ecdsa(_, point), _, Some(how)) => {
                UnparsedPublicKey::new(how, point).verify(message, signature)
            }
            (PublicKey::Ed25519(key), None, None) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}
