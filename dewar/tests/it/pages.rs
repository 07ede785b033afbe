//! `pages`: output is escaped, and an error fits its reader.

use dewar::audit::Mode;
use dewar::forms::CleanHtml;
use dewar::pages::{Assets, Bundle, LocalPath, Templates};
use dewar::{App, Page};
use rust_embed::RustEmbed;

use super::site::{self, Site};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_template_prints_is_escaped() {
    let site = Site::open().await;
    let page = site.member("ada", &[]).await.get("/notes").await;
    assert_eq!(page.texts("h1"), ["<i>New</i>"]);
}

#[test]
fn cleaned_html_is_markup_as_a_field_too() {
    #[derive(RustEmbed)]
    #[folder = "tests/it/templates"]
    struct Ours;
    #[derive(serde::Serialize)]
    struct Row {
        body: CleanHtml<200>,
    }
    let row = || Row {
        body: CleanHtml::clean("<p>a <em>b</em></p>"),
    };
    let bundles = [Bundle::of::<Ours>()];
    let templates = Templates::load(&bundles, Assets::load(&[]), Mode::Production);
    let page = Page::new("cleaned.html").with("row", row());
    let page = page.with("rows", vec![row()]);
    let html = templates.html(&page).unwrap();
    assert_eq!(html.matches("<p>a <em>b</em></p>").count(), 3, "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_a_page_for_people_and_a_problem_for_programs() {
    let site = Site::open().await;
    let page = site.visitor.get("/nothing").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let asked = site
        .visitor
        .raw("GET", "/nothing")
        .header("accept", "application/json");
    let problem = asked.send().await.unwrap();
    assert_eq!(
        problem.header("content-type"),
        Some("application/problem+json")
    );
    let problem: serde_json::Value = serde_json::from_slice(problem.bytes()).unwrap();
    assert_eq!(problem["status"], 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_does_not_parse_forbids_the_launch() {
    #[derive(RustEmbed)]
    #[folder = "tests/it/broken_templates"]
    struct Broken;
    let data = tempfile::tempdir().unwrap();
    let app = site::app(App::in_directory(&data).unwrap()).templates::<Broken>();
    let refused = format!("{:?}", app.start().await.unwrap_err());
    assert!(refused.contains("broken.html, line 2"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_with_a_value_where_none_can_be_escaped_forbids_the_launch() {
    #[derive(RustEmbed)]
    #[folder = "tests/it/refused_templates"]
    struct Refused;
    let data = tempfile::tempdir().unwrap();
    let app = site::app(App::in_directory(&data).unwrap()).templates::<Refused>();
    let refused = format!("{:?}", app.start().await.unwrap_err());
    for told in [
        "template unquoted.html, line 2: a value stands in the attribute title without quotes",
        "template handler.html, line 2: a value stands in the event handler onclick",
        "template handler.html, line 3: the filter safe prints a value as it is",
        "template dangerous.html, line 1: HTML is printed as it is: set by the operator",
        "write title=",
    ] {
        assert!(refused.contains(told), "{told}: {refused}");
    }
}

#[test]
fn a_path_that_a_browser_could_read_as_another_host_is_not_local() {
    for text in [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "evil",
        "",
        "/a\r\nb",
        "/\tb",
        "\\\\evil",
    ] {
        assert!(LocalPath::parse(text).is_err(), "{text:?}");
    }
    assert!(LocalPath::parse("/documents?page=2#here").is_ok());
}

/// A link that ends in the name of a program, to a response that repeats the visitor's input (reflected file download).
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_programs_is_saved_under_a_fixed_name() {
    type Word = dewar::forms::Path<dewar::forms::Line<40>>;
    async fn json(word: Word) -> dewar::pages::Json<String> {
        dewar::pages::Json(word.0.to_string())
    }
    async fn text(word: Word) -> dewar::pages::Text {
        dewar::pages::Text::new(word.0.to_string())
    }
    let routes = [
        dewar::get("/json/{word}", json),
        dewar::get("/text/{word}", text),
    ];
    let site = Site::of(|app| site::app(app).public(routes)).await;
    for word in ["setup.bat", "a;setup.bat", "||calc||.cmd", "plain"] {
        let answer = site.visitor.get(&format!("/json/{word}")).await;
        assert_eq!(answer.text(), format!("\"{word}\""));
        assert_eq!(
            answer.header("content-disposition"),
            Some("inline; filename=\"data.json\"")
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin")
        );
        let answer = site.visitor.get(&format!("/text/{word}")).await;
        assert_eq!(answer.text(), word);
        assert_eq!(
            answer.header("content-disposition"),
            Some("inline; filename=\"text.txt\"")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

/// The template's parts are for every application: a screen reader gets their roles in its language, and Dewar escapes a
/// value in them for its context.
#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_pages_are_accessible_and_escape_what_they_are_given() {
    async fn parts() -> Page {
        Page::new("parts.html").with("here", "\"><b>x")
    }
    let site = Site::of(|app| site::app(app).public([dewar::get("/parts", parts)])).await;
    let page = site.visitor.get("/parts").await;
    assert_eq!(page.texts(".trail li"), ["Notes", "\"><b>x"]);
    assert_eq!(page.texts(".trail [aria-current=page]"), ["\"><b>x"]);
    assert_eq!(
        page.texts("th[aria-sort=ascending] a[href='/notes?sort=%22%3E%3Cb%3Ex']")
            .len(),
        1
    );
    assert_eq!(page.texts("th:not([aria-sort]) a"), ["Day"]);
    let pages = page.texts("nav[aria-label=Pages] li");
    assert_eq!(pages, ["Previous", "Page 1", "Page 2", "…", "Next"]);
    assert_eq!(page.texts(".pages [aria-current=page]"), ["Page 2"]);
    assert_eq!(
        page.texts("a[rel=next][href='about:invalid#refused']"),
        ["Next"]
    );
    assert_eq!(page.texts(".table caption"), ["\"><b>x"]);
    assert_eq!(page.texts(".table th[scope=col]"), ["\"><b>x", "Count"]);
    assert_eq!(page.texts(".table th.number"), ["Count"]);
    assert_eq!(page.texts(".table td"), ["\"><b>x", "3"]);
    assert_eq!(page.texts(".flash[role=status] p"), ["\"><b>x"]);
    assert_eq!(page.texts(".flash").len(), 1);
    assert_eq!(page.texts("b").len(), 0);
}
