//! The program, run as its users do. What it makes is built and tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Every type of a field, and two optional ones.
const FIELDS: [&str; 15] = [
    "title:line",
    "body:clean_html",
    "note:text",
    "seats:int",
    "price:decimal",
    "email:email",
    "site:url",
    "phone:telephone",
    "due:date?",
    "at:time",
    "shade:colour",
    "second:line?",
    "till:date",
    "state:choice(open,in_progress,closed)",
    "mood:choice(good,bad)?",
];

fn dewar(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_dewar"));
    program.current_dir(folder).args(arguments);
    program.output().unwrap()
}

fn made(folder: &Path, arguments: &[&str]) {
    let output = dewar(folder, arguments);
    assert!(output.status.success(), "{}", said(&output));
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

/// Runs Cargo on an application, with the crates that this workspace has built.
fn cargo(application: &Path, arguments: &[&str]) -> Output {
    let target = Path::new(env!("CARGO_BIN_EXE_dewar"))
        .ancestors()
        .nth(2)
        .unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(application).args(arguments);
    cargo.env("CARGO_TARGET_DIR", target);
    // Cargo's own variables describe this test's package, and a build script would read them.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    cargo.output().unwrap()
}

/// A new application in a temporary folder.
fn application() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["new", "help-desk"]);
    let application = folder.path().join("help-desk");
    (folder, application)
}

#[test]
fn a_new_application_with_resources_builds_and_passes_its_own_tests() {
    let (_folder, application) = application();
    let resource = ["generate", "resource"];
    made(
        &application,
        &[&resource[..], &["ticket"], &FIELDS[..]].concat(),
    );
    made(
        &application,
        &[&resource[..], &["support_request", "subject:line"]].concat(),
    );
    // The versions that this workspace has built and checked.
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    fs::copy(lock, application.join("Cargo.lock")).unwrap();
    let tested = cargo(&application, &["test", "--offline"]);
    assert!(tested.status.success(), "{}", said(&tested));
    let passed = said(&tested);
    assert!(
        passed.contains("test tickets::a_member_reaches_no_ticket_of_another ... ok"),
        "{passed}"
    );
    assert!(passed.contains("test result: ok. 10 passed"), "{passed}");
    let fields = application.join("src/tickets/new.rs");
    assert!(
        fs::read_to_string(fields)
            .unwrap()
            .contains("due: Option<Date>")
    );
}

/// Nothing of what is made changes when its author runs `cargo fmt`.
#[test]
fn what_is_made_is_formatted() {
    let (_folder, application) = application();
    let resource = ["generate", "resource"];
    made(
        &application,
        &[&resource[..], &["ticket"], &FIELDS[..]].concat(),
    );
    made(
        &application,
        &[
            &resource[..],
            &["request", "subject:line", "state:choice(new,done)"],
        ]
        .concat(),
    );
    let formatted = cargo(&application, &["fmt", "--check"]);
    assert!(formatted.status.success(), "{}", said(&formatted));
}

#[test]
fn a_folder_that_exists_is_not_written_to() {
    let (folder, application) = application();
    fs::write(application.join("src/lib.rs"), "mine").unwrap();
    let again = dewar(folder.path(), &["new", "help-desk"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("help-desk exists already; nothing was written"));
    assert_eq!(
        fs::read_to_string(application.join("src/lib.rs")).unwrap(),
        "mine"
    );
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../other", "/tmp/x", "a/b", "", "Help", "-x", "a b"] {
        let output = dewar(folder.path(), &["new", "--", name]);
        assert_eq!(output.status.code(), Some(1), "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_resource_that_cannot_be_is_refused_with_what_would_be_right() {
    let (_folder, application) = application();
    let before = fs::read_to_string(application.join("src/lib.rs")).unwrap();
    for (fields, told) in [
        (&["title"][..], "write `name:type`"),
        (&["title:string"], "there are line, text, clean_html"),
        (&["title:line", "state:choice"], "is no choice"),
        (&["title:line", "state:choice(open)"], "is no choice"),
        (&["title:line", "state:choice(a,a)"], "is no choice"),
        (&["title:line", "state:choice(a,self)"], "is no choice"),
        (&["title:line", "state:choice(a,b');--)"], "is no choice"),
        (&["title:line", "size:int(1,2)"], "is no choice"),
        (&["id:line"], "every record has `id`"),
        (&["title:line", "title:text"], "each name stands once"),
        (&["body:text"], "write it as `body:line`"),
        (&["title:line?"], "write it as `title:line`"),
        (&["type:line"], "no word of Rust"),
        (&["a;drop:line"], "is not a name"),
    ] {
        let output = dewar(
            &application,
            &[&["generate", "resource", "ticket"], fields].concat(),
        );
        assert!(!output.status.success(), "{fields:?}");
        assert!(
            said(&output).contains(told),
            "{fields:?}: {}",
            said(&output)
        );
    }
    assert_eq!(
        fs::read_to_string(application.join("src/lib.rs")).unwrap(),
        before
    );
    assert!(!application.join("src/tickets").exists());
}

#[test]
fn a_second_resource_of_one_name_changes_nothing() {
    let (_folder, application) = application();
    made(
        &application,
        &["generate", "resource", "ticket", "title:line"],
    );
    let schema = fs::read_to_string(application.join("src/schema.rs")).unwrap();
    let again = dewar(
        &application,
        &["generate", "resource", "ticket", "title:line"],
    );
    assert!(said(&again).contains("exists already; nothing was written"));
    assert_eq!(
        fs::read_to_string(application.join("src/schema.rs")).unwrap(),
        schema
    );
}

#[test]
fn outside_an_application_nothing_is_generated() {
    let folder = tempfile::tempdir().unwrap();
    let output = dewar(
        folder.path(),
        &["generate", "resource", "ticket", "title:line"],
    );
    assert!(said(&output).contains("there is no application here: src/lib.rs is missing"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
