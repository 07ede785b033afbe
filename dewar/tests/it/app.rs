//! `app`: the route table is the access policy.

mod beside;
mod commands;
mod content;
mod layers;
mod paths;
mod router;
mod settings;

use axum::extract::State;
use dewar::pages::Text;
use dewar::testing::Browser;
use dewar::{App, Dewar, Page, Redirect, get, post};

async fn hello() -> &'static str {
    "Hello, world!"
}

async fn mine() -> Page {
    Page::new("errors/error.html")
        .with("title", "Mine")
        .with("text", "yours")
        .with("status", 200)
}

async fn empty_the_bin() -> Redirect {
    Redirect::to("/").flash("The bin is empty.")
}

async fn panics() -> &'static str {
    panic!("a secret detail")
}

fn app(directory: &tempfile::TempDir) -> App {
    App::in_directory(directory)
        .unwrap()
        .public([
            get("/", hello),
            post("/bin", empty_the_bin),
            get("/panics", panics),
        ])
        .signed_in([get("/mine", mine)])
}

#[tokio::test(flavor = "multi_thread")]
async fn six_lines_are_an_application_over_https() {
    let directory = tempfile::tempdir().unwrap();
    let running = app(&directory).start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);

    let answer = browser.get("/").await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().as_ref()),
        (200, "Hello, world!")
    );
    assert!(
        browser.cookies().is_empty(),
        "nothing is stored for a visitor who did nothing"
    );

    let answer = browser.get("/mine").await;
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.location().unwrap(), "/sign-in?next=%2Fmine");

    let answer = browser.get("/panics").await;
    assert_eq!(answer.status(), 500);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    assert!(answer.text().contains("Something went wrong on our side"));
    assert_eq!(browser.get("/nothing").await.status(), 404);
    running.stop().await.unwrap();
}

#[derive(Clone)]
struct Shop {
    currency: &'static str,
}

async fn currency(State(shop): State<Shop>) -> Text {
    Text::new(shop.currency)
}

async fn rooms(State(dewar): State<Dewar>) -> Text {
    Text::new(dewar.clock().now().to_string())
}

/// `with_state` works at any position: routes mounted before it are in the table and respond, whichever state their
/// handlers take.
#[tokio::test(flavor = "multi_thread")]
async fn routes_mounted_before_the_state_stay_mounted() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::in_directory(&directory)
        .unwrap()
        .public([get("/", hello), get("/rooms", rooms)])
        .signed_in([get("/mine", mine)])
        .with_state(|_| Shop { currency: "EUR" })
        .public([get("/currency", currency)]);
    let table = app.route_table();
    let paths: Vec<&str> = table.entries().iter().map(|entry| entry.path).collect();
    assert_eq!(paths, ["/", "/rooms", "/mine", "/currency"]);

    let running = app.start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    assert_eq!(browser.get("/").await.text(), "Hello, world!");
    assert_eq!(browser.get("/rooms").await.status(), 200);
    assert_eq!(browser.get("/currency").await.text(), "EUR");
    // It also stays under its heading.
    assert_eq!(browser.get("/mine").await.status(), 303);
    running.stop().await.unwrap();
}

/// Dewar checks the template, the route table and the settings before it writes to the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_template_forbids_the_launch_before_anything_is_written() {
    #[derive(rust_embed::RustEmbed)]
    #[folder = "tests/it/broken"]
    struct Broken;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let whole = || App::in_directory(&data).unwrap().public([get("/", hello)]);
    let refused = format!(
        "{:?}",
        whole().templates::<Broken>().start().await.unwrap_err()
    );
    assert!(refused.contains("broken.html"), "{refused}");
    assert!(!data.exists(), "something was written");
    whole().start().await.unwrap().stop().await.unwrap();
}

async fn twice(_: dewar::forms::Path<(i64, i64)>) -> &'static str {
    "two numbers"
}

async fn once(_: dewar::forms::Path<dewar::forms::Line<20>>) -> &'static str {
    "a name"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_table_knows_the_parameters_of_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let app = |path| {
        let app = App::in_directory(&directory).unwrap();
        app.public([get("/people/{name}", once), get(path, twice)])
    };
    let table = serde_json::to_value(app("/sums/{first}/{second}").route_table()).unwrap();
    assert_eq!(
        table[0]["parameters"],
        serde_json::json!([{"name": "name", "takes": "text"}])
    );
    let two = serde_json::json!([
        {"name": "first", "takes": "integer"},
        {"name": "second", "takes": "integer"},
    ]);
    assert_eq!(table[1]["parameters"], two);
    let refused = app("/sums/{first}").start().await.unwrap_err();
    assert!(format!("{refused:?}").contains("forms-path-parameters"));
}

async fn note(_id: dewar::forms::Path<i64>) -> &'static str {
    "a note"
}

/// ASVS: V1.1.1
#[tokio::test(flavor = "multi_thread")]
async fn a_slash_too_many_leads_to_the_page() {
    let directory = tempfile::tempdir().unwrap();
    let app = app(&directory).public([
        get("/notes/{id}", note),
        get("/own", hello),
        get("/own/", mine),
    ]);
    let running = app.start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    for (path, to) in [
        ("/panics/", "/panics"),
        ("/mine/?page=2&q=%2F", "/mine?page=2&q=%2F"),
        ("/notes/7/", "/notes/7"),
        ("/notes/evil.example/", "/notes/evil.example"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = browser.raw(method, path).send().await.unwrap();
            assert_eq!(answer.status(), 308, "{method} {path}");
            assert_eq!(answer.location(), Some(to), "{method} {path}");
        }
    }
    for (path, status) in [
        ("//evil.example/", 400),
        ("/%2fevil.example/", 400),
        ("/\\evil.example/", 400),
        ("//panics/", 400),
        ("/panics//", 400),
        ("/nothing/", 404),
        ("/bin/", 404),
        ("/own/", 200),
    ] {
        let mut socket = browser.socket().await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        socket.send(request.as_bytes()).await.unwrap();
        let heard = socket.hear(std::time::Duration::from_secs(60)).await;
        assert_eq!(heard.status(), Some(status), "{path}");
        assert!(!heard.text().contains("\r\nlocation"), "{}", heard.text());
    }
    let posted = browser
        .raw("POST", "/panics/")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(posted.send().await.unwrap().status(), 404);
}
