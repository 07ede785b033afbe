use super::certificate::CertificateFacts;
use super::error::Error;
use super::hosts::Hosts;
use crate::audit::owner_only::TooOpen;
use crate::audit::{Finding, Practice};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{Ticketer, cipher_suite, default_provider, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// Dewar warns this many days before a certificate file ends. A working renewal happens with a third of the lifetime
/// left: 15 days for the 45-day certificates of 2026.
const WARN_DAYS: i64 = 10;
const DAY: i64 = 86_400;

/// Which of Mozilla's two profiles (*Server Side TLS* 6.0) Dewar offers: the setting `https.tls`.
///
/// Both put X25519MLKEM768 first, so that a quantum computer cannot later decrypt today's recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TlsProfile {
    /// TLS 1.3, and TLS 1.2 only with forward secrecy and authenticated encryption.
    #[default]
    Intermediate,
    /// TLS 1.3 alone, for clients of 2020 and later.
    Modern,
}

/// The suites of both versions; the profile chooses the versions, and with them the suites.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![
            kx_group::X25519MLKEM768,
            kx_group::X25519,
            kx_group::SECP256R1,
            kx_group::SECP384R1,
        ],
        // Named here, not taken from the process: another installed default changes nothing.
        ..default_provider()
    }
}

/// The TLS configuration of the server: the profile's versions, forward secrecy, post-quantum key exchange first.
///
/// # Errors
/// [`Error::Tls`] if the system has no randomness for the ticket keys.
pub fn server_config(
    certificates: Arc<Certificates>,
    profile: TlsProfile,
) -> Result<Arc<ServerConfig>, Error> {
    let versions: &[_] = match profile {
        TlsProfile::Intermediate => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsProfile::Modern => &[&rustls::version::TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // All suites are good, so the order does not matter for security, and Mozilla 6.0 leaves it to the client. But
    // scanners report a server without an order.
    config.ignore_client_order = true;
    // Ticket keys live in memory only and are replaced every six hours: a stolen key opens no older session.
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 2;
    // Anyone who recorded early data can replay it (RFC 8446, 8).
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// The certificate in use. Dewar can replace it while connections are served.
#[derive(Debug)]
pub struct Certificates {
    /// None if a proxy ends TLS.
    current: RwLock<Option<Arc<CertifiedKey>>>,
}

impl Certificates {
    pub(crate) fn new(key: CertifiedKey) -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(Some(Arc::new(key))),
        })
    }

    /// No certificate: a proxy ends TLS.
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self {
            current: RwLock::new(None),
        })
    }

    /// Uses another certificate for every handshake from now on.
    pub(crate) fn replace(&self, key: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
    }

    fn current(&self) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server's own certificate, in DER.
    pub(crate) fn leaf(&self) -> Option<CertificateDer<'static>> {
        Some(self.current()?.end_entity_cert().ok()?.clone().into_owned())
    }

    /// The readable fields of the certificate.
    pub(crate) fn facts(&self) -> Option<CertificateFacts> {
        CertificateFacts::read(&self.leaf()?)
    }

    /// When the certificate in use ends, in Unix seconds.
    #[must_use]
    pub fn not_after(&self) -> Option<i64> {
        let current = self.current()?;
        Some(CertificateFacts::read(current.end_entity_cert().ok()?)?.not_after)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}

