//! Letters with attachments: read by another program, sealed, and bounded.

use data_encoding::BASE64;

use super::*;
use crate::mail::reader::OutboxLetter;
use crate::sessions::UserId;
use crate::uploads::{MIB, UploadRejection};
use test_servers::{MailServer, MailServerTls};

/// Python's own parser, and the parts that it has found, as JSON.
const READER: &str = r#"
import sys, json, base64, email, email.policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(json.dumps({
    "defects": [str(defect) for part in message.walk() for defect in part.defects]
        + [str(defect) for part in message.walk() for value in part.values() for defect in value.defects],
    "type": message.get_content_type(),
    "headers": [name for name, value in message.items()],
    "body": message.get_body(("plain",)).get_content().replace("\r\n", "\n"),
    "files": [[part.get_filename(), part.get_content_type(), part.get_content_charset(),
        part.get_content_disposition(), base64.b64encode(part.get_payload(decode=True)).decode()]
        for part in message.iter_attachments()],
}))
"#;

fn read(letter: &str) -> serde_json::Value {
    read_by_python(READER, letter)
}

/// A file that begins as a PDF does, of this size.
fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    bytes.extend((0..size.saturating_sub(9)).map(|at| u8::try_from(at % 251).unwrap()));
    bytes
}

fn attachment(name: &str, bytes: Vec<u8>) -> Attachment {
    Attachment::new(name, bytes).unwrap()
}

const NOTE: Note<'static> = Note {
    title: "files",
    words: "",
};

impl House {
    async fn send_files(&self, files: Vec<Attachment>) -> Result<LetterStatus, Error> {
        self.send_files_of(&self.mailer, files).await
    }

    async fn send_files_of(
        &self,
        mailer: &Mailer,
        files: Vec<Attachment>,
    ) -> Result<LetterStatus, Error> {
        let tx = self.db.begin().await?;
        let to = address("ada@example.org");
        let status = mailer.send_with(&tx, to, &NOTE, files).await?;
        tx.commit().await?;
        Ok(status)
    }

    async fn parts(&self) -> i64 {
        let count = "SELECT count(*) FROM dewar_letter_parts";
        self.db.query(count, []).await.unwrap()[0].get(0).unwrap()
    }
}

/// RFC 2183, RFC 2231, RFC 2045.
#[tokio::test]
async fn another_program_reads_every_name_and_every_byte() {
    let house = House::open().await;
    let long = format!(
        "{}– Jahresbericht für März.pdf",
        "ein langer Name ".repeat(5)
    );
    let all: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let picture = [b"\x89PNG\r\n\x1a\n".as_slice(), &all].concat();
    let lines = b"name,total\r\n.\r\n..\nFrom me\n--x\n\xc3\xa4,7\n".to_vec();
    let files = [
        ("Invoice 7.pdf", "application/pdf", None, pdf(200_000)),
        ("Grüße, \"Ada\"; 日本.csv", "text/csv", Some("utf-8"), lines),
        (long.as_str(), "application/pdf", None, pdf(9)),
        ("it's 100%.png", "image/png", None, picture),
    ];
    let made = files
        .iter()
        .map(|(name, _, _, bytes)| attachment(name, bytes.clone()));
    house.send_files(made.collect()).await.unwrap();
    let letters = house.letters().await;
    let letter = &letters[0];
    assert!(letter.is_ascii() && letter.split("\r\n").all(|line| line.len() <= 998));
    assert!(!letter.replace("\r\n", "").contains(['\r', '\n']));
    let found = read(letter);
    assert_eq!(found["defects"], serde_json::json!([]));
    assert_eq!(found["type"], "multipart/mixed");
    assert!(found["body"].as_str().unwrap().starts_with("Hello,"));
    let own = OutboxLetter::read(letter).unwrap();
    assert_eq!(own.attachments.len(), files.len());
    for (number, (name, kind, charset, bytes)) in files.iter().enumerate() {
        // The rule for the names of uploads.
        let name = name.replace(['"', ';', '%'], "_");
        let expected = serde_json::json!([name, kind, charset, "attachment", BASE64.encode(bytes)]);
        assert_eq!(found["files"][number], expected);
        assert_eq!(own.attachments[number].name, name);
        assert_eq!(&own.attachments[number].bytes, bytes);
    }
}

