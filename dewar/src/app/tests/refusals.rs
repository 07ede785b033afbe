//! `check` and the start agree: both refuse the same installations, with the same findings.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{app, app_on};
use crate::app::{App, get, post};
use crate::audit::{Clock, Finding, RENAMED};
use crate::csrf::{VerifiedWebhook, WebhookAuth};
use crate::database::{Migration, SealedColumn, Table};
use crate::https::{Hosts, LocalAuthority};
use crate::secrets::KeyRing;

type Prepare = fn(&Path);
type Build = fn(App) -> App;

/// An installation with one mistake: the finding, the settings, the files in the data directory, the program.
struct Wrong {
    finding: &'static str,
    settings: &'static [(&'static str, &'static str)],
    prepare: Prepare,
    build: Build,
}

async fn hello() -> &'static str {
    "Hello"
}

async fn on_paid(_: VerifiedWebhook) -> &'static str {
    "noted"
}

const fn wrong(finding: &'static str) -> Wrong {
    Wrong {
        finding,
        settings: &[],
        prepare: |_| {},
        build: |app| app,
    }
}

impl Wrong {
    const fn settings(mut self, settings: &'static [(&'static str, &'static str)]) -> Self {
        self.settings = settings;
        self
    }

    const fn prepare(mut self, prepare: Prepare) -> Self {
        self.prepare = prepare;
        self
    }

