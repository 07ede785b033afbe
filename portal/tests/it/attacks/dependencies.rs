//! `dependencies`: the program knows its parts, and they are what was published.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dewar::App;
use dewar::dependencies::Parts;

const LOCK: &str = include_str!("../../../../Cargo.lock");

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// ASVS: V15.2.4
#[test]
fn every_part_comes_from_a_registry_with_a_checksum() {
    let parts = Parts::of_lock_file(LOCK).unwrap();
    assert!(parts.list().len() > 100);
    assert_eq!(parts.findings().len(), 0, "{:?}", parts.findings());
}

/// A part that somebody slipped in from another place.
///
/// ASVS: V15.2.4
#[test]
fn a_part_from_elsewhere_is_found() {
    for source in [
        "git+https://evil.example/serde#abc",
        "https://evil.example/serde",
    ] {
        let lock = format!(
            "{LOCK}\n[[package]]\nname = \"serde_evil\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n"
        );
        let findings = Parts::of_lock_file(&lock).unwrap().findings();
        assert!(
            findings
                .iter()
                .any(|finding| finding.title.contains("serde_evil")),
            "{source}"
        );
    }
}

/// A part whose content somebody exchanged has no checksum that agrees, so it had to go.
///
/// ASVS: V15.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_part_without_its_checksum_forbids_the_launch() {
    let line = LOCK
        .lines()
        .find(|line| line.starts_with("checksum"))
        .unwrap();
    let doctored: &'static str = Box::leak(LOCK.replacen(line, "", 1).into_boxed_str());
    let data = tempfile::tempdir().unwrap();
    let app = portal::app(App::in_directory(&data).unwrap()).lock_file(doctored);
    assert!(format!("{:?}", app.start().await.unwrap_err()).contains("dependencies-no-checksum"));
}

/// ASVS: V15.1.2
#[test]
fn the_binary_names_the_parts_it_was_built_from() {
    let told = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["dependencies", "--json"])
        .output()
        .unwrap();
    let told: Vec<serde_json::Value> = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told.len(), Parts::of_lock_file(LOCK).unwrap().list().len());
}

/// One cryptography library, and no unsafe code of our own.
///
/// ASVS: V15.2.5
#[test]
fn nothing_unwanted_is_built() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--workspace",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("aws-lc-rs "));
    for unwanted in ["ring ", "openssl-sys ", "native-tls "] {
        assert!(
            !tree.lines().any(|line| line.starts_with(unwanted)),
            "{unwanted}"
        );
    }
    let lints = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    assert!(lints.contains("unsafe_code = \"forbid\""));
}
