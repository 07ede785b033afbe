use super::*;
use std::net::SocketAddr;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

fn settings(file: &str, env: &[(&str, &str)]) -> Settings {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dewar.toml");
    std::fs::write(&path, file).unwrap();
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::read(Some(&path), env)
}

#[test]
fn every_kind_of_value_is_read() {
    let settings = settings(
        "mode = \"production\"\n[https]\nlisten = \"[::1]:443\"\nhosts = [\"a.example\", \"b.example\"]\n\
         [uploads]\nmax = \"10MiB\"\nscan = true\nparallel = 4\n[billing]\nnote = \"hello\"",
        &[],
    );
    assert_eq!(
        crate::audit::Mode::read(&settings),
        crate::audit::Mode::Production
    );
    let https = settings.section("https");
    let default: SocketAddr = "127.0.0.1:8443".parse().unwrap();
    assert_eq!(https.address("listen", default).to_string(), "[::1]:443");
    assert_eq!(https.list("hosts", &[]), ["a.example", "b.example"]);
    let uploads = settings.section("uploads");
    assert_eq!(uploads.bytes("max", 1, 0..=1 << 30), 10 << 20);
    assert!(uploads.flag("scan", false));
    assert_eq!(uploads.integer("parallel", 1, 1..=64), 4);
    assert_eq!(
        settings.section("billing").optional_text("note").as_deref(),
        Some("hello")
    );
    assert_eq!(settings.finish(), []);
}

#[test]
fn the_environment_wins_over_the_file() {
    let settings = settings(
        "[sessions]\nidle = \"1h\"",
        &[("DEWAR_SESSIONS_IDLE", "30m"), ("HOME", "/")],
    );
    let idle = settings
        .section("sessions")
        .duration("idle", DAY, Duration::ZERO..=DAY);
    assert_eq!(idle, HOUR / 2);
    assert_eq!(settings.finish(), []);
}

#[test]
fn every_bad_value_is_reported_with_its_place_and_what_is_right() {
    let settings = settings(
        "[sessions]\nidle = \"30\"\nabsolute = \"90d\"\n[uploads]\nmax = 10\n",
        &[("DEWAR_UPLOADS_SCAN", "yes")],
    );
    let sessions = settings.section("sessions");
    assert_eq!(sessions.duration("idle", HOUR, Duration::ZERO..=DAY), HOUR);
    assert_eq!(
        sessions.duration("absolute", DAY, Duration::ZERO..=DAY),
        DAY
    );
    assert_eq!(settings.section("uploads").bytes("max", 7, 0..=9), 7);
    assert!(!settings.section("uploads").flag("scan", false));
    let findings = settings.finish();
    let titles: Vec<&str> = findings
        .iter()
        .map(|finding| finding.title.as_str())
        .collect();
    assert!(titles[0].starts_with("sessions.idle cannot be \"30\" ("));
    assert!(titles[0].ends_with("dewar.toml, line 2)"));
    assert!(titles[1].contains("sessions.absolute cannot be \"90d\""));
    assert!(titles[2].starts_with("uploads.max cannot be 10 ("));
    assert_eq!(
        titles[3],
        "uploads.scan cannot be \"yes\" (environment, DEWAR_UPLOADS_SCAN)"
    );
    assert_eq!(
        findings[0].fix,
        "Write a duration from 0s to 1d, such as \"1h\"."
    );
    assert_eq!(findings[0].word, Practice::Sessions);
    assert!(findings.iter().all(|finding| finding.refuses_launch));
}

