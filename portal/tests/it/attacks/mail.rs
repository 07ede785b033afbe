//! Letters: what a stranger or a member can make them say, to whom, and how often.

use dewar::accounts::NewUser;
use dewar::forms::Email;
use dewar::mail::LetterStatus;
use dewar::testing::{Browser, SentLetter};
use dewar::uploads::FileId;

use crate::company::{
    PASSWORD, Portal, Told, address, decide, document, encoded, files_below, hand_in, sign_in,
    token,
};

async fn forgot(browser: &Browser, email: &str) {
    let page = browser.get("/forgot").await;
    let form = page.form("/forgot").fill("email", email);
    assert!(browser.submit(form).await.status().as_u16() < 400);
}

/// A document that was handed in and approved, with its path.
async fn approved(owner: &Browser, reviewer: &Browser, title: &str) -> String {
    let path = document(owner, title).await;
    approve(reviewer, &path).await;
    path
}

async fn approve(reviewer: &Browser, path: &str) {
    let review = path.replace("/documents/", "/reviews/");
    let decided = decide(reviewer, &review, "decision=approve&reason=").await;
    assert_eq!(decided.status(), 303, "{}", decided.text());
}

/// A line break in the title of a document would be a header of the letter to its owner, or a text that nobody has written
/// (header injection, CWE-93; CWE-79).
///
/// ASVS: V1.3.11
#[tokio::test(flavor = "multi_thread")]
async fn a_title_adds_no_header_no_line_and_no_markup_to_a_letter() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let bob = portal.person("bob", &["reviewer"]).await;
    let path = document(&ada, "Plans").await;
    // The form refuses a line break, so the attacker has reached the table.
    let title = "Plans\r\nBcc: eve@example.org\r\n\r\nYour account is locked: <a href=\"https://evil.test\">unlock</a>";
    let sql = "UPDATE documents SET title = ?";
    portal.db().execute(sql, [title.into()]).await.unwrap();
    approve(&bob, &path).await;
    let letters = portal.running.letters().await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert!(letter.is_to(&address("ada")), "{}", letter.to());
    let one = title.split_whitespace().collect::<Vec<_>>().join(" ");
    // A mail program makes no link of it.
    let one = one.replace("<a href=\"https://evil.test\">unlock</a>", "");
    let seen = format!("\"{one}<a href=\"https[:]//evil[.]test\">unlock</a>\"");
    assert_eq!(letter.subject(), format!("Approved: {seen}"));
    assert!(!letter.text().contains("https://evil"), "{}", letter.text());
    let begins = |word: &str| letter.text().lines().any(|line| line.starts_with(word));
    assert!(
        !begins("Bcc") && !begins("Your account"),
        "{}",
        letter.text()
    );
    let html = letter.html().unwrap();
    assert!(
        !html.contains("<a href=\"https://evil.test\">") && html.contains("&lt;a href="),
        "{html}"
    );
    let link = format!("{}{path}", portal.running.url());
    assert!(letter.links().contains(&link.as_str()), "{}", letter.text());
}

/// A request that names another host gets no link to it into a letter (CWE-640).
///
/// ASVS: V6.4.3
#[tokio::test(flavor = "multi_thread")]
async fn the_host_of_a_request_is_in_no_letter() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let stranger = portal.visitor();
    let fields = format!(
        "csrf_token={}&email={}",
        token(&stranger).await,
        encoded(&address("ada"))
    );
    for (name, value) in [
        ("x-forwarded-host", "evil.test"),
        ("forwarded", "host=evil.test"),
        ("x-original-host", "evil.test"),
        ("host", "evil.test"),
    ] {
        let request = stranger.raw("POST", "/forgot").form(&fields);
        let request = request.header("sec-fetch-site", "same-origin");
        // Dewar refuses some of them.
        drop(request.header(name, value).send().await);
    }
    forgot(&stranger, &address("ada")).await;
    let letters = portal.running.letters().await;
    assert!(!letters.is_empty());
    for letter in &letters {
        assert!(!letter.text().contains("evil.test"), "{}", letter.text());
        for link in letter.links() {
            assert!(link.starts_with(portal.running.url()), "{link}");
        }
    }
}

/// A member makes the application write to one person again and again (CWE-799). The decisions count all the same.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn nobody_floods_a_third_with_letters() {
    let portal = Portal::open_with(&[("DEWAR_MAIL_RECIPIENT_LIMIT", "6")]).await;
    let ada = portal.member("ada").await;
    let bob = portal.person("bob", &["reviewer"]).await;
    for number in 0..5 {
        approved(&ada, &bob, &format!("Plan {number}")).await;
    }
    let decided = "SELECT count(*) FROM documents WHERE status = 'approved'";
    assert_eq!(portal.count(decided).await, 5);
    let to_ada = |letters: &[SentLetter]| {
        letters
            .iter()
            .filter(|letter| letter.is_to(&address("ada")))
            .count()
    };
    assert_eq!(to_ada(&portal.running.letters().await), 3);
    portal.clock.advance(std::time::Duration::from_secs(3600));
    // Their sessions have ended by then.
    let bob = portal.visitor();
    let ada = portal.visitor();
    for (browser, name) in [(&ada, "ada"), (&bob, "bob")] {
        let answer = sign_in(browser, &address(name), PASSWORD).await;
        assert_eq!(answer.status(), 303);
    }
    approved(&ada, &bob, "The last plan").await;
    assert_eq!(to_ada(&portal.running.letters().await), 4);
}