/// A certificate chain and its key, as PEM files: the settings `https.certificate` and `https.key`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// The files at these paths.
    #[must_use]
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
        }
    }

    /// Reads both files and checks them as a browser would: they belong together, are valid at `now` (Unix seconds) and
    /// name every host. Findings that do not prevent the start come with the certificate.
    ///
    /// # Errors
    /// Every finding, with the setting and the fix, if one of them prevents the start.
    pub fn load(
        &self,
        hosts: &Hosts,
        now: i64,
    ) -> Result<(Arc<Certificates>, Vec<Finding>), Vec<Finding>> {
        let (key, findings) = self.read(hosts, now)?;
        Ok((Certificates::new(key), findings))
    }

    /// Reads the files again after a renewal. If they cannot be used, the current certificate stays in use.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn reload(
        &self,
        certificates: &Certificates,
        hosts: &Hosts,
        now: i64,
    ) -> Result<Vec<Finding>, Vec<Finding>> {
        let (key, findings) = self.read(hosts, now)?;
        certificates.replace(key);
        Ok(findings)
    }

    fn read(&self, hosts: &Hosts, now: i64) -> Result<(CertifiedKey, Vec<Finding>), Vec<Finding>> {
        let chain = self.chain();
        let key = self.private_key();
        let (chain, key) = match (chain, key) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => return Err([chain.err(), key.err()].into_iter().flatten().collect()),
        };
        let mut findings = self.check_leaf(&chain, hosts, now);
        match CertifiedKey::from_der(chain, key, &provider()) {
            Ok(key) if !findings.iter().any(|finding| finding.refuses_launch) => {
                Ok((key, findings))
            }
            Ok(_) => Err(findings),
            Err(error) => {
                findings.push(self.mismatch(&error));
                Err(findings)
            }
        }
    }

    fn mismatch(&self, error: &rustls::Error) -> Finding {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        Finding::refuse(
            Practice::Https,
            "https-key-mismatch",
            format!("{key} is not the key of {certificate}: {error}"),
        )
        .why("No browser could connect.")
        .fix("Set https.certificate and https.key to the two files of one certificate.")
        .asvs(&["12.2.2"])
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Finding> {
        let path = &self.certificate;
        let found = read_file(path, "https.certificate").and_then(|pem| {
            let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
            chain.map_err(|error| unreadable(path, "https.certificate", &error.to_string()))
        })?;
        if found.is_empty() {
            return Err(unreadable(
                path,
                "https.certificate",
                "it contains no CERTIFICATE",
            ));
        }
        Ok(found)
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, Finding> {
        let path = &self.key;
        let metadata =
            fs::metadata(path).map_err(|e| unreadable(path, "https.key", &e.to_string()))?;
        // A service reads certbot's files through its group; access for others, or for another writer, is too much.
        if let Some(open) = TooOpen::of(path, &metadata, 0o037) {
            return Err(key_too_open(&open));
        }
        let pem = zeroize::Zeroizing::new(read_file(path, "https.key")?);
        PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| unreadable(path, "https.key", "it contains no PRIVATE KEY"))
    }

    fn check_leaf(&self, chain: &[CertificateDer<'_>], hosts: &Hosts, now: i64) -> Vec<Finding> {
        let path = &self.certificate;
        let facts = chain
            .first()
            .and_then(|leaf| Some((leaf, CertificateFacts::read(leaf)?)));
        let Some((leaf, facts)) = facts else {
            return vec![unreadable(
                path,
                "https.certificate",
                "it is not an X.509 certificate",
            )];
        };
        let mut findings: Vec<Finding> = validity(path, &facts, now).into_iter().collect();
        if let Ok(parsed) = ParsedCertificate::try_from(leaf) {
            let missing = hosts.iter().filter(|host| !names(&parsed, host));
            findings.extend(missing.map(|host| unnamed(path, host)));
        }
        findings
    }
}

/// The finding about a private key that other users can read or replace.
pub(super) fn key_too_open(open: &TooOpen) -> Finding {
    Finding::refuse(Practice::Https, "https-key-readable", open.title())
        .why("Anyone who reads the key can impersonate this server.")
        .fix(format!(
            "{}, and replace the certificate if another user may have read its key",
            open.fix()
        ))
        .cwe(732)
        .asvs(&["13.3.1"])
}

pub(crate) fn names(certificate: &ParsedCertificate<'_>, host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(bare)
        .is_ok_and(|name| rustls::client::verify_server_name(certificate, &name).is_ok())
}

fn unnamed(path: &Path, host: &str) -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-certificate-name",
        format!("{} does not name {host}", path.display()),
    )
    .why("Every browser shows a warning for this host.")
    .fix(format!(
        "Get a certificate that names {host} too, or remove it from https.hosts."
    ))
    .cwe(297)
    .asvs(&["12.2.2"])
}

/// The finding about the end of the certificate in use.
pub(crate) fn ending(certificates: &Certificates, now: i64) -> Option<Finding> {
    validity(
        Path::new("The current certificate"),
        &certificates.facts()?,
        now,
    )
}

fn validity(path: &Path, facts: &CertificateFacts, now: i64) -> Option<Finding> {
    let path = path.display();
    let days = (facts.not_after - now).div_euclid(DAY);
    let finding = if now >= facts.not_after {
        let title = format!("{path} expired {} days ago", -days - 1);
        Finding::refuse(Practice::Https, "https-certificate-expired", title)
    } else if now < facts.not_before {
        let title = format!("{path} is not valid yet: check the clock");
        Finding::refuse(Practice::Https, "https-certificate-early", title)
    } else if days < WARN_DAYS {
        let title = format!("{path} expires in {days} days");
        Finding::warn(Practice::Https, "https-certificate-expires", title)
    } else {
        return None;
    };
    Some(
        finding
            .why("Browsers refuse a certificate outside its dates, and HSTS lets no user continue.")
            .fix("Renew it, and find out why the automatic renewal failed.")
            .cwe(298)
            .asvs(&["12.2.2"]),
    )
}

fn read_file(path: &Path, setting: &str) -> Result<Vec<u8>, Finding> {
    fs::read(path).map_err(|error| unreadable(path, setting, &error.to_string()))
}

fn unreadable(path: &Path, setting: &str, what: &str) -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-certificate-file",
        format!("{setting}: {}: {what}", path.display()),
    )
    .why("Without its certificate and key, the server cannot prove its identity.")
    .fix(format!(
        "Set {setting} to a PEM file that this process may read."
    ))
    .asvs(&["12.2.1"])
}

#[cfg(test)]
mod tests;
