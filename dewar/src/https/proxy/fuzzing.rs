//! The parsers for `fuzz/`, compiled by cargo-fuzz, which sets `cfg(fuzzing)`, and for this crate's tests.

#![expect(
    clippy::missing_panics_doc,
    reason = "each function panics if a promise is broken"
)]

use super::{Network, Proxies, ProxyForm, protocol};
use crate::https::ClientAddress;
use axum::http::{HeaderMap, HeaderValue};
use std::net::{IpAddr, Ipv4Addr};

/// Checks a header of a proxy: the address that the proxy appended counts, whatever a client wrote before it.
pub fn chain(bytes: &[u8]) {
    let proxy = Ipv4Addr::new(10, 0, 0, 1);
    let visitor = IpAddr::from([192, 0, 2, 7]);
    for (name, form, own) in [
        ("x-forwarded-for", ProxyForm::XForwardedFor, ", 192.0.2.7"),
        ("forwarded", ProxyForm::Forwarded, ", for=192.0.2.7"),
    ] {
        let proxies = Proxies::new(Network::parse("10.0.0.1").into_iter().collect(), Some(form));
        let whole = [bytes, own.as_bytes()].concat();
        let Ok(value) = HeaderValue::from_bytes(&whole) else {
            return;
        };
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        let found = proxies.visitor(&headers, ClientAddress(proxy.into())).0;
        assert_eq!(found, visitor);
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            headers.insert(name, value);
            let found = proxies.visitor(&headers, ClientAddress(proxy.into())).0;
            assert!(!found.is_unspecified() && !found.is_multicast());
        }
    }
}

/// Parses a header of the PROXY protocol, of either version.
pub fn proxy_protocol(bytes: &[u8]) {
    if let Some(Some(address)) = protocol::text(bytes) {
        assert!(bytes.len() <= 200 && !address.to_string().is_empty());
    }
    if let [command, family, addresses @ ..] = bytes {
        let _named: Option<Option<IpAddr>> = protocol::binary(*command, *family, addresses);
    }
}
