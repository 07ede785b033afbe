//! The commands that scripts rely on, run like in a script: the real program, its exit status and its output.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use dewar::audit::Clock;
use dewar::testing::Authenticator;
use dewar::{App, accounts};
use serde_json::Value;

use crate::company::{PASSWORD, Portal, document, files_below, sign_in};
use crate::killed::{Program, browser};

/// Runs it on this data with this standard input.
pub(crate) fn portal_with(data: &Path, arguments: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(arguments.split(' '))
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that does not read it may have ended already.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    child.wait_with_output().unwrap()
}

pub(crate) fn portal(data: &Path, arguments: &str) -> Output {
    portal_with(data, arguments, "")
}

/// The same with these variables.
pub(crate) fn portal_in(data: &Path, arguments: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(arguments.split(' '))
        .arg("--data")
        .arg(data)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Its output, if it succeeded.
pub(crate) fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", told(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_version_is_the_portal_s() {
    let data = tempfile::tempdir().unwrap();
    let printed = printed(&portal(data.path(), "--version"));
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        printed.starts_with(&format!("portal {version} (dewar ")),
        "{printed}"
    );
    assert_eq!(
        fs::read_dir(data.path()).unwrap().count(),
        0,
        "nothing is made for it"
    );
}

/// The program reads one line, and the terminal shows nothing of it.
#[test]
fn a_password_that_is_typed_at_a_terminal_is_not_shown() {
    let data = tempfile::tempdir().unwrap();
    let line = format!(
        "{} users add --email ada@example.org --password-stdin --data {}",
        env!("CARGO_BIN_EXE_portal"),
        data.path().display()
    );
    // `script` runs it on a terminal of its own, types its own input there, and copies the terminal's output.
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    let asks = b"(the terminal does not show it): ";
    while !shown.ends_with(asks) {
        let mut byte = [0];
        screen.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
    keyboard
        .write_all(format!("{PASSWORD}\n").as_bytes())
        .unwrap();
    screen.read_to_end(&mut shown).unwrap();
    drop(keyboard);
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("1 ada@example.org"), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn people_are_added_listed_and_disabled() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let add = "users add --email ada@example.org --role member --role reviewer --password-stdin";
    // As `echo` writes it, with a line break at the end.
    let added = printed(&portal_with(data, add, &format!("{PASSWORD}\n")));
    assert_eq!(added, "1 ada@example.org\n");
    let named =
        "users add --email grace@example.org --name Grace --role administrator --password-stdin";
    assert_eq!(
        printed(&portal_with(data, named, PASSWORD)),
        "2 grace@example.org\n"
    );

    let listed = printed(&portal(data, "users list --json"));
    assert!(!listed.contains("argon2"), "{listed}");
    let people: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let person = |at: usize| {
        let person = &people[at];
        (
            person["id"].as_i64().unwrap(),
            person["email"].as_str().unwrap(),
            person["name"].as_str().unwrap(),
        )
    };
    assert_eq!(
        person(0),
        (1, "ada@example.org", "ada"),
        "the part before the @"
    );
    assert_eq!(person(1), (2, "grace@example.org", "Grace"));
    assert_eq!(
        people[0]["roles"],
        serde_json::json!(["member", "reviewer"])
    );
    assert_eq!(people[0]["disabled_at"], Value::Null);

    let wrong = [
        (add, PASSWORD, "has an account"),
        (
            "users add --email eve@example.org --role boss --password-stdin",
            PASSWORD,
            "boss",
        ),
        (
            "users add --email eve@example.org --password-stdin",
            "short",
            "15",
        ),
        (
            "users add --email eve.example.org --password-stdin",
            PASSWORD,
            "@",
        ),
        (
            "users disable --email nobody@example.org",
            "",
            "nobody@example.org",
        ),
    ];
    for (arguments, input, part) in wrong {
        let output = portal_with(data, arguments, input);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        assert!(
            told(&output).contains(part),
            "{arguments}: {}",
            told(&output)
        );
        assert!(output.stdout.is_empty(), "{arguments}");
    }
    let without = portal(data, "users add --email eve@example.org");
    assert_eq!(
        without.status.code(),
        Some(2),
        "a password on the command line would be in its history"
    );
    assert!(told(&without).contains("--password-stdin"));

    let disabled = printed(&portal(data, "users disable --email ada@example.org"));
    assert!(
        disabled.contains("ada@example.org is disabled"),
        "{disabled}"
    );
    let listed = printed(&portal(data, "users list"));
    let line = |name: &str| {
        listed
            .lines()
            .find(|line| line.contains(name))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("ada@").contains("disabled") && line("ada@").contains("[member reviewer]"),
        "{listed}"
    );
    assert!(
        line("grace@").contains("active") && line("grace@").contains("[administrator]"),
        "{listed}"
    );
    let last = portal(data, "users disable --email grace@example.org");
    assert_eq!(last.status.code(), Some(1), "the last administrator");

    let link = portal(data, "users set-password --email ada@example.org --link");
    assert_eq!(link.status.code(), Some(1));
    assert!(
        told(&link).contains("ada@example.org is disabled; run `users enable` first"),
        "{}",
        told(&link)
    );

    let (_program, url) = Program::serve_with(data, &[]);
    let visitor = browser(data, &url);
    assert_eq!(
        sign_in(&visitor, "ada@example.org", PASSWORD)
            .await
            .status(),
        422
    );
    let enabled = printed(&portal(data, "users enable --email ada@example.org"));
    assert!(enabled.contains("may sign in again"), "{enabled}");
    let again = browser(data, &url);
    assert_eq!(
        sign_in(&again, "ada@example.org", PASSWORD).await.status(),
        303
    );
    assert_eq!(
        sign_in(&visitor, "grace@example.org", PASSWORD)
            .await
            .status(),
        303
    );
    let app = Authenticator::add(&visitor, accounts::FACTORS, &Clock::system()).await;
    assert_eq!(visitor.get("/admin/users").await.status(), 200);
    let listed = printed(&portal(data, "users list"));
    assert!(line_of(&listed, "grace@").contains("2 factors"), "{listed}");
    // The app is lost.
    let asks = sign_in(&browser(data, &url), "grace@example.org", PASSWORD).await;
    assert_eq!(asks.status(), 200, "the code is asked for");
    let reset = printed(&portal(
        data,
        "users reset-factors --email grace@example.org",
    ));
    assert!(reset.contains("grace@example.org"), "{reset}");
    let code = app.unused_code(Clock::system().now());
    let again = browser(data, &url);
    let signed = sign_in(&again, "grace@example.org", PASSWORD).await;
    assert_eq!(signed.status(), 303, "{code} is asked for no more");
    let factors = again.get("/admin/users").await;
    assert_eq!(factors.location(), Some(accounts::FACTORS));
}

fn line_of<'a>(listed: &'a str, name: &str) -> &'a str {
    let mut lines = listed.lines();
    lines.find(|line| line.contains(name)).unwrap()
}

