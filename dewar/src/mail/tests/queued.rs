//! Letters in the database: with their transaction, within their limits, and after a kill.

use super::*;
use crate::sessions::UserId;
use test_servers::{MailServer, MailServerTls};

fn note(title: &str) -> Note<'_> {
    Note { title, words: "" }
}

#[tokio::test]
async fn a_letter_leaves_with_the_commit_of_its_transaction_and_not_without() {
    let house = House::open().await;
    let tx = house.db.begin().await.unwrap();
    let undone = note("undone");
    let status = house
        .mailer
        .send(&tx, address("ada@example.org"), &undone)
        .await;
    assert_eq!(status.unwrap(), LetterStatus::Queued);
    tx.rollback().await.unwrap();
    house.send("ada@example.org", &note("kept")).await.unwrap();
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("kept"), "{}", letters[0]);
}

/// A copy of the table opens no account (CWE-312), and holds nothing of a letter that was sent.
#[tokio::test]
async fn the_table_shows_no_text_of_a_letter() {
    let house = House::open().await;
    let link = "https://portal.example.org/reset/the-secret-link".to_owned();
    house
        .send("ada@example.org", &Short { link })
        .await
        .unwrap();
    let content = async || -> Option<String> {
        let rows = house
            .db
            .query("SELECT content FROM dewar_letters", [])
            .await;
        rows.unwrap()[0].get(0).unwrap()
    };
    let sealed = content().await.unwrap();
    assert!(
        !sealed.contains("secret") && !sealed.contains("Subject"),
        "{sealed}"
    );
    assert!(house.letters().await[0].contains("the-secret-link"));
    assert_eq!(content().await, None);
    assert_eq!(house.states().await, [("sent".to_owned(), None)]);
    house.advance(3601);
    house.mailer.sweep().await.unwrap();
    assert_eq!(house.states().await, []);
}

/// The program is killed before it sends a letter, and while it sends one.
#[tokio::test]
async fn a_letter_outlives_the_program() {
    let house = House::open().await;
    house.send("ada@example.org", &note("one")).await.unwrap();
    // A killed program has claimed it, and no result was recorded.
    let claimed = queue::claim(&house.db, house.clock.now()).await;
    let id = claimed.unwrap().unwrap().id;
    let next = house.again();
    next.settle().await;
    let outbox = house.folder.path().join("outbox");
    assert_eq!(
        letters_in(&outbox).len(),
        0,
        "another node may be sending it"
    );
    house.advance(901);
    next.settle().await;
    let letters = letters_in(&outbox);
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains(&format!("Message-ID: <{id}@portal.example.org>")));
}

/// One person floods a third with the application's letters (CWE-770, CWE-799).
///
/// ASVS: V2.4.1
#[tokio::test]
async fn letters_to_one_address_and_by_one_person_are_limited() {
    let house = House::with(|config| {
        config.recipient_limit = 6;
        config.sender_limit = 5;
    })
    .await;
    let mailer = house.mailer.on_behalf_of(UserId::new(7));
    let send = async |mailer: &Mailer, to: &str| {
        let tx = house.db.begin().await.unwrap();
        let sent = mailer.send(&tx, address(to), &note("x")).await;
        tx.commit().await.unwrap();
        sent
    };
    for _ in 0..3 {
        assert!(send(&mailer, "ada@example.org").await.is_ok());
    }
    for spelling in ["ada@example.org", "ADA@example.org"] {
        let refused = send(&mailer, spelling).await;
        assert!(
            matches!(refused, Err(Error::RecipientLimit(_))),
            "{refused:?}"
        );
    }
    // One person leaves room for another. What was sent counts too.
    house.mailer.settle().await;
    let other = house.mailer.on_behalf_of(UserId::new(8));
    for _ in 0..3 {
        assert!(send(&other, "ada@example.org").await.is_ok());
    }
    let third = house.mailer.on_behalf_of(UserId::new(9));
    let refused = send(&third, "ada@example.org").await;
    assert!(
        matches!(refused, Err(Error::RecipientLimit(_))),
        "{refused:?}"
    );
    for to in ["bob@example.org", "eve@example.org"] {
        assert!(send(&mailer, to).await.is_ok());
    }
    let refused = send(&mailer, "dan@example.org").await;
    assert!(matches!(refused, Err(Error::SenderLimit(_))), "{refused:?}");
    assert_eq!(
        crate::pages::Error::from(refused.unwrap_err()).kind(),
        crate::pages::ErrorKind::TooManyRequests
    );
    for to in ["dan@example.org", "kim@example.org"] {
        assert!(send(&other, to).await.is_ok());
        assert!(
            send(&house.mailer, to).await.is_ok(),
            "a program has no such limit"
        );
    }
    house.advance(3600);
    assert!(send(&mailer, "ada@example.org").await.is_ok());
}

