use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address or a network: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
///
/// ```
/// use dewar::https::Network;
/// let network = Network::parse("192.0.2.0/24").unwrap();
/// assert!(network.holds("192.0.2.7".parse().unwrap()));
/// assert!(Network::parse("192.0.2.7/24").is_none(), "bits outside the prefix are a slip");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Networks that are not part of the public Internet.
const PRIVATE: [Network; 9] = [
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
];

const fn v4(address: [u8; 4], prefix: u8) -> Network {
    let [a, b, c, d] = address;
    Network {
        address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        prefix,
    }
}

const fn v6(address: [u16; 8], prefix: u8) -> Network {
    let [a, b, c, d, e, f, g, h] = address;
    Network {
        address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)),
        prefix,
    }
}

impl Network {
    /// Parses a network; `None` for an invalid address, or for bits outside the prefix.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        // An IPv4 address in its IPv6 form would never match: addresses are compared in their IPv4 form.
        if address.to_canonical() != address {
            return None;
        }
        let whole = width(address);
        let prefix = match prefix {
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= whole)?
            }
            Some(_) => return None,
            None => whole,
        };
        let network = Self { address, prefix };
        (network.masked(address) == network.bits()).then_some(network)
    }

    /// Whether the network contains an address.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && self.masked(address) == self.bits()
    }

    /// Whether the network is part of the public Internet.
    pub(super) fn is_public(&self) -> bool {
        let inside = |private: &Self| private.prefix <= self.prefix && private.holds(self.address);
        !PRIVATE.iter().any(inside)
    }

    pub(super) fn is_one_address(&self) -> bool {
        self.prefix == width(self.address)
    }

    /// Whether it is so wide that it contains strangers, whatever proxy was meant.
    pub(super) fn is_nearly_everyone(&self) -> bool {
        let least = if self.address.is_ipv4() { 8 } else { 16 };
        self.is_public() && self.prefix < least
    }

    fn bits(&self) -> u128 {
        bits(self.address)
    }

    fn masked(&self, address: IpAddr) -> u128 {
        let below = u32::from(width(self.address) - self.prefix);
        let mask = u128::MAX.checked_shl(below).unwrap_or(0);
        bits(address) & mask
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
