//! `secrets`: keys are made, kept and rotated.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dewar::App;
use dewar::secrets::{KeyRing, Purpose};

use super::site::{self, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_forbids_the_launch() {
    let site = Site::open().await;
    let file = site.data.path().join("keys/keys.toml");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    site.running.stop().await.unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = site::app(App::in_directory(&site.data).unwrap())
        .start()
        .await
        .unwrap_err();
    assert!(format!("{refused:?}").contains("chmod 600"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_before_a_rotation_stays_good() {
    let site = Site::open().await;
    let purpose = Purpose::Application("test");
    let token = site.running.dewar().keys().sign(purpose, b"yes", i64::MAX);
    let keys = site.data.path().join("keys");
    let before = site.running.dewar().keys().current_id();
    let rotated = KeyRing::rotate(&keys).unwrap();
    assert_ne!(rotated.id, before);
    let ring = KeyRing::open_or_create(&keys, dewar::audit::Mode::Production).unwrap();
    assert_eq!(ring.verify(purpose, &token, 0).unwrap(), b"yes");
    assert!(
        ring.verify(Purpose::Application("other"), &token, 0)
            .is_err()
    );
}
