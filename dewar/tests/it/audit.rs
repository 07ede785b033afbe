//! `audit`: an unsafe application does not start, and what happened cannot be unsaid.

use std::fs;

use super::site::{Site, sign_in};
use dewar::audit::{Log, Settings};
use dewar::secrets::KeyRing;

#[test]
fn every_wrong_setting_is_told_at_once_with_its_fix() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = Settings::read(
        None,
        [
            set("DEWAR_SESSIONS_IDLE", "soon"),
            set("DEWAR_SESSIONS_LIFTIME", "8h"),
        ],
    );
    // A value that cannot be leaves the default standing.
    assert_eq!(
        dewar::sessions::Config::read(&settings)
            .limits
            .idle
            .as_secs(),
        30 * 60
    );
    let findings = settings.finish();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.refuses_launch));
    assert!(
        findings
            .iter()
            .any(|finding| finding.fix.contains("DEWAR_SESSIONS_LIFETIME"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_changed_is_found() {
    let site = Site::open().await;
    sign_in(
        &site.visitor,
        "nobody@example.org",
        "not the right password",
    )
    .await;
    let file = site.data.path().join("audit.jsonl");
    site.running.stop().await.unwrap();
    let ring = KeyRing::open_or_create(
        &site.data.path().join("keys"),
        dewar::audit::Mode::Development,
    )
    .unwrap();
    assert!(Log::verify_file(&file, ring.chain_keys()).is_ok());
    let log = fs::read_to_string(&file).unwrap();
    assert!(log.contains("authn_login_fail"), "{log}");
    fs::write(
        &file,
        log.replace("authn_login_fail", "authn_login_success"),
    )
    .unwrap();
    assert!(Log::verify_file(&file, ring.chain_keys()).is_err());
}
