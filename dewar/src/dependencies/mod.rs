//! **dependencies: the binary knows its own parts.**
//!
//! ```
//! use dewar::dependencies::Parts;
//! let parts = Parts::of_lock_file("version = 4\n[[package]]\nname = \"demo\"\nversion = \"1.0.0\"\n")?;
//! assert_eq!(parts.list()[0].name, "demo");
//! # Ok::<(), dewar::dependencies::Unreadable>(())
//! ```
//!
//! What the room refuses
//! 1. A part that comes from anywhere but a registry: a git address or an unknown registry has no advisories and no
//!    checksum (ASVS 15.2.4).
//! 2. A part from a registry without a checksum in the lock file, or with one that is none (CWE-494).
//! 3. One name and version twice: dependency confusion (CWE-427).
//! 4. A registry that looks like the public one and is not, and one that is reached without TLS. Another registry is
//!    reported.
//! 5. A lock file that cannot be read.
//!
//! Whether a checksum is the published one, cargo compares when it fetches.
//!
//! A lock file names what could be built, for every platform and feature; which crates must never be among what is built
//! (`ring`, `openssl-sys`, a second `rustls`) is `deny.toml`'s to say, which reads the graph.
//!
//! *How to loosen it:* not at run time; a git dependency is reported with its name until it is gone.
//!
//! *What the audit asks:* was the lock file given to the application; is every part from a registry, once, with its
//! checksum.

mod checks;
mod parts;

pub use parts::{Part, Parts, Unreadable};
