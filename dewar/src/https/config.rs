use super::acme;
use super::behind::{self, BehindProxy, PlatformPort};
use super::headers::Transport;
use super::hosts::Hosts;
use super::limits::RequestLimits;
use super::outgoing;
use super::proxy::{Network, Proxies, ProxyForm};
use super::security_txt::SecurityTxt;
use super::tls::{CertificateFiles, TlsProfile};
use crate::audit::{Mode, Section, Settings};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// The settings of section `https`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The address of the HTTPS listener.
    pub address: SocketAddr,
    /// Where a proxy that ends TLS reaches the application in plain HTTP; none by default.
    pub behind: Option<BehindProxy>,
    /// Where the port of a platform comes from.
    pub(super) platform_port: PlatformPort,
    /// The address of the plain HTTP listener, which only redirects to HTTPS; `off` for none.
    pub http_address: Option<SocketAddr>,
    /// The address of the health probes (`/healthz`, `/readyz`), in plain HTTP and for any host; none by default.
    pub health: Option<SocketAddr>,
    /// Whether the listener of the health probes also serves metrics (`/metrics`), for Prometheus.
    pub metrics: bool,
    /// The port that visitors connect to, if a forwarded port differs from the address's.
    pub public_port: u16,
    /// The certificate and its key; without them Dewar uses the local authority, in development only.
    pub files: Option<CertificateFiles>,
    /// The ACME settings, if the certificate comes by ACME.
    pub acme: Option<acme::Config>,
    /// The hosts that Dewar serves.
    pub hosts: Hosts,
    /// Whether `hosts` had an invalid value and is empty because of it.
    pub(super) hosts_are_refused: bool,
    /// Whether HSTS asks for the browsers' preload list.
    pub hsts_preload: bool,
    /// The proxies that may name the client address; none by default.
    pub proxies: Proxies,
    /// The contact for reports of vulnerabilities.
    pub security_txt: SecurityTxt,
    /// The TLS versions and suites on offer.
    pub tls: TlsProfile,
    /// The limits on time, number and size.
    pub limits: RequestLimits,
    /// The limits of requests to other servers.
    pub outgoing: outgoing::Config,
}

impl Config {
    /// Reads section `https`. Invalid values become findings of [`Settings::finish`].
    ///
    /// ```
    /// use dewar::audit::{Mode, Settings};
    /// use dewar::https::Config;
    /// let settings = Settings::read(None, []);
    /// let config = Config::read(&settings, Mode::Development);
    /// assert!(config.hosts.allows("localhost") && settings.finish().is_empty());
    /// ```
    #[must_use]
    pub fn read(settings: &Settings, mode: Mode) -> Self {
        let section = settings.section("https");
        let (address, http, hosts): (SocketAddr, _, &[&str]) = match mode {
            Mode::Development => {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8443));
                let redirect = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
                (
                    address,
                    Some(redirect),
                    &["localhost", "127.0.0.1", "[::1]"],
                )
            }
            Mode::Production => {
                let any = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
                (any(443), Some(any(80)), &[])
            }
        };
        let preset = address;
        let written = section.address("address", address);
        let behind = behind::read(&section);
        let (address, http) = match &behind {
            None => (written, http),
            Some(BehindProxy::Loopback(address)) => (*address, None),
            Some(BehindProxy::Platform | BehindProxy::Socket(_)) => (written, None),
        };
        let public = if behind.is_some() {
            443
        } else {
            address.port()
        };
        let port = section.integer("public_port", public.into(), 0..=65_535);
        let platform_port = match behind {
            Some(BehindProxy::Platform) if written == preset => PlatformPort::Missing,
            _ => PlatformPort::Known,
        };
        let hosts = read_hosts(&section, hosts);
        let is_behind = behind.is_some();
        Self {
            address,
            proxies: proxies(&section, behind.as_ref()),
            behind,
            platform_port,
            // The proxy redirects: the application has no other listener for visitors beside it.
            http_address: optional_address(&section, "http_address", http).filter(|_| !is_behind),
            health: optional_address(&section, "health", None),
            metrics: section.flag("metrics", false),
            public_port: u16::try_from(port).unwrap_or(public),
            files: files(&section),
            acme: acme::Config::read(settings),
            hosts,
            hosts_are_refused: section.is_refused("hosts"),
            hsts_preload: section.flag("hsts_preload", false),
            security_txt: SecurityTxt::read(&settings.section("https.security_txt")),
            tls: section.choice("tls", TlsProfile::Intermediate, &PROFILES),
            limits: limits(settings),
            outgoing: outgoing::Config::read(settings),
        }
    }

    /// With the variable `PORT` of a platform that ends TLS.
    pub(crate) fn with_port(mut self, port: Option<&str>) -> Self {
        if port.is_some() && self.behind.is_none() {
            self.platform_port = PlatformPort::Ignored;
        }
        let (Some(port), PlatformPort::Missing) = (port, self.platform_port) else {
            return self;
        };
        self.platform_port = match port.parse() {
            Ok(port @ 1..) => {
                self.address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
                PlatformPort::Known
            }
            Ok(0) | Err(_) => PlatformPort::Unusable,
        };
        self
    }

    /// The TCP address for visitors or for the proxy in front; none if that connects by a Unix socket.
    pub(crate) fn tcp_address(&self) -> Option<SocketAddr> {
        match self.behind {
            Some(BehindProxy::Socket(_)) => None,
            Some(BehindProxy::Loopback(_) | BehindProxy::Platform) | None => Some(self.address),
        }
    }

    /// The setting with that address.
    pub(crate) const fn address_setting(&self) -> &'static str {
        match self.behind {
            Some(BehindProxy::Loopback(_) | BehindProxy::Socket(_)) => "https.behind_proxy",
            Some(BehindProxy::Platform) | None => "https.address",
        }
    }

    /// The protection of connections, which decides about HSTS.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match (
            self.files.is_some() || self.acme.is_some() || self.behind.is_some(),
            self.hsts_preload,
        ) {
            (false, _) => Transport::LocalAuthority,
            (true, false) => Transport::Certificate,
            (true, true) => Transport::CertificatePreload,
        }
    }
}

