//! Commands that read change nothing: not a byte, not a name, not a mode.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::app;
use crate::app::cli::Command;
use crate::app::commands;
use crate::database::{Config, Db, Migration};
use crate::testing::wait_until;

/// The commands that only read.
const READING: [&str; 31] = [
    "audit verify",
    "check",
    "check --json",
    "database verify",
    "https headers",
    "https status",
    "https status --json",
    "jobs list",
    "jobs list --json",
    "keys inventory",
    "keys list",
    "mail list",
    "mail list --json",
    "mail refused list",
    "mail refused list --json",
    "migrate plan",
    "migrate status",
    "migrate status --json",
    "nodes list",
    "nodes list --json",
    "routes",
    "routes --schema",
    "sbom",
    "settings",
    "settings --json",
    "tokens list",
    "tokens list --json",
    "uploads verify",
    "uploads verify --digests",
    "users list",
    "users list --json",
];

/// The others, each with the data that it changes.
const CHANGING: [(&str, &str); 32] = [
    ("database backup", "the file that it names"),
    ("database copy", "a database on a server"),
    ("database restore", "the database"),
    ("https trust", "the browsers of this machine"),
    ("jobs retry", "failed jobs"),
    ("jobs run", "what the jobs change"),
    ("keys new", "keys"),
    ("keys reencrypt", "sealed rows"),
    ("keys revoke", "keys"),
    ("keys rotate", "keys"),
    ("keys webhook new", "the keys of senders"),
    ("keys webhook revoke", "the keys of senders"),
    ("keys webhook rotate", "the keys of senders"),
    ("mail refused clear", "refused addresses"),
    ("mail retry", "letters"),
    ("migrate apply", "tables"),
    ("migrate new", "the source of the application"),
    ("nodes rename", "the record of a node"),
    ("serve", "everything"),
    ("uploads adopt", "the mark of a bucket"),
    ("tokens add", "API tokens"),
    ("tokens revoke", "API tokens"),
    ("uploads move", "another storage of files"),
    ("uploads rescan", "the verdicts about files"),
    ("users add", "accounts"),
    ("users disable", "accounts"),
    ("users enable", "accounts"),
    ("users import", "accounts"),
    ("users reset-factors", "accounts"),
    ("users set-password", "accounts"),
    ("users sign-out", "sessions"),
    ("users unlock", "failed attempts"),
];

fn leaves(command: &clap::Command, before: &str, all: &mut Vec<String>) {
    let mut below = command.get_subcommands().peekable();
    if below.peek().is_none() {
        all.push(before.trim().to_owned());
    }
    for command in below {
        leaves(command, &format!("{before} {}", command.get_name()), all);
    }
}

#[test]
fn every_command_is_known_to_read_or_to_change() {
    let mut all = Vec::new();
    leaves(&Command::command(), "", &mut all);
    let mut named: Vec<String> = READING
        .iter()
        .map(|line| line.split(" --").next().unwrap().to_owned())
        .chain(CHANGING.map(|(line, _)| line.to_owned()))
        .collect();
    named.sort_unstable();
    named.dedup();
    all.sort_unstable();
    assert_eq!(all, named, "a new command goes into one of the two lists");
}

/// The content of a directory: each name with its mode and its bytes, without SQLite's shared memory. A program that reads
/// beside one that writes must create that.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let Ok(metadata) = fs::metadata(directory) else {
        return found;
    };
    found.insert(
        directory.to_owned(),
        (metadata.permissions().mode(), Vec::new()),
    );
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else if !path.display().to_string().ends_with("-shm") {
            let mode = path.metadata().unwrap().permissions().mode();
            found.insert(path.clone(), (mode, fs::read(&path).unwrap()));
        }
    }
    found
}

/// Runs every reading command, and returns those that failed.
async fn read_all(data: &Path) -> Vec<&'static str> {
    let before = snapshot(data);
    let mut failed = Vec::new();
    for line in READING {
        let words: Vec<&str> = line.split(' ').collect();
        let app = app(data, &words, &[]);
        if commands::run_with(app, std::io::empty()).await.is_err() {
            failed.push(line);
        }
        let after = snapshot(data);
        let changed = before
            .iter()
            .filter(|(path, was)| after.get(*path) != Some(was));
        let made = after.iter().filter(|(path, _)| !before.contains_key(*path));
        let changed: Vec<_> = changed.chain(made).map(|(path, _)| path).collect();
        assert!(changed.is_empty(), "{line} changed {changed:?}");
    }
    failed
}

/// Waits for the last connection, which deletes the journal when it closes, on a thread of its own.
async fn closed(data: &Path) {
    let journal = data.join("database.sqlite-wal");
    wait_until("the database is closed", async || !journal.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_commands_change_nothing() {
    let root = tempfile::tempdir().unwrap();

    let none = root.path().join("none");
    read_all(&none).await;
    assert!(!none.exists());

    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    read_all(&empty).await;

    let used = root.path().join("used");
    let running = app(&used, &[], &[]).start().await.unwrap();
    running.stop().await.unwrap();
    closed(&used).await;
    let without_a_lock_file = ["sbom"];
    assert_eq!(read_all(&used).await, without_a_lock_file);

    // The application runs: its database has a journal, with rows that are not in the file yet.
    let db = Db::open(&used.join("database.sqlite"), &Config::default()).unwrap();
    db.execute(
        "UPDATE dewar_migrations SET applied_at = applied_at + 1",
        [],
    )
    .await
    .unwrap();
    assert!(used.join("database.sqlite-wal").exists());
    assert_eq!(read_all(&used).await, without_a_lock_file);
    drop(db);
}

/// A newer program on the data of an older one: it reports the pending migrations, and does not run them.
#[tokio::test(flavor = "multi_thread")]
async fn reading_commands_leave_the_tables_of_an_older_program_alone() {
    let root = tempfile::tempdir().unwrap();
    let (plan, ..) = app(root.path(), &[], &[]).plan();
    let all = plan.migrations();
    let older: Vec<Migration> = all.into_iter().take(1).collect();
    let db = plan.database().unwrap();
    db.migrate(&older).await.unwrap();
    drop(db);
    closed(root.path()).await;
    let failed = read_all(root.path()).await;
    // There are no keys yet, and the list of users needs columns that do not exist.
    for line in ["check", "check --json", "https status", "routes"] {
        assert!(!failed.contains(&line), "{line}: {failed:?}");
    }
    let (plan, ..) = app(root.path(), &[], &[]).plan();
    let found = plan.examine().await;
    let waits = found
        .iter()
        .find(|found| found.id == "database-migrations-wait");
    assert!(
        waits.is_some_and(|found| !found.refuses_launch),
        "{found:?}"
    );
}

/// Dewar does not take a database that somebody changed by hand for one of an older program, which `migrate` would
/// repair.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_is_not_told_as_an_older_program() {
    let root = tempfile::tempdir().unwrap();
    let running = app(root.path(), &[], &[]).start().await.unwrap();
    running.stop().await.unwrap();
    closed(root.path()).await;
    let tables = rusqlite::Connection::open(root.path().join("database.sqlite")).unwrap();
    let rename = "PRAGMA legacy_alter_table = ON; ALTER TABLE dewar_users RENAME TO gone";
    tables.execute_batch(rename).unwrap();
    drop(tables);
    let list = app(root.path(), &["users", "list"], &[]);
    let error = commands::run_with(list, std::io::empty())
        .await
        .unwrap_err();
    let told = format!("{error:?}");
    assert!(told.contains("no such table"), "{told}");
    assert!(!told.contains("older program"), "{told}");
}
