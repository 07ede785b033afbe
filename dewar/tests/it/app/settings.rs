//! Settings of an application's own: read like the framework's, refused like the framework's, and never printed.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use dewar::audit::{ByteSize, SettingsSection};
use dewar::forms::{Choices, Email, SecureWeb, Url};
use dewar::pages::Text;
use dewar::secrets::Secret;
use dewar::testing::Browser;
use dewar::{App, Settings, get};
use tempfile::TempDir;

const SECRET: &str = "sk_live_8d3f1c77a0";

#[derive(Choices, Clone, Copy, Debug, PartialEq)]
enum Channel {
    Mail,
    InPerson,
}

#[derive(Settings, Debug)]
#[settings(section = "helpdesk")]
struct Helpdesk {
    /// How long a ticket may wait
    /// for its first answer.
    #[setting(default = "4h", min = "1m", max = "7d")]
    answer_within: Duration,
    #[setting(default = "2MiB", min = "1KiB", max = "10MiB")]
    attachment: ByteSize,
    #[setting(default = 20, min = 5, max = 100)]
    tickets_per_page: u32,
    #[setting(default = -1, min = -5)]
    shift: i64,
    #[setting(default = true)]
    weekends: bool,
    #[setting(default = "in_person")]
    channel: Channel,
    #[setting(default = ["192.0.2.1", "192.0.2.2"])]
    printers: Vec<IpAddr>,
    escalate_to: Email,
    webhook: Option<Url<SecureWeb>>,
    /// The token of the telephone system.
    token: Secret<String>,
    spare_token: Option<Secret<String>>,
}

async fn shown(settings: Settings<Helpdesk>) -> Text {
    let Helpdesk {
        answer_within,
        attachment,
        tickets_per_page,
        shift,
        weekends,
        channel,
        printers,
        escalate_to,
        webhook,
        token,
        spare_token,
    } = &*settings;
    let webhook = webhook.as_ref().map(Url::as_str);
    Text::new(format!(
        "{answer_within:?} {attachment} {tickets_per_page} {shift} {weekends} {channel:?} {printers:?} {} {webhook:?} {} {}",
        escalate_to.as_str(),
        token.expose().len(),
        spare_token.is_some(),
    ))
}

async fn broken(settings: Settings<Helpdesk>) -> dewar::Result<Text> {
    let told = format!("{settings:?} {:?}", *settings);
    assert!(!told.contains(SECRET), "{told}");
    Err(dewar::Error::internal(told))
}

/// A file with the secret, of this mode.
fn secret(folder: &Path, mode: u32, content: &str) -> String {
    let file = folder.join("token");
    fs::write(&file, content).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    file.display().to_string()
}

fn app(folder: &TempDir, settings: &[(&str, &str)]) -> App {
    App::in_directory_with(folder, settings.iter().copied())
        .unwrap()
        .settings::<Helpdesk>()
        .public([get("/settings", shown), get("/broken", broken)])
}

