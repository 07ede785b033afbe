use super::*;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::UnixTime;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const NOW: i64 = 1_800_000_000;

fn hosts(names: &[&str]) -> Hosts {
    Hosts::new(names).unwrap()
}

fn saved(authority: &LocalAuthority) -> Vec<u8> {
    fs::read(authority.directory.join("localhost.pem")).unwrap()
}

fn trusted(authority: &LocalAuthority, leaf: &CertificateDer<'_>, name: &str) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(provider()));
    let moment = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(NOW).unwrap()));
    let name = ServerName::try_from(name).unwrap();
    verifier
        .build()
        .unwrap()
        .verify_server_cert(leaf, &[], &name, &[], moment)
        .is_ok()
}

#[test]
fn a_client_that_trusts_the_authority_trusts_local_names_and_no_other() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    let key = authority
        .leaf(&hosts(&["portal.localhost", "localhost"]), NOW)
        .unwrap();
    let leaf = key.end_entity_cert().unwrap();
    for name in ["localhost", "portal.localhost", "127.0.0.1", "::1"] {
        assert!(trusted(&authority, leaf, name), "{name}");
    }
    assert!(!trusted(&authority, leaf, "example.org"));
}

#[test]
fn a_stolen_authority_cannot_vouch_for_a_foreign_name() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    for name in ["bank.example", "8.8.8.8", "notlocalhost"] {
        let made = authority.make_leaf(vec![name.to_owned()], NOW).unwrap();
        assert!(
            !trusted(&authority, made.end_entity_cert().unwrap(), name),
            "{name}"
        );
    }
    let refused = authority.certificates(&hosts(&["bank.example"]), NOW);
    assert!(matches!(refused, Err(Error::NotLocal(name)) if name == "bank.example"));
}

#[test]
fn the_authority_and_its_leaf_are_kept_and_renewed_in_time() {
    let data = tempfile::tempdir().unwrap();
    let first = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    first.certificates(&hosts(&["localhost"]), NOW).unwrap();
    let leaf = saved(&first);
    let again = LocalAuthority::open_or_create(data.path(), NOW + 50 * DAY).unwrap();
    assert_eq!(again.certificate(), first.certificate());
    again
        .certificates(&hosts(&["localhost"]), NOW + 50 * DAY)
        .unwrap();
    assert_eq!(saved(&again), leaf);
    again
        .certificates(&hosts(&["localhost"]), NOW + 61 * DAY)
        .unwrap();
    let renewed = saved(&again);
    assert_ne!(renewed, leaf);
    again
        .certificates(&hosts(&["portal.test"]), NOW + 61 * DAY)
        .unwrap();
    assert_ne!(saved(&again), renewed);
}

/// To the second: a month before its end Dewar makes another, and also if the clock went back.
#[test]
fn a_leaf_that_was_saved_is_used_between_its_dates() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    let names = vec!["localhost".to_owned()];
    assert!(authority.saved_leaf(&names, NOW).is_none(), "none was made");
    authority.make_leaf(names.clone(), NOW).unwrap();
    let renewed_from = NOW + (LEAF_DAYS - RENEW_DAYS) * DAY;
    for (now, used) in [
        (NOW - EARLY_SECONDS - 1, false),
        (NOW - EARLY_SECONDS, true),
        (renewed_from, true),
        (renewed_from + 1, false),
    ] {
        let saved = authority.saved_leaf(&names, now);
        assert_eq!(saved.is_some(), used, "{} s later", now - NOW);
    }
    let other = ["localhost".to_owned(), "portal.localhost".to_owned()];
    assert!(authority.saved_leaf(&other, NOW).is_none());
}

#[test]
fn an_authority_near_its_end_is_replaced_and_so_is_its_leaf() {
    let data = tempfile::tempdir().unwrap();
    let first = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    let late = NOW + (AUTHORITY_DAYS - 80) * DAY;
    first.certificates(&hosts(&[]), late).unwrap();
    let second = LocalAuthority::open_or_create(data.path(), late).unwrap();
    assert_ne!(second.certificate(), first.certificate());
    assert!(second.saved_leaf(&["localhost".to_owned()], late).is_none());
}

/// A server that runs for months keeps a valid certificate.
#[test]
fn a_certificate_in_use_is_renewed_before_its_end() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    let hosts = hosts(&["localhost"]);
    let in_use = authority.certificates(&hosts, NOW).unwrap();
    for (days, ends_after) in [(0, LEAF_DAYS), (1, LEAF_DAYS), (70, 70 + LEAF_DAYS)] {
        authority.renew(&in_use, &hosts, NOW + days * DAY).unwrap();
        assert_eq!(in_use.not_after(), Some(NOW + ends_after * DAY), "{days}");
    }
}

#[test]
fn nobody_else_can_read_the_keys() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open_or_create(data.path(), NOW).unwrap();
    authority.certificates(&hosts(&[]), NOW).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&authority.directory), 0o700);
    for name in ["authority.key", "localhost.key"] {
        assert_eq!(mode(&authority.directory.join(name)), 0o600, "{name}");
    }
}
