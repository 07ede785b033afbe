//! **https: every byte between visitor and application is encrypted, bounded, and has one reading.**
//!
//! ```
//! use dewar::https::{Hosts, RequestLimits, HttpsLayer, Transport};
//! let hosts = Hosts::new(["example.org"])?;
//! let protect = HttpsLayer::new(hosts, RequestLimits::default(), Transport::Certificate);
//! # let _ = protect;
//! # Ok::<(), dewar::https::Error>(())
//! ```
//!
//! # What it refuses
//!
//! 1. TLS below 1.2 (below 1.3 with [`TlsProfile::Modern`]), suites without forward secrecy, early data ([`server_config`]).
//! 2. To start in production with a certificate that is not trusted, has expired or names another host, with a key that other
//!    users can read, or without a list of hosts ([`prepare`]).
//! 3. A request for a host that is not on the list: 421. A request with no host, two hosts, or an invalid one: 400.
//! 4. A path with `..`, `//`, a backslash or an encoded separator: 400. A length together with `Transfer-Encoding`: 411, and
//!    the connection closes.
//! 5. A visitor who sends too much, too slowly or too often, or who never reads the responses ([`RequestLimits`]).
//! 6. Data over plain HTTP: 403 ([`ToHttps`]). Reading is redirected to HTTPS.
//! 7. A handler that tries to weaken a security header ([`TABLE`]).
//! 8. The client address as the client states it. Only [`Proxies`] that the operator named are believed.
//! 9. A renewed certificate that visitors could not use. The current one stays.
//! 10. A flood of violation reports. Their number is bounded, and every response to them is empty.
//!
//! # How to loosen it
//!
//! The numbers are settings of section `https.limits`, each within a range. The rules have no setting. Behind a proxy
//! that ends TLS, let the proxy use TLS to this application too. A proxy in `https.trusted_proxies` chooses the address
//! that is throttled and logged, so make sure that nothing else reaches the application from there. If a page needs a
//! source that the policy does not list, serve that source yourself.
//!
//! # What the audit asks
//!
//! [`check`] and [`prepare`] run at start. From outside, `dewar-audit` compares each response with [`TABLE`], tries the
//! refused versions and suites, and attacks the limits.

pub mod acme;
mod activity;
mod address;
mod behind;
mod body;
mod budget;
mod certificate;
mod certificate_status;
mod checks;
mod client_wait;
mod config;
mod connection;
mod connections_per_ip;
mod content_sources;
mod deadline;
mod drain;
mod error;
mod frames;
mod headers;
mod heads;
mod held_body;
mod held_responses;
mod hosts;
mod inventory;
mod layer;
mod limits;
pub(crate) mod list;
mod listener;
mod local;
pub(crate) mod media_type;
mod nonce;
mod origin;
pub mod outgoing;
mod proxy;
mod read_ahead;
mod redirect;
mod rejection;
mod reload;
mod reports;
mod request_id;
mod request_info;
mod request_rules;
mod security_txt;
mod tls;
mod trust;
mod unix_socket;
mod upgrade;

pub use address::ClientAddress;
pub use behind::BehindProxy;
pub(crate) use behind::FromProxy;
pub use body::BodyError;
pub(crate) use certificate_status::CertificateStatus;
pub use checks::{PreparedHttps, check, prepare};
pub(crate) use checks::{examine, prepare_acme};
pub use config::Config;
pub use connection::HttpService;
#[cfg(test)]
pub(crate) use connection::answer;
pub use content_sources::ContentSources;
pub(crate) use content_sources::{Directive, PagePolicy, RoutePolicy, Weakening};
pub use deadline::{Elapsed, within};
pub(crate) use drain::Drain;
pub use error::Error;
pub use headers::{
    HeaderRule, Inert, REMOVED, Requirement, TABLE, Transport, When, apply, markdown_table,
};
pub(crate) use held_body::HeldBody;
pub(crate) use held_responses::HeldElsewhere;
pub use hosts::Hosts;
pub(crate) use inventory::inventory;
pub use layer::HttpsLayer;
pub(crate) use layer::RefusedRequest;
pub use limits::RequestLimits;
pub use listener::{Drained, Listener};
pub use local::LocalAuthority;
pub use nonce::Nonce;
pub(crate) use origin::not_an_origin;
pub use origin::{HttpsOrigin, NotAnOrigin};
#[cfg(any(fuzzing, test))]
pub use proxy::fuzzing;
pub use proxy::{Network, Proxies, ProxyForm};
pub use redirect::ToHttps;
pub use rejection::RequestRejection;
pub(crate) use reload::{LOOK_EVERY, Reload};
pub(crate) use reports::{REPORTS_PATH, Reports, WINDOW as REPORTS_WINDOW};
pub use request_id::RequestId;
pub(crate) use request_info::RequestInfo;
pub(crate) use security_txt::SECURITY_TXT_PATH;
pub use security_txt::SecurityTxt;
pub(crate) use tls::ending;
pub use tls::{CertificateFiles, Certificates, TlsProfile, server_config};
pub use trust::TrustStep;
pub(crate) use upgrade::{UpgradeOffer, UpgradeWork};

#[cfg(test)]
mod tests;

/// Compiles the examples on the practice's page like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/https.md")]
struct PracticePage;