/// CWE-400: the mail server accepts nothing meanwhile.
#[tokio::test]
async fn letters_that_strangers_cause_keep_out_no_notice_and_no_link() {
    use queue::SHARE;
    let house = House::with(|config| config.max_waiting = 100).await;
    let numbers = std::sync::atomic::AtomicU32::new(0);
    let queue = async |kind, cause: MailQuota| {
        let tx = house.db.begin().await.unwrap();
        // One address gets few of them.
        let number = numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let to = Recipient::new(address(&format!("a{number}@example.org")));
        let sent = house
            .mailer
            .queue(&tx, (kind, &cause), to, &note("x"))
            .await;
        tx.commit().await.unwrap();
        sent
    };
    let network = |number: u32| MailQuota::Network(std::net::Ipv4Addr::from(number).into());
    for kind in [LetterKind::SignUp, LetterKind::Link] {
        for number in 0..SHARE {
            assert!(queue(kind, network(1)).await.is_ok(), "{number}");
        }
        assert!(
            matches!(queue(kind, network(1)).await, Err(Error::Full)),
            "one network has a share"
        );
        for number in 0..68 {
            assert!(queue(kind, network(2 + number)).await.is_ok(), "{number}");
        }
        assert!(matches!(queue(kind, network(200)).await, Err(Error::Full)));
    }
    let notice = MailQuota::Receiver("ada".into());
    assert!(queue(LetterKind::Notice, notice).await.is_ok());
    let claim = async || {
        queue::claim(&house.db, house.clock.now())
            .await
            .unwrap()
            .unwrap()
    };
    let first = claim().await.id;
    let kinds = "SELECT kind FROM dewar_letters WHERE id = ?";
    let rows = house.db.query(kinds, [first.into()]).await.unwrap();
    assert_eq!(
        rows[0].get::<i64>(0).unwrap(),
        0,
        "the notice is sent first"
    );
    for _ in 0..100 {
        let next = claim().await.id;
        let rows = house.db.query(kinds, [next.into()]).await.unwrap();
        assert_eq!(rows[0].get::<i64>(0).unwrap(), 1, "then the links");
    }
}

/// A house whose mail server is `server`.
async fn with_server(server: &MailServer) -> House {
    let folder = tempfile::tempdir().unwrap();
    let asked = settings(folder.path(), server, "");
    let house = House::with(|config| config.destination = Destination::Smtp(asked)).await;
    drop(folder);
    house
}

fn recipients(server: &MailServer) -> usize {
    let commands = server.commands();
    commands
        .iter()
        .filter(|line| line.starts_with("RCPT"))
        .count()
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again_later_each_time_and_given_up_in_the_end() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let house = with_server(&server).await;
    house.send("ada@example.org", &note("x")).await.unwrap();
    for tries in 1..=3 {
        server.refuse_recipient_once("450 4.2.1 busy");
        house.mailer.settle().await;
        house.mailer.settle().await;
        assert_eq!(recipients(&server), tries, "not before its time");
        house.advance(200);
    }
    house.mailer.settle().await;
    assert_eq!(server.letters().len(), 1);

    house.send("bob@example.org", &note("x")).await.unwrap();
    for _ in 0..40 {
        server.refuse_recipient_once("450 4.2.1 busy");
        house.mailer.settle().await;
        house.advance(5 * 3600);
    }
    let states = house.states().await;
    assert_eq!(
        states[1],
        (
            "failed".to_owned(),
            Some("refused with 450 4.2.1".to_owned())
        )
    );
    house.log.flush().await;
    let log = std::fs::read_to_string(house.folder.path().join("audit.log")).unwrap();
    assert!(
        log.contains("mail_failed") && !log.contains("bob@"),
        "{log}"
    );
}

