//! Address chains in headers, read from the right: each proxy appends on the right, and the leftmost element comes from
//! the client, which may write anything.

use super::Proxies;
use crate::https::list::{Parts, parameter};
use axum::http::{HeaderMap, HeaderName, header};
use std::net::IpAddr;

/// The most elements that Dewar reads: nobody has more proxies of their own.
const MOST_HOPS: usize = 16;

type ClientIp = Result<Option<IpAddr>, &'static str>;

/// The client by `X-Forwarded-For`; `None` without such a header.
pub(super) fn x_forwarded_for(headers: &HeaderMap, proxies: &Proxies) -> ClientIp {
    const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");
    walk(headers, &NAME, proxies, |element| {
        let text = std::str::from_utf8(element).ok();
        text.and_then(node)
            .ok_or("X-Forwarded-For contains an invalid address")
    })
}

/// The client by `Forwarded` (RFC 7239); `None` without such a header.
pub(super) fn forwarded(headers: &HeaderMap, proxies: &Proxies) -> ClientIp {
    walk(headers, &header::FORWARDED, proxies, |element| {
        let named = named_for(element).ok_or("Forwarded contains an invalid element")?;
        node(named).ok_or("Forwarded contains an invalid address")
    })
}

/// The last address that is not a trusted proxy's. If all are, it is the first: one of the proxies sent the request.
///
/// Dewar reads nothing to the left of it, so a client's text there cannot even be malformed.
fn walk(
    headers: &HeaderMap,
    name: &HeaderName,
    proxies: &Proxies,
    read: impl Fn(&[u8]) -> Result<IpAddr, &'static str>,
) -> ClientIp {
    let mut first = None;
    let mut hops = 0;
    for value in headers.get_all(name).iter().rev() {
        let mut rest = value.as_bytes();
        loop {
            let (left, element) = last_element(rest)?;
            hops += 1;
            if hops > MOST_HOPS {
                return Err("the chain of proxies is too long");
            }
            let address = read(element.trim_ascii())?;
            if !proxies.trusts(address) {
                return Ok(Some(address));
            }
            first = Some(address);
            match left {
                Some(left) => rest = left,
                None => break,
            }
        }
    }
    Ok(first)
}

/// The part after the last comma outside quotes, and the text to the left of that comma.
///
/// It counts quotes from the right: a quote that a client opened and never closed must not swallow the proxy's element.
/// No address needs a backslash, and a backslash could make the count wrong.
fn last_element(bytes: &[u8]) -> Result<(Option<&[u8]>, &[u8]), &'static str> {
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate().rev() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => return Err("the header contains a backslash"),
            b',' if !quoted => {
                let (left, right) = bytes.split_at(at);
                return Ok((Some(left), right.get(1..).unwrap_or_default()));
            }
            _ => {}
        }
    }
    if quoted {
        return Err("the header has an unclosed quote");
    }
    Ok((None, bytes))
}

/// The one `for=` of a `Forwarded` element, without its quotes. It ignores the other parameters, such as the host that a
/// client requested.
fn named_for(element: &[u8]) -> Option<&str> {
    let mut found = None;
    for pair in Parts::of(element, b';') {
        let (name, value) = parameter(pair)?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    let value = std::str::from_utf8(found?).ok()?;
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').filter(|inner| !inner.contains('"')),
        None => Some(value).filter(|value| !value.contains('"')),
    }
}

/// An address with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]:80`.
///
/// `unknown` and hidden names (RFC 7239, 6.3) are no addresses.
fn node(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let port = port.strip_prefix(':');
            let right = port.map_or(rest.ends_with(']'), is_port);
            IpAddr::V6(address.parse().ok().filter(|_| right)?)
        }
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => {
                IpAddr::V4(address.parse().ok().filter(|_| is_port(port))?)
            }
            Some(_) | None => text.parse().ok()?,
        },
    };
    let address = address.to_canonical();
    (!address.is_unspecified() && !address.is_multicast()).then_some(address)
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
