//! `dependencies`: the binary knows its own dependencies.

use dewar::App;

use super::site::{self, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_know_its_parts_says_so() {
    let site = Site::open().await;
    let ids: Vec<_> = site
        .running
        .findings()
        .iter()
        .map(|finding| finding.id)
        .collect();
    assert!(ids.contains(&"dependencies-unknown"), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_without_a_checksum_forbids_the_launch() {
    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.example\"";
    let data = tempfile::tempdir().unwrap();
    let app = site::app(App::in_directory(&data).unwrap()).lock_file(LOCK);
    let refused = app.start().await.unwrap_err();
    assert!(
        format!("{refused:?}").contains("dependencies-no-checksum"),
        "{refused:?}"
    );
}

/// Each crate packs completely and has its metadata.
#[test]
#[expect(clippy::disallowed_types, reason = "cargo is the one that packs")]
fn both_crates_are_ready_to_be_packaged() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    let target = tempfile::tempdir().unwrap();
    let packed = std::process::Command::new(env!("CARGO"))
        .args([
            "package",
            "--no-verify",
            "--offline",
            "--allow-dirty",
            "--quiet",
        ])
        .args(["-p", "dewar-macros", "-p", "dewar", "--target-dir"])
        .arg(target.path())
        .current_dir(root)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&packed.stderr);
    assert!(packed.status.success(), "{told}");
    for name in ["dewar", "dewar-macros"] {
        let manifest = std::fs::read_to_string(root.join(name).join("Cargo.toml")).unwrap();
        for key in [
            "description",
            "readme",
            "keywords",
            "categories",
            "repository",
            "license",
        ] {
            assert!(manifest.contains(&format!("\n{key}")), "{name}: {key}");
        }
        assert!(root.join(name).join("README.md").is_file(), "{name}");
        let package = format!("package/{name}-{}.crate", env!("CARGO_PKG_VERSION"));
        assert!(target.path().join(package).is_file(), "{name}");
    }
}

/// Debug builds hash passwords in a tenth of the time with two lines, which cargo reads only from the application.
#[test]
fn the_tutorial_has_the_lines_that_make_sign_in_quick_in_development() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    for file in ["docs/tutorial.md", "Cargo.toml"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for name in ["argon2", "blake2"] {
            let lines = format!("[profile.dev.package.{name}]\nopt-level = 3\n");
            assert!(text.contains(&lines), "{file}: {name}");
        }
    }
}