/// A letter in HTML keeps its two texts beside the files.
#[tokio::test]
async fn html_and_text_stay_together_before_the_files() {
    let house = House::open().await;
    let rich = Rich {
        title: "Tea",
        id: 7,
    };
    let tx = house.db.begin().await.unwrap();
    let files = [attachment("a.pdf", pdf(9))];
    let to = address("ada@example.org");
    let sent = house.mailer.send_with(&tx, to, &rich, files).await;
    assert_eq!(sent.unwrap(), LetterStatus::Queued);
    tx.commit().await.unwrap();
    let letters = house.letters().await;
    let found = read(&letters[0]);
    assert_eq!(found["defects"], serde_json::json!([]));
    assert_eq!(found["files"].as_array().unwrap().len(), 1);
    let own = OutboxLetter::read(&letters[0]).unwrap();
    assert!(own.html.unwrap().contains("Tea") && own.text.contains("/rich/7"));
}

/// CWE-93, CWE-434, CWE-646.
#[test]
fn a_name_or_a_content_that_no_upload_may_have_is_refused() {
    let refused = |name: &str, bytes: &[u8]| match Attachment::new(name, bytes.to_vec()) {
        Err(Error::Attachment(refused)) => refused,
        other => panic!("{name}: {other:?}"),
    };
    for name in ["a.pdf\r\nBcc: eve@example.org", "a\0.pdf", "", ".pdf", "a"] {
        assert_eq!(refused(name, &pdf(9)), UploadRejection::Name, "{name:?}");
    }
    for name in ["a.html", "a.svg", "a.exe", "a.php.pdf", "a.docm"] {
        let refused = refused(name, &pdf(9));
        let is_active = matches!(refused, UploadRejection::ActiveExtension { .. });
        assert!(is_active, "{name}: {refused:?}");
    }
    for (name, bytes) in [
        ("a.pdf", b"<!doctype html><script>".as_slice()),
        ("a.png", b"%PDF-1.4\n"),
        ("a.txt", b"<!doctype html><html><body>"),
        ("a.csv", b"\x7fELF\0\0"),
        ("a.pdf", b""),
    ] {
        refused(name, bytes);
    }
    let path = attachment("../../tmp/plan.pdf", pdf(9));
    assert_eq!(path.name(), "plan.pdf");
    assert_eq!(format!("{path:?}"), "Attachment { size: 9, .. }");
}

/// CWE-312: the table shows no byte of a file, and a part opens at its own place alone.
#[tokio::test]
async fn parts_are_sealed_for_their_place_and_go_with_the_letter() {
    let house = House::open().await;
    let words = "the diagnosis of ada ".repeat(20_000);
    let file = || vec![attachment("a.txt", words.clone().into_bytes())];
    house.send_files(file()).await.unwrap();
    assert!(house.parts().await > 4);
    let find = "SELECT content FROM dewar_letter_parts";
    let encoded = BASE64.encode(&words.as_bytes()[..60]);
    for row in house.db.query(find, []).await.unwrap() {
        let content: String = row.get(0).unwrap();
        assert!(!content.contains("diagnosis") && !content.contains(&encoded));
    }
    let swap = "UPDATE dewar_letter_parts SET content = (SELECT content FROM dewar_letter_parts AS other WHERE other.part = 1)
        WHERE part = 2";
    let kept = house
        .db
        .query("SELECT content FROM dewar_letter_parts WHERE part = 2", []);
    let kept: String = kept.await.unwrap()[0].get(0).unwrap();
    house.db.execute(swap, []).await.unwrap();
    assert_eq!(house.letters().await, Vec::<String>::new());
    let reason = "this node has no key for its text".to_owned();
    assert_eq!(house.states().await, [("waiting".to_owned(), Some(reason))]);
    let back = "UPDATE dewar_letter_parts SET content = ? WHERE part = 2";
    house.db.execute(back, [kept.into()]).await.unwrap();
    house.advance(60);
    assert_eq!(house.letters().await.len(), 1);
    assert_eq!(
        house.parts().await,
        0,
        "nothing is left of a letter that was sent"
    );
    // Without a commit there is no part.
    let tx = house.db.begin().await.unwrap();
    let to = address("bob@example.org");
    house
        .mailer
        .send_with(&tx, to, &NOTE, file())
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(house.parts().await, 0);
}

