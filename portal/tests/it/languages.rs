//! Two languages: each reader gets the one that the browser prefers.

mod bare;
mod browser;
mod messages;
mod sweep;
mod text;

use dewar::pages::{Bundle, Languages};
use dewar::testing::{Browser, TestResponse, unused_templates, wrong_messages, wrong_templates};
use rust_embed::RustEmbed;

use crate::company::{Portal, hand_in, post};

#[derive(RustEmbed)]
#[folder = "locales"]
struct Locales;

async fn read(browser: &Browser, path: &str, language: &str) -> TestResponse {
    let asked = browser.raw("GET", path).header("accept", "text/html");
    asked
        .header("accept-language", language)
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_the_language_that_their_browser_asks_for() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let answer = hand_in(&ada, "Reisekosten", "note.txt", b"x\n").await;
    let path = answer.location().unwrap().to_owned();
    for (path, german, english) in [
        ("/documents", "Dokumente", "Documents"),
        ("/documents/new", "Dokument hinzufügen", "Add a document"),
        ("/account", "Ihr Konto", "Your account"),
        (&path, "Reisekosten", "Reisekosten"),
    ] {
        let page = read(&ada, path, "de-CH, en;q=0.5").await;
        assert_eq!(page.texts("h1"), [german], "{path}");
        assert_eq!(page.header("content-language"), Some("de"));
        assert_eq!(page.texts(".self button"), ["Abmelden"], "{path}");
        let page = read(&ada, path, "fr").await;
        assert_eq!(page.texts("h1"), [english], "{path}");
        assert_eq!(page.texts(".self button"), ["Sign out"], "{path}");
    }
    let page = read(&ada, &path, "de").await;
    assert_eq!(page.texts("#comments"), ["Kommentare"]);
    assert_eq!(
        page.texts("label[for=new-comment-comment]"),
        ["Ihr Kommentar"]
    );
    let page = read(&ada, "/documents", "de").await;
    assert_eq!(page.texts("caption"), ["1 Dokument"]);
    assert_eq!(page.texts("td .status"), ["Wartend"]);
}

/// ASVS: V1.2.1
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_text_in_every_language() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let hostile = "<b>{ $name }</b>";
    let answer = hand_in(&ada, hostile, "note.txt", b"x\n").await;
    let path = answer.location().unwrap().to_owned();
    for language in ["en", "de"] {
        let page = read(&ada, &format!("{path}/delete"), language).await;
        assert!(page.texts("main strong").contains(&hostile.to_owned()));
        assert!(
            page.texts("main b").is_empty(),
            "{language}: {}",
            page.text()
        );
    }
    let refused = post(&ada, &format!("{path}/comments"), "comment=").await;
    assert_eq!(refused.status(), 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_in_the_language_of_whoever_caused_it() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    for (language, words) in [("de", "f=C3=BCr Ihr Konto"), ("en", "for your account")] {
        let visitor = portal.visitor();
        let page = read(&visitor, "/forgot", language).await;
        let token = page.form("/forgot").value("csrf_token").unwrap();
        let request = visitor
            .raw("POST", "/forgot")
            .header("sec-fetch-site", "same-origin")
            .header("accept-language", language);
        let request = request.form(&format!("csrf_token={token}&email=ada%40example.org"));
        assert_eq!(request.send().await.unwrap().status(), 303);
        portal.running.dewar().accounts().settle().await;
        let outbox = std::fs::read_dir(portal.data.path().join("outbox")).unwrap();
        let mut letters =
            outbox.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let is_it = |letter: String| letter.replace("=\r\n", "").contains(words);
        assert!(letters.any(is_it), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_to_keep_is_in_the_language_of_whoever_asks_for_it() {
    let portal = Portal::open().await;
    let grace = portal.person("grace", &["administrator", "member"]).await;
    for (language, head, row) in [
        (
            "de",
            "\"Name\",\"E-Mail-Adresse\",\"Rollen\",\"Konto\"",
            "\"grace\",\"grace@example.org\",\"Mitglied und Verwaltung\",\"aktiv\"",
        ),
        (
            "en",
            "\"Name\",\"E-mail address\",\"Roles\",\"Account\"",
            "\"grace\",\"grace@example.org\",\"Member and Administrator\",\"in use\"",
        ),
    ] {
        let table = read(&grace, "/admin/users.csv", language).await.text();
        // The byte order mark at its beginning tells spreadsheets that it is UTF-8.
        let table = table.strip_prefix('\u{feff}').unwrap();
        assert_eq!(table.lines().collect::<Vec<_>>(), [head, row]);
    }
}

#[test]
fn what_the_portal_says_there_is_in_both_languages() {
    let languages = Languages::load("en", &Bundle::of::<Locales>());
    assert!(
        languages.findings().is_empty(),
        "{:?}",
        languages.findings()
    );
    let wrong = wrong_messages(&languages, concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_template_is_left_over() {
    #[derive(rust_embed::RustEmbed)]
    #[folder = "templates"]
    struct Templates;
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let unused = unused_templates::<Templates>(sources).unwrap();
    assert_eq!(unused, Vec::<String>::new());
}

/// Every template that a handler names exists, and uses only values that handlers give, in conditions too.
#[test]
fn every_template_is_there_and_takes_what_handlers_give() {
    #[derive(rust_embed::RustEmbed)]
    #[folder = "templates"]
    struct Templates;
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let wrong = wrong_templates(&[Bundle::of::<Templates>()], sources).unwrap();
    assert_eq!(wrong, Vec::<String>::new());
}
