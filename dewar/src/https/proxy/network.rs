use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::audit::SettingValue;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// An address or a network: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
///
/// ```
/// use dewar::https::Network;
/// let network = Network::parse("192.0.2.0/24").unwrap();
/// assert!(network.holds("192.0.2.7".parse().unwrap()));
/// assert!(Network::parse("192.0.2.7/24").is_none(), "bits outside the prefix are a slip");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

/// Networks that are not part of the public Internet.
const PRIVATE: [IpNet; 9] = [
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

const fn v4(address: [u8; 4], prefix: u8) -> IpNet {
    let [a, b, c, d] = address;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(address: [u16; 8], prefix: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = address;
    let address = Ipv6Addr::new(a, b, c, d, e, f, g, h);
    IpNet::V6(Ipv6Net::new_assert(address, prefix))
}

impl Network {
    /// Parses a network; `None` for an invalid address, or for bits outside the prefix.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        // The standard library refuses leading zeros, which some programs read as octal; the crate's own parser takes them.
        let address: IpAddr = address.parse().ok()?;
        // An IPv4 address in its IPv6 form would never match: addresses are compared in their IPv4 form.
        if address.to_canonical() != address {
            return None;
        }
        let network = match prefix {
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                IpNet::new(address, digits.parse().ok()?).ok()?
            }
            Some(_) => return None,
            None => IpNet::from(address),
        };
        (network.network() == address).then_some(Self(network))
    }

    /// Whether the network contains an address.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether the network is part of the public Internet.
    pub(super) fn is_public(&self) -> bool {
        !PRIVATE.iter().any(|private| private.contains(&self.0))
    }

    pub(super) fn is_one_address(&self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }

    /// Whether it is so wide that it contains strangers, whatever proxy was meant.
    pub(super) fn is_nearly_everyone(&self) -> bool {
        let least = match self.0 {
            IpNet::V4(_) => 8,
            IpNet::V6(_) => 16,
        };
        self.is_public() && self.0.prefix_len() < least
    }
}

impl SettingValue for Network {
    fn right() -> String {
        "an address or a network, such as \"192.0.2.7\" or \"10.0.0.0/8\"".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
