//! `audit`: nobody can remove an event from the log unnoticed, and an unsafe portal does not start.

mod events;

use std::fs;
use std::process::{Command, Stdio};

use dewar::audit::{Clock, Entry, Event, Log, Mode};
use dewar::secrets::KeyRing;
use dewar::testing::wait_until;

use crate::company::{PASSWORD, Portal, document, hand_in, post, sign_in};

/// A stopped portal with some events; its log and the log's keys.
async fn stopped() -> (tempfile::TempDir, String, KeyRing) {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plan").await;
    sign_in(
        &portal.visitor(),
        "nobody@example.org",
        "not the password at all",
    )
    .await;
    let log = portal.log().await;
    portal.running.stop().await.unwrap();
    let ring =
        KeyRing::open_or_create(&portal.data.path().join("keys"), Mode::Development).unwrap();
    (portal.data, log, ring)
}

/// ASVS: V16.4.2
#[tokio::test(flavor = "multi_thread")]
async fn an_altered_removed_moved_or_cut_line_is_found() {
    let (data, _, ring) = stopped().await;
    let file = data.path().join("audit.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    let check = || Log::verify_file(&file, ring.chain_keys());
    check().unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert!(lines.len() >= 4, "{whole}");
    let altered = whole.replacen("authn_login_fail", "authn_login_pass", 1);
    let removed = [&lines[..1], &lines[2..]].concat().join("\n") + "\n";
    let mut moved = lines.clone();
    moved.swap(1, 2);
    let moved = moved.join("\n") + "\n";
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    let forged = format!("{whole}{}\n", lines[lines.len() - 1]);
    for (what, text) in [
        ("altered", altered),
        ("removed", removed),
        ("moved", moved),
        ("cut", cut),
        ("forged", forged),
    ] {
        fs::write(&file, text).unwrap();
        assert!(check().is_err(), "{what}");
    }
    fs::write(&file, whole).unwrap();
    check().unwrap();
}

/// ASVS: V16.3.1, V16.3.2, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn what_matters_for_security_is_in_the_log() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    sign_in(
        &portal.visitor(),
        "ada@example.org",
        "not the password at all",
    )
    .await;
    ada.get("/admin/users").await;
    post(
        &grace,
        "/admin/users/1/roles",
        "roles=member&roles=reviewer",
    )
    .await;
    hand_in(&ada, "Bad", "page.txt", b"<!doctype html><script>").await;
    ada.raw("POST", "/documents")
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    let log = portal.log().await;
    for event in [
        "authn_login_success",
        "authn_login_fail",
        "authz_fail",
        "authz_change",
        "upload_validation",
        "malicious_csrf",
        "session_created",
    ] {
        assert!(
            log.contains(&format!("\"event\":\"{event}\"")),
            "{event} is missing:\n{log}"
        );
    }
}

/// ASVS: V16.2.5, V14.1.1
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_log() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let cookie = ada.cookie("__Host-session").unwrap().value().to_owned();
    let token = crate::company::token(&ada).await;
    sign_in(
        &portal.visitor(),
        "ada@example.org",
        "a wrong guess at the password",
    )
    .await;
    let log = portal.log().await;
    for secret in [PASSWORD, "a wrong guess at the password", &cookie, &token] {
        assert!(!log.contains(secret), "{secret}");
    }
}

/// ASVS: V16.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_line_break_in_what_a_visitor_sends_stays_in_its_line() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let page = visitor.get("/sign-in").await;
    let hostile = "eve@example.org\r\n{\"seq\":1,\"event\":\"authn_login_success\"}";
    let form = page
        .form("/sign-in")
        .tamper("email", hostile)
        .fill("password", PASSWORD);
    visitor.submit(form).await;
    visitor
        .raw("POST", "/nothing%0d%0a%7b%22seq%22%3a1%7d")
        .send()
        .await
        .unwrap();
    for line in portal.log().await.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(entry["chain"].is_string(), "{line}");
        assert_ne!(entry["event"], "authn_login_success");
    }
}

/// ASVS: V16.4.2, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_read_the_log() {
    let portal = Portal::open().await;
    assert_eq!(
        portal
            .member("ada")
            .await
            .get("/admin/audit")
            .await
            .status(),
        403
    );
    assert_eq!(
        portal
            .person("rob", &["reviewer"])
            .await
            .get("/admin/audit")
            .await
            .status(),
        403
    );
    let grace = portal.administrator().await;
    // It is written after the responses.
    portal.running.dewar().log().flush().await;
    let page = grace.get("/admin/audit").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("authz_fail"));
}

/// ASVS: V13.1.1, V13.4.2
#[test]
fn every_broken_setting_is_told_at_once_and_forbids_the_launch() {
    let data = tempfile::tempdir().unwrap();
    let told = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["check", "--data"])
        .arg(data.path().join("new"))
        .env("DEWAR_SESSIONS_IDLE", "9 days")
        .env("DEWAR_SESSIONS_LIFTIME", "8h")
        .env("DEWAR_MODE", "production")
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(1));
    let text = String::from_utf8(told.stdout).unwrap();
    for part in [
        "sessions.idle",
        "DEWAR_SESSIONS_LIFETIME",
        "https.hosts",
        "https.certificate",
        "keys.toml",
        "mail",
    ] {
        assert!(
            text.to_lowercase().contains(&part.to_lowercase()),
            "{part} is not told of:\n{text}"
        );
    }
    assert!(
        !data.path().join("new").exists(),
        "nothing is made where the settings are wrong"
    );
}