/// A stranger signs up with the address of a third: the name that they choose is in no letter, and the letters end (CWE-799).
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_makes_the_application_write_few_letters_and_none_of_their_words() {
    let portal = Portal::open().await;
    for number in 0..6 {
        let name = format!("Visit evil dot test {number}");
        let person = NewUser {
            email: "third@example.org",
            name: &name,
            password: PASSWORD,
        };
        let from = std::net::IpAddr::from([192, 0, 2, number]);
        portal
            .running
            .dewar()
            .accounts()
            .sign_up(person, from)
            .await
            .unwrap();
    }
    let letters = portal.running.letters().await;
    assert_eq!(letters.len(), 3);
    for letter in letters {
        assert!(
            !letter.text().contains("evil") && !letter.to().contains("evil"),
            "{}",
            letter.text()
        );
    }
}

/// The page with the letters of development is no page of production, and only of this machine.
#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_shows_letters_in_development_alone() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let visitor = portal.visitor();
    forgot(&visitor, &address("ada")).await;
    let letters = portal.running.letters().await;
    let page = visitor.get("/dewar/mail").await;
    assert_eq!(page.status(), 200);
    assert!(
        page.text().contains(letters[0].subject()),
        "{}",
        page.text()
    );
    for path in [
        "/dewar/mail/x",
        "/dewar/mail/..%2f..%2fkeys",
        "/dewar/mail/../keys",
    ] {
        assert_ne!(visitor.get(path).await.status(), 200, "{path}");
    }
    let there = Portal::open_with(&[("DEWAR_MAIL_TRANSPORT", "none")]).await;
    assert_eq!(there.visitor().get("/dewar/mail").await.status(), 404);
}

/// Development on a machine that others reach: the links in letters open accounts. The proxy is near, its visitors may say that
/// they are.
#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_is_for_this_machine_alone() {
    let portal = Portal::open_with(&[
        ("DEWAR_HTTPS_TRUSTED_PROXIES", "127.0.0.1"),
        ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for"),
    ])
    .await;
    let visitor = portal.visitor();
    for from in ["127.0.0.1", "198.51.100.7", "2001:db8::7"] {
        for path in ["/dewar/mail", "/dewar/mail/"] {
            let request = visitor.raw("GET", path).header("x-forwarded-for", from);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 404, "{from} {path}");
        }
    }
}

/// Sends this file of the portal to ada; none without the file.
async fn forward(portal: &Portal, file: &str) -> Result<LetterStatus, dewar::mail::Error> {
    let mailer = portal.running.dewar().mailer();
    let file = file.parse::<FileId>().unwrap();
    let attachment = mailer.attachment(portal.uploads(), &file).await?;
    let letter = Told {
        id: 1,
        title: "Plan",
        approved: true,
        reason: None,
    };
    let tx = portal.db().begin().await?;
    let to = Email::parse(&address("ada")).unwrap();
    let status = mailer.send_with(&tx, to, &letter, [attachment]).await?;
    tx.commit().await?;
    Ok(status)
}

async fn file_of(portal: &Portal) -> String {
    let rows = portal.db().query("SELECT file_id FROM documents", []);
    rows.await.unwrap()[0].get(0).unwrap()
}

/// The name of an upload adds no header and no part to a letter that carries the file, and the file arrives as it is (CWE-93).
///
/// ASVS: V1.3.11, V5.4.1
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_an_attached_upload_is_a_name_and_nothing_else() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let name = "Grüße\"; filename=evil.exe; x=\".txt";
    let bytes = b"--boundary\r\nContent-Type: text/html\r\n\r\n<script>\r\n.\r\nMAIL FROM:<eve@example.org>\r\n";
    assert_eq!(hand_in(&ada, "Plan", name, bytes).await.status(), 303);
    let file = file_of(&portal).await;
    assert_eq!(forward(&portal, &file).await.unwrap(), LetterStatus::Queued);
    let letters = portal.running.letters().await;
    let files: Vec<_> = letters[0].attachments().collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].name(), "Grüße__ filename=evil.exe_ x=_.txt");
    assert_eq!(files[0].kind(), "text/plain; charset=utf-8");
    assert_eq!(files[0].bytes(), bytes);
    let outbox = files_below(&portal.data.path().join("outbox"));
    let letter = std::fs::read_to_string(&outbox[0]).unwrap();
    assert!(
        !letter.contains("evil.exe;") && !letter.contains("<script>"),
        "{letter}"
    );
}

/// A file that nobody may have is in no letter: it waits for the virus scanner, had a virus, or is deleted.
///
/// ASVS: V5.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_nobody_may_have_leaves_in_no_letter() {
    let portal = Portal::open_with(&[("DEWAR_MAIL_MAX_SIZE", "1MiB")]).await;
    let ada = portal.member("ada").await;
    assert_eq!(
        hand_in(&ada, "Plan", "a.txt", b"Plan\n").await.status(),
        303
    );
    let file = file_of(&portal).await;
    for state in ["waiting", "infected"] {
        let set = "UPDATE dewar_files SET scan = ?";
        portal.db().execute(set, [state.into()]).await.unwrap();
        let refused = forward(&portal, &file).await;
        assert!(
            matches!(refused, Err(dewar::mail::Error::File(_))),
            "{state}: {refused:?}"
        );
    }
    let other = file.chars().rev().collect::<String>();
    assert!(forward(&portal, &other).await.is_err());
    let set = "UPDATE dewar_files SET scan = 'clean', size = 1048577";
    portal.db().execute(set, []).await.unwrap();
    let large = forward(&portal, &file).await;
    assert!(
        matches!(large, Err(dewar::mail::Error::TooLarge { .. })),
        "{large:?}"
    );
    portal
        .db()
        .execute("UPDATE dewar_files SET size = 5", [])
        .await
        .unwrap();
    assert_eq!(forward(&portal, &file).await.unwrap(), LetterStatus::Queued);
}