#[test]
fn routes_prints_who_may_enter_what() {
    let data = tempfile::tempdir().unwrap();
    let printed_routes = printed(&portal(data.path(), "routes --json"));
    let routes: Vec<Value> = serde_json::from_str(&printed_routes).unwrap();
    let route = |method: &str, path: &str| {
        let fits = |route: &&Value| route["method"] == method && route["path"] == path;
        routes
            .iter()
            .find(fits)
            .unwrap_or_else(|| panic!("{method} {path} is not there"))
    };
    assert_eq!(route("GET", "/")["access"], "public");
    assert_eq!(route("GET", "/account")["access"], "signed_in");
    assert_eq!(route("GET", "/documents")["access"], "role:member");
    assert_eq!(route("GET", "/admin/users")["access"], "role:administrator");
    assert_eq!(route("GET", "/documents")["form"], Value::Null);
    assert_eq!(
        route("POST", "/sign-out")["form"]["fields"],
        serde_json::json!([]),
        "a button"
    );
    let form = route("POST", "/documents")["form"].to_string();
    for field in ["title", "description", "tags", "file"] {
        assert!(form.contains(&format!("\"{field}\"")), "{form}");
    }
    let lines = printed(&portal(data.path(), "routes"));
    assert_eq!(lines.lines().count(), routes.len());
    let unknown = portal(data.path(), "routes --xml");
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(
        fs::read_dir(data.path()).unwrap().count(),
        0,
        "it only looks"
    );
}

