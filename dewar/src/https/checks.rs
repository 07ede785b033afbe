use super::acme::{Acme, Challenge};
use super::behind;
use super::config::Config;
use super::error::Error;
use super::headers::Transport;
use super::local::LocalAuthority;
use super::proxy;
use super::tls::{Certificates, key_too_open};
use crate::audit::{Finding, Mode, Practice, Severity};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// The result of a configuration that has no finding against the start.
#[derive(Debug)]
#[non_exhaustive]
pub struct PreparedHttps {
    /// The certificate to serve with.
    pub certificates: Arc<Certificates>,
    /// The local authority, if it issued the certificate.
    pub authority: Option<LocalAuthority>,
    /// The transport, which decides about HSTS.
    pub transport: Transport,
    /// The findings that do not prevent the start.
    pub findings: Vec<Finding>,
}

/// Runs the room's checks at start and loads or makes the certificate. `now` is in Unix seconds.
///
/// # Errors
/// Every finding, if one of them prevents the start.
pub fn prepare(
    config: &Config,
    data: &Path,
    mode: Mode,
    now: i64,
) -> Result<PreparedHttps, Vec<Finding>> {
    let mut findings = check(config, mode);
    findings.extend(config.security_txt.finding(now));
    let loaded = match &config.files {
        Some(files) => files.load(&config.hosts, now).map(|(certificates, found)| {
            findings.extend(found);
            (certificates, None)
        }),
        None if config.behind.is_some() => Ok((Certificates::none(), None)),
        None if mode == Mode::Production => Err(vec![no_certificate()]),
        None => local(config, data, now),
    };
    match loaded {
        Ok((certificates, authority)) if !findings.iter().any(|found| found.refuses_launch) => {
            Ok(PreparedHttps {
                certificates,
                authority,
                transport: config.transport(),
                findings,
            })
        }
        Ok(_) => Err(findings),
        Err(refused) => {
            findings.extend(refused);
            Err(findings)
        }
    }
}

/// As [`prepare`], with a certificate that comes by ACME, now or later.
pub(crate) fn prepare_acme(
    config: &Config,
    acme: &Acme,
    mode: Mode,
) -> Result<PreparedHttps, Vec<Finding>> {
    let mut findings = check(config, mode);
    if findings.iter().any(|found| found.refuses_launch) {
        return Err(findings);
    }
    findings.extend(acme.findings());
    Ok(PreparedHttps {
        certificates: Arc::clone(acme.certificates()),
        authority: None,
        transport: config.transport(),
        findings,
    })
}

/// The room's checks at start, of the files on the disk. They create nothing.
pub(crate) fn examine(config: &Config, data: &Path, mode: Mode, now: i64) -> Vec<Finding> {
    let mut findings = check(config, mode);
    findings.extend(config.security_txt.finding(now));
    match (&config.files, &config.acme) {
        (Some(files), _) => {
            let loaded = files.load(&config.hosts, now);
            findings.extend(loaded.map_or_else(|refused| refused, |(_, found)| found));
        }
        (None, Some(_)) => {}
        (None, None) if config.behind.is_some() => {}
        (None, None) if mode == Mode::Production => findings.push(no_certificate()),
        (None, None) => {
            findings
                .extend(LocalAuthority::unusable(data, &config.hosts).map(|e| no_authority(&e)));
            findings.extend(LocalAuthority::exposed_keys(data).map(|open| key_too_open(&open)));
        }
    }
    findings
}

/// The checks that need no file.
#[must_use]
pub fn check(config: &Config, mode: Mode) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.hosts.is_empty() && !config.hosts_are_refused {
        findings.push(no_hosts());
    }
    if mode == Mode::Development && !config.address.ip().is_loopback() {
        findings.push(open_development(config));
    }
    findings.extend(taken_twice(config));
    findings.extend(metrics_nowhere(config));
    if config.hsts_preload {
        findings.push(preload(config));
    }
    if mode == Mode::Production && config.http_address.is_none() && config.behind.is_none() {
        findings.push(no_redirect());
    }
    findings.extend(proxy::findings(&config.proxies));
    findings.extend(behind::findings(config));
    findings.extend(acme_questions(config));
    findings
}