    const fn build(mut self, build: Build) -> Self {
        self.build = build;
        self
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[derive(rust_embed::RustEmbed)]
#[folder = "tests/it/broken"]
struct Broken;

/// A model of a table that no migration creates.
mod absent {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "absent")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Each refusal that needs no other program and no certificate. The rooms test the others, with the same two functions.
#[expect(
    clippy::too_many_lines,
    reason = "one table, a line for each installation"
)]
fn installations() -> Vec<Wrong> {
    const PRODUCTION: (&str, &str) = ("DEWAR_MODE", "production");
    const ACME: (&str, &str) = ("DEWAR_HTTPS_ACME_ACCEPT_TERMS", "true");
    const SERVER: (&str, &str) = ("DEWAR_DATABASE_URL", "postgres://portal@127.0.0.1:1/portal");
    vec![
        wrong("secrets-data-directory-open").prepare(|data| {
            fs::create_dir_all(data).unwrap();
            mode(data, 0o770);
        }),
        wrong("settings-unknown").settings(&[("DEWAR_SESSIONS_IDEL", "30m")]),
        wrong("settings-value").settings(&[("DEWAR_SESSIONS_IDLE", "soon")]),
        wrong("sessions-idle-over-lifetime").settings(&[
            ("DEWAR_SESSIONS_IDLE", "2h"),
            ("DEWAR_SESSIONS_LIFETIME", "1h"),
        ]),
        wrong("accounts-role").settings(&[("DEWAR_ACCOUNTS_ROLE", "boss")]),
        wrong("https-local-authority").settings(&[("DEWAR_HTTPS_HOSTS", "bank.example")]),
        wrong("https-preload-local").settings(&[("DEWAR_HTTPS_HSTS_PRELOAD", "true")]),
        wrong("secrets-missing").settings(&[("DEWAR_SECRETS_FILE", "/nowhere/keys.toml")]),
        wrong("https-no-certificate").settings(&[PRODUCTION]),
        wrong("mail-not-set").settings(&[PRODUCTION]),
        // Addresses of documentation (RFC 5737, RFC 3849): no machine has them.
        wrong("https-listen").settings(&[("DEWAR_HTTPS_HEALTH", "192.0.2.1:8081")]),
        wrong("https-listen").settings(&[("DEWAR_HTTPS_HEALTH", "[2001:db8::1]:8081")]),
        wrong("mail-open").settings(&[
            ("DEWAR_MAIL_TRANSPORT", "smtps://robot@mail.example.org"),
            ("DEWAR_MAIL_PASSWORD_FILE", "/nowhere/password"),
        ]),
        wrong("mail-password-readable").settings(&[
            ("DEWAR_MAIL_TRANSPORT", "smtps://robot@mail.example.org"),
            // Every machine has this file, and everybody can read it.
            ("DEWAR_MAIL_PASSWORD_FILE", "/etc/passwd"),
        ]),
        wrong("https-key-readable").prepare(|data| with_authority(data, "authority.key")),
        wrong("https-key-readable").prepare(|data| with_authority(data, "localhost.key")),
        wrong("https-acme-root")
            .settings(&[ACME, ("DEWAR_HTTPS_ACME_CA_FILE", "/nowhere/root.pem")]),
        wrong("https-acme-root").settings(&[ACME, ("DEWAR_HTTPS_ACME_CA_FILE", "/etc/passwd")]),
        wrong("https-acme-root").settings(&[ACME, ("DEWAR_HTTPS_ACME_CA_FILE", "/etc")]),
        // Development makes a key in a folder of its own, and in no other.
        wrong("secrets-webhook-key")
            .settings(&[("DEWAR_SECRETS_WEBHOOKS", "/nowhere/webhooks")])
            .build(|app| app.webhook(WebhookAuth::hmac("billing"), [post("/hooks", on_paid)])),
        wrong("roles-route-twice").build(|app| app.public([get("/", hello), get("/", hello)])),
        wrong("roles-route-unreachable").build(|app| app.public([get("/static/x", hello)])),
        wrong("roles-route-unreachable").build(|app| app.public([get("/dewar", hello)])),
        wrong("pages-template-broken").build(App::templates::<Broken>),
        wrong("secrets-no-data-directory").prepare(|data| fs::write(data, "a file").unwrap()),
        wrong("secrets-unusable").prepare(|data| {
            put(&data.join("keys"), "keys.toml", "nonsense");
        }),
        wrong("secrets-exposed").prepare(|data| {
            KeyRing::create(&data.join("keys")).unwrap();
            mode(&data.join("keys/keys.toml"), 0o644);
        }),
        wrong("audit-log-open")
            .prepare(|data| fs::create_dir_all(data.join("audit.jsonl")).unwrap()),
        wrong("database-open")
            .prepare(|data| put(data, "database.sqlite", &"no database".repeat(99))),
        wrong("database-readable").prepare(|data| {
            put(data, "database.sqlite", "");
            mode(&data.join("database.sqlite"), 0o644);
        }),
        wrong("database-password-readable")
            .settings(&[SERVER, ("DEWAR_DATABASE_PASSWORD_FILE", "/etc/passwd")]),
        wrong("database-password-readable").settings(&[
            SERVER,
            ("DEWAR_DATABASE_MIGRATION_USER", "owner"),
            ("DEWAR_DATABASE_MIGRATION_PASSWORD_FILE", "/etc/passwd"),
        ]),
        wrong("uploads-readable").prepare(|data| {
            fs::create_dir_all(data.join("uploads")).unwrap();
            mode(&data.join("uploads"), 0o755);
        }),
        wrong("uploads-open").prepare(|data| put(data, "uploads", "a file")),
        wrong("uploads-open").prepare(|data| put(&data.join("uploads"), "kept", "a file")),
        wrong("uploads-open").prepare(|data| {
            put(&data.join("uploads/lock"), "not", "a lock");
            mode(&data.join("uploads"), 0o700);
        }),
        wrong("audit-reserve").prepare(|data| put(&data.join("reserve"), "no", "room")),
        wrong("database-migrate").build(|app| {
            app.migrations([Migration::new(
                "one",
                "CREATE TABLE one (id NONSENSE) STRICT",
            )])
        }),
        wrong("database-migrate").build(|app| {
            let one = Migration::new(
                "one",
                "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
            );
            app.migrations([one, one])
        }),
        wrong("database-ids-reused").build(|app| {
            app.migrations([Migration::new(
                "one",
                "CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT",
            )])
        }),
        wrong("database-migrate").build(|app| app.models([Table::of::<absent::Entity>()])),
        wrong("database-migrate")
            .build(|app| app.sealed([SealedColumn::new("people", "fax").bound_to("id")])),
    ]
}