/// Dewar reported "invalid float" for `name = portal`.
#[test]
fn a_text_without_quotes_is_shown_with_them() {
    for (line, fix) in [
        (
            "name = portal",
            "Put the text into quotes: name = \"portal\"",
        ),
        ("idle = 30m", "Put the text into quotes: idle = \"30m\""),
        (
            "mode=production # for now",
            "Put the text into quotes: mode = \"production\"",
        ),
        (
            "data = /var/lib/portal",
            "Put the text into quotes: data = \"/var/lib/portal\"",
        ),
        (
            "https.address = 127.0.0.1:8443",
            "Put the text into quotes: https.address = \"…\"",
        ),
        // The message does not repeat a possible secret in the wrong place.
        (
            "password = hunter2x",
            "Put the text into quotes: password = \"…\"",
        ),
        (
            "url = smtps://me:hunter2x@mail",
            "Put the text into quotes: url = \"…\"",
        ),
        (
            "smtp_pw = hunter2x",
            "Put the text into quotes: smtp_pw = \"…\"",
        ),
        (
            "transport = hunter2x",
            "Put the text into quotes: transport = \"…\"",
        ),
    ] {
        let findings = settings(&format!("[a]\nb = 1\n[c]\n{line}\n"), &[]).finish();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].fix, fix);
        assert!(findings[0].title.ends_with("line 4)"), "{findings:?}");
        assert!(
            !format!("{findings:?}").contains("hunter2x"),
            "{findings:?}"
        );
    }
    for line in [
        "hosts = [a.example]",
        "name = \"portal",
        "name",
        "a b = c",
        "= c",
    ] {
        let findings = settings(line, &[]).finish();
        assert!(
            findings[0].fix.starts_with("Write it as TOML: "),
            "{findings:?}"
        );
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    let settings = settings(
        "mdoe = \"production\"\n[sessions]\nidel = \"1h\"\n[session]\nidle = \"1h\"",
        &[("DEWAR_SESSIONS_IDEL", "1h"), ("DEWAR_CONFIG", "x")],
    );
    assert_eq!(
        crate::audit::Mode::read(&settings),
        crate::audit::Mode::Development
    );
    assert_eq!(
        settings
            .section("sessions")
            .duration("idle", DAY, HOUR..=DAY),
        DAY
    );
    let findings = settings.finish();
    let fixes: Vec<&str> = findings
        .iter()
        .map(|finding| finding.fix.as_str())
        .collect();
    assert_eq!(
        fixes,
        [
            "Did you mean mode?",
            "Did you mean sessions?",
            "Did you mean sessions.idle?",
            "Did you mean sessions.idle?",
            "Did you mean DEWAR_SESSIONS_IDLE?"
        ]
    );
    assert!(
        findings[3].title.ends_with("line 3)"),
        "{}",
        findings[3].title
    );
}

/// An operator who updates learns the new name, and the application does not start with half of the old limits.
#[test]
fn an_old_name_is_refused_with_the_new_one() {
    let settings = settings(
        "[sessions]\nmost = 3\n",
        &[
            ("DEWAR_SESSIONS_RECENT", "1h"),
            ("DEWAR_MAIL_AUTHORITY", "x"),
        ],
    );
    let section = settings.section("sessions");
    assert_eq!(section.integer("max_per_user", 10, 1..=100), 10);
    assert_eq!(section.duration("reauth_timeout", HOUR, HOUR..=DAY), HOUR);
    let findings = settings.finish();
    let told = findings
        .iter()
        .map(|it| (it.id, it.title.as_str(), it.fix.as_str()));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 3, "{told:?}");
    let (id, title, fix) = told[0];
    assert_eq!(id, "settings-renamed");
    assert!(
        title.starts_with("sessions.most is named sessions.max_per_user now ("),
        "{title}"
    );
    assert!(title.ends_with("line 2)"), "{title}");
    assert_eq!(
        fix,
        "Write sessions.max_per_user instead; the value stays as it is."
    );
    // No room reads a section of mail, so the new name is unknown.
    assert_eq!(told[1].0, "settings-unknown", "{told:?}");
    assert!(
        told[2].2.contains("DEWAR_SESSIONS_REAUTH_TIMEOUT"),
        "{told:?}"
    );
    assert!(findings.iter().all(|finding| finding.refuses_launch));
}

#[test]
fn a_settings_file_is_read_up_to_a_mebibyte() {
    for (bytes, ids) in [(1 << 20, &[][..]), ((1 << 20) + 1, &["settings-file"])] {
        let file = format!("#{}", "x".repeat(bytes - 1));
        let findings = settings(&file, &[]).finish();
        let found: Vec<&str> = findings.iter().map(|finding| finding.id).collect();
        assert_eq!(found, ids, "{bytes}");
    }
}