/// A change of the access policy changes this file too.
#[test]
fn the_route_table_is_the_one_that_was_reviewed() {
    let data = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(&data).unwrap()).route_table();
    let lines = table.entries().iter().map(|entry| {
        format!(
            "{:<24} {:<4} {}",
            entry.access.to_string(),
            entry.method,
            entry.path
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn migrate_says_what_it_did() {
    let data = tempfile::tempdir().unwrap();
    let first = printed(&portal(data.path(), "migrate"));
    let applied: Vec<&str> = first.lines().collect();
    assert!(
        applied.contains(&"applied portal_0001_documents"),
        "{first}"
    );
    assert!(
        applied.iter().all(|line| line.starts_with("applied ")),
        "{first}"
    );
    assert_eq!(
        printed(&portal(data.path(), "migrate")),
        "The database is up to date.\n"
    );
    let other = tempfile::tempdir().unwrap();
    fs::write(
        other.path().join("database.sqlite"),
        "no database, but a text",
    )
    .unwrap();
    let broken = portal(other.path(), "migrate");
    assert_eq!(broken.status.code(), Some(1));
    assert!(told(&broken).contains("database"), "{}", told(&broken));
}

#[test]
fn keys_are_made_listed_rotated_and_revoked() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    printed(&portal(data, "keys new"));
    let again = portal(data, "keys new");
    assert_eq!(
        again.status.code(),
        Some(1),
        "a second first key would end everything that the first sealed"
    );
    let file = data.join("keys/keys.toml");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let list = || {
        let listed = printed(&portal(data, "keys list --json"));
        serde_json::from_str::<Vec<Value>>(&listed).unwrap()
    };
    let first = list();
    assert_eq!(first.len(), 1);
    let id = first[0]["id"].as_str().unwrap().to_owned();
    let rotated = printed(&portal(data, "keys rotate"));
    assert!(rotated.contains("is the current key"), "{rotated}");
    assert_eq!(list().len(), 2);
    // The listed ids are in the file; the list does not have the key itself.
    let kept = fs::read_to_string(&file).unwrap();
    let listed = printed(&portal(data, "keys list"));
    let secret = kept.split('"').find(|part| part.len() > 40).unwrap();
    assert!(!listed.contains(secret), "{listed}");
    printed(&portal(data, &format!("keys revoke {id}")));
    let left = list();
    let of = |key: &&Value| key["id"] == id.as_str();
    assert!(
        left.iter().find(of).unwrap()["revoked"].is_i64(),
        "{left:?}"
    );
    assert!(
        left.iter()
            .any(|key| key["current"] == true && key["id"] != id.as_str())
    );
    let unknown = portal(data, "keys revoke unknown");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(told(&unknown).contains("keys list"), "{}", told(&unknown));
}

/// Stand-ins replace the programs that change the system's stores and record how they were called: the test does not touch this
/// machine's own stores.
#[test]
fn https_trust_goes_to_every_store_or_says_how() {
    let place = tempfile::tempdir().unwrap();
    let (data, home, programs) = (
        place.path().join("data"),
        place.path().join("home"),
        place.path().join("programs"),
    );
    fs::create_dir_all(home.join(".pki/nssdb")).unwrap();
    fs::write(home.join(".pki/nssdb/cert9.db"), "").unwrap();
    fs::create_dir(&programs).unwrap();
    let trust = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
        command.args(["https", "trust", "--data"]).arg(&data);
        let command = command.env("HOME", &home).env("PATH", &programs);
        printed(&command.stdin(Stdio::null()).output().unwrap())
    };
    let by_hand = trust();
    assert!(!by_hand.contains("done:"), "{by_hand}");
    assert!(
        by_hand.contains("sudo install -m 0644") && by_hand.contains("sudo update-ca-certificates"),
        "{by_hand}"
    );
    let certificate = data.join("local-authority/authority.pem");
    assert!(
        by_hand.contains(&format!("The certificate: {}", certificate.display())),
        "{by_hand}"
    );

    let calls = place.path().join("calls");
    for name in ["install", "update-ca-certificates", "certutil"] {
        let program = programs.join(name);
        let script = format!("#!/bin/sh\necho {name} \"$@\" >> '{}'\n", calls.display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let done = trust();
    assert_eq!(done.matches("done: trusted by").count(), 3, "{done}");
    let calls = fs::read_to_string(calls).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    assert!(
        calls[0].starts_with("install -m 0644") && calls[0].contains("authority.pem"),
        "{calls:?}"
    );
    assert_eq!(calls[1], "update-ca-certificates");
    let store = format!(
        "certutil -d sql:{} -A -t C,,",
        home.join(".pki/nssdb").display()
    );
    assert!(calls[2].starts_with(&store), "{calls:?}");
}

/// The text for a new operator, and the link in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_welcome_leads_to_the_first_administrator() {
    let data = tempfile::tempdir().unwrap();
    let (program, welcome) = Program::welcome(data.path());
    let line = |part: &str| {
        let found = welcome.iter().find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part:?} is not in {welcome:?}"))
    };
    let url = welcome
        .iter()
        .find(|line| line.starts_with("https://"))
        .unwrap();
    assert!(url.starts_with("https://localhost:"), "{url}");
    line("http://localhost:");
    assert_eq!(line("Data: "), &format!("Data: {}", data.path().display()));
    assert!(line("Certificate: ").contains("local-authority/authority.pem"));
    line("https trust");
    let link = line("/setup/");
    assert!(link.starts_with(url), "{link}");

    let visitor = browser(data.path(), url);
    let path = link.strip_prefix(url.as_str()).unwrap();
    let set_up = async |name: &str| {
        let page = visitor.get(path).await;
        if page.status() != 200 {
            return page.status().as_u16();
        }
        let form = page.form(path).fill("name", name);
        let form = form.fill("email", &format!("{name}@example.org"));
        visitor
            .submit(form.fill("password", PASSWORD))
            .await
            .status()
            .as_u16()
    };
    assert_eq!(set_up("grace").await, 303);
    assert!(
        [404, 410, 422].contains(&set_up("eve").await),
        "the link is good once"
    );
    assert_eq!(
        sign_in(&visitor, "grace@example.org", PASSWORD)
            .await
            .status(),
        303
    );
    let factors = visitor.get("/admin/users").await;
    assert_eq!(factors.location(), Some(accounts::FACTORS));
    Authenticator::add(&visitor, accounts::FACTORS, &Clock::system()).await;
    assert_eq!(visitor.get("/admin/users").await.texts("tbody tr").len(), 1);
    drop(program);

    let (_program, welcome) = Program::welcome(data.path());
    assert!(
        !welcome.iter().any(|line| line.contains("/setup/")),
        "{welcome:?}"
    );
}

/// Every normal start logged a warning of escaped JSON, and operators stop reading warnings that always come.
///
/// ASVS: V16.2.4
#[test]
fn a_healthy_start_and_stop_is_no_alarm_and_can_be_read() {
    let data = tempfile::tempdir().unwrap();
    // The first start creates what is missing.
    for filter in [None, None, Some("info")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
        command
            .args(["serve", "--https", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .arg("--data")
            .arg(data.path())
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(filter) = filter {
            command.env("RUST_LOG", filter);
        }
        let mut program = command.spawn().unwrap();
        let mut printed = BufReader::new(program.stdout.take().unwrap()).lines();
        printed
            .find(|line| line.as_ref().unwrap().trim().starts_with("https://"))
            .unwrap()
            .unwrap();
        let mut said = String::new();
        let mut stderr = BufReader::new(program.stderr.take().unwrap());
        // It reports its start before it is stopped.
        while filter.is_some() && !said.contains("sys_startup") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
        }
        let id = program.id().to_string();
        let stopped = Command::new("kill").args(["-TERM", &id]).status();
        assert!(stopped.unwrap().success());
        printed.for_each(drop);
        stderr.read_to_string(&mut said).unwrap();
        program.wait().unwrap();
        for word in ["WARN", "ERROR", "\\\""] {
            assert!(!said.contains(word), "{word} in {said}");
        }
        if filter.is_some() {
            assert!(
                said.contains("INFO") && said.contains("sys_startup"),
                "{said}"
            );
        }
    }
}

/// The files of users are compared with their rows, beside the application and with one line for each fault.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_as_their_rows_say_are_named() {
    let portal_running = Portal::on_sqlite().await;
    let ada = portal_running.member("ada").await;
    for title in ["One", "Two"] {
        document(&ada, title).await;
    }
    let data = portal_running.data.path();
    let whole = printed(&portal(data, "uploads verify --digests"));
    assert_eq!(
        whole,
        "2 files, each there with the size and the SHA-256 of its row.\n"
    );
    let files = files_below(&data.join("uploads/kept"));
    let [gone, changed] = &files[..] else {
        panic!("{files:?}")
    };
    fs::remove_file(gone).unwrap();
    let bytes = fs::read(changed).unwrap();
    fs::remove_file(changed).unwrap();
    fs::write(changed, bytes.to_ascii_uppercase()).unwrap();
    for (command, faults) in [
        ("uploads verify", &["missing"][..]),
        ("uploads verify --digests", &["missing", "its SHA-256"]),
    ] {
        let output = portal(data, command);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(faults.iter().all(|fault| text.contains(fault)), "{text}");
        let last = format!("2 files, {} faults.", faults.len());
        assert_eq!(text.lines().count(), faults.len() + 1, "{text}");
        assert!(text.ends_with(&format!("{last}\n")), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_a_storage_that_is_none_or_is_not_built_is_refused() {
    let portal_running = Portal::on_sqlite().await;
    let data = portal_running.data.path();
    for (to, words) in [
        ("disk", "at disk already"),
        ("s3://key:secret@bucket", "without credentials"),
        ("s3://portal-files", "feature `s3`"),
    ] {
        let output = portal(data, &format!("uploads move --to {to}"));
        assert_eq!(output.status.code(), Some(1), "{to}");
        assert!(told(&output).contains(words), "{to}: {}", told(&output));
        assert!(!told(&output).contains("secret"), "{to}");
    }
}

/// A command of the portal itself is one of the program's: it is listed, it reads beside the running application, and its exit
/// status is its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_the_portal_counts_its_documents() {
    let portal_running = Portal::on_sqlite().await;
    let ada = portal_running.member("ada").await;
    for title in ["One", "Two"] {
        document(&ada, title).await;
    }
    let data = portal_running.data.path();
    let help = printed(&portal(data, "--help"));
    for part in ["  serve ", "  documents  Count the documents", "--data"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let counted = printed(&portal(data, "documents"));
    assert_eq!(counted, "approved: 0\npending: 2\nrejected: 0\n");
    printed(&portal(data, "documents --most-pending 2"));
    for (line, status, words) in [
        ("documents --most-pending 1", 3, "Error: 2 documents wait\n"),
        ("documents --most-pending x", 2, "invalid value 'x'"),
        ("document", 2, "a similar subcommand exists: 'documents'"),
        ("documents now", 2, "unexpected argument 'now'"),
    ] {
        let output = portal(data, line);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{line}: {}",
            told(&output)
        );
        assert!(told(&output).contains(words), "{line}: {}", told(&output));
        assert!(!told(&output).contains("WARN"), "{}", told(&output));
    }
}
