//! The PROXY protocol, versions 1 and 2, as `proxy-protocol.txt` of `HAProxy` defines it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The signature of version 2; no request and no handshake begins with it.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its line end (2.1).
const LONGEST_LINE: usize = 107;
/// The most bytes after the head of version 2: addresses, and further fields of a proxy, which are skipped.
const LONGEST_REST: usize = 2048;

/// The client that the header names; `None` if the proxy speaks for itself (`LOCAL`, `UNKNOWN`).
type NamedClient = Option<IpAddr>;

/// Reads the header from a connection and not a byte more: TLS follows.
///
/// # Errors
/// The connection broke, or its first bytes are no such header.
pub(crate) async fn read<I: AsyncRead + Unpin>(stream: &mut I) -> io::Result<NamedClient> {
    let mut head = [0; SIGNATURE.len()];
    stream.read_exact(&mut head).await?;
    if head == SIGNATURE {
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await?;
        let [command, family, high, low] = rest;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > LONGEST_REST {
            return Err(malformed());
        }
        let mut addresses = vec![0; length];
        stream.read_exact(&mut addresses).await?;
        return binary(command, family, &addresses).ok_or_else(malformed);
    }
    if !head.starts_with(b"PROXY ") {
        return Err(malformed());
    }
    let mut line = head.to_vec();
    while !line.ends_with(b"\n") {
        if line.len() >= LONGEST_LINE {
            return Err(malformed());
        }
        line.push(stream.read_u8().await?);
    }
    text(&line).ok_or_else(malformed)
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no PROXY header")
}

/// Parses a line of version 1: `PROXY TCP4 192.0.2.7 192.0.2.1 56324 443`.
pub(super) fn text(line: &[u8]) -> Option<NamedClient> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = line.split(' ');
    let ("PROXY", family) = (words.next()?, words.next()?) else {
        return None;
    };
    if family == "UNKNOWN" {
        return Some(None);
    }
    let (source, destination) = (words.next()?, words.next()?);
    let address = match family {
        "TCP4" => {
            let _: Ipv4Addr = destination.parse().ok()?;
            IpAddr::V4(source.parse().ok()?)
        }
        "TCP6" => {
            let _: Ipv6Addr = destination.parse().ok()?;
            IpAddr::V6(source.parse().ok()?)
        }
        _ => return None,
    };
    port(words.next()?)?;
    port(words.next()?)?;
    words.next().is_none().then_some(Some(address))
}

/// Digits without a leading zero.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// Parses the part after the signature in version 2.
pub(super) fn binary(command: u8, family: u8, addresses: &[u8]) -> Option<NamedClient> {
    match (command, family) {
        // The proxy's own connection, such as a health check.
        (0x20, _) | (0x21, 0x00) => Some(None),
        (0x21, 0x11) => {
            let (source, _) = addresses.get(..12)?.split_first_chunk::<4>()?;
            Some(Some(IpAddr::from(*source)))
        }
        (0x21, 0x21) => {
            let (source, _) = addresses.get(..36)?.split_first_chunk::<16>()?;
            Some(Some(IpAddr::from(*source)))
        }
        _ => None,
    }
}
