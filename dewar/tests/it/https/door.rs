//! Rejections and errors, as people and programs read them, from `https`, a check or a handler.

use std::time::Duration;

use dewar::app::Running;
use dewar::forms::Line;
use dewar::testing::{Browser, RawRequest, TestResponse};
use dewar::{App, Error, Form, Page, Redirect, accounts, get, post};
use tempfile::TempDir;

#[derive(Form)]
struct Note {
    title: Line<20>,
}

async fn note() -> Page {
    Page::new("note.html")
        .with("title", "New")
        .form("form", Note::view())
}

async fn keep(form: Form<Note>) -> dewar::Result<Redirect> {
    let note = form.or_rerender(Page::new("note.html").with("title", "Again"))?;
    Ok(Redirect::to("/").flash(note.title.to_string()))
}

async fn again() -> dewar::Result<Redirect> {
    Err(Error::too_many_requests(Duration::from_secs(30)))
}

async fn broken() -> dewar::Result<Redirect> {
    Err(Error::internal("a secret detail"))
}

async fn slow() -> Redirect {
    std::future::pending().await
}

#[derive(rust_embed::RustEmbed)]
#[folder = "tests/it/templates"]
struct Templates;

async fn open() -> (Running, Browser, TempDir) {
    open_with("600s").await
}

/// An application with this handler timeout.
async fn open_with(handler: &str) -> (Running, Browser, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("DEWAR_HTTPS_LIMITS_BODY", "1KiB"),
        ("DEWAR_HTTPS_LIMITS_HANDLER_TIMEOUT", handler),
    ];
    let app = App::in_directory_with(&data, settings)
        .unwrap()
        .public([
            get("/notes", note),
            post("/notes", keep),
            get("/again", again),
            get("/broken", broken),
            get("/slow", slow),
            get("/sign-in", accounts::sign_in_page),
            post("/sign-in", accounts::sign_in),
        ])
        .signed_in([get("/mine", broken)])
        .templates::<Templates>();
    let running = app.start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    (running, browser, data)
}