fn acme_questions(config: &Config) -> Vec<Finding> {
    let Some(acme) = &config.acme else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if config.files.is_some() {
        findings.push(
            Finding::refuse(
                Practice::Https,
                "https-acme-and-files",
                "https.acme and https.certificate are both set",
            )
            .why("Dewar would use only one of them.")
            .fix("Remove https.certificate and https.key, or section https.acme."),
        );
    }
    if acme.challenge == Challenge::Http01 && config.http_address.is_none() {
        findings.push(
            Finding::refuse(
                Practice::Https,
                "https-acme-no-http",
                "https.acme.challenge is http-01, and https.http_address is off",
            )
            .why("The authority sends its challenge to port 80, where no program would respond.")
            .fix(
                "Set https.http_address = \"[::]:80\", or https.acme.challenge = \"tls-alpn-01\".",
            ),
        );
    }
    if let Some(why) = acme.root_unusable() {
        findings.push(
            Finding::refuse(Practice::Https, "https-acme-root", format!("https.acme.ca_file: {why}"))
                .why("Dewar could not verify the authority's server, and would order no certificate.")
                .fix("Set it to the PEM file of the certificate that issued the server's certificate, or remove it."),
        );
    }
    findings
}

type LoadedCertificates = (Arc<Certificates>, Option<LocalAuthority>);

fn local(config: &Config, data: &Path, now: i64) -> Result<LoadedCertificates, Vec<Finding>> {
    let made = LocalAuthority::open_or_create(data, now)
        .and_then(|authority| Ok((authority.certificates(&config.hosts, now)?, Some(authority))));
    made.map_err(|error| vec![no_authority(&error)])
}

fn no_authority(error: &Error) -> Finding {
    Finding::refuse(Practice::Https, "https-local-authority", error.to_string())
        .why("No certificate is available.")
        .fix("Fix the data directory, name only local hosts, or set https.certificate and https.key.")
}

fn no_certificate() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-no-certificate",
        "https.certificate and https.key are not set, and the local authority is for development",
    )
    .why("No browser trusts a certificate that this machine issued itself.")
    .fix("Set `https.acme`, and Dewar orders and renews a certificate; or set both to the files of a certificate, as certbot or your provider writes them.")
    .severity(Severity::Critical)
    .cwe(295)
    .asvs(&["12.2.2"])
}

fn no_hosts() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-no-hosts",
        "https.hosts names no host",
    )
    .why("Without the list, a visitor chooses the host in links and caches.")
    .fix("Set https.hosts = [\"example.org\"] to every name visitors use.")
    .cwe(644)
    .asvs(&["4.1.3"])
}

fn open_development(config: &Config) -> Finding {
    let title = format!(
        "Development listens on {}, for the whole network",
        config.address
    );
    Finding::warn(Practice::Https, "https-open-development", title)
        .why("In development, Dewar explains errors to everyone who can connect.")
        .fix("Listen on 127.0.0.1, or set mode = \"production\".")
        .cwe(489)
        .asvs(&["13.4.2"])
}

fn preload(config: &Config) -> Finding {
    if config.transport() == Transport::LocalAuthority {
        return Finding::refuse(
            Practice::Https,
            "https-preload-local",
            "https.hsts_preload is set without a certificate",
        )
        .why(
            "Dewar never sends HSTS with the local authority, so the setting would have no effect.",
        )
        .fix("Remove https.hsts_preload, or set https.certificate and https.key.");
    }
    Finding::warn(
        Practice::Https,
        "https-preload",
        "https.hsts_preload requests an entry in the browsers' list",
    )
    .why("Removal from the list takes months. Until then, every subdomain needs HTTPS.")
    .fix("Keep it only if you intend that.")
    .severity(Severity::Info)
    .asvs(&["3.4.1"])
}

/// Metrics have no listener of their own.
fn metrics_nowhere(config: &Config) -> Option<Finding> {
    (config.metrics && config.health.is_none()).then(|| {
        Finding::refuse(
            Practice::Https,
            "https-metrics",
            "https.metrics has no address to be served on",
        )
        .why("The metrics are on the listener of the health probes, which is off.")
        .fix("Set https.health to an address that only the monitoring reaches, such as \"127.0.0.1:8081\".")
    })
}