/// The findings of a start, as the operator reads them.
async fn refused(folder: &TempDir, settings: &[(&str, &str)]) -> String {
    match app(folder, settings).start().await {
        Ok(running) => {
            running.stop().await.unwrap();
            String::new()
        }
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_gets_the_settings_with_their_types() {
    let folder = tempfile::tempdir().unwrap();
    let file = secret(folder.path(), 0o600, &format!("{SECRET}\n"));
    let least = [
        ("DEWAR_HELPDESK_ESCALATE_TO", "ada@example.org"),
        ("DEWAR_HELPDESK_TOKEN_FILE", file.as_str()),
    ];
    let running = app(&folder, &least).start().await.unwrap();
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    let page = browser.get("/settings").await;
    assert_eq!(
        page.text(),
        "14400s 2MiB 20 -1 true InPerson [192.0.2.1, 192.0.2.2] ada@example.org None 18 false"
    );
    let page = browser.get("/broken").await;
    assert_eq!(page.status(), 500);
    assert!(!page.text().contains(SECRET), "{}", page.text());
    let entry = &running.dewar().settings::<Helpdesk>().unwrap();
    assert_eq!(entry.tickets_per_page, 20);
    running.stop().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = secret(folder.path(), 0o640, SECRET);
    let all = [
        ("DEWAR_HELPDESK_ANSWER_WITHIN", "30m"),
        ("DEWAR_HELPDESK_ATTACHMENT", "10MiB"),
        ("DEWAR_HELPDESK_TICKETS_PER_PAGE", "5"),
        ("DEWAR_HELPDESK_SHIFT", "-5"),
        ("DEWAR_HELPDESK_WEEKENDS", "false"),
        ("DEWAR_HELPDESK_CHANNEL", "mail"),
        ("DEWAR_HELPDESK_PRINTERS", "::1, 192.0.2.9"),
        ("DEWAR_HELPDESK_ESCALATE_TO", "grace@example.org"),
        ("DEWAR_HELPDESK_WEBHOOK", "https://example.org/hook"),
        ("DEWAR_HELPDESK_TOKEN_FILE", file.as_str()),
        ("DEWAR_HELPDESK_SPARE_TOKEN_FILE", file.as_str()),
    ];
    let running = app(&folder, &all).start().await.unwrap();
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    let page = Browser::new(running.url(), &authority)
        .get("/settings")
        .await;
    assert_eq!(
        page.text(),
        "1800s 10MiB 5 -5 false Mail [::1, 192.0.2.9] grace@example.org Some(\"https://example.org/hook\") 18 true"
    );
    running.stop().await.unwrap();
}

/// A hostile or mistyped value is refused, and its finding names the setting. Every mistake is named at once, beside those of
/// the framework's own settings.
///
/// ASVS: V13.1.1
#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_setting_of_the_application_is_named_at_once_beside_the_framework_s() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        ("DEWAR_SESSIONS_IDLE", "30"),
        ("DEWAR_HELPDESK_ANSWER_WITHIN", "8d"),
        ("DEWAR_HELPDESK_ATTACHMENT", "11MiB"),
        ("DEWAR_HELPDESK_TICKETS_PER_PAGE", "+5"),
        ("DEWAR_HELPDESK_SHIFT", "-6"),
        ("DEWAR_HELPDESK_WEEKENDS", "yes"),
        ("DEWAR_HELPDESK_CHANNEL", "InPerson"),
        ("DEWAR_HELPDESK_PRINTERS", "192.0.2.9,printer"),
        ("DEWAR_HELPDESK_ESCALATE_TO", "ada@example.org\u{1b}[2J"),
        ("DEWAR_HELPDESK_WEBHOOK", "http://example.org/hook"),
        ("DEWAR_HELPDESK_ANSWER_WITHN", "30m"),
    ];
    let told = refused(&folder, &wrong).await;
    for part in [
        "sessions.idle cannot be",
        "helpdesk.answer_within cannot be \"8d\"",
        "from 1m to 7d",
        "helpdesk.attachment cannot be",
        "helpdesk.tickets_per_page cannot be \"+5\"",
        "helpdesk.shift cannot be",
        "at least -5",
        "helpdesk.weekends cannot be \"yes\"",
        "Write one of \"mail\", \"in_person\"",
        "helpdesk.printers cannot be",
        "helpdesk.escalate_to cannot be",
        "helpdesk.webhook cannot be",
        "helpdesk.token_file is missing",
        "The token of the telephone system.",
        "Did you mean DEWAR_HELPDESK_ANSWER_WITHIN?",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "{told}");
    assert!(!folder.path().join("keys").exists(), "nothing was written");
}

