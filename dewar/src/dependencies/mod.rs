//! **dependencies: the program knows the crates it was built from.**
//!
//! ```
//! use dewar::dependencies::Parts;
//! let parts = Parts::of_lock_file("version = 4\n[[package]]\nname = \"demo\"\nversion = \"1.0.0\"\n")?;
//! assert_eq!(parts.list()[0].name, "demo");
//! # Ok::<(), dewar::dependencies::Unreadable>(())
//! ```
//!
//! # What it refuses
//!
//! 1. A crate from anywhere but a registry: a git address or an unknown registry has no advisories and no checksum (ASVS 15.2.4).
//! 2. A crate from a registry without a valid checksum in the lock file (CWE-494). Cargo compares the checksum with the
//!    published one when it fetches the crate.
//! 3. One name and version twice: dependency confusion (CWE-427).
//! 4. A registry that imitates the public one, and a registry without TLS. Dewar reports any other registry.
//! 5. A lock file that cannot be read.
//!
//! A lock file lists what could be built, for every platform and feature. `deny.toml` reads the graph of what is built and refuses
//! `ring`, `openssl-sys` and a second `rustls` there.
//!
//! # How to loosen it
//!
//! Not at run time. Dewar reports a git dependency by name until it is gone.
//!
//! # What the audit asks
//!
//! Did the application get its lock file? Is every crate from a registry, once, with its checksum?

mod checks;
mod parts;
mod sbom;

pub use parts::{Part, Parts, Unreadable};
pub use sbom::Sbom;

/// The examples on the practice's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/dependencies.md")]
struct PracticePage;
