use crate::audit::network;
use std::net::IpAddr;

/// The client's IP address: the peer of the connection, or the address that a trusted proxy names.
///
/// `Forwarded` and `X-Forwarded-For` count only from [`Proxies`](super::Proxies) that the operator named, because anyone
/// can write those headers (ASVS 4.1.3). The listener puts the address into each request. A request without it did not come
/// through the listener, and Dewar refuses it with 500. refused with 500.
///
/// ```
/// use dewar::https::ClientAddress;
/// let address = ClientAddress("192.0.2.7".parse().unwrap());
/// assert_eq!(address.network().to_string(), "192.0.2.7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an address has no other parts")]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The network that limits are counted by: an IPv4 address, or the first 64 bits of an IPv6 address, because one
    /// household or server commonly has a whole /64 (RFC 6177).
    #[must_use]
    pub fn network(self) -> IpAddr {
        network(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ClientAddress;

    #[test]
    fn addresses_are_counted_by_network() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network().to_string();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