fn put(directory: &Path, name: &str, text: &str) {
    fs::create_dir_all(directory).unwrap();
    mode(directory, 0o700);
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    mode(&file, 0o600);
}

/// A local authority whose key others can read.
fn with_authority(data: &Path, key: &str) {
    let now = Clock::system().now();
    let authority = LocalAuthority::open_or_create(data, now).unwrap();
    authority.certificates(&Hosts::default(), now).unwrap();
    mode(&data.join("local-authority").join(key), 0o644);
}

fn refusing(findings: &[Finding]) -> Vec<(&'static str, String)> {
    let refusing = findings.iter().filter(|finding| finding.refuses_launch);
    refusing
        .map(|finding| (finding.id, finding.title.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refuses_the_start_refuses_the_check() {
    for wrong in installations() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        (wrong.prepare)(&data);
        let plan = || (wrong.build)(app(&data, &[], wrong.settings)).plan().0;
        let checked = refusing(&plan().examine().await);
        let started = plan().open().await.map(drop);
        let started = refusing(&started.expect_err(wrong.finding));
        assert!(
            started.iter().any(|(id, _)| *id == wrong.finding),
            "{}: {started:?}",
            wrong.finding
        );
        assert_eq!(checked, started, "{}", wrong.finding);
    }
}

/// Each old name leads to a current setting of the same section.
#[tokio::test(flavor = "multi_thread")]
async fn every_old_name_of_a_setting_leads_to_the_new_one() {
    let root = tempfile::tempdir().unwrap();
    let variable = |name: &str| format!("DEWAR_{}", name.replace('.', "_").to_uppercase());
    for (old, new) in RENAMED {
        let (old, new) = (variable(old), variable(new));
        let findings = refusing(
            &app(root.path(), &[], &[(&old, "1")])
                .plan()
                .0
                .examine()
                .await,
        );
        let named = findings.iter().filter(|(id, _)| *id == "settings-renamed");
        let titles: Vec<&String> = named.map(|(_, title)| title).collect();
        assert_eq!(titles, [&format!("{old} is named {new} now (environment)")]);
    }
}

/// For every setting that can name it. `check` does not test a port that another program has, because it runs beside the
/// server.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_this_machines_refuses_start_and_check() {
    let root = tempfile::tempdir().unwrap();
    let plan = |addresses: [&str; 2]| {
        let data = root.path().join(addresses[0]).join(addresses[1]);
        app_on(&data, &[], &[], addresses).plan().0
    };
    let (absent, free) = ("192.0.2.1:8443", "127.0.0.1:0");
    for addresses in [[absent, free], [free, absent]] {
        let checked = refusing(&plan(addresses).examine().await);
        let listen = checked.iter().filter(|(id, _)| *id == "https-listen");
        let titles: Vec<&str> = listen.map(|(_, title)| title.as_str()).collect();
        assert!(
            titles.len() == 1 && titles[0].contains(absent),
            "{checked:?}"
        );
        let started = plan(addresses).open().await.map(drop);
        assert_eq!(refusing(&started.unwrap_err()), checked, "{addresses:?}");
    }
    let taken = std::net::TcpListener::bind(free).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(refusing(&plan([&address, free]).examine().await), []);
}

/// The first start made keys, a database and a certificate, and then reported that the port was in use.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_in_use_is_found_before_anything_is_written() {
    let root = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    for (addresses, setting) in [
        ([&*address, free], "https.address"),
        ([free, &address], "https.http_address"),
    ] {
        let data = root.path().join("data");
        let app = || app_on(&data, &[], &[], addresses).public([get("/", hello)]);
        let error = format!("{:?}", app().start().await.unwrap_err());
        assert!(
            error.contains(&address) && error.contains(setting),
            "{error}"
        );
        assert!(!data.exists(), "{error}");
    }
    drop(taken);
    let app = app_on(&root.path().join("data"), &[], &[], [free; 2]);
    let running = app.public([get("/", hello)]).start().await.unwrap();
    running.stop().await.unwrap();
}

