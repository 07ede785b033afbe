//! `dependencies`: the program knows its crates, and they are the published ones.

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

/// A crate from another source.
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

/// The checksum does not match an exchanged crate, so the attacker removed it.
///
/// ASVS: V15.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_part_without_its_checksum_forbids_the_launch() {
    const DOCTORED: &str = "[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n\
        source = \"registry+https://index.example\"\n";
    let data = tempfile::tempdir().unwrap();
    let app = portal::app(App::in_directory(&data).unwrap()).lock_file(DOCTORED);
    assert!(format!("{:?}", app.start().await.unwrap_err()).contains("dependencies-no-checksum"));
}

/// Attacks by somebody who can write the lock file: each forbids the launch, and the unchanged lock file does not.
///
/// ASVS: V15.2.4
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "what a program carries is in it for good"
)]
async fn a_doctored_lock_file_forbids_the_launch() {
    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let part = |source: &str, sum: &str| {
        format!(
            "[[package]]\nname = \"slipped-in\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{sum}\"\n"
        )
    };
    let public = "registry+https://github.com/rust-lang/crates.io-index";
    let good = part(public, SUM);
    for (lock, id) in [
        (
            format!("{good}{}", part(public, &SUM.replace('0', "f"))),
            "dependencies-part-twice",
        ),
        (part(public, "0123"), "dependencies-no-checksum"),
        (
            part("sparse+https://index.crates.io.evil.example/", SUM),
            "dependencies-lookalike-registry",
        ),
        (
            part("registry+http://index.example/", SUM),
            "dependencies-registry-without-tls",
        ),
        ("[[package]\nname".to_owned(), "dependencies-unreadable"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("new");
        let lock: &'static str = Box::leak(lock.into_boxed_str());
        let app = portal::app(App::in_directory(&folder).unwrap()).lock_file(lock);
        let refused = format!("{:?}", app.start().await.unwrap_err());
        assert!(refused.contains(id), "{id}: {refused}");
        assert!(!folder.exists(), "{id}: nothing is made");
    }
    let data = tempfile::tempdir().unwrap();
    let good: &'static str = Box::leak(good.into_boxed_str());
    let app = portal::app(App::in_directory(&data).unwrap()).lock_file(good);
    app.start().await.unwrap().stop().await.unwrap();
}

/// A crate was exchanged, with its checksum in the lock file: cargo checks the registry's index, and builds nothing.
///
/// ASVS: V15.2.4
#[test]
fn an_altered_checksum_is_not_built() {
    let parts = Parts::of_lock_file(LOCK).unwrap();
    let part = parts
        .list()
        .iter()
        .find(|part| part.name == "cfg-if")
        .unwrap();
    let (version, sum) = (&part.version, part.checksum.as_deref().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    write("src/lib.rs", "");
    write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"victim\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\ncfg-if = \"={version}\"\n[workspace]\n"
        ),
    );
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"cfg-if\"\nversion = \"{version}\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{sum}\"\n\n\
         [[package]]\nname = \"victim\"\nversion = \"1.0.0\"\ndependencies = [\n \"cfg-if\",\n]\n"
    );
    let tree = |lock: &str| {
        write("Cargo.lock", lock);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["tree", "--offline", "--locked"])
            .current_dir(folder.path());
        let told = command.output().unwrap();
        (
            told.status.success(),
            String::from_utf8_lossy(&told.stderr).into_owned(),
        )
    };
    let (built, said) = tree(&lock);
    assert!(built, "{said}");
    let first = if sum.starts_with('0') { "1" } else { "0" };
    let altered = format!("{first}{}", sum.get(1..).unwrap());
    let (built, said) = tree(&lock.replace(sum, &altered));
    assert!(!built && said.contains("checksum"), "{said}");
}

/// ASVS: V15.1.2
#[test]
fn the_binary_names_the_parts_it_was_built_from() {
    let told = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["sbom", "--json"])
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["metadata"]["component"]["name"], "portal");
    let others = told["components"].as_array().unwrap().len();
    assert_eq!(1 + others, Parts::of_lock_file(LOCK).unwrap().list().len());
}

/// One cryptography library, and no unsafe code in the workspace.
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
