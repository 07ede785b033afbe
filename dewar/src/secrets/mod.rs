//! **What this room promises:** a key is strong, lives outside the code, serves one purpose, and can be replaced.
//!
//! ```
//! use dewar::secrets::{KeyRing, Purpose};
//! let ring = KeyRing::ephemeral();
//! let link = ring.sign(Purpose::Link, b"confirm ada@example.org", 2_000);
//! assert_eq!(ring.verify(Purpose::Link, &link, 1_000)?, b"confirm ada@example.org");
//! assert!(ring.verify(Purpose::Link, &link, 2_000).is_err());
//! assert!(ring.verify(Purpose::Flash, &link, 1_000).is_err());
//! # Ok::<(), dewar::secrets::Error>(())
//! ```
//!
//! **What it refuses**
//! 1. To start in production without a key (`<app> keys new` makes one), or in any mode with one that
//!    others can read.
//! 2. A key that is short, made of text, repeated, in sequence, or published in a tutorial (CWE-321, CWE-331).
//! 3. To use a key for two things: each [`Purpose`] has its own, derived by HKDF-SHA256 (RFC 5869).
//! 4. Anything signed or sealed that was changed in one bit, expired, or made for another purpose.
//! 5. A webhook sender's key that is missing, weak or readable by others; the one before it holds until it is retired.
//! 6. To print a secret: [`Secret`] and [`Token`] show `[redacted]` and are wiped.
//!
//! **How to loosen it, and what you then owe:** nothing loosens it. After a leak, [`KeyRing::rotate`] and
//! then [`KeyRing::retire`] the key that leaked: what it signed and sealed is refused from then on.
//!
//! **What the audit asks:** is the key file there, private, owned by this user, and not older than a year?
//!
//! Signatures are HMAC-SHA256, sealing is AES-256-GCM-SIV (RFC 8452: a repeated nonce shows only that
//! two texts are equal), comparisons are constant-time (ASVS 11.2.4), everything from aws-lc.

mod error;
mod file;
mod key;
mod keys;
mod mac;
mod purpose;
mod quality;
mod random;
mod ring;
mod seal;
mod secret;
mod shared;
mod sign;
mod token;

pub use error::Error;
pub use keys::KeyInfo;
pub use purpose::Purpose;
pub use random::{random, same, sha256};
pub use ring::KeyRing;
pub use secret::Secret;
pub use token::Token;

pub(crate) use random::sha256_of;
pub(crate) use shared::SharedKeys;
