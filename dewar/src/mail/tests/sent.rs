//! Letters to a mail server that accepts or refuses them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::super::transport::{Delivery, MailTransport, PATIENCE, Patience};
use super::*;
use test_servers::MailServerTls;

const TO: &str = "ada@example.org";

fn letter() -> Short {
    Short {
        link: "https://portal.example.org/reset/abc".to_owned(),
    }
}

async fn send(settings: Server, to: &str) -> House {
    let house = House::with(|config| config.destination = Destination::Smtp(settings)).await;
    house.send(to, &letter()).await.unwrap();
    house.mailer.settle().await;
    house
}

#[tokio::test]
async fn a_letter_is_taken_over_tls_at_once_and_after_starttls() {
    for tls in [MailServerTls::Implicit, MailServerTls::StartTls] {
        let folder = tempfile::tempdir().unwrap();
        let server = MailServer::open(tls).await;
        send(settings(folder.path(), &server, ""), TO).await;
        let letters = server.letters();
        assert_eq!(letters.len(), 1, "{tls:?}: {:?}", server.commands());
        assert!(letters[0].contains("To: ada@example.org"), "{}", letters[0]);
        assert!(letters[0].contains("https://portal.example.org/reset/abc"));
        let commands = server.commands();
        let greetings: Vec<&String> = commands
            .iter()
            .filter(|command| command.starts_with("EHLO"))
            .collect();
        assert!(
            !greetings.is_empty()
                && greetings
                    .iter()
                    .all(|said| *said == "EHLO portal.example.org"),
            "{commands:?}"
        );
        assert!(letters[0].contains("MIME-Version: 1.0"), "{}", letters[0]);
        let encrypted = commands.iter().position(|command| command == "STARTTLS");
        let sent = commands
            .iter()
            .position(|command| command.starts_with("MAIL"));
        assert_eq!(encrypted.is_some(), tls == MailServerTls::StartTls);
        assert!(encrypted < sent, "{commands:?}");
    }
}

/// An attacker on the way removes `STARTTLS` from the greeting (RFC 8314, CWE-319).
#[tokio::test]
async fn a_server_that_offers_no_tls_gets_no_letter() {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "hidden words").unwrap();
    let server = MailServer::open(MailServerTls::NotOffered).await;
    let mut asked = settings(folder.path(), &server, "robot");
    asked.password_file = Some(password_file);
    send(asked, TO).await;
    assert_eq!(server.connections(), 1, "it was really asked");
    let said = server.commands();
    let harmless = |command: &String| {
        ["EHLO", "QUIT"]
            .iter()
            .any(|word| command.starts_with(word))
    };
    assert!(said.iter().all(harmless), "{said:?}");
    assert!(server.letters().is_empty());
}

/// An attacker's server under the right name (CWE-295).
///
/// ASVS: V12.3.4
#[tokio::test]
async fn a_certificate_of_another_authority_gets_no_letter() {
    for tls in [MailServerTls::Implicit, MailServerTls::StartTls] {
        let folder = tempfile::tempdir().unwrap();
        let (server, other) = (MailServer::open(tls).await, MailServer::open(tls).await);
        let mut wrong = settings(folder.path(), &server, "");
        std::fs::write(wrong.authority.as_ref().unwrap(), other.authority_pem()).unwrap();
        send(wrong.clone(), TO).await;
        assert_eq!(server.connections(), 1, "{tls:?}");
        // The authorities that the system trusts have not signed it either.
        wrong.authority = None;
        send(wrong, TO).await;
        assert_eq!(server.connections(), 2, "{tls:?}");
        assert!(server.letters().is_empty());
        assert!(
            !server
                .commands()
                .iter()
                .any(|command| command.starts_with("MAIL"))
        );
        send(settings(folder.path(), &server, ""), TO).await;
        assert_eq!(server.letters().len(), 1);
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_gets_no_letter() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::open(MailServerTls::Implicit).await;
    let asked = settings(folder.path(), &server, "");
    let by_number = Server {
        host: "127.0.0.1".to_owned(),
        ..asked.clone()
    };
    send(by_number, TO).await;
    assert_eq!((server.connections(), server.letters().len()), (1, 0));
    send(asked, TO).await;
    assert_eq!(server.letters().len(), 1);
}

#[tokio::test]
async fn the_name_goes_with_the_password_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "hidden words\n").unwrap();
    let server = MailServer::open(MailServerTls::StartTls).await;
    server.accept_only("robot", "hidden words");
    let mut asked = settings(folder.path(), &server, "robot");
    asked.password_file = Some(password_file.clone());
    send(asked.clone(), TO).await;
    assert_eq!(server.letters().len(), 1, "{:?}", server.commands());

    std::fs::write(&password_file, "other words").unwrap();
    send(asked.clone(), TO).await;
    assert_eq!(server.letters().len(), 1, "a wrong password sends nothing");
    let missing = folder.path().join("no-such-file");
    asked.password_file = Some(missing.clone());
    let from = "no-reply@example.org".parse().unwrap();
    let started = MailTransport::open(&Destination::Smtp(asked), "localhost", &from);
    let error = started.err().unwrap().to_string();
    assert!(error.contains(&missing.display().to_string()), "{error}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_final_no_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::open(MailServerTls::Implicit).await;
    let asked = settings(folder.path(), &server, "");
    let tries = || {
        let commands = server.commands();
        commands
            .iter()
            .filter(|command| command.starts_with("MAIL"))
            .count()
    };
    server.refuse_once("451 come back later");
    let house = send(asked.clone(), TO).await;
    assert_eq!((tries(), server.letters().len()), (1, 0));
    house.advance(10);
    house.mailer.settle().await;
    assert_eq!((tries(), server.letters().len()), (2, 1));
    server.refuse_letter_once("554 never");
    let house = send(asked, TO).await;
    house.advance(3000);
    house.mailer.settle().await;
    assert_eq!((tries(), server.letters().len()), (3, 1));
}

