//! Trusted proxies in front, and the form in which they name the client address.

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
use std::sync::{Arc, Once};

/// The one form in which a trusted proxy names the client: the setting `https.client_ip_source`.
///
/// Dewar reads only this form. The others count as a client's text, whoever sends them.
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

/// The proxies that may name the client address: the setting `https.trusted_proxies`.
///
/// Dewar takes only the address from them. Host and port come from the request itself, so `X-Forwarded-Host` and `-Port` never
/// count (CWE-644). `X-Forwarded-Proto` counts only if the proxy ends TLS: see [`BehindProxy`](super::BehindProxy).
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
    /// The proxies in these networks, and the form in which they name a client.
    #[must_use]
    pub fn new(networks: Vec<Network>, form: Option<ProxyForm>) -> Self {
        Self {
            networks: networks.into(),
            form,
        }
    }

    /// Whether an address belongs to a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.holds(address))
    }

    /// Whether no proxy is named.
    pub(crate) fn is_of_nobody(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether the form is set in which a proxy names the client.
    pub(crate) const fn has_form(&self) -> bool {
        self.form.is_some()
    }

    /// Whether connections of this peer begin with the PROXY protocol.
    pub(crate) fn announces(&self, peer: IpAddr) -> bool {
        self.form == Some(ProxyForm::ProxyProtocol) && self.trusts(peer)
    }

    /// Whether requests of this peer name their client in a header.
    pub(crate) fn names_in_headers(&self, peer: IpAddr) -> bool {
        let header = matches!(
            self.form,
            Some(ProxyForm::Forwarded | ProxyForm::XForwardedFor)
        );
        header && self.trusts(peer)
    }

    /// The client of a request that a trusted proxy forwarded: the last address of its chain that is not a trusted
    /// proxy's. None where the proxy names nobody, or in a way that cannot be read.
    pub(crate) fn named(&self, headers: &HeaderMap, peer: ClientAddress) -> Option<ClientAddress> {
        let found = match self.form {
            Some(ProxyForm::Forwarded) => chain::forwarded(headers, self),
            Some(ProxyForm::XForwardedFor) => chain::x_forwarded_for(headers, self),
            Some(ProxyForm::ProxyProtocol) | None => return Some(peer),
        };
        match found {
            Ok(address) => {
                if address.is_some_and(|address| self.trusts(address)) {
                    tell_once();
                }
                address.map(ClientAddress)
            }
            Err(problem) => {
                tracing::warn!(peer = %peer.0, problem, "a proxy names no client address");
                None
            }
        }
    }

    /// The same, with the proxy itself where it names nobody.
    #[cfg(any(fuzzing, test))]
    pub(crate) fn visitor(&self, headers: &HeaderMap, peer: ClientAddress) -> ClientAddress {
        self.named(headers, peer).unwrap_or(peer)
    }
}

/// Requests that come from a proxy itself. The log has the first, so that nobody fills it.
fn tell_once() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "the client of a request is a proxy in https.trusted_proxies; if visitors' requests say so, https.client_ip_source is not \
             the header that the proxy writes; this is the first"
        );
    });
}

#[cfg(test)]
mod tests;
