//! Letters to many: the headers of RFC 8058, and nothing to an address that has left the list.

use super::*;
use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderMap, Method};

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// The values of a header, unfolded.
fn header(letter: &str, name: &str) -> Vec<String> {
    let head = letter.split("\r\n\r\n").next().unwrap();
    let head = head.replace("\r\n ", " ");
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let of = lines.filter(|(found, _)| *found == name);
    of.map(|(_, value)| value.to_owned()).collect()
}

/// The link in the header of a letter.
fn link(letter: &str) -> String {
    let links = header(letter, "List-Unsubscribe");
    assert_eq!(links.len(), 1, "{letter}");
    let link = links[0]
        .strip_prefix('<')
        .and_then(|link| link.strip_suffix('>'));
    link.unwrap().to_owned()
}

fn token(link: &str) -> &str {
    let path = link.strip_prefix("https://portal.example.org").unwrap();
    unsubscribe_token(path).unwrap()
}

async fn ask(house: &House, method: Method, token: &str, body: &str) -> Option<u16> {
    let english = Languages::english().first();
    let body = Body::from(body.to_owned());
    let head = (&method, &HeaderMap::new());
    let answered = house.mailer.answer_unsubscribe(head, token, body, &english);
    let refused = answered.await.err()?;
    Some(refused.into_response().status().as_u16())
}

