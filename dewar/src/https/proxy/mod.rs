//! Proxies in front that are named: whose word on a visitor's address counts, and in which form.

mod chain;
mod findings;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod network;
pub(crate) mod protocol;

pub use network::Network;

pub(crate) use findings::findings;

use super::address::ClientAddress;
use axum::http::HeaderMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The one form in which a trusted proxy says whom it speaks for: the setting `https.client_ip_source`.
///
/// Only this form is read; the others are text that a visitor wrote, whoever sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyForm {
    /// The header `Forwarded` (RFC 7239).
    Forwarded,
    /// The PROXY protocol, version 1 or 2, before TLS.
    ProxyProtocol,
    /// The header `X-Forwarded-For`.
    XForwardedFor,
}

/// The proxies that are trusted to name their visitors: the setting `https.trusted_proxies`.
///
/// Only the address is taken from them. Host, scheme and port are what the request itself says, so
/// `X-Forwarded-Host`, `-Proto` and `-Port` count from nobody (CWE-644).
///
/// ```
/// use dewar::https::{Network, Proxies, ProxyForm};
/// let network = Network::parse("10.0.0.0/24").unwrap();
/// let proxies = Proxies::new(vec![network], Some(ProxyForm::Forwarded));
/// assert!(proxies.trusts("10.0.0.7".parse().unwrap()));
/// assert!(!proxies.trusts("10.0.1.7".parse().unwrap()));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    networks: Arc<[Network]>,
    form: Option<ProxyForm>,
}

impl Proxies {
    /// The proxies in these networks, and how they name a visitor.
    #[must_use]
    pub fn new(networks: Vec<Network>, form: Option<ProxyForm>) -> Self {
        Self {
            networks: networks.into(),
            form,
        }
    }

    /// Whether an address is a trusted proxy's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.holds(address))
    }

    /// Whether a connection of this peer begins with the PROXY protocol.
    pub(crate) fn announces(&self, peer: IpAddr) -> bool {
        self.form == Some(ProxyForm::ProxyProtocol) && self.trusts(peer)
    }

    /// Whether the requests of this peer name their visitors in a header.
    pub(crate) fn names_in_headers(&self, peer: IpAddr) -> bool {
        let header = matches!(
            self.form,
            Some(ProxyForm::Forwarded | ProxyForm::XForwardedFor)
        );
        header && self.trusts(peer)
    }

    /// Who made a request that a trusted proxy handed on: the last address of its chain that is not a trusted proxy's.
    ///
    /// A chain that cannot be read names nobody; the proxy itself is then who is throttled and logged.
    pub(crate) fn visitor(&self, headers: &HeaderMap, peer: ClientAddress) -> ClientAddress {
        let found = match self.form {
            Some(ProxyForm::Forwarded) => chain::forwarded(headers, self),
            Some(ProxyForm::XForwardedFor) => chain::x_forwarded_for(headers, self),
            Some(ProxyForm::ProxyProtocol) | None => return peer,
        };
        match found {
            Ok(Some(address)) => ClientAddress(address),
            Ok(None) => peer,
            Err(problem) => {
                tracing::warn!(peer = %peer.0, problem, "a proxy does not say whom it speaks for");
                peer
            }
        }
    }
}

#[cfg(test)]
mod tests;