const PROFILES: [(&str, TlsProfile); 2] = [
    ("intermediate", TlsProfile::Intermediate),
    ("modern", TlsProfile::Modern),
];

const FORMS: [(&str, Option<ProxyForm>); 4] = [
    ("none", None),
    ("x-forwarded-for", Some(ProxyForm::XForwardedFor)),
    ("forwarded", Some(ProxyForm::Forwarded)),
    ("proxy-protocol", Some(ProxyForm::ProxyProtocol)),
];

fn proxies(section: &Section<'_>, behind: Option<&BehindProxy>) -> Proxies {
    let named = section.list("trusted_proxies", &[]);
    let form = section.choice("client_ip_source", None, &FORMS);
    let networks: Option<Vec<Network>> = named.iter().map(|text| Network::parse(text)).collect();
    let Some(mut networks) = networks else {
        let right = "a list of addresses or networks, such as [\"10.0.0.5\", \"2001:db8::/64\"], with no bit of a \
            network's address outside its prefix";
        section.refuse("trusted_proxies", right);
        return Proxies::default();
    };
    // The setting names this proxy. A Unix socket has no address, so its peers count as this machine.
    if matches!(
        behind,
        Some(BehindProxy::Loopback(_) | BehindProxy::Socket(_))
    ) {
        networks.extend(
            ["127.0.0.0/8", "::1"]
                .into_iter()
                .filter_map(Network::parse),
        );
    }
    Proxies::new(networks, form)
}

/// An address, or `off`.
fn optional_address(
    section: &Section<'_>,
    key: &'static str,
    default: Option<SocketAddr>,
) -> Option<SocketAddr> {
    match section.optional_text(key).as_deref() {
        None => default,
        Some("off") => None,
        Some(text) => text.parse().map_or_else(
            |_| {
                section.refuse(key, "an IP address with a port, or \"off\"");
                default
            },
            Some,
        ),
    }
}

