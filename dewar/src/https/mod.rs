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
//! 1. TLS below 1.2 (below 1.3 with [`TlsProfile::Modern`]), suites without forward secrecy, early data ([`server_config`]).
//! 2. A launch in production with a certificate nobody trusts, one that has expired or names another host,
//!    a key that others can read, or no list of hosts ([`prepare`]).
//! 3. A request for a host that is not on the list: 421; with no host, two, or one that is not a name: 400.
//! 4. A path with `..`, `//`, a backslash or an encoded separator: 400. A length of its own and
//!    `Transfer-Encoding`: 411, connection closed.
//! 5. A visitor who sends too much, too slowly, too often, or never reads ([`Limits`]).
//! 6. Data sent by plain HTTP: 403 ([`ToHttps`]); reading is redirected.
//! 7. A handler's attempt to weaken a security header ([`TABLE`]).
//! 8. A visitor's word on their own address: only [`Proxies`] that the operator named are asked.
//! 9. A renewed certificate that visitors could not use: the one in use stays.
//! 10. A flood of reports: what browsers report of violations is bounded, and answered without a word.
//!
//! # How to loosen it, and what you then owe
//!
//! The numbers are settings of section `https.limits`, each within a range. The rules have none: behind a
//! proxy that ends TLS, let it speak TLS to this application too. Whoever is named in `https.trusted_proxies`
//! chooses the address that is throttled and logged, so nobody else may reach the application from there. A page that needs another source in
//! its policy must serve that source itself.
//!
//! # What the audit asks
//!
//! [`check`] and [`prepare`] at start; from outside, `dewar-audit` compares each answer with [`TABLE`],
//! tries the refused versions and suites, and the attacks on the limits.

pub mod acme;
mod activity;
mod address;
mod body;
mod budget;
mod certificate;
mod checks;
mod config;
mod connection;
mod deadline;
mod drain;
mod error;
mod frames;
mod headers;
mod heads;
mod held_body;
mod hosts;
mod inventory;
mod limits;
pub(crate) mod list;
mod listener;
mod local;
pub(crate) mod media_type;
mod nonce;
mod protect;
mod proxy;
mod random;
mod redirect;
mod refusal;
mod reload;
mod reports;
mod request_id;
mod seats;
mod security_txt;
mod standing;
mod strict;
mod tls;
mod trust;
mod unread;
mod waiting;

pub use address::ClientAddress;
pub(crate) use address::about_request;
pub use body::BodyError;
pub use checks::{Prepared, check, prepare};
pub(crate) use checks::{examine, prepare_acme};
pub use config::Config;
pub use connection::Answering;
#[cfg(test)]
pub(crate) use connection::answer;
pub use deadline::{Elapsed, within};
pub(crate) use drain::Drain;
pub use error::Error;
pub use headers::{HeaderRule, Inert, REMOVED, TABLE, Taken, Transport, When, apply, book};
pub(crate) use held_body::HeldBody;
pub use hosts::Hosts;
pub(crate) use inventory::inventory;
pub use limits::Limits;
pub use listener::{Drained, Listener};
pub use local::LocalAuthority;
pub use nonce::Nonce;
pub use protect::Protect;
pub(crate) use protect::Refused;
#[cfg(any(fuzzing, test))]
pub use proxy::fuzzing;
pub use proxy::{Network, Proxies, ProxyForm};
pub use redirect::ToHttps;
pub use refusal::Refusal;
pub(crate) use reload::{LOOK_EVERY, Reload};
pub(crate) use reports::{REPORTS_PATH, Reports, WINDOW as REPORTS_WINDOW};
pub use request_id::RequestId;
pub(crate) use security_txt::SECURITY_TXT_PATH;
pub use security_txt::SecurityTxt;
pub(crate) use standing::Standing;
pub(crate) use tls::ending;
pub use tls::{CertificateFiles, Certificates, TlsProfile, server_config};
pub use trust::TrustStep;
pub(crate) use unread::HeldElsewhere;

#[cfg(test)]
mod tests;