/// An operator must edit the example before it serves anybody, and it says so at each value.
///
/// ASVS: V13.1.1
#[test]
fn the_example_of_production_settings_starts_nothing() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../prod.example.toml");
    let told = Command::new(env!("CARGO_BIN_EXE_portal"))
        .env("DEWAR_CONFIG", example)
        .output()
        .unwrap();
    assert!(!told.status.success());
    let text = String::from_utf8(told.stderr).unwrap();
    for part in [
        "/REPLACE-ME/keys/keys.toml",
        "https.hosts",
        "/REPLACE-ME.pem",
        "/REPLACE-ME.key",
        "accounts.sign_up",
        "mail.transport",
        "mail.from",
    ] {
        assert!(text.contains(part), "{part} is not told of:\n{text}");
        // Each appears once, and without findings that only follow from it.
        let titles = text.lines().filter(|line| line.starts_with("refused ("));
        let told: Vec<_> = titles.filter(|line| line.contains(part)).collect();
        assert_eq!(told.len(), 1, "{part}: {told:#?}");
    }
    assert!(text.contains("\n7 findings refuse"), "{text}");
    assert!(!text.contains("outbox"), "{text}");
}

/// The names of fields, and never the typed values.
///
/// ASVS: V16.3.3, V16.2.5
#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_refuses_is_in_the_log_without_what_was_typed() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let typed = "typed-by-somebody".repeat(9);
    let handed = hand_in(&ada, &typed, "typed-by-somebody.svg", b"<svg/>").await;
    assert_eq!(handed.status(), 422);
    let large = vec![b'x'; 20 * 1024 * 1024 + 1];
    let handed = hand_in(&ada, "Long", "long.txt", &large).await;
    assert_eq!(handed.status(), 413);
    let extra = post(&ada, "/account/password", "typed-by-nobody=1").await;
    assert_eq!(extra.status(), 400);
    let log = portal.log().await;
    let noted: Vec<(String, String, String)> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|entry| entry["path"] != "/sign-in")
        .filter(|entry| {
            ["input_validation_fail", "upload_validation"]
                .iter()
                .any(|event| entry["event"] == *event)
        })
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            (text("event"), text("subject"), text("detail"))
        })
        .collect();
    let noted: Vec<(&str, &str, &str)> = noted
        .iter()
        .map(|(event, subject, detail)| (event.as_str(), subject.as_str(), detail.as_str()))
        .collect();
    assert_eq!(
        noted,
        [
            (
                "upload_validation",
                "typed-by-somebody.svg",
                "active_extension"
            ),
            ("input_validation_fail", "", "title"),
            ("upload_validation", "long.txt", "too_large"),
        ],
        "{log}"
    );
    assert!(
        log.contains("malicious_extraneous") && !log.contains(&typed),
        "{log}"
    );
}

/// The part of the killed process; without its variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below, in a process of its own"]
async fn writes_without_end() {
    let Some(file) = std::env::var_os("KILLED_LOG") else {
        return;
    };
    let log = Log::open(file, [7; 32], Clock::system()).unwrap();
    loop {
        for _ in 0..100 {
            log.record(Entry::new(Event::SessionCreated).detail("x".repeat(900)));
        }
        log.flush().await;
    }
}

/// ASVS: V16.4.2, V16.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_killed_while_it_was_written_goes_on_whole() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("audit.jsonl");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "attacks::audit::writes_without_end"])
        .env("KILLED_LOG", &file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let size = || fs::metadata(&file).map_or(0, |file| file.len());
    wait_until("it is under way", async || size() > 512 * 1024).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(size() > 512 * 1024, "it was really under way: {}", size());
    // If the kill fell between two lines, the test tears the last one, as a power cut would.
    let whole = fs::read(&file).unwrap();
    if whole.ends_with(b"\n") {
        let torn = [whole.as_slice(), b"{\"seq\":99999,\"time\":\"2026"].concat();
        fs::write(&file, torn).unwrap();
    }
    let log = Log::open(&file, [7; 32], Clock::system()).unwrap();
    log.record(Entry::new(Event::SysStartup));
    log.flush().await;
    let verified = log.verify().await.unwrap();
    assert!(verified.entries > 100, "{}", verified.entries);
    let noted = verified
        .remarks
        .iter()
        .any(|remark| remark.event == "sys_crash");
    assert!(noted, "{:?}", verified.remarks);
    assert!(
        fs::metadata(data.path().join("audit.jsonl.torn"))
            .unwrap()
            .len()
            > 0
    );
}

/// The operators' command finds what `Log::verify` finds, and its exit status shows it.
///
/// ASVS: V16.4.2
#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_a_changed_log_from_a_whole_one() {
    let (data, log, _) = stopped().await;
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
        let command = command.args(["audit", "verify", "--data"]).arg(data.path());
        command.current_dir(data.path()).output().unwrap()
    };
    let whole = verify();
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stderr)
    );
    let changed = log.replacen("authn_login_fail", "authn_login_pass", 1);
    assert_ne!(changed, log);
    fs::write(data.path().join("audit.jsonl"), changed).unwrap();
    let found = verify();
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&found.stderr).contains("broken at line"));
}
