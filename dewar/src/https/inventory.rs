//! The cryptography of TLS as data, for the command `keys inventory`.

use super::certificate::CertificateFacts;
use super::certificate_status::iso;
use super::config::Config;
use super::tls::provider;
use crate::audit::Practice;
use crate::audit::inventory::{AlgorithmKind, Cryptography, STAYS, STAYS_AT_128};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{NamedGroup, ProtocolVersion, SupportedCipherSuite};
use std::path::Path;

/// The configured versions, suites and key exchanges, and the certificate in use.
pub(crate) fn inventory(config: &Config, data: &Path) -> Vec<Cryptography> {
    let provider = provider();
    let mut versions: Vec<ProtocolVersion> = Vec::new();
    for suite in &provider.cipher_suites {
        let version = suite.version().version;
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    let versions = versions.into_iter().map(version);
    let suites = provider.cipher_suites.iter().map(suite);
    let groups = provider
        .kx_groups
        .iter()
        .map(|group| exchange(group.name()));
    let tickets = Cryptography::new(
        Practice::Https,
        AlgorithmKind::Token,
        "session tickets",
        "AES-256-CBC with HMAC-SHA256, keys in memory, replaced every six hours",
    )
    .used_for("resuming a TLS session")
    .after_quantum(STAYS);
    versions
        .chain(suites)
        .chain(groups)
        .chain([tickets, certificate(config, data)])
        .collect()
}

fn version(version: ProtocolVersion) -> Cryptography {
    let name = format!("{version:?}");
    let note = if version == ProtocolVersion::TLSv1_3 {
        "done: a hybrid key exchange is offered first"
    } else {
        "remove when visitors no longer need it: it has no post-quantum key exchange"
    };
    Cryptography::new(Practice::Https, AlgorithmKind::Protocol, &name, &name)
        .used_for("every connection with a visitor")
        .after_quantum(note)
}

fn suite(suite: &SupportedCipherSuite) -> Cryptography {
    let name = format!("{:?}", suite.suite());
    let note = if name.contains("AES_128") {
        STAYS_AT_128
    } else {
        STAYS
    };
    Cryptography::new(Practice::Https, AlgorithmKind::CipherSuite, &name, &name)
        .used_for(format!("{:?}", suite.version().version))
        .after_quantum(note)
}

fn exchange(group: NamedGroup) -> Cryptography {
    let name = format!("{group:?}");
    let note = if name.contains("MLKEM") {
        "done: ML-KEM-768 (FIPS 203) with X25519 protects traffic recorded today"
    } else {
        "remove when all visitors offer a hybrid: traffic recorded today can be decrypted later (NIST IR 8547: disallowed after 2035)"
    };
    Cryptography::new(Practice::Https, AlgorithmKind::KeyExchange, &name, &name)
        .used_for("the keys of a connection, new for each")
        .after_quantum(note)
}

/// The certificate of connections, as far as it can be read.
fn certificate(config: &Config, data: &Path) -> Cryptography {
    let local = data.join("local-authority");
    let (chain, key) = match &config.files {
        Some(files) => (files.certificate.clone(), files.key.clone()),
        None => (local.join("localhost.pem"), local.join("localhost.key")),
    };
    let facts = CertificateDer::from_pem_file(&chain)
        .ok()
        .and_then(|leaf| CertificateFacts::read(&leaf));
    let ends = facts.map(|facts| iso(facts.not_after));
    let algorithm = PrivateKeyDer::from_pem_file(&key)
        .ok()
        .and_then(|key| provider().key_provider.load_private_key(key).ok())
        .map(|key| format!("{:?}", key.algorithm()));
    let used_for = match ends {
        Some(ends) => format!("proves the server's name, until {ends}"),
        None => "proves the server's name; none exists yet".to_owned(),
    };
    Cryptography::new(
        Practice::Https,
        AlgorithmKind::Certificate,
        chain.display().to_string(),
        algorithm.unwrap_or_else(|| "unknown".to_owned()),
    )
    .used_for(used_for)
    .after_quantum("replace with ML-DSA (FIPS 204) when public authorities issue it; nobody can forge past signatures")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Mode, Settings};

    #[test]
    fn no_suite_and_no_group_that_is_offered_is_missing() {
        let config = Config::read(&Settings::read(None, []), Mode::Development);
        let inventory = inventory(&config, Path::new("/nowhere"));
        let is_listed = |kind, name: String| {
            inventory
                .iter()
                .any(|entry| entry.kind == kind && entry.name == name)
        };
        let offered = super::super::server_config(certificates(), config.tls).unwrap();
        let provider = offered.crypto_provider();
        assert_eq!(provider.cipher_suites.len(), 9);
        for suite in &provider.cipher_suites {
            let name = format!("{:?}", suite.suite());
            assert!(is_listed(AlgorithmKind::CipherSuite, name), "{suite:?}");
        }
        for group in &provider.kx_groups {
            let name = format!("{:?}", group.name());
            assert!(is_listed(AlgorithmKind::KeyExchange, name), "{group:?}");
        }
        for version in ["TLSv1_2", "TLSv1_3"] {
            assert!(
                is_listed(AlgorithmKind::Protocol, version.to_owned()),
                "{version}"
            );
        }
        let first = inventory
            .iter()
            .find(|entry| entry.kind == AlgorithmKind::KeyExchange);
        assert_eq!(first.unwrap().name, "X25519MLKEM768");
    }

    fn certificates() -> std::sync::Arc<super::super::Certificates> {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::read(&Settings::read(None, []), Mode::Development);
        let prepared =
            super::super::prepare(&config, directory.path(), Mode::Development, 1_800_000_000);
        prepared.unwrap().certificates
    }
}