/// A server that scans a letter before it replies has its own time for that; a client that waits less sends the letter again (RFC
/// 5321, 4.5.3.2.6).
#[tokio::test(flavor = "multi_thread")]
async fn the_reply_to_a_text_has_a_patience_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::open(MailServerTls::Implicit).await;
    server.stay_silent_after_letters();
    let destination = Destination::Smtp(settings(folder.path(), &server, ""));
    let from = "no-reply@example.org".parse().unwrap();
    let transport = MailTransport::open(&destination, "localhost", &from);
    let Ok(Some(MailTransport::Smtp(mut sender))) = transport else {
        panic!("the transport is SMTP");
    };
    // Far from each other: if the wrong one counted, this test would not end.
    sender.patience = Patience {
        reply: Duration::from_secs(36_000),
        text: Duration::from_millis(100),
    };
    let mut transport = MailTransport::Smtp(sender);
    let sent = tokio::task::spawn_blocking(move || transport.deliver("x", 1, TO, b"Subject: x"));
    let delivery = sent.await.unwrap();
    assert!(matches!(delivery, Delivery::Later(_)), "{delivery:?}");
    // No other node takes the letter meanwhile: a connection has about ten replies.
    assert!(PATIENCE.text >= Duration::from_secs(600));
    assert!(queue::LEASE > PATIENCE.text + PATIENCE.reply * 12);
}

/// The program's own log while this server handles a letter.
async fn said_while_sending(settings: Server) -> String {
    use tracing::instrument::WithSubscriber as _;
    // With one log alone, `tracing` asks the thread that comes first to a line whether anybody reads it; that may be another test's,
    // which has no log. With two it asks both logs.
    static SECOND: LazyLock<tracing::Dispatch> = LazyLock::new(|| {
        let log = tracing_subscriber::fmt().with_writer(std::io::sink);
        tracing::Dispatch::new(log.finish())
    });
    LazyLock::force(&SECOND);
    let said = Arc::new(std::sync::Mutex::new(Vec::new()));
    let writer = Arc::clone(&said);
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || Transcript(Arc::clone(&writer)))
        .finish();
    send(settings, TO).with_subscriber(log).await;
    let said = said.lock().unwrap();
    String::from_utf8(said.clone()).unwrap()
}

