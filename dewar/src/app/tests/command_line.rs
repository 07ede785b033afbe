//! What was typed wrongly is answered in words for whoever typed it; `Internal` is for what the program did wrong.

use super::app;
use crate::app::commands;
use crate::roles::Role;

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
enum Staff {
    Member,
    #[role(administrator)]
    Administrator,
}

const ADD: &str = "users add --password-stdin --email";
const PASSWORD: &str = "a quiet lake before the rain";

/// What a command answers, with this on standard input.
async fn told(data: &std::path::Path, line: &str, input: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let app = app(data, &words, &[]).roles::<Staff>();
    match commands::run_with(app, input.as_bytes()).await {
        Ok(()) => String::new(),
        Err(error) => format!("{error:?}"),
    }
}

/// Command lines that somebody mistyped, each with a part of its answer.
fn wrong_lines() -> Vec<(String, &'static str)> {
    vec![
        (
            format!("{ADD} bob@example.org --role Editor"),
            "there is no role \"Editor\"; the roles are: member, administrator",
        ),
        (format!("{ADD} bob"), "\"bob\" is no address"),
        (
            format!("{ADD} ada@example.org"),
            "ada@example.org has an account already",
        ),
        (
            format!("{ADD} bob@example.org --name \u{202e}"),
            "that is no name",
        ),
        (
            "users disable --email bob@example.org".to_owned(),
            "there is no account with the address bob@example.org; `users list` shows them",
        ),
        (
            "users disable --email ada@example.org".to_owned(),
            "one active administrator has to remain",
        ),
        (
            "users set-password --email ada@example.org --link".to_owned(),
            "this application has no page for the link; mount `.public([get(\"/reset/{token}\", accounts::reset_page)",
        ),
        (
            "users enable --email bob@example.org".to_owned(),
            "there is no account with the address bob@example.org",
        ),
        (
            "users sign-out --email bob@example.org".to_owned(),
            "there is no account with the address bob@example.org",
        ),
        (
            "keys retire nobody".to_owned(),
            "There is no key of that id",
        ),
        ("keys new".to_owned(), "There is a key file already"),
        ("keys webhook new ../x".to_owned(), "../x"),
        ("keys webhook rotate billing".to_owned(), "billing"),
        ("dependencies".to_owned(), "without `.lock_file(…)`"),
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