/// RFC 8058, 3.1: both headers, one link over HTTPS; RFC 2919.
#[tokio::test]
async fn a_letter_of_a_list_has_the_headers_and_the_same_kind_of_link_in_its_text() {
    let house = House::open().await;
    let long = format!("{}@example.org", "a".repeat(60));
    for to in ["ada@example.org", &long] {
        house.send(to, &News { title: "Tea" }).await.unwrap();
    }
    house
        .send("ada@example.org", &Bare { title: "Tea" })
        .await
        .unwrap();
    let letters = house.letters().await;
    for letter in &letters[..2] {
        let link = link(letter);
        assert!(
            link.starts_with("https://portal.example.org/unsubscribe/"),
            "{link}"
        );
        assert!(!link.contains("ada") && !link.contains("aaaa"), "{link}");
        assert_eq!(header(letter, "List-Unsubscribe-Post"), [ONE_CLICK]);
        assert_eq!(header(letter, "List-Id"), ["<news.portal.example.org>"]);
        assert!(letter.split("\r\n").all(|line| line.len() <= 998));
        let body = letter.replace("=\r\n", "").replace("=3D", "=");
        assert!(body.matches(&link).count() >= 3, "{body}");
    }
    for name in ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"] {
        assert!(header(&letters[2], name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn one_click_ends_the_letters_of_one_list_to_one_address() {
    let house = House::open().await;
    let news = News { title: "Tea" };
    house.send("ada@example.org", &news).await.unwrap();
    let link = link(&house.letters().await[0]);
    // One more waits when the recipient leaves.
    house.send("ADA@example.org", &news).await.unwrap();
    house.send("bob@example.org", &news).await.unwrap();
    assert_eq!(ask(&house, Method::GET, token(&link), "").await, None);
    assert_eq!(ask(&house, Method::POST, token(&link), "").await, Some(400));
    let status = house.send("ada@example.org", &news).await.unwrap();
    assert_eq!(
        status,
        LetterStatus::Queued,
        "a look and an empty request change nothing"
    );
    for _ in 0..2 {
        assert_eq!(
            ask(&house, Method::POST, token(&link), ONE_CLICK).await,
            None
        );
    }
    for to in ["ada@example.org", "ADA@Example.org"] {
        assert_eq!(
            house.send(to, &news).await.unwrap(),
            LetterStatus::Unsubscribed
        );
    }
    house
        .send("ada@example.org", &note("an answer"))
        .await
        .unwrap();
    let letters = house.letters().await;
    let to = |letter: &String| header(letter, "To")[0].clone();
    let to: Vec<_> = letters.iter().map(to).collect();
    assert_eq!(
        to,
        ["ada@example.org", "bob@example.org", "ada@example.org"]
    );
    assert!(letters[2].contains("an answer"));
    let events = std::fs::read_to_string(house.folder.path().join("audit.log")).unwrap();
    assert_eq!(events.matches("mail_unsubscribed").count(), 1, "{events}");
    assert!(!events.contains("ada@"), "{events}");
}

fn note(title: &str) -> Note<'_> {
    Note { title, words: "" }
}

/// A changed link, one for another use, and one of another application leave nothing.
#[tokio::test]
async fn only_a_link_of_this_application_leaves_a_list() {
    let house = House::open().await;
    let news = News { title: "Tea" };
    house.send("ada@example.org", &news).await.unwrap();
    let link = link(&house.letters().await[0]);
    let good = token(&link);
    let text = b"news\nada@example.org";
    let other_use = house
        .ring
        .seal(crate::secrets::Purpose::Link, b"mailing list", text);
    let other_ring = KeyRing::ephemeral();
    let other = list::link(
        &other_ring,
        "https://portal.example.org",
        "news",
        "ada@example.org",
    );
    let (start, last) = good.split_at(good.len() - 1);
    let changed = format!("{start}{}", if last == "A" { 'B' } else { 'A' });
    let other = other.unwrap();
    for forged in [
        &changed,
        &other_use.unwrap(),
        token(&other),
        "",
        "x",
        "ada@example.org",
    ] {
        assert_eq!(
            ask(&house, Method::POST, forged, ONE_CLICK).await,
            Some(404),
            "{forged}"
        );
    }
    assert_eq!(
        ask(&house, Method::DELETE, good, ONE_CLICK).await,
        Some(405)
    );
    let status = house.send("ada@example.org", &news).await.unwrap();
    assert_eq!(status, LetterStatus::Queued);
}

#[tokio::test]
async fn an_application_has_a_switch_of_its_own() {
    let house = House::open().await;
    let ada = address("Ada@example.org");
    let tx = house.db.begin().await.unwrap();
    let mailer = &house.mailer;
    mailer.unsubscribe::<News<'_>>(&tx, &ada).await.unwrap();
    assert!(
        mailer
            .has_unsubscribed::<News<'_>>(&tx, &address("ada@example.org"))
            .await
            .unwrap()
    );
    let news = News { title: "Tea" };
    let status = mailer.send(&tx, &ada, &news).await.unwrap();
    assert_eq!(status, LetterStatus::Unsubscribed);
    mailer.resubscribe::<News<'_>>(&tx, &ada).await.unwrap();
    let status = mailer.send(&tx, &ada, &news).await.unwrap();
    assert_eq!(status, LetterStatus::Queued);
    let wrong = mailer.unsubscribe::<Short>(&tx, &ada).await;
    assert!(
        matches!(wrong, Err(Error::NoList("letters/short"))),
        "{wrong:?}"
    );
}

/// A mail program sends the field as parts as well (RFC 8058, 3.2).
#[tokio::test]
async fn the_request_may_be_a_form_of_either_kind() {
    let house = House::open().await;
    let link = list::link(
        &house.ring,
        "https://portal.example.org",
        "news",
        "ada@example.org",
    );
    let link = link.unwrap();
    let parts = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let others = parts.replace("One-Click", "Two-Clicks");
    for (kind, body, passes) in [
        ("multipart/form-data; boundary=x", parts, true),
        ("multipart/form-data; boundary=x", others.as_str(), false),
        ("application/x-www-form-urlencoded", parts, false),
        (
            "application/x-www-form-urlencoded",
            "a=b&List-Unsubscribe=One-Click",
            true,
        ),
        (
            "application/x-www-form-urlencoded",
            "List-Unsubscribe=one",
            false,
        ),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        let english = Languages::english().first();
        let (head, body) = ((&Method::POST, &headers), Body::from(body.to_owned()));
        let answered = house
            .mailer
            .answer_unsubscribe(head, token(&link), body, &english);
        assert_eq!(answered.await.is_ok(), passes, "{kind}");
    }
}

#[test]
fn a_letter_of_a_list_without_a_link_to_leave_it_is_found() {
    let templates = templates(bundle());
    let found = |name: &str, list| {
        let found = templates.of_letter(name, &["title"], list);
        found.into_iter().map(|found| found.id).collect::<Vec<_>>()
    };
    assert_eq!(found("letters/bare", Some("news")), ["mail-no-unsubscribe"]);
    assert_eq!(found("letters/news", Some("news")), [""; 0]);
    assert_eq!(
        found("letters/news", None),
        ["mail-unknown-value", "mail-unknown-value"]
    );
}
