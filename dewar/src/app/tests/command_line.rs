//! A mistyped command line gets an error for the person who typed it; `Internal` is for the program's own errors.

use std::path::Path;

use super::app;
use crate::app::{cli, commands};
use crate::audit::{Log, command_line};
use crate::roles::Role;

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
enum Staff {
    Member,
    #[role(administrator)]
    Administrator,
}

const ADD: &str = "users add --password-stdin --email";
const PASSWORD: &str = "a quiet lake before the rain";
const OTHER: &str = "another quiet lake at dawn";

/// The output of a command, with this on standard input.
async fn told(data: &Path, line: &str, input: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let app = app(data, &words, &[]).roles::<Staff>();
    match commands::run_with(app, input.as_bytes()).await {
        Ok(()) => String::new(),
        Err(error) => format!("{error:?}"),
    }
}

/// Mistyped command lines, each with a part of its error.
fn wrong_lines() -> Vec<(String, &'static str)> {
    vec![
        (
            format!("{ADD} bob@example.org --role Editor"),
            "no role is named \"Editor\"; the roles are: member, administrator",
        ),
        (format!("{ADD} bob"), "\"bob\" is not an address"),
        (
            format!("{ADD} ada@example.org"),
            "ada@example.org already has an account",
        ),
        (
            format!("{ADD} bob@example.org --name \u{202e}"),
            "not a name",
        ),
        (
            "users disable --email bob@example.org".to_owned(),
            "no account has the address bob@example.org; `users list` shows all accounts",
        ),
        (
            "users disable --email ada@example.org".to_owned(),
            "one active administrator must remain",
        ),
        (
            "users set-password --email ada@example.org --link".to_owned(),
            "this application has no page for the link; mount `.public([get(\"/reset/{token}\", accounts::reset_page)",
        ),
        (
            "users enable --email bob@example.org".to_owned(),
            "no account has the address bob@example.org",
        ),
        (
            "users sign-out --email bob@example.org".to_owned(),
            "no account has the address bob@example.org",
        ),
        ("keys revoke nobody".to_owned(), "No key has that id"),
        ("keys new".to_owned(), "The key file already exists"),
        ("keys webhook new ../x".to_owned(), "../x"),
        ("keys webhook rotate billing".to_owned(), "billing"),
        ("sbom".to_owned(), "without `.lock_file(…)`"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_on_the_command_line_is_told_and_is_not_internal() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path();
    let running = app(data, &[], &[]).roles::<Staff>().start().await.unwrap();
    let accounts = running.dewar().accounts();
    let person = crate::accounts::NewUser {
        email: "ada@example.org",
        name: "Ada",
        password: PASSWORD,
    };
    let administrator = Staff::Administrator.name();
    accounts.add(person, &[administrator]).await.unwrap();
    running.stop().await.unwrap();
    for (line, says) in wrong_lines() {
        let told = told(data, &line, PASSWORD).await;
        assert!(told.contains(says), "{line}: {told}");
        assert!(!told.contains("Internal"), "{line}: {told}");
    }
    let add = format!("{ADD} bob@example.org");
    let short = told(data, &add, "short\n").await;
    assert_eq!(
        short,
        "the password: Use at least 15 characters. A few words in a row are easy to remember."
    );
    assert_eq!(told(data, &add, PASSWORD).await, "");
}

/// Entries that wait in the database for the log. A command writes them, without another start of a server.
fn waiting(data: &Path) -> i64 {
    let tables = rusqlite::Connection::open(data.join("database.sqlite")).unwrap();
    let count = "SELECT count(*) FROM dewar_audit_waiting";
    tables.query_row(count, [], |row| row.get(0)).unwrap()
}

/// Each command that changes an account, and its entry in the audit log: the event, the actor and the subject.
///
/// ASVS: V16.2.1, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_changes_an_account_is_in_the_audit_log() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path();
    let log = data.join("audit.jsonl");
    let ada = "--email ada@example.org";
    let grace = format!("{ADD} grace@example.org --role administrator");
    assert_eq!(told(data, &grace, PASSWORD).await, "");
    for (line, event, detail) in [
        (format!("{ADD} ada@example.org"), "user_created", None),
        (format!("users disable {ada}"), "user_archived", None),
        (
            format!("users enable {ada}"),
            "user_updated",
            Some("enabled"),
        ),
        (
            format!("users unlock {ada}"),
            "authz_admin",
            Some("unlocked"),
        ),
        (
            format!("users sign-out {ada}"),
            "authz_admin",
            Some("signed out everywhere"),
        ),
        (
            format!("users set-password --password-stdin {ada}"),
            "authn_password_change",
            None,
        ),
    ] {
        let before = Log::latest_in(&log, 1, None).unwrap()[0].seq;
        assert_eq!(told(data, &line, OTHER).await, "", "{line}");
        let new = Log::latest_in(&log, 9, None).unwrap();
        let new: Vec<_> = new.iter().filter(|entry| entry.seq > before).collect();
        let [entry] = new.as_slice() else {
            panic!("{line}: {new:?}");
        };
        assert_eq!(entry.event, event, "{line}");
        assert_eq!(entry.actor.as_deref(), Some(command_line()), "{line}");
        assert_eq!(waiting(data), 0, "{line}: its entry is in the log");
        assert_eq!(entry.subject.as_deref(), Some("2"), "{line}");
        assert!(
            detail.is_none() || entry.detail.as_deref() == detail,
            "{line}: {entry:?}"
        );
    }
    assert_eq!(told(data, "users sign-out --all", "").await, "");
    let newest = Log::latest_in(&log, 1, None).unwrap().remove(0);
    assert_eq!(
        (newest.event.as_str(), newest.actor.as_deref()),
        ("authz_admin", Some(command_line()))
    );
}

/// Each command with the words that lead to it.
fn commands_below(command: &clap::Command, before: &[String]) -> Vec<(Vec<String>, clap::Command)> {
    let mut found = vec![(before.to_vec(), command.clone())];
    for below in command.get_subcommands() {
        let path = [before, &[below.get_name().to_owned()]].concat();
        found.extend(commands_below(below, &path));
    }
    found
}

/// For every command and every flag, with its last letter twice.
#[test]
fn a_flag_or_a_command_that_is_misspelled_is_answered_with_the_right_one() {
    use clap::CommandFactory as _;
    let mut whole = cli::Command::command();
    whole.build();
    let mut asked = 0;
    for (path, command) in commands_below(&whole, &["app".to_owned()]) {
        let flags = command.get_arguments().filter_map(clap::Arg::get_long);
        let flags = flags.map(|flag| format!("--{flag}"));
        let below = command
            .get_subcommands()
            .map(|below| below.get_name().to_owned());
        for right in flags.chain(below) {
            let last = right.chars().last().unwrap();
            let wrong = format!("{right}{last}");
            let line = path.iter().chain(std::iter::once(&wrong));
            let told = whole
                .clone()
                .try_get_matches_from(line)
                .unwrap_err()
                .to_string();
            assert!(
                told.contains(&format!("'{right}'")),
                "{path:?} {wrong}: {told}"
            );
            asked += 1;
        }
    }
    assert!(asked > 60, "{asked}");
}

#[test]
fn an_old_name_of_a_command_is_answered_with_the_new_one() {
    use clap::Parser as _;
    for (line, new) in [
        ("app dependencies --json", "sbom"),
        ("app keys reseal", "reencrypt"),
        ("app keys retire k1", "revoke"),
        ("app keys webhook retire billing", "revoke"),
    ] {
        let error = cli::Command::try_parse_from(line.split(' ')).unwrap_err();
        let told = cli::with_the_new_name(error).to_string();
        assert!(told.contains(&format!("'{new}'")), "{line}: {told}");
        assert!(
            cli::Command::try_parse_from(
                line.replace("dependencies", new)
                    .replace("reseal", new)
                    .replace("retire", new)
                    .split(' ')
            )
            .is_ok()
        );
    }
}
