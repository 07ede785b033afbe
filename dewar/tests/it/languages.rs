//! `pages`: each reader gets their own language.

use dewar::App;
use dewar::testing::{Browser, TestResponse};
use rust_embed::RustEmbed;

use super::site::{self, Site};

#[derive(RustEmbed)]
#[folder = "tests/it/languages"]
struct Locales;

async fn site() -> Site {
    Site::of(|app: App| site::app(app).languages::<Locales>("en")).await
}

async fn read(browser: &Browser, path: &str, language: &str) -> TestResponse {
    let asked = browser.raw("GET", path).header("accept", "text/html");
    asked
        .header("accept-language", language)
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_the_pages_and_labels_of_their_language() {
    let site = site().await;
    let page = read(&site.visitor, "/sign-in", "de-AT,de;q=0.9,en;q=0.8").await;
    assert_eq!(page.texts("h1"), ["Anmelden"]);
    assert_eq!(page.texts("label"), ["E-Mail-Adresse", "Passwort"]);
    assert!(
        page.text().contains("<html lang=\"de\">"),
        "{}",
        page.text()
    );
    assert_eq!(page.header("content-language"), Some("de"));
    assert!(
        page.header("vary")
            .is_some_and(|vary| vary.contains("accept-language"))
    );
    let page = read(&site.visitor, "/sign-in", "ja").await;
    assert_eq!(
        (page.texts("h1"), page.header("content-language")),
        (vec!["Sign in".to_owned()], Some("en"))
    );
    let page = read(&site.visitor, "/nothing", "de").await;
    assert_eq!(
        (page.texts("h1"), page.status().as_u16()),
        (vec!["Hier ist nichts".to_owned()], 404)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_the_language_of_the_reader() {
    let site = site().await;
    let ada = site.member("ada", &[]).await;
    let page = read(&ada, "/notes", "de").await;
    assert_eq!(
        page.texts("label[for=new-note-title]"),
        ["<b>Überschrift</b>"],
        "a message is text"
    );
    assert_eq!(
        page.texts("#new-note-paper-hint"),
        [
            "PDF, DOCX, ODT, PPTX, ODP, TXT, CSV, TSV, Markdown, JSON, PNG, JPEG, WebP, GIF, HEIC, AVIF, TIFF, höchstens 1 MiB. Was dazugehört."
        ]
    );
    let described = page.attribute("#new-note-paper", "aria-describedby");
    assert_eq!(described.as_deref(), Some("new-note-paper-hint"));
    let token = page.form("/notes").value("csrf_token").unwrap();
    let send = async |accept: &str| {
        let request = ada
            .raw("POST", "/notes")
            .header("sec-fetch-site", "same-origin");
        let request = request
            .header("accept-language", "de")
            .header("accept", accept);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request
            .body(format!("csrf_token={token}&title={}", "x".repeat(21)))
            .send()
            .await
            .unwrap()
    };
    let page = send("text/html").await;
    assert_eq!(page.status(), 422);
    assert_eq!(
        page.texts("#new-note-title-error"),
        ["Höchstens 20 Zeichen. Es sind 21."]
    );
    assert_eq!(page.texts(".errors p"), ["Etwas ist zu berichtigen:"]);
    let problem = send("application/json").await;
    let problem: serde_json::Value = serde_json::from_slice(problem.bytes()).unwrap();
    assert_eq!(
        problem["errors"][0]["detail"],
        "Höchstens 20 Zeichen. Es sind 21."
    );
}

/// Its labels are in the reader's language, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_into_a_form_without_its_token_is_shown_beside_its_label() {
    let site = site().await;
    let ada = site.member("ada", &[]).await;
    for (language, label) in [("de", "<b>Überschrift</b>"), ("en", "Title")] {
        let request = ada
            .raw("POST", "/notes")
            .header("sec-fetch-site", "same-origin")
            .header("accept", "text/html")
            .header("accept-language", language);
        let page = request.form("title=Tea").send().await.unwrap();
        assert_eq!(page.status(), 403);
        assert_eq!(page.texts("dt"), [label], "{}", page.text());
        assert_eq!(page.texts("dd"), ["Tea"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_of_one_language_speaks_it_to_everybody() {
    let site = Site::open().await;
    let page = read(&site.visitor, "/sign-in", "de").await;
    assert_eq!(page.texts("h1"), ["Sign in"]);
    assert_eq!(page.header("content-language"), None);
    assert!(
        !page
            .header("vary")
            .unwrap_or_default()
            .contains("accept-language")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_asks_for_a_message_that_there_is_not_forbids_the_launch() {
    #[derive(RustEmbed)]
    #[folder = "tests/it/unknown_messages"]
    struct Unknown;
    let data = tempfile::tempdir().unwrap();
    let app = site::app(App::in_directory(&data).unwrap()).templates::<Unknown>();
    let refused = format!("{:?}", app.start().await.unwrap_err());
    assert!(
        refused.contains("template unknown.html, line 2 uses the unknown message id \"notes-kep\""),
        "{refused}"
    );
}