fn files(section: &Section<'_>) -> Option<CertificateFiles> {
    match (
        section.optional_path("certificate"),
        section.optional_path("key"),
    ) {
        (Some(certificate), Some(key)) => Some(CertificateFiles::new(certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            section.refuse("key", "the path of the certificate's key");
            None
        }
        (None, Some(_)) => {
            section.refuse("certificate", "the path of the key's certificate chain");
            None
        }
    }
}

fn read_hosts(section: &Section<'_>, default: &[&str]) -> Hosts {
    Hosts::new(section.list("hosts", default)).unwrap_or_else(|_| {
        let right =
            "a list of host names without port, path or wildcard, such as [\"example.org\"]";
        section.refuse("hosts", right);
        Hosts::default()
    })
}

fn limits(settings: &Settings) -> RequestLimits {
    let section = settings.section("https.limits");
    let preset = RequestLimits::default();
    let second = Duration::from_secs(1);
    let time = |key, default, low: u32, high: u32| {
        section.duration(key, default, second * low..=second * high)
    };
    let number = |key, default: usize, low, high| {
        let default = u64::try_from(default).unwrap_or(high);
        usize::try_from(section.integer(key, default, low..=high)).unwrap_or(usize::MAX)
    };
    // The limits of unread responses and of bodies: for one connection, one address and all.
    let per_connection = |key, default| section.bytes(key, default, 1 << 20..=1 << 30);
    let per_address = |key, default| section.bytes(key, default, 1 << 20..=16 << 30);
    let in_all = |key, default| section.bytes(key, default, 16 << 20..=64 << 30);
    RequestLimits {
        connections: number("connections", preset.connections, 16, 1_000_000),
        connections_per_address: number(
            "connections_per_address",
            preset.connections_per_address,
            4,
            1_000_000,
        ),
        handshake_timeout: time("handshake_timeout", preset.handshake_timeout, 1, 30),
        header_timeout: time("header_timeout", preset.header_timeout, 1, 60),
        idle_timeout: time("idle_timeout", preset.idle_timeout, 5, 600),
        body_bytes: section.bytes("body", preset.body_bytes, 1024..=64 << 30),
        body_timeout: time("body_timeout", preset.body_timeout, 5, 24 * 3600),
        body_rate: section.bytes("body_rate", preset.body_rate, 1..=1 << 20),
        handler_timeout: time("handler_timeout", preset.handler_timeout, 1, 600),
        unread_per_connection: per_connection(
            "unread_per_connection",
            preset.unread_per_connection,
        ),
        unread_per_address: per_address("unread_per_address", preset.unread_per_address),
        unread: in_all("unread", preset.unread),
        bodies_per_connection: per_connection(
            "bodies_per_connection",
            preset.bodies_per_connection,
        ),
        bodies_per_address: per_address("bodies_per_address", preset.bodies_per_address),
        bodies: in_all("bodies", preset.bodies),
        drain_timeout: time("drain_timeout", preset.drain_timeout, 1, 600),
        ..preset
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Transport};
    use crate::audit::{Mode, Settings};

    fn read(mode: Mode, env: &[(&str, &str)]) -> (Config, Vec<String>) {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, env);
        let config = Config::read(&settings, mode);
        (
            config,
            settings
                .finish()
                .into_iter()
                .map(|finding| finding.title)
                .collect(),
        )
    }

    #[test]
    fn development_is_reached_from_this_machine_only() {
        let (config, findings) = read(Mode::Development, &[]);
        assert!(config.address.ip().is_loopback());
        assert!(
            config
                .http_address
                .is_some_and(|address| address.ip().is_loopback())
        );
        assert!(config.hosts.allows("[::1]") && findings.is_empty());
        assert_eq!(config.transport(), Transport::LocalAuthority);
    }

    #[test]
    fn production_has_no_host_until_one_is_named() {
        let (config, _) = read(Mode::Production, &[]);
        assert!(config.hosts.is_empty());
        assert_eq!(config.http_address.map(|address| address.port()), Some(80));
    }

    #[test]
    fn settings_come_from_the_environment() {
        let (config, findings) = read(
            Mode::Production,
            &[
                ("DEWAR_HTTPS_HOSTS", "example.org, www.example.org"),
                ("DEWAR_HTTPS_HTTP_ADDRESS", "off"),
                ("DEWAR_HTTPS_CERTIFICATE", "/etc/chain.pem"),
                ("DEWAR_HTTPS_KEY", "/etc/key.pem"),
                ("DEWAR_HTTPS_LIMITS_HANDLER_TIMEOUT", "10s"),
            ],
        );
        assert!(findings.is_empty(), "{findings:?}");
        assert!(config.hosts.allows("www.example.org") && config.http_address.is_none());
        assert_eq!(config.limits.handler_timeout.as_secs(), 10);
        assert_eq!(config.transport(), Transport::Certificate);
    }

    #[test]
    fn half_a_certificate_a_wildcard_and_a_bad_address_are_refused_at_once() {
        let (config, findings) = read(
            Mode::Production,
            &[
                ("DEWAR_HTTPS_HOSTS", "*.example.org"),
                ("DEWAR_HTTPS_CERTIFICATE", "/etc/chain.pem"),
                ("DEWAR_HTTPS_HTTP_ADDRESS", "80"),
            ],
        );
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(config.hosts.is_empty());
    }
}
