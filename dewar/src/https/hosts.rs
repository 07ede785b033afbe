use super::error::Error;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The host names of this application. Dewar refuses a request for another host before anything reads it.
///
/// Without the list an attacker chooses the `Host`, and with it the links in mails and the key of a cache (CWE-644,
/// password reset poisoning; DNS rebinding against a development server).
///
/// ```
/// use dewar::https::Hosts;
/// let hosts = Hosts::new(["portal.example.org"])?;
/// assert!(hosts.allows("Portal.Example.Org"));
/// assert!(!hosts.allows("evil.example.net"));
/// assert!(Hosts::new(["*.example.org"]).is_err());
/// # Ok::<(), dewar::https::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hosts(Arc<[Box<str>]>);

impl Hosts {
    /// Reads a list of host names and addresses, without ports, without wildcards.
    ///
    /// # Errors
    /// [`Error::InvalidHost`] for the first name that is not a host name.
    pub fn new<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let names = names.into_iter().map(|name| {
            let name = name.as_ref();
            match HostAndPort::parse(name) {
                Some(HostAndPort { host, port: None }) => Ok(host.to_ascii_lowercase().into()),
                Some(_) | None => Err(Error::InvalidHost(name.to_owned())),
            }
        });
        Ok(Self(
            names.collect::<Result<Vec<Box<str>>, Error>>()?.into(),
        ))
    }

    /// Whether the host (without its port) is on the list.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        self.find(host).is_some()
    }

    /// The host as the list spells it, safe to write into a `Location`.
    pub(crate) fn find(&self, host: &str) -> Option<&str> {
        let found = self.0.iter().find(|known| known.eq_ignore_ascii_case(host));
        found.map(AsRef::as_ref)
    }

    /// Every host on the list.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether the list is empty. With an empty list every request is refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// `host [":" port]` of RFC 9110, 7.2, and nothing that another reader could parse differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostAndPort<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> HostAndPort<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if text.starts_with('[') {
            let end = text.find(']')? + 1;
            let (host, rest) = text.split_at_checked(end)?;
            let inner = host.strip_prefix('[')?.strip_suffix(']')?;
            inner.parse::<Ipv6Addr>().ok()?;
            let port = if rest.is_empty() {
                None
            } else {
                Some(port(rest.strip_prefix(':')?)?)
            };
            return Some(Self { host, port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, digits)) => (host, Some(port(digits)?)),
            None => (text, None),
        };
        is_name(host).then_some(Self { host, port })
    }
}

fn port(digits: &str) -> Option<u16> {
    // `u16::parse` accepts "+443".
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63. No trailing dot, because it would be a second spelling
/// of the same name.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (1..=253).contains(&host.len()) && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{HostAndPort, Hosts};

    #[test]
    fn authorities_have_one_reading() {
        let good = [
            ("example.org", "example.org", None),
            ("example.org:8443", "example.org", Some(8443)),
            ("my-site.example", "my-site.example", None),
            ("my_site.example:1", "my_site.example", Some(1)),
            ("127.0.0.1:1", "127.0.0.1", Some(1)),
            ("[::1]", "[::1]", None),
            ("[::1]:443", "[::1]", Some(443)),
        ];
        for (text, host, port) in good {
            assert_eq!(
                HostAndPort::parse(text),
                Some(HostAndPort { host, port }),
                "{text}"
            );
        }
        let bad = [
            "",
            ":443",
            "a b",
            "a/b",
            "user@host",
            "a\\b",
            "host:",
            "host:+1",
            "host:65536",
            "host:1:2",
            "[::1",
            "[::1]x",
            "[x]",
            "::1",
            "a..b",
            "example.org.",
            "ex\u{e4}mple.org",
            "a\tb",
            "*.example.org",
        ];
        for text in bad {
            assert_eq!(HostAndPort::parse(text), None, "{text:?}");
        }
        // RFC 1035, 2.3.4.
        let (label, long) = ("a".repeat(63), "a".repeat(64));
        assert!(HostAndPort::parse(&label).is_some());
        assert_eq!(HostAndPort::parse(&long), None);
        let name = format!("{label}.{label}.{label}.");
        assert!(HostAndPort::parse(&(name.clone() + &"a".repeat(61))).is_some());
        assert_eq!(HostAndPort::parse(&(name + &"a".repeat(62))), None);
    }

    #[test]
    fn a_host_is_the_whole_name() {
        let hosts = Hosts::new(["portal.example", "[::1]", "127.0.0.1"]).unwrap();
        for host in ["portal.example", "PORTAL.Example", "[::1]", "127.0.0.1"] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "evil-portal.example",
            "evil.portal.example",
            "portal.example.evil.test",
            "portal.exampl",
            "ortal.example",
            "example",
            ".portal.example",
            "portal.example.",
            "portal-example",
            "[::11]",
            "::1",
            "127.0.0.11",
            "127.0.0.1.evil.test",
            "",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        let hosts = Hosts::new::<&str>([]).unwrap();
        assert!(hosts.is_empty());
        assert!(!hosts.allows("localhost"));
    }

    #[test]
    fn a_host_with_a_port_is_not_a_host() {
        assert!(Hosts::new(["localhost:8443"]).is_err());
    }
}