struct Transcript(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Transcript {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A mail server that refuses a letter repeats the letter's text, and moves the cursor of a terminal that shows the log (CWE-117,
/// CWE-150, CWE-532).
///
/// ASVS: V16.2.5, V16.4.1
#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_server_says_of_a_letter_is_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::open(MailServerTls::Implicit).await;
    let asked = settings(folder.path(), &server, "");
    let spam = "spam: link https://example.org/reset/abc \x1b[31m refused for ada@example.org";
    for (reply, logged) in [
        (format!("554 {spam}"), "refused with 554"),
        (format!("554 5.7.1 {spam}"), "refused with 554 5.7.1"),
        (
            format!("554-5.7.1 {spam}\r\n554 5.7.1 {spam}"),
            "refused with 554 5.7.1",
        ),
        (format!("554 4.7.1 {spam}"), "refused with 554"),
        (format!("554 5.7.1/reset/abc {spam}"), "refused with 554"),
    ] {
        server.refuse_letter_once(reply.clone());
        let said = said_while_sending(asked.clone()).await;
        assert!(
            said.contains("Dewar gave up on an email"),
            "{reply}: {said}"
        );
        assert!(said.trim_end().ends_with(logged), "{reply}: {said}");
        for secret in ["/reset/", "abc", "spam", "ada@", "\x1b", "u{1b}"] {
            assert!(!said.contains(secret), "{reply}: {said}");
        }
    }
}

/// The other side also writes the text of its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_is_logged_in_our_words() {
    let folder = tempfile::tempdir().unwrap();
    let (server, other) = (
        MailServer::open(MailServerTls::Implicit).await,
        MailServer::open(MailServerTls::Implicit).await,
    );
    let trusting = settings(folder.path(), &server, "");
    let by_number = Server {
        host: "127.0.0.1".to_owned(),
        ..trusting.clone()
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let distrusting = Server {
        authority: settings(elsewhere.path(), &other, "").authority,
        ..trusting
    };
    for asked in [by_number, distrusting] {
        let said = said_while_sending(asked).await;
        assert!(said.contains("its certificate "), "{said}");
        assert!(!said.contains("localhost"), "{said}");
    }
}

/// CWE-93: a line break in an address would be a command to the server, or a header.
#[tokio::test]
async fn an_address_is_no_command_and_no_header() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::open(MailServerTls::Implicit).await;
    let asked = settings(folder.path(), &server, "");
    let house = House::with(|config| config.destination = Destination::Smtp(asked.clone())).await;
    for to in [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org>\r\nRCPT TO:<eve@example.org",
        "ada@example.org\nDATA",
        "ada@example.org, eve@example.org",
        "<ada>",
    ] {
        assert!(Email::parse(to).is_err());
        let tx = house.db.begin().await.unwrap();
        let stored = Recipient::stored(to);
        let refused = house.mailer.send(&tx, stored, &letter()).await;
        assert!(matches!(refused, Err(Error::Address)), "{to}");
        tx.commit().await.unwrap();
    }
    house.mailer.settle().await;
    assert_eq!(server.connections(), 0, "{:?}", server.commands());
    send(asked, TO).await;
    let receivers: Vec<String> = server.commands();
    let receivers: Vec<&String> = receivers
        .iter()
        .filter(|line| line.starts_with("RCPT"))
        .collect();
    assert_eq!(receivers, ["RCPT TO:<ada@example.org>"]);
}

/// RFC 5321 allows an apostrophe in atoms.
#[tokio::test]
async fn a_letter_reaches_an_address_with_an_apostrophe() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::open(MailServerTls::Implicit).await;
    let address = Email::parse("o'brien@example.com").unwrap();
    send(settings(folder.path(), &server, ""), address.as_str()).await;
    let commands = server.commands();
    assert!(
        commands.contains(&"RCPT TO:<o'brien@example.com>".to_owned()),
        "{commands:?}"
    );
}

#[tokio::test]
async fn an_authority_that_is_none_forbids_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    let server = Server {
        authority: Some(file.clone()),
        ..Server::parse("smtps://mail.example.org").unwrap()
    };
    let from = "no-reply@example.org".parse().unwrap();
    let start = || MailTransport::open(&Destination::Smtp(server.clone()), "localhost", &from);
    assert!(matches!(start(), Err(Error::Authority { .. })), "missing");
    std::fs::write(&file, "nothing").unwrap();
    assert!(matches!(start(), Err(Error::Authority { .. })), "empty");
}

/// In development letters lie in a folder, and each may hold a link that opens an account.
#[tokio::test]
async fn letters_in_the_outbox_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    let house =
        House::with(|config| config.destination = Destination::Outbox(outbox.clone())).await;
    house.send(TO, &letter()).await.unwrap();
    house.mailer.settle().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&outbox), 0o700);
    let letters: Vec<PathBuf> = std::fs::read_dir(&outbox)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(letters.len(), 1);
    assert_eq!(mode(&letters[0]), 0o600);
}
