//! Sources of keys: what the operator may provide, and what Dewar refuses from anybody.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use data_encoding::BASE64;
use dewar::secrets::KeyRing;

use super::{check, program};
use crate::company::Portal;

fn allow(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

/// The key of a file, in its spelling there.
fn spelled(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let (_, key) = text.split_once("\nkey = \"").unwrap();
    key.split('"').next().unwrap().to_owned()
}

/// Only the group of a mounted secret may read it; Dewar does not create a missing file.
///
/// ASVS: V13.3.1, V13.3.2
#[tokio::test]
async fn a_key_that_was_handed_over_for_everybody_to_read_forbids_the_launch() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("keys.toml");
    fs::rename(portal.data.path().join("keys/keys.toml"), &file).unwrap();
    let named = [("DEWAR_SECRETS_FILE", file.to_str().unwrap())];
    for (mode, good) in [
        (0o440, true),
        (0o400, true),
        (0o444, false),
        (0o644, false),
        (0o660, false),
    ] {
        allow(&file, mode);
        let (starts, said) = check(portal.data.path(), &named);
        assert_eq!(starts, good, "{mode:o}: {said}");
        assert_eq!(said.contains("secrets-exposed"), !good, "{said}");
        assert!(
            !said.contains(&spelled(&file)),
            "the key is printed: {said}"
        );
    }
    fs::remove_file(&file).unwrap();
    for mode in ["development", "production"] {
        let (starts, said) = check(portal.data.path(), &[named[0], ("DEWAR_MODE", mode)]);
        assert!(
            !starts && said.contains("secrets-missing"),
            "{mode}: {said}"
        );
        assert!(!file.exists());
    }
}

/// Processes inherit the environment, and it is printed and stored in crash reports (CWE-526). Dewar does not accept a key there,
/// not even by mistake, and does not repeat it.
///
/// ASVS: V13.3.1, V13.4.7
#[tokio::test]
async fn a_key_in_the_environment_forbids_the_launch_and_is_not_repeated() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let data = portal.data.path();
    let (starts, said) = check(data, &[]);
    assert!(starts, "{said}");
    let key = BASE64.encode(&dewar::secrets::random::<32>());
    for variable in [
        "DEWAR_SECRETS_KEY",
        "DEWAR_SECRET_KEY",
        "SECRET_KEY",
        "SECRET_KEY_BASE",
        "DEWAR_SECRETS_FILE",
    ] {
        let (starts, said) = check(data, &[(variable, &key)]);
        assert!(
            !starts && said.contains("secrets-environment"),
            "{variable}: {said}"
        );
        assert!(said.contains("keys new") && !said.contains(&key), "{said}");
        // A command does not continue with it either.
        let (done, said) = program(data, &["keys", "rotate"], &[(variable, &key)]);
        assert!(!done && !said.contains(&key), "{variable}: {said}");
    }
    assert_eq!(KeyRing::list(&data.join("keys")).unwrap().len(), 1);
}

/// A key that is lost at the next start is a new key for each process: nothing that it signed or sealed outlives it.
///
/// ASVS: V13.3.1, V13.3.4
#[tokio::test]
async fn a_key_that_is_lost_at_the_next_start_forbids_the_launch() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let memory = Path::new("/dev/shm");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if !mounts
        .lines()
        .any(|line| line.contains(" /dev/shm ") && line.contains(" - tmpfs "))
    {
        let deciding = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!deciding, "/dev/shm is no tmpfs here");
        // Written past the test harness, which keeps the output of a passing test.
        writeln!(
            std::io::stderr(),
            "\n*** SKIPPED: /dev/shm is no tmpfs here ***\n"
        )
        .unwrap();
        return;
    }
    let lost = tempfile::tempdir_in(memory).unwrap();
    let data = lost.path().join("data");
    let copy = || {
        let copied = std::process::Command::new("cp")
            .arg("-aT")
            .args([portal.data.path(), &data])
            .status();
        copied.unwrap().success()
    };
    // SQLite removes its own files a moment after the stop, perhaps during the copy.
    assert!((0..5).any(|_| copy()));
    let (starts, said) = check(portal.data.path(), &[]);
    assert!(starts, "{said}");
    let (starts, said) = check(&data, &[]);
    assert!(
        !starts && said.contains("secrets-lost-at-restart"),
        "{said}"
    );
    // A secret that the platform mounts lies in memory too, and is there again at the next start.
    let named = portal.data.path().join("keys/keys.toml");
    let (starts, said) = check(&data, &[("DEWAR_SECRETS_FILE", named.to_str().unwrap())]);
    assert!(starts, "{said}");
}