/// A link that has expired is not sent, and a letter that waits for its server costs no attempt.
#[tokio::test]
async fn a_letter_that_is_of_no_use_any_more_is_not_sent() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let house = with_server(&server).await;
    house
        .send(
            "ada@example.org",
            &Short {
                link: "x".to_owned(),
            },
        )
        .await
        .unwrap();
    house.send("bob@example.org", &note("kept")).await.unwrap();
    server.refuse_once("421 closing");
    house.mailer.settle().await;
    let connections = server.connections();
    assert_eq!(connections, 1, "the second waits for the first's server");
    house.advance(3600);
    house.mailer.settle().await;
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("kept"), "{letters:?}");
    let (state, reason) = house.states().await.remove(0);
    assert_eq!(
        (state.as_str(), reason.as_deref()),
        ("failed", Some("it was not sent in time"))
    );
}

#[tokio::test]
async fn an_address_that_does_not_exist_gets_no_more_letters() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let house = with_server(&server).await;
    for (reply, refused) in [
        ("550 5.1.1 no such user", true),
        ("550 5.1.10 null MX", true),
        ("550 relay not permitted", false),
        ("553 sorry", false),
        ("550 5.1.8 bad sender", false),
        ("550 5.7.1 relaying denied", false),
        ("552 5.2.2 mailbox full", false),
        ("554 go away", false),
        ("450 4.1.1 later", false),
    ] {
        server.refuse_recipient_once(reply);
        house.send("Ada@example.org", &note("x")).await.unwrap();
        house.mailer.settle().await;
        let status = house.send("ada@example.org", &note("x")).await.unwrap();
        let expected = if refused {
            LetterStatus::AddressRefused
        } else {
            LetterStatus::Queued
        };
        assert_eq!(status, expected, "{reply}");
        house
            .db
            .execute("DELETE FROM dewar_refused_addresses", [])
            .await
            .unwrap();
        house.advance(10);
    }
}

/// A mailbox is set up again, and a mail server errs; the owner of an account has to know that their password changed.
#[tokio::test]
async fn a_refused_address_gets_notices_and_after_thirty_days_every_letter() {
    let house = House::open().await;
    let (db, key) = (&house.db, "ada@example.org");
    queue::refuse_address(db, key, house.clock.now(), "refused with 550 5.1.1")
        .await
        .unwrap();
    let tx = db.begin().await.unwrap();
    let cause = MailQuota::Receiver(key.into());
    let about = (LetterKind::Notice, &cause);
    let to = Recipient::new(address(key));
    let status = house.mailer.queue(&tx, about, to, &note("x")).await;
    assert_eq!(status.unwrap(), LetterStatus::Queued);
    tx.commit().await.unwrap();
    let status = house.send(key, &note("x")).await.unwrap();
    assert_eq!(status, LetterStatus::AddressRefused);
    house.advance(30 * 24 * 3600);
    let status = house.send(key, &note("x")).await.unwrap();
    assert_eq!(status, LetterStatus::Queued);
    assert_eq!(refused(db).await.unwrap().len(), 1);
    house.mailer.sweep().await.unwrap();
    assert_eq!(refused(db).await.unwrap().len(), 0);
}

/// CWE-400: a letter whose text the server cannot take, or a recipient at whom it fails.
#[tokio::test]
async fn a_letter_at_which_the_server_fails_holds_no_other_back() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let house = with_server(&server).await;
    for (sent, is_of_recipient) in [(1, true), (2, false)] {
        house.send("ada@example.org", &note("bad")).await.unwrap();
        house.send("bob@example.org", &note("good")).await.unwrap();
        if is_of_recipient {
            server.refuse_recipient_once("no reply code");
        } else {
            server.refuse_letter_once("no reply code");
        }
        house.mailer.settle().await;
        assert_eq!(server.letters().len(), sent, "{:?}", house.states().await);
        let waits = (
            "waiting".to_owned(),
            Some("its reply is not valid SMTP".to_owned()),
        );
        assert_eq!(house.states().await[0], waits);
        let remove = "DELETE FROM dewar_letters WHERE state = 'waiting'";
        house.db.execute(remove, []).await.unwrap();
        house
            .db
            .execute("DELETE FROM dewar_letters", [])
            .await
            .unwrap();
    }
}