/// CWE-770.
#[tokio::test]
async fn a_letter_and_the_queue_have_a_bound_of_bytes() {
    let house = House::with(|config| {
        config.max_size = MIB;
        config.max_waiting_bytes = 4 * MIB;
        config.recipient_limit = 1_000;
    })
    .await;
    let large = || vec![attachment("a.pdf", pdf(700_000))];
    // Encoded in Base64 it is larger than the file.
    let sizes = [(700_000, true), (800_000, false), (1_100_000, false)];
    for (size, fits) in sizes {
        let sent = house.send_files(vec![attachment("a.pdf", pdf(size))]).await;
        let is_large = matches!(sent, Err(Error::TooLarge { most: MIB }));
        assert!(sent.is_ok() == fits && is_large != fits, "{size}: {sent:?}");
    }
    let many = (0..21).map(|_| attachment("a.pdf", pdf(9))).collect();
    let many = house.send_files(many).await;
    assert!(
        matches!(many, Err(Error::TooManyAttachments { most: 20 })),
        "{many:?}"
    );
    // One person has a quarter of the bytes, and all together have them all.
    let eve = house.mailer.on_behalf_of(UserId::new(7));
    let ada = house.mailer.on_behalf_of(UserId::new(8));
    house.send_files_of(&eve, large()).await.unwrap();
    let refused = house.send_files_of(&eve, large()).await;
    assert!(matches!(refused, Err(Error::SenderLimit(_))), "{refused:?}");
    house.send_files_of(&ada, large()).await.unwrap();
    house.send_files(large()).await.unwrap();
    let full = house.send_files(large()).await;
    assert!(matches!(full, Err(Error::Full)), "{full:?}");
    house.send("ada@example.org", &NOTE).await.unwrap();
    // What was sent waits no more.
    assert_eq!(house.letters().await.len(), 5);
    house.send_files_of(&eve, large()).await.unwrap();
}

/// A letter that was given up keeps its parts, so that an operator can send it, until it is swept.
#[tokio::test]
async fn a_letter_that_was_given_up_is_sent_again_with_its_files() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let folder = tempfile::tempdir().unwrap();
    let smtp = settings(folder.path(), &server, "");
    let house = House::with(|config| config.destination = Destination::Smtp(smtp)).await;
    server.refuse_letter_once("554 5.7.1 too many files");
    house
        .send_files(vec![attachment("a.pdf", pdf(2_000_000))])
        .await
        .unwrap();
    house.mailer.settle().await;
    assert_eq!(house.states().await[0].0, "failed");
    assert!(house.parts().await > 20);
    assert_eq!(retry(&house.db, house.clock.now()).await.unwrap(), 1);
    house.mailer.settle().await;
    assert_eq!(house.states().await[0].0, "sent");
    let arrived = server.letters();
    let own = OutboxLetter::read(&arrived[0]).unwrap();
    assert_eq!(own.attachments[0].bytes, pdf(2_000_000));
    server.refuse_letter_once("554 5.7.1 too many files");
    house
        .send_files(vec![attachment("a.pdf", pdf(9))])
        .await
        .unwrap();
    house.mailer.settle().await;
    assert_eq!(house.parts().await, 1);
    house.advance(8 * 24 * 3600);
    house.mailer.sweep().await.unwrap();
    assert_eq!(house.parts().await, 0);
}
