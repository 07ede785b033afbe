//! Letters as messages, read by another program.

use super::*;

/// Python's own parser of messages, and what it has read as JSON.
const READER: &str = r#"
import sys, json, email, email.policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [part for part in message.walk() if not part.is_multipart()]
print(json.dumps({
    "defects": [str(defect) for part in message.walk() for defect in part.defects]
        + [str(defect) for value in message.values() for defect in value.defects],
    "headers": [[name, str(value)] for name, value in message.items()],
    "to": [[address.display_name, address.addr_spec] for address in message["To"].addresses],
    "type": message.get_content_type(),
    "parts": [[part.get_content_type(), part.get_content().replace("\r\n", "\n")] for part in parts],
}))
"#;

fn read(letter: &str) -> serde_json::Value {
    read_by_python(READER, letter)
}

fn header<'a>(read: &'a serde_json::Value, name: &str) -> &'a str {
    let headers = read["headers"].as_array().unwrap();
    let mut of = headers.iter().filter(|pair| pair[0] == name);
    let found = of.next().unwrap_or_else(|| panic!("{name}: {headers:?}"));
    assert!(of.next().is_none(), "{name} twice: {headers:?}");
    found[1].as_str().unwrap()
}

/// RFC 5322, 2.1.1 and 3.6; RFC 2045, 4; RFC 3834, 5.
#[tokio::test]
async fn another_program_reads_every_header_and_every_part() {
    let house = House::open().await;
    let long = format!("{} ä {}", "x".repeat(1_200), "ö".repeat(700));
    let words = format!("first line\n.\n..two dots\nFrom me\n{long}\u{2028}end");
    let name = crate::forms::Name::<80>::parse("Ädä, \"Countess\" <of> Lovelace; x");
    let tx = house.db.begin().await.unwrap();
    let to = Recipient::new(address("ada@example.org")).named(&name.unwrap());
    let letter = Note {
        title: "Grüße – 日本 🎉 of a title that is much longer than one line of seventy-eight characters",
        words: &words,
    };
    house.mailer.send(&tx, to, &letter).await.unwrap();
    let rich = Rich {
        title: "<b>Tea & \"milk\"</b>",
        id: 7,
    };
    house
        .mailer
        .send(&tx, address("bob@example.org"), &rich)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2);
    for letter in &letters {
        assert!(letter.is_ascii() && letter.split("\r\n").all(|line| line.len() <= 998));
        assert!(!letter.replace("\r\n", "").contains(['\r', '\n']));
    }
    let note = read(&letters[0]);
    assert_eq!(note["defects"], serde_json::json!([]));
    assert_eq!(
        header(&note, "Subject"),
        format!("Your account: {}", letter.title)
    );
    assert_eq!(header(&note, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&note, "MIME-Version"), "1.0");
    assert_eq!(header(&note, "Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
    assert_eq!(header(&note, "From"), "Paperhouse <no-reply@example.org>");
    let id = header(&note, "Message-ID");
    assert!(
        id.starts_with('<') && id.ends_with("@portal.example.org>"),
        "{id}"
    );
    assert_ne!(id, header(&read(&letters[1]), "Message-ID"));
    assert_eq!(
        note["to"],
        serde_json::json!([["Ädä, \"Countess\" <of> Lovelace; x", "ada@example.org"]])
    );
    let quoted = format!("> first line\n> .\n> ..two dots\n> From me\n> {long} end");
    let one = format!("first line . ..two dots From me {long}");
    let one: String = one.chars().take(300).chain(['…']).collect();
    let text = format!("Hello,\n{one}\n\n{quoted}\n\nhttps://portal.example.org/notes\n");
    assert_eq!(note["parts"], serde_json::json!([["text/plain", text]]));
}

/// CWE-79, CWE-640.
#[tokio::test]
async fn html_is_escaped_for_its_context_and_stands_beside_the_text() {
    let house = House::open().await;
    let title = "<img src=x onerror=1> \"Tea\" & {{ 7 * 7 }}";
    let rich = Rich { title, id: 7 };
    house.send("ada@example.org", &rich).await.unwrap();
    let letters = house.letters().await;
    let rich = read(&letters[0]);
    assert_eq!(rich["type"], "multipart/alternative");
    assert_eq!(rich["defects"], serde_json::json!([]));
    let parts = rich["parts"].as_array().unwrap();
    let kinds: Vec<&str> = parts.iter().map(|part| part[0].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text/plain", "text/html"]);
    assert_eq!(
        parts[0][1],
        format!("{title}: https://portal.example.org/rich/7\n")
    );
    let html = parts[1][1].as_str().unwrap();
    let escaped = "&lt;img src=x onerror=1&gt; &quot;Tea&quot; &amp; {{ 7 * 7 }}";
    assert!(html.contains(&format!(">{escaped}</p>")), "{html}");
    assert!(html.contains(&format!("title=\"{escaped}\"")), "{html}");
    assert!(
        html.contains("href=\"https://portal.example.org/rich/7\""),
        "{html}"
    );
}

#[tokio::test]
async fn a_letter_in_html_alone_has_a_text_and_the_subject_of_its_title() {
    let house = House::open().await;
    let bare = Bare {
        title: "Tea & milk",
    };
    house.send("ada@example.org", &bare).await.unwrap();
    let letters = house.letters().await;
    let bare = read(&letters[0]);
    assert_eq!(header(&bare, "Subject"), "Tea & milk");
    assert_eq!(
        bare["parts"][0][1],
        "Hello\n\nIt is here <https://portal.example.org/bare>.\n"
    );
}

/// A line break in a value would begin a header, or a text that the program has not written (CWE-93, CWE-451).
///
/// ASVS: V1.3.11
#[tokio::test]
async fn a_value_adds_no_header_and_no_line() {
    let house = House::open().await;
    for breaks in ["\r\n", "\n", "\r", "\u{2028}", "\u{85}", "\u{b}"] {
        let title =
            format!("Tea{breaks}Bcc: eve@example.org{breaks}{breaks}Your password has expired");
        let note = Note {
            title: &title,
            words: &title,
        };
        house.send("ada@example.org", &note).await.unwrap();
        let letters = house.letters().await;
        let note = read(letters.last().unwrap());
        assert_eq!(note["defects"], serde_json::json!([]));
        assert_eq!(note["headers"].as_array().unwrap().len(), 9, "{note}");
        let one = "Tea Bcc: eve@example.org Your password has expired";
        assert_eq!(header(&note, "Subject"), format!("Your account: {one}"));
        let text = note["parts"][0][1].as_str().unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("Your password") || line.starts_with("Bcc"));
        assert_eq!(lines.count(), 0, "{text}");
        assert!(text.contains(&format!("Hello,\n{one}\n")), "{text}");
    }
    // The reader of the text sees it in the direction in which the program wrote it.
    let note = Note {
        title: "a\u{202e}b",
        words: "c\u{2066}d\0e",
    };
    house.send("ada@example.org", &note).await.unwrap();
    let letters = house.letters().await;
    let note = read(letters.last().unwrap());
    assert_eq!(header(&note, "Subject"), "Your account: a b");
    assert!(note["parts"][0][1].as_str().unwrap().contains("\nc d e\n"));
}

/// Templates with mistakes.
fn wrong_templates() -> LetterTemplates {
    let bundle = Bundle::inside(
        |name| {
            let text = match name {
                "letters/a.txt" => "Subject: {{ title }}\n\n{{ titel }}{{ origin }}{{ x|nothing }}",
                "letters/b.txt" => "No subject {{ title }}",
                "letters/c.txt" => "Subject: a {{ title\n\nx",
                "letters/d.html" => {
                    "<title>x</title><img src=\"https://a.test/x.gif\"><a href=\"/x\">x</a>"
                }
                _ => return None,
            };
            Some(Cow::Borrowed(text.as_bytes()))
        },
        || {
            [
                "letters/a.txt",
                "letters/b.txt",
                "letters/c.txt",
                "letters/d.html",
            ]
            .map(Cow::Borrowed)
            .into()
        },
    );
    templates(bundle)
}

#[test]
fn a_letter_whose_template_is_wrong_is_found_at_start() {
    let templates = wrong_templates();
    let told: Vec<(&str, &str)> = templates
        .findings()
        .iter()
        .map(|finding| (finding.id, finding.title.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "pages-name-unknown",
                "template letters/a.txt, line 3: there is no filter \"nothing\""
            ),
            (
                "mail-template-broken",
                "cannot read the template letters/c.txt, line 1"
            ),
            (
                "mail-html",
                "template letters/d.html, line 1: `src` in <img> loads something when the letter is read"
            ),
            (
                "mail-html",
                "template letters/d.html, line 1: the link \"/x\" leads nowhere from a letter"
            ),
        ]
    );
}

