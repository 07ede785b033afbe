//! Every byte between visitor and application is encrypted, bounded and has one reading.
//!
//! # Example
//!
//! ```
//! use dewar::https::{Hosts, Limits, Protect, Transport};
//! let hosts = Hosts::new(["example.org"])?;
//! let protect = Protect::new(hosts, Limits::default(), Transport::Certificate);
//! # let _ = protect;
//! # Ok::<(), dewar::https::Error>(())
//! ```
//!
//! # What it refuses
//!
//! 1. TLS below 1.2, suites without forward secrecy, early data ([`server_config`]).
//! 2. A launch in production with a certificate nobody trusts, one that has expired or names another host,
//!    a key that others can read, or no list of hosts ([`prepare`]).
//! 3. A request for a host that is not on the list: 421; with no host, two, or one that is not a name: 400.
//! 4. A path with `..`, `//`, a backslash or an encoded separator: 400. A length of its own and
//!    `Transfer-Encoding`: 411, connection closed.
//! 5. A visitor who sends too much, too slowly, too often, or never reads ([`Limits`]).
//! 6. Data sent by plain HTTP: 403 ([`ToHttps`]); reading is redirected.
//! 7. A handler's attempt to weaken a security header ([`TABLE`]).
//!
//! # How to loosen it, and what you then owe
//!
//! The numbers are settings of section `https.limits`, each within a range. The rules have none: behind a
//! proxy that ends TLS, let it speak TLS to this application too. A page that needs another source in
//! its policy must serve that source itself.
//!
//! # What the audit asks
//!
//! [`check`] and [`prepare`] at start; from outside, `dewar-audit` compares each answer with [`TABLE`],
//! tries the refused versions and suites, and the attacks on the limits.

mod activity;
mod address;
mod body;
mod certificate;
mod checks;
mod config;
mod connection;
mod deadline;
mod error;
mod headers;
mod hosts;
mod inventory;
mod limits;
mod listener;
mod local;
mod nonce;
mod protect;
mod random;
mod redirect;
mod refusal;
mod request_id;
mod seats;
mod strict;
mod tls;
mod trust;
mod waiting;

pub use address::ClientAddress;
pub use body::BodyError;
pub use checks::{Prepared, check, prepare};
pub(crate) use checks::{renew, unusable};
pub use config::Config;
pub use connection::Answering;
pub use deadline::{Elapsed, within};
pub use error::Error;
pub use headers::{HeaderRule, Inert, REMOVED, TABLE, Transport, When, apply};
pub use hosts::Hosts;
pub(crate) use inventory::inventory;
pub use limits::Limits;
pub use listener::{Drained, Listener};
pub use local::LocalAuthority;
pub use nonce::Nonce;
pub use protect::Protect;
pub use redirect::ToHttps;
pub use refusal::Refusal;
pub use request_id::RequestId;
pub use tls::{CertificateFiles, Certificates, server_config};
pub use trust::TrustStep;

#[cfg(test)]
mod tests;