/// A secret written in the wrong place is refused, and no output repeats it.
///
/// ASVS: V16.2.5
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_a_file_of_its_own_and_never_in_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let ada = ("DEWAR_HELPDESK_ESCALATE_TO", "ada@example.org");
    let open = secret(folder.path(), 0o644, SECRET);
    let gone = folder.path().join(SECRET).display().to_string();
    for (name, value, part) in [
        (
            "DEWAR_HELPDESK_TOKEN",
            SECRET,
            "is a secret and cannot be written here (environment)",
        ),
        (
            "DEWAR_HELPDESK_TOKEN_FILE",
            SECRET,
            "helpdesk.token_file: Dewar cannot read the file",
        ),
        (
            "DEWAR_HELPDESK_TOKEN_FILE",
            &gone,
            "helpdesk.token_file: Dewar cannot read the file",
        ),
        (
            "DEWAR_HELPDESK_TOKEN_FILE",
            "/dev/zero",
            "not a regular file",
        ),
        (
            "DEWAR_HELPDESK_TOKEN_FILE",
            &open,
            "other users can read its file",
        ),
    ] {
        let told = refused(&folder, &[ada, (name, value)]).await;
        assert!(told.contains(part), "{part}: {told}");
        assert!(!told.contains(SECRET), "{told}");
    }
    for (content, part) in [
        ("\n", "it is empty"),
        (&*"x".repeat(70_000), "longer than 64 KiB"),
    ] {
        let file = secret(folder.path(), 0o600, content);
        let told = refused(&folder, &[ada, ("DEWAR_HELPDESK_TOKEN_FILE", &file)]).await;
        assert!(told.contains(part), "{part}: {told}");
    }
    // The same start with the secret in its place.
    let file = secret(folder.path(), 0o600, SECRET);
    let told = refused(&folder, &[ada, ("DEWAR_HELPDESK_TOKEN_FILE", &file)]).await;
    assert_eq!(told, "");
}

#[derive(Settings)]
#[settings(section = "https")]
struct Taken {
    #[setting(default = 1)]
    depth: u32,
}

#[derive(Settings)]
#[expect(dead_code, reason = "it is refused")]
#[settings(section = "data")]
struct TakenByASetting {
    #[setting(default = 1)]
    depth: u32,
}

#[derive(Settings)]
#[expect(dead_code, reason = "it is refused")]
#[settings(section = "https_limits")]
struct TakenInTheEnvironment {
    #[setting(default = 1)]
    depth: u32,
}

#[derive(Settings)]
#[expect(dead_code, reason = "it is refused")]
#[settings(section = "wrong")]
struct Wrong {
    #[setting(default = "8d", max = "7d")]
    beyond: Duration,
    #[setting(default = "1h", min = "1x")]
    unreadable: Duration,
    #[setting(default = 5, min = 9, max = 1)]
    backwards: u32,
    token: Option<Secret<String>>,
    #[setting(default = "elsewhere")]
    token_file: String,
}

async fn takes_what_is_not_read(settings: Settings<Taken>) -> Text {
    Text::new(settings.depth.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_of_the_programmer_is_found_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |app: App| async { format!("{:?}", app.start().await.unwrap_err()) };
    let new = || App::in_directory(&folder).unwrap();
    let told = start(
        new()
            .settings::<Taken>()
            .settings::<TakenByASetting>()
            .settings::<TakenInTheEnvironment>(),
    )
    .await;
    for section in ["[https]", "[data]", "[https_limits]"] {
        let part = format!("the section {section} has the setting");
        assert!(told.contains(&part), "{part}: {told}");
    }
    let told = start(new().settings::<Wrong>()).await;
    for part in [
        "the declaration of wrong.beyond is wrong: its default",
        "the declaration of wrong.unreadable is wrong: its bounds",
        "the declaration of wrong.backwards is wrong: its bounds",
        "the declaration of wrong.token_file is wrong: two settings",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = start(new().public([get("/", takes_what_is_not_read)])).await;
    assert!(
        told.contains("GET / takes the settings [https], which the application does not read"),
        "{told}"
    );
    assert_eq!((Taken::SECTION, Wrong::SECTION), ("https", "wrong"));
}

#[test]
fn the_route_table_knows_the_settings_of_a_handler() {
    let folder = tempfile::tempdir().unwrap();
    let table = app(&folder, &[]).route_table();
    let data = serde_json::to_value(&table).unwrap();
    assert_eq!(data[0]["settings"][0], "helpdesk");
}
