//! `secrets`: keys stay where they are, and nobody can make their signatures without them.

mod forged;
mod leaks;
mod sealed;
mod sources;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dewar::App;
use dewar::audit::Mode;
use dewar::secrets::{KeyRing, Purpose};

use crate::company::Portal;

/// The program's output for these arguments, with these variables beside its data directory.
fn program(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [told.stdout, told.stderr].concat();
    (told.status.success(), String::from_utf8(said).unwrap())
}

/// `check` in production, on a portal that has run in development and so has a certificate.
fn check(data: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let authority = data.join("local-authority");
    let (certificate, key) = (
        authority.join("localhost.pem"),
        authority.join("localhost.key"),
    );
    let production = [
        ("DEWAR_MODE", "production"),
        ("DEWAR_HTTPS_HOSTS", "localhost"),
        ("DEWAR_HTTPS_CERTIFICATE", certificate.to_str().unwrap()),
        ("DEWAR_HTTPS_KEY", key.to_str().unwrap()),
        ("DEWAR_MAIL_TRANSPORT", "none"),
    ];
    program(data, &["check"], &[&production, variables].concat())
}

/// Makes all keys of the file older than any activation delay.
fn age_keys(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let made = text.split("created = \"").nth(1).unwrap();
    let year: String = made.chars().take(4).collect();
    let older = (year.parse::<u32>().unwrap() - 1).to_string();
    let aged = text.replace(
        &format!("created = \"{year}"),
        &format!("created = \"{older}"),
    );
    fs::write(file, aged).unwrap();
}

async fn refused(data: &Path) -> String {
    let started = portal::app(App::in_directory(data).unwrap()).start().await;
    format!("{:?}", started.err())
}

/// After a leaked key is revoked, its signatures are worth nothing; the current key cannot be revoked by mistake.
///
/// ASVS: V11.2.2, V13.3.4
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_leaked_is_revoked_by_a_command() {
    let portal = Portal::open().await;
    let purpose = Purpose::Application("test");
    let token = portal
        .running
        .dewar()
        .keys()
        .sign(purpose, b"yes", i64::MAX);
    let leaked = portal.running.dewar().keys().current_id().to_owned();
    portal.running.stop().await.unwrap();
    let data = portal.data.path();
    let keys = |arguments: &[&str]| program(data, &[&["keys"], arguments].concat(), &[]);
    let (done, said) = keys(&["revoke", &leaked]);
    assert!(!done && said.contains("keys rotate"), "{said}");
    assert!(keys(&["rotate"]).0);
    let (done, said) = keys(&["revoke", "nobody"]);
    assert!(!done && said.contains("keys list"), "{said}");
    let (done, said) = keys(&["revoke", &leaked]);
    assert!(done && said.contains("is revoked"), "{said}");
    let ring = KeyRing::open_or_create(&portal.data.path().join("keys"), Mode::Production).unwrap();
    assert!(ring.verify(purpose, &token, 0).is_err());
    assert_ne!(ring.current_id(), leaked);
}

/// ASVS: V13.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_others_can_read_or_change_forbids_the_launch() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let file = portal.data.path().join("keys/keys.toml");
    assert_eq!(refused(portal.data.path()).await, "None");
    for mode in [0o644, 0o640, 0o606] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            refused(portal.data.path()).await.contains("chmod"),
            "{mode:o}"
        );
    }
}

/// ASVS: V11.3.3, V11.2.5
#[test]
fn what_was_sealed_or_signed_cannot_be_altered_or_used_for_something_else() {
    let ring = KeyRing::ephemeral();
    let here = Purpose::Application("here");
    let sealed = ring.seal(here, b"ada", b"secret").unwrap();
    assert_eq!(
        ring.open(here, b"ada", &sealed).unwrap().as_slice(),
        b"secret"
    );
    assert!(ring.open(here, b"eve", &sealed).is_err());
    assert!(
        ring.open(Purpose::Application("there"), b"ada", &sealed)
            .is_err()
    );
    for at in 0..sealed.len() {
        let mut altered = sealed.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(ring.open(here, b"ada", &altered).is_err(), "{at}");
    }
    let signed = ring.sign(here, b"ada", 100);
    assert!(ring.verify(here, &signed, 99).is_ok());
    assert!(ring.verify(here, &signed, 101).is_err());
    assert!(KeyRing::ephemeral().verify(here, &signed, 99).is_err());
}

/// ASVS: V11.1.1, V7.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_logs_nobody_out() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let page = ada.get("/documents").await;
    let data = portal.data;
    portal.running.stop().await.unwrap();
    KeyRing::rotate(&data.path().join("keys")).unwrap();
    let running = portal::app(App::in_directory(&data).unwrap())
        .start()
        .await
        .unwrap();
    let ada = ada.connecting_to(running.https());
    assert_eq!(ada.get("/documents").await.status(), 200);
    let old_token = page
        .form("/sign-out")
        .value("csrf_token")
        .unwrap()
        .to_owned();
    let request = ada
        .raw("POST", "/sign-out")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(
        request
            .form(&format!("csrf_token={old_token}"))
            .send()
            .await
            .unwrap()
            .status(),
        303
    );
}

/// ASVS: V13.4.7, V14.2.1
#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_in_an_answer_the_log_or_the_database() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let text = fs::read_to_string(portal.data.path().join("keys/keys.toml")).unwrap();
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("key"))
        .unwrap();
    let key = line.split('"').nth(1).unwrap();
    assert!(key.len() >= 40, "{line}");
    for path in ["/", "/documents", "/account", "/nothing", "/static/nothing"] {
        assert!(!ada.get(path).await.text().contains(key), "{path}");
    }
    assert!(!portal.log().await.contains(key));
    let database = fs::read(portal.data.path().join("database.sqlite")).unwrap();
    assert!(
        !database
            .windows(key.len())
            .any(|window| window == key.as_bytes())
    );
}