async fn requests(browser: &Browser, hasty: &Browser) -> [(u16, RawRequest); 12] {
    let form = browser.get("/notes").await.form("/notes");
    let (kind, body) = form.fill("title", &"x".repeat(30)).encoded();
    let too_long = browser
        .raw("POST", "/notes")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", kind)
        .body(body);
    let foreign = browser
        .raw("POST", "/notes")
        .header("sec-fetch-site", "cross-site");
    [
        (400, browser.raw("GET", "/a%2fb")),
        (401, browser.raw("GET", "/mine")),
        (403, foreign.form("title=x")),
        (404, browser.raw("GET", "/nothing")),
        (
            411,
            browser
                .raw("POST", "/notes")
                .header("transfer-encoding", "chunked")
                .body("x"),
        ),
        (417, browser.raw("GET", "/notes").header("expect", "tea")),
        (501, browser.raw("PROPFIND", "/notes")),
        (413, browser.raw("POST", "/notes").form(&"x".repeat(2_000))),
        (422, too_long),
        (429, browser.raw("GET", "/again")),
        (500, browser.raw("GET", "/broken")),
        (503, hasty.raw("GET", "/slow")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_statuses_are_pages_for_people_and_problems_for_programs() {
    let (_running, browser, _data) = open().await;
    let (_hasty, hasty, _too) = open_with("1s").await;
    for (status, request) in requests(&browser, &hasty).await {
        let answer = request.header("accept", "text/html").send().await.unwrap();
        if status == 401 {
            assert_eq!(answer.status(), 303, "people are sent to sign in");
            assert_eq!(answer.location(), Some("/sign-in?next=%2Fmine"));
            continue;
        }
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(
            answer.text().contains("</html>"),
            "{status}: {}",
            answer.text()
        );
        says_no_more_than_it_must(status, &answer);
    }
    for (status, request) in requests(&browser, &hasty).await {
        let answer = request
            .header("accept", "application/json")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{status}"
        );
        let problem: serde_json::Value = serde_json::from_slice(answer.bytes()).unwrap();
        assert_eq!(problem["status"], status);
        assert!(
            problem["title"].is_string() && problem["detail"].is_string(),
            "{problem}"
        );
        says_no_more_than_it_must(status, &answer);
    }
}

/// Every error response follows the same content negotiation (RFC 9110, 12.5.1), whether it is from `https`, a check, a
/// form or a handler.
#[tokio::test(flavor = "multi_thread")]
async fn one_negotiation_decides_what_every_error_looks_like() {
    let (_running, browser, _data) = open().await;
    for (accept, is_page) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", true),
        ("TEXT/HTML", true),
        ("application/xhtml+xml", true),
        ("text/html, application/json;q=0.9", true),
        ("application/json;q=0, */*", true),
        ("gr\u{fc}n, text/html", true),
        ("application/json, text/html;q=0.9", false),
        ("text/html;q=0", false),
        ("text/html;q=0, */*", false),
        ("APPLICATION/Problem+JSON", false),
        ("*/*", false),
    ] {
        let requests = requests(&browser, &browser).await.into_iter();
        for (status, request) in requests.filter(|(status, _)| *status != 503) {
            // The elements of a list may come in several lines (RFC 9110, 5.3).
            let request = accept
                .split(", ")
                .fold(request, |request, line| request.header("accept", line));
            let answer = request.send().await.unwrap();
            let kind = answer.header("content-type").unwrap_or_default();
            match (status, is_page) {
                (401, true) => assert_eq!(answer.status(), 303, "{accept}"),
                (_, true) => assert_eq!(kind, "text/html; charset=utf-8", "{status}: {accept}"),
                (_, false) => assert_eq!(kind, "application/problem+json", "{status}: {accept}"),
            }
        }
    }
}

fn says_no_more_than_it_must(status: u16, answer: &TestResponse) {
    assert!(!answer.text().contains("secret"), "{status}");
    assert!(
        answer.header("content-security-policy").is_some(),
        "{status}"
    );
    assert_eq!(
        answer.header("retry-after").is_some(),
        [429, 503].contains(&status),
        "{status}"
    );
    if [400, 411, 413, 417, 501].contains(&status) {
        assert_eq!(answer.header("connection"), Some("close"), "{status}");
        assert!(answer.header("set-cookie").is_none(), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_an_unknown_host_has_no_markup() {
    let (_running, browser, _data) = open().await;
    let ask = |accept: &'static str, host: &'static str| {
        let request = browser.raw("GET", "/notes").header("host", host);
        async move { request.header("accept", accept).send().await.unwrap() }
    };
    for (host, status) in [("evil.example", 421), ("localhost@evil.example", 400)] {
        let answer = ask("text/html", host).await;
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert!(!answer.text().contains('<'));
        let answer = ask("application/json", host).await;
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert!(!answer.text().contains("evil"));
    }
}

/// A browser with too many cookies: Dewar refuses its head before it reads `Accept`, and the browser saved the response
/// as a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_not_read_is_answered_with_text_that_a_browser_shows() {
    let (_running, browser, _data) = open().await;
    let cookie = "x".repeat(20_000);
    let request = browser.raw("GET", "/notes").header("accept", "text/html");
    let answer = request.header("cookie", &cookie).send().await.unwrap();
    assert_eq!(answer.status(), 431);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), None);
    assert!(answer.text().contains("delete its cookies"));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_headers_are_a_page_for_people() {
    let (_running, browser, _data) = open().await;
    let mut request = browser.raw("GET", "/notes").header("accept", "text/html");
    for number in 0..70 {
        request = request.header(&format!("x-{number}"), "a");
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 431);
    assert!(
        answer
            .text()
            .contains("Your browser says too much about itself")
    );
}