/// The commands work on the file that the program reads, and say what to do if that is a copy.
///
/// ASVS: V13.3.4, V11.1.1
#[tokio::test]
async fn a_copy_of_the_keys_is_not_rotated_behind_the_back_of_the_original() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let data = portal.data.path();
    let own = KeyRing::list(&data.join("keys")).unwrap()[0].id.clone();
    let credentials = tempfile::tempdir().unwrap();
    KeyRing::create(&data.join("other")).unwrap();
    let handed = credentials.path().join("dewar-keys");
    fs::rename(data.join("other/keys.toml"), &handed).unwrap();
    allow(&handed, 0o440);
    let systemd = [(
        "CREDENTIALS_DIRECTORY",
        credentials.path().to_str().unwrap(),
    )];
    let (done, listed) = program(data, &["keys", "list"], &systemd);
    assert!(done && !listed.contains(&own), "{listed}");
    let before = fs::read(&handed).unwrap();
    let (done, said) = program(data, &["keys", "rotate"], &systemd);
    assert!(!done && said.contains("LoadCredential="), "{said}");
    assert_eq!(fs::read(&handed).unwrap(), before);
    // The same command works on the original.
    let original = [("DEWAR_SECRETS_FILE", handed.to_str().unwrap())];
    let (done, said) = program(data, &["keys", "rotate"], &original);
    assert!(done && said.contains("No restart"), "{said}");
    let (_, json) = program(data, &["keys", "list", "--json"], &original);
    let keys: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(keys.as_array().unwrap().len(), 2, "{json}");
    let (_, listed) = program(data, &["keys", "list"], &original);
    assert!(
        listed.contains("pre-active") && listed.starts_with("KEY "),
        "{listed}"
    );
}

/// The uses of each algorithm, for somebody who plans its replacement; and nothing that opens anything.
///
/// ASVS: V11.1.2, V11.1.3, V11.1.4
#[tokio::test]
async fn the_inventory_names_every_algorithm_and_shows_no_key() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let data = portal.data.path();
    let file = data.join("keys/keys.toml");
    let (done, json) = program(data, &["keys", "inventory", "--json"], &[]);
    assert!(done, "{json}");
    let all: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(all["source"]["mode"], "0600");
    assert_eq!(all["keys"][0]["state"], "active");
    assert_eq!(all["sealed_columns"][0], "profiles.telephone");
    let (done, text) = program(data, &["keys", "inventory"], &[]);
    assert!(done, "{text}");
    for said in [&json, &text] {
        for name in [
            "X25519MLKEM768",
            "TLS13_AES_256_GCM_SHA384",
            "Argon2id",
            "AES-256-GCM-SIV",
            "HMAC-SHA256",
            "dewar:column",
            "localhost.pem",
            "ECDSA",
            "aws-lc-rs ",
        ] {
            assert!(said.contains(name), "{name} is missing: {said}");
        }
        assert!(!said.contains(&spelled(&file)));
    }
    let entries = all["cryptography"].as_array().unwrap();
    assert!(entries.len() > 25);
    for entry in entries {
        for field in ["algorithm", "used_for", "after_quantum"] {
            assert_ne!(entry[field], "", "{entry}");
        }
    }
}