#[test]
fn a_value_that_a_letter_has_not_is_found_at_start() {
    let templates = wrong_templates();
    let of = |name, fields: &[&str]| -> Vec<String> {
        let found = templates.of_letter(name, fields, None);
        assert!(found.iter().all(|finding| finding.refuses_launch));
        found
            .into_iter()
            .map(|finding| format!("{}; {}", finding.title, finding.fix))
            .collect()
    };
    assert_eq!(
        of("letters/a", &["title"]),
        [
            "template letters/a.txt, line 3: the letter has no value \"titel\"; did you mean `title`?",
            "template letters/a.txt, line 3: the letter has no value \"x\"; its values are: title"
        ]
    );
    assert_eq!(of("letters/b", &["title"]).len(), 1);
    let missing = of("letters/aa", &[]);
    assert!(
        missing[0].contains("no template letters/aa.txt") && missing[0].contains("`letters/a`"),
        "{missing:?}"
    );
}

#[test]
fn a_server_is_greeted_with_the_hosts_name_or_a_literal() {
    for (host, greeted) in [
        ("portal.example.org", "portal.example.org"),
        ("localhost", "localhost"),
        ("192.0.2.7", "[192.0.2.7]"),
        ("[2001:db8::7]", "[IPv6:2001:db8::7]"),
    ] {
        assert_eq!(message::greeting(host).to_string(), greeted);
    }
}
