use super::*;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ProtocolVersion, SupportedCipherSuite};
use time::macros::datetime;

const NOW: i64 = 1_800_000_000;

struct Made {
    _directory: tempfile::TempDir,
    files: CertificateFiles,
}

fn made(names: &[&str], days_left: i64) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = datetime!(2020-01-01 0:00 UTC);
    params.not_after = time::OffsetDateTime::from_unix_timestamp(NOW + days_left * DAY).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let files = CertificateFiles::new(
        directory.path().join("chain.pem"),
        directory.path().join("key.pem"),
    );
    fs::write(&files.certificate, certificate).unwrap();
    write_key(&files.key, &key.serialize_pem(), 0o600);
    Made {
        _directory: directory,
        files,
    }
}

fn write_key(path: &Path, pem: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, pem).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn ids(files: &CertificateFiles, host: &str) -> Vec<&'static str> {
    let found = match files.load(&Hosts::new([host]).unwrap(), NOW) {
        Ok((_, findings)) | Err(findings) => findings,
    };
    found.iter().map(|finding| finding.id).collect()
}

/// Checks the end to the second, and the warning to the day.
#[test]
fn a_certificate_is_good_between_its_dates_and_told_of_before_it_ends() {
    let facts = CertificateFacts {
        not_before: NOW,
        not_after: NOW + 90 * DAY,
        common_name: None,
    };
    for (now, id) in [
        (NOW - 1, "https-certificate-early"),
        (NOW, ""),
        (NOW + 80 * DAY, ""),
        (NOW + 80 * DAY + 1, "https-certificate-expires"),
        (NOW + 90 * DAY - 1, "https-certificate-expires"),
        (NOW + 90 * DAY, "https-certificate-expired"),
        (NOW + 400 * DAY, "https-certificate-expired"),
    ] {
        let found = validity(Path::new("chain.pem"), &facts, now);
        let found = found.map_or("", |finding| finding.id);
        assert_eq!(found, id, "{} s after its beginning", now - NOW);
    }
}

#[test]
fn only_mozillas_intermediate_suites_and_groups_are_offered() {
    let config = provider();
    assert_eq!(config.cipher_suites.len(), 9);
    for suite in &config.cipher_suites {
        let name = format!("{:?}", suite.suite());
        let aead = name.contains("_GCM_") || name.ends_with("_POLY1305_SHA256");
        let forward = matches!(suite, SupportedCipherSuite::Tls13(_)) || name.contains("_ECDHE_");
        assert!(aead && forward, "{name}");
        let version = suite.version().version;
        assert!(
            [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3].contains(&version),
            "{name}"
        );
    }
    let groups: Vec<String> = config
        .kx_groups
        .iter()
        .map(|group| format!("{:?}", group.name()))
        .collect();
    assert_eq!(
        groups,
        ["X25519MLKEM768", "X25519", "secp256r1", "secp384r1"]
    );
}

#[test]
fn there_is_no_early_data_and_the_server_has_an_order_of_suites() {
    let made = made(&["localhost"], 60);
    let hosts = Hosts::new(["localhost"]).unwrap();
    let (certificates, findings) = made.files.load(&hosts, NOW).unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    let config = server_config(certificates, TlsProfile::Intermediate).unwrap();
    assert_eq!(config.max_early_data_size, 0);
    assert!(config.ignore_client_order);
    assert!(config.ticketer.enabled());
    assert_eq!(
        config.alpn_protocols,
        [b"h2".to_vec(), b"http/1.1".to_vec()]
    );
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let made = made(&["localhost"], 60);
    let pem = fs::read_to_string(&made.files.key).unwrap();
    for (mode, refused) in [(0o600, false), (0o640, false), (0o644, true), (0o660, true)] {
        write_key(&made.files.key, &pem, mode);
        let found = ids(&made.files, "localhost");
        assert_eq!(
            found.contains(&"https-key-readable"),
            refused,
            "{mode:o}: {found:?}"
        );
    }
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let made = made(&["localhost"], 60);
    write_key(
        &made.files.key,
        &KeyPair::generate().unwrap().serialize_pem(),
        0o600,
    );
    assert_eq!(ids(&made.files, "localhost"), ["https-key-mismatch"]);
}

#[test]
fn a_certificate_outside_its_dates_is_refused_and_near_its_end_warned_about() {
    assert_eq!(
        ids(&made(&["localhost"], -1).files, "localhost"),
        ["https-certificate-expired"]
    );
    let soon = made(&["localhost"], 5);
    assert_eq!(ids(&soon.files, "localhost"), ["https-certificate-expires"]);
    assert!(
        soon.files
            .load(&Hosts::new(["localhost"]).unwrap(), NOW)
            .is_ok()
    );
}

#[test]
fn a_certificate_that_does_not_name_the_host_is_refused() {
    let made = made(&["example.org", "127.0.0.1", "::1"], 60);
    assert_eq!(ids(&made.files, "example.com"), ["https-certificate-name"]);
    for host in ["example.org", "127.0.0.1", "[::1]"] {
        assert!(ids(&made.files, host).is_empty(), "{host}");
    }
}

#[test]
fn what_is_missing_is_said_all_at_once() {
    let files = CertificateFiles::new("/nowhere/chain.pem", "/nowhere/key.pem");
    assert_eq!(ids(&files, "localhost"), ["https-certificate-file"; 2]);
}

#[test]
fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let made = made(&["localhost"], 5);
    let hosts = Hosts::new(["localhost"]).unwrap();
    let (certificates, _) = made.files.load(&hosts, NOW).unwrap();
    let renewed = self::made(&["localhost"], 80);
    assert!(
        renewed
            .files
            .reload(&certificates, &hosts, NOW)
            .unwrap()
            .is_empty()
    );
    assert_eq!(certificates.not_after(), Some(NOW + 80 * DAY));
    fs::write(&renewed.files.certificate, "rubbish").unwrap();
    assert!(renewed.files.reload(&certificates, &hosts, NOW).is_err());
    assert_eq!(certificates.not_after(), Some(NOW + 80 * DAY));
}

/// Visitors of each host would get a warning, whether the host is the first in the certificate or not.
#[test]
fn a_certificate_that_lacks_one_of_several_hosts_is_refused() {
    let made = made(&["a.example", "b.example"], 60);
    for (hosts, missing) in [
        (&["a.example", "b.example"][..], None),
        (&["a.example", "c.example"], Some("c.example")),
        (&["c.example", "a.example"], Some("c.example")),
        (
            &["a.example", "b.example", "evil.a.example"],
            Some("evil.a.example"),
        ),
    ] {
        let loaded = made.files.load(&Hosts::new(hosts).unwrap(), NOW);
        let found = loaded.err().unwrap_or_default();
        let ids: Vec<&str> = found.iter().map(|finding| finding.id).collect();
        let wanted: &[&str] = if missing.is_some() {
            &["https-certificate-name"]
        } else {
            &[]
        };
        assert_eq!(ids, wanted, "{hosts:?}");
        if let Some(missing) = missing {
            assert!(
                found[0]
                    .title
                    .ends_with(&format!("does not name {missing}"))
            );
        }
    }
}