/// While a key is new, one node has it earlier than another.
#[tokio::test]
async fn a_node_without_the_key_leaves_a_letter_to_the_others() {
    let house = House::open().await;
    let parts = (house.db.clone(), house.log.clone(), KeyRing::ephemeral());
    let other = Mailer::open(needs(house.config.clone(), &house.clock, parts)).unwrap();
    house.send("ada@example.org", &note("x")).await.unwrap();
    other.settle().await;
    let reason = "this node has no key for its text".to_owned();
    let waits = ("waiting".to_owned(), Some(reason.clone()));
    assert_eq!(house.states().await, [waits]);
    house.advance(10);
    assert_eq!(house.letters().await.len(), 1);

    house.send("ada@example.org", &note("y")).await.unwrap();
    for _ in 0..40 {
        other.settle().await;
        house.advance(5 * 3600);
    }
    let failed = ("failed".to_owned(), Some(reason));
    assert_eq!(house.states().await[1], failed);
}

#[tokio::test]
async fn an_operator_sends_the_letters_of_an_outage_again() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let house = with_server(&server).await;
    let link = "x".to_owned();
    house
        .send("bob@example.org", &Short { link })
        .await
        .unwrap();
    house.send("ada@example.org", &note("x")).await.unwrap();
    house.advance(3 * 24 * 3600 + 1);
    house.mailer.settle().await;
    assert_eq!(server.letters().len(), 0);
    house.advance(6 * 24 * 3600);
    house.mailer.sweep().await.unwrap();
    let again = retry(&house.db, house.clock.now()).await.unwrap();
    assert_eq!(again, 1, "the link has expired");
    // Its time begins anew.
    server.refuse_recipient_once("450 4.2.1 busy");
    house.mailer.settle().await;
    house.advance(10);
    house.mailer.settle().await;
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("To: ada@example.org"), "{letters:?}");
}

/// A stranger pesters the owner of an account, by way of two nodes and after a restart (CWE-799).
///
/// ASVS: V2.4.1
#[tokio::test]
async fn letters_about_one_account_are_limited_for_all_nodes_together() {
    let house = House::with(|config| config.limit_window = Duration::from_secs(60)).await;
    let nodes = [house.mailer.clone(), house.again()];
    let queue = async |node: usize, kind, number: u8| {
        let tx = house.db.begin().await.unwrap();
        let to = Recipient::new(address("ada@example.org"));
        let cause = MailQuota::Network([192, 0, 2, number].into());
        let sent = nodes[node].queue(&tx, (kind, &cause), to, &note("x")).await;
        tx.commit().await.unwrap();
        sent
    };
    for kind in [LetterKind::Link, LetterKind::SignUp] {
        for number in 0..3 {
            assert!(queue(usize::from(number % 2), kind, number).await.is_ok());
        }
        house.mailer.settle().await;
        house.advance(1_000);
        house.mailer.sweep().await.unwrap();
        for node in [0, 1] {
            let refused = queue(node, kind, 9).await;
            assert!(
                matches!(refused, Err(Error::RecipientLimit(_))),
                "{refused:?}"
            );
        }
    }
    house.advance(2_600);
    assert!(queue(0, LetterKind::Link, 9).await.is_ok());
}

#[tokio::test]
async fn without_mail_there_is_no_letter_and_without_registration_neither() {
    #[derive(Debug, Letter)]
    #[letter(template = "letters/unknown")]
    struct Unknown;
    let house = House::open().await;
    let refused = house.send("ada@example.org", &Unknown).await;
    assert!(
        matches!(refused, Err(Error::Unregistered("letters/unknown"))),
        "{refused:?}"
    );
    let house = House::with(|config| config.destination = Destination::Disabled).await;
    let status = house.send("ada@example.org", &note("x")).await.unwrap();
    assert_eq!(status, LetterStatus::Disabled);
    assert_eq!(house.states().await, []);
}
