//! Letters in transit: the real program, and a mail server that is genuine or not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use dewar::App;
use dewar::testing::{Browser, wait_until};
use test_servers::{MailServer, MailServerTls};

use crate::company::{ON_SQLITE, PASSWORD, add, sign_in};
use crate::killed::{Program, browser};

const WORDS: &str = "words for the robot";

/// The program with ada in it, which sends letters through this server and trusts that authority.
async fn sending_through(
    server: &MailServer,
    authority: &[u8],
) -> (tempfile::TempDir, Program, Browser) {
    let data = tempfile::tempdir().unwrap();
    let app = portal::app(App::in_directory_with(data.path(), [ON_SQLITE]).unwrap());
    let running = app.start().await.unwrap();
    add(&running, "Ada", &[]).await;
    running.stop().await.unwrap();
    let (trusted, password) = (
        data.path().join("mail.pem"),
        data.path().join("mail.password"),
    );
    fs::write(&trusted, authority).unwrap();
    fs::write(&password, format!("{WORDS}\n")).unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let transport = server.transport("robot");
    let (program, url) = Program::serve_with(
        data.path(),
        &[
            ("DEWAR_MAIL_TRANSPORT", transport.as_str()),
            ("DEWAR_MAIL_CA_FILE", trusted.to_str().unwrap()),
            ("DEWAR_MAIL_PASSWORD_FILE", password.to_str().unwrap()),
        ],
    );
    let ada = browser(data.path(), &url);
    (data, program, ada)
}

async fn forgot(ada: &Browser, email: &str) {
    let form = ada
        .get("/forgot")
        .await
        .form("/forgot")
        .fill("email", email);
    assert!(ada.submit(form).await.status().as_u16() < 400);
}

/// From the forgotten password to the new one, with a letter that a real server delivers.
///
/// ASVS: V6.4.3, V12.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_comes_by_a_letter_over_tls() {
    let server = MailServer::open(MailServerTls::StartTls).await;
    server.accept_only("robot", WORDS);
    let (_data, _program, ada) = sending_through(&server, server.authority_pem()).await;
    forgot(&ada, "ada@example.org").await;
    wait_until("a letter comes", async || !server.letters().is_empty()).await;
    let letter = server.letters().remove(0);
    assert!(letter.contains("To: ada@example.org"), "{letter}");
    let at = letter.find("/reset/").unwrap();
    let link = letter.get(at..).unwrap().split_whitespace().next().unwrap();
    let new = "another quiet lake at dawn";
    let form = ada.get(link).await.form(link).fill("password", new);
    assert_eq!(ada.submit(form).await.status(), 303);
    assert_eq!(
        sign_in(&ada, "ada@example.org", PASSWORD).await.status(),
        422
    );
    assert_eq!(sign_in(&ada, "ada@example.org", new).await.status(), 303);
    wait_until("she is told that it was changed", async || {
        server.letters().len() == 2
    })
    .await;
}

/// An attacker between the program and the mail server, with a certificate of their own, must not get the link for a new
/// password, nor the mail server's password.
///
/// ASVS: V12.3.2
#[tokio::test(flavor = "multi_thread")]
async fn somebody_between_us_and_the_mail_server_gets_no_link() {
    let (between, honest) = (
        MailServer::open(MailServerTls::Implicit).await,
        MailServer::open(MailServerTls::Implicit).await,
    );
    let (_data, _program, ada) = sending_through(&between, honest.authority_pem()).await;
    forgot(&ada, "ada@example.org").await;
    wait_until("it was really asked", async || between.connections() > 0).await;
    forgot(&ada, "nobody@example.org").await;
    assert_eq!(
        between.commands(),
        Vec::<String>::new(),
        "not a word was said to it"
    );
    assert!(between.letters().is_empty());
}