/// Two listeners cannot share an address. Port 0 means a free port each time.
fn taken_twice(config: &Config) -> Vec<Finding> {
    let named = [
        (config.address_setting(), config.tcp_address()),
        ("https.http_address", config.http_address),
        ("https.health", config.health),
    ];
    let mut seen: Vec<(&str, SocketAddr)> = Vec::new();
    let mut findings = Vec::new();
    for (setting, address) in named {
        let Some(address) = address.filter(|address| address.port() != 0) else {
            continue;
        };
        if let Some((other, _)) = seen.iter().find(|(_, taken)| *taken == address) {
            findings.push(address_twice(other, setting, address));
        }
        seen.push((setting, address));
    }
    findings
}

fn address_twice(one: &str, other: &str, address: SocketAddr) -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-address-twice",
        format!("{one} and {other} are both {address}"),
    )
    .why("Only one of them can listen there.")
    .fix(format!("Set `{other}` to another port."))
}

fn no_redirect() -> Finding {
    Finding::warn(
        Practice::Https,
        "https-no-redirect",
        "https.http_address is off",
    )
    .why("A browser that does not know HSTS yet cannot connect without https:// in the address.")
    .fix("Set https.http_address = \"[::]:80\", unless another program listens there.")
    .severity(Severity::Info)
}

#[cfg(test)]
mod tests {
    use super::{Config, Mode, prepare};
    use crate::audit::Settings;
    use crate::https::Transport;

    const NOW: i64 = 1_800_000_000;

    fn ids(mode: Mode, env: &[(&str, &str)]) -> Vec<&'static str> {
        let data = tempfile::tempdir().unwrap();
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::read(&Settings::read(None, env), mode);
        let findings = match prepare(&config, data.path(), mode, NOW) {
            Ok(prepared) => prepared.findings,
            Err(findings) => findings,
        };
        findings.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn development_starts_with_a_certificate_of_its_own() {
        let data = tempfile::tempdir().unwrap();
        let config = Config::read(&Settings::read(None, []), Mode::Development);
        let prepared = prepare(&config, data.path(), Mode::Development, NOW).unwrap();
        assert!(prepared.findings.is_empty() && prepared.authority.is_some());
        assert_eq!(prepared.transport, Transport::LocalAuthority);
        assert_eq!(prepared.certificates.not_after(), Some(NOW + 90 * 86_400));
    }

    #[test]
    fn production_refuses_the_local_authority_and_an_empty_list() {
        assert_eq!(
            ids(Mode::Production, &[]),
            ["https-no-hosts", "https-no-certificate"]
        );
    }

    #[test]
    fn preload_without_a_certificate_is_refused() {
        let found = ids(Mode::Development, &[("DEWAR_HTTPS_HSTS_PRELOAD", "true")]);
        assert_eq!(found, ["https-preload-local"]);
    }

    #[test]
    fn a_foreign_name_cannot_be_served_with_the_local_authority() {
        let found = ids(Mode::Development, &[("DEWAR_HTTPS_HOSTS", "bank.example")]);
        assert_eq!(found, ["https-local-authority"]);
    }

    #[test]
    fn one_address_is_not_listened_on_for_two_things() {
        let here = "127.0.0.1:8443";
        for (settings, found) in [
            (&[("DEWAR_HTTPS_HTTP_ADDRESS", here)][..], 1),
            (&[("DEWAR_HTTPS_HEALTH", here)], 1),
            (
                &[
                    ("DEWAR_HTTPS_HEALTH", here),
                    ("DEWAR_HTTPS_HTTP_ADDRESS", here),
                ],
                2,
            ),
            (&[("DEWAR_HTTPS_HTTP_ADDRESS", "127.0.0.1:8081")], 0),
            (
                &[
                    ("DEWAR_HTTPS_ADDRESS", "127.0.0.1:0"),
                    ("DEWAR_HTTPS_HTTP_ADDRESS", "127.0.0.1:0"),
                ],
                0,
            ),
        ] {
            let ids = ids(Mode::Development, settings);
            assert_eq!(ids, vec!["https-address-twice"; found], "{settings:?}");
        }
    }

    #[test]
    fn development_for_the_whole_network_is_warned_about() {
        let found = ids(
            Mode::Development,
            &[("DEWAR_HTTPS_ADDRESS", "0.0.0.0:8443")],
        );
        assert_eq!(found, ["https-open-development"]);
    }
}