/// A value may be a password in the wrong place.
///
/// ASVS: V16.2.5
#[test]
fn what_a_developer_prints_of_a_flag_is_its_name() {
    let flag = Flag {
        name: "--https",
        setting: "https.address",
        value: "hunter2".to_owned(),
    };
    let printed = format!("{flag:?}");
    assert!(printed.contains("--https"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn a_section_nobody_asks_for_is_refused_even_when_empty() {
    let settings = settings("[colours]\n", &[]);
    let findings = settings.finish();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].title.starts_with("[colours] is not a section"));
}

#[test]
fn what_follows_from_an_error_of_syntax_is_not_reported_beside_it() {
    for (file, line) in [
        ("a = \npassword = hunter2\n[x\n", "line 1"),
        (
            "mode = \"production\"\n[https\nhosts = [\"hunter2\"]\n",
            "line 2",
        ),
        ("name = \"hunter2\n[https]\nhosts = [\"a\"]\n", "line 1"),
        (
            "[https]\nhosts = [\"hunter2\"\n[accounts]\nsign_up = \"open\"\n",
            "line",
        ),
        ("mode production\nhunter2\n", "line 1"),
    ] {
        let env = [("DEWAR_SESSIONS_IDEL", "1h"), ("DEWAR_MODE", "live")];
        let settings = settings(file, &env);
        let _refused = crate::audit::Mode::read(&settings);
        let https = settings.section("https");
        https.refuse("hosts", "a host");
        let findings = settings.finish();
        let ids: Vec<_> = findings.iter().map(|finding| finding.id).collect();
        assert_eq!(ids, ["settings-file"], "{file}: {findings:?}");
        assert!(findings[0].title.contains(line), "{}", findings[0].title);
        assert!(!super::super::report(&findings).contains("hunter2"));
    }
}

#[test]
fn a_wrong_flag_is_named_as_a_flag() {
    let flag = Flag {
        name: "--https",
        setting: "https.address",
        value: "8443".to_owned(),
    };
    let settings = settings("", &[("DEWAR_HTTPS_ADDRESS", "127.0.0.1:1")]).with_flags(vec![flag]);
    let default: SocketAddr = "127.0.0.1:8443".parse().unwrap();
    let address = settings.section("https").address("address", default);
    assert_eq!(address, default);
    let findings = settings.finish();
    assert_eq!(findings.len(), 1, "{findings:?}");
    let title = &findings[0].title;
    assert_eq!(title, "https.address cannot be \"8443\" (the flag --https)");
}

#[test]
fn a_value_twice_is_refused() {
    let findings = settings("[a]\nb = 1\nb = 2\n", &[]).finish();
    assert!(
        findings.iter().any(|finding| finding.id == "settings-file"),
        "{findings:?}"
    );
}

#[test]
fn a_named_file_must_be_there() {
    let settings = Settings::read(Some(Path::new("/nowhere/dewar.toml")), []);
    assert_eq!(settings.finish()[0].id, "settings-file");
}

#[test]
fn a_control_character_is_refused() {
    let settings = settings("[mail]\nfrom = \"a\\r\\nBcc: b\"", &[]);
    assert_eq!(settings.section("mail").text("from", "x"), "x");
    let findings = settings.finish();
    assert!(
        findings[0].title.contains("a\\u{d}\\u{a}Bcc"),
        "{}",
        findings[0].title
    );
}

#[test]
fn a_room_can_refuse_what_it_read() {
    let settings = settings("[https]\nhosts = [\"not a host\"]", &[]);
    let https = settings.section("https");
    assert_eq!(https.list("hosts", &[]), ["not a host"]);
    https.refuse("hosts", "host names without a scheme");
    let findings = settings.finish();
    assert!(
        findings[0]
            .title
            .starts_with("https.hosts cannot be [\"not a host\"]")
    );
    assert_eq!(findings[0].fix, "Write host names without a scheme.");
}

#[test]
fn a_file_that_everyone_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dewar.toml");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o646)).unwrap();
    assert_eq!(
        Settings::read(Some(&path), []).finish()[0].id,
        "settings-file-writable"
    );
}

#[test]
fn what_was_asked_for_is_known() {
    let settings = Settings::read(None, []);
    assert_eq!(
        settings
            .section("sessions")
            .duration("idle", HOUR, HOUR..=DAY),
        HOUR
    );
    let known = settings.known();
    assert_eq!(known[0].name, "sessions.idle");
    assert_eq!(known[0].variable, "DEWAR_SESSIONS_IDLE");
    assert_eq!(known[0].default, "1h");
}
