//! **secrets: a key is strong, is kept outside the code, serves one purpose, and can be replaced.**
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
//! # What it refuses
//!
//! 1. To start in production without a key (`<app> keys new` makes one), or with a key that is gone at the next start; and to start
//!    in any mode with a key that other users can read.
//! 2. A key that is short, made of text, repeated, in sequence, or published in a tutorial (CWE-321, CWE-331).
//! 3. A key in the environment or in the settings. They name a file (CWE-526).
//! 4. To use a key for two purposes. Dewar derives a key for each [`Purpose`] by HKDF-SHA256 (RFC 5869).
//! 5. A signed or sealed value that was changed in one bit, has expired, or was made for another purpose.
//! 6. To make anything with a key that another process may not know yet. A new key only verifies until
//!    `activation_delay` has passed.
//! 7. A webhook sender's key that is missing, weak or readable by other users. The previous key stays valid until you
//!    revoke it.
//! 8. To print a secret. [`Secret`] and [`Token`] print as `[redacted]`. Dewar wipes them from memory.
//!
//! Signatures are HMAC-SHA256. Sealing is AES-256-GCM-SIV (RFC 8452: a repeated nonce shows only that two texts are equal).
//! Comparisons take constant time (ASVS 11.2.4). All of it comes from aws-lc.
//!
//! # How to loosen it
//!
//! Nothing loosens it. After a leak, [`KeyRing::rotate`] and then [`KeyRing::revoke`] the key that leaked; running programs
//! refuse what it signed and sealed within seconds. `keys revoke --dangerous-even-if-sealed "why"` also gives up the rows that are
//! sealed with it. The audit log keeps the reason, and you owe the owners of the rows an explanation.
//!
//! # What the audit asks
//!
//! Is the key file there, private, owned by this user, in a place that lasts, and less than a year old? `keys
//! inventory` lists the uses of the keys.

mod config;
mod error;
mod file;
mod inventory;
mod key;
mod keys;
mod mac;
mod mounts;
mod pooled;
mod purpose;
mod quality;
mod random;
mod ring;
mod seal;
mod secret;
mod setting;
mod shared;
mod sign;
mod source;
mod token;

pub use config::Config;
pub(crate) use config::{Folder, holds_a_key, key_in_the_environment};
pub use error::Error;
pub(crate) use inventory::inventory;
pub use keys::{KeyInfo, KeyState};
pub use purpose::Purpose;
pub use random::{random, same, sha256};
pub use ring::{KeyChange, KeyRing};
pub use secret::Secret;
pub use source::KeySource;
pub use token::Token;

pub(crate) use mounts::{Below, below};
pub(crate) use pooled::pooled;
pub(crate) use random::sha256_of;
pub(crate) use shared::SharedKeys;

/// The examples on the practice's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/secrets.md")]
struct PracticePage;