/// Rows and files were lost at the next start, without a message.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn data_in_memory_is_warned_about_in_production_by_start_and_check() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let memory = memory.path().display().to_string();
    let disk = tempfile::tempdir().unwrap();
    let said = async |mode: &str, data: &Path, uploads: &str| {
        let settings = [("DEWAR_MODE", mode), ("DEWAR_UPLOADS_DIRECTORY", uploads)];
        let plan = || app(data, &[], &settings).plan().0;
        let ids = |findings: &[Finding]| {
            let ids = findings.iter().map(|finding| finding.id);
            let mut ids: Vec<_> = ids.filter(|id| id.ends_with("-in-memory")).collect();
            ids.sort_unstable();
            ids
        };
        let checked = ids(&plan().examine().await);
        let started = match plan().open().await {
            Ok(opened) => ids(&opened.findings),
            Err(refused) => ids(&refused),
        };
        assert_eq!(checked, started);
        checked
    };
    let files = format!("{memory}/files");
    let data = Path::new(&memory).join("data");
    let below_data = data.join("uploads").display().to_string();
    for (mode, data, uploads, expected) in [
        (
            "production",
            disk.path(),
            files.as_str(),
            vec!["uploads-in-memory"],
        ),
        (
            "production",
            &data,
            &below_data,
            vec!["database-in-memory", "uploads-in-memory"],
        ),
        ("development", &data, &below_data, vec![]),
    ] {
        assert_eq!(
            said(mode, data, uploads).await,
            expected,
            "{mode} {uploads}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_starts_passes_the_check_before_and_after() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let plan = || app(&data, &[], &[]).public([get("/", hello)]).plan().0;
    assert_eq!(refusing(&plan().examine().await), []);
    drop(plan().open().await.unwrap());
    assert_eq!(refusing(&plan().examine().await), []);
    drop(plan().open().await.unwrap());
}

/// The instruction was in the reason, and the fix was "mend what the cause names".
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_fit_is_found_with_what_to_do() {
    const ONE: &str = "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT";
    const EDITED: &str =
        "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT) STRICT";
    let root = tempfile::tempdir().unwrap();
    let plan = |migrations: &[Migration]| {
        let migrations = migrations.iter().copied();
        app(root.path(), &[], &[]).migrations(migrations).plan().0
    };
    drop(plan(&[Migration::new("one", ONE)]).open().await.unwrap());
    for (migrations, why, fix) in [
        (
            &[Migration::new("one", EDITED)][..],
            "`one` was changed after it ran",
            "undo the change of `one`",
        ),
        (&[], "newer than this program", "start the newer program"),
    ] {
        let started = plan(migrations).open().await.map(drop).unwrap_err();
        for found in [plan(migrations).examine().await, started] {
            let wrong = found.iter().find(|found| found.id == "database-migrate");
            let wrong = wrong.unwrap();
            assert!(wrong.why.contains(why), "{wrong:?}");
            assert!(wrong.fix.starts_with(fix), "{wrong:?}");
            assert!(!wrong.why.contains("write a new"), "{wrong:?}");
        }
    }
}

/// `check` tries pending migrations on a copy of the tables, so it reports a bad one before the deployment.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_would_fail_on_the_tables_of_now_refuses_the_check() {
    const ONE: Migration = Migration::new(
        "one",
        "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
    );
    const AGAIN: Migration = Migration::new(
        "two",
        "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
    );
    const MORE: Migration = Migration::new("two", "ALTER TABLE one ADD COLUMN name TEXT");
    let root = tempfile::tempdir().unwrap();
    let plan = |more: &[Migration]| {
        let all = [ONE].into_iter().chain(more.iter().copied());
        app(root.path(), &[], &[]).migrations(all).plan().0
    };
    drop(plan(&[]).open().await.unwrap());
    let checked = refusing(&plan(&[AGAIN]).examine().await);
    assert_eq!(checked.first().map(|(id, _)| *id), Some("database-migrate"));
    assert_eq!(refusing(&plan(&[AGAIN]).open().await.unwrap_err()), checked);
    assert_eq!(refusing(&plan(&[MORE]).examine().await), []);
}
