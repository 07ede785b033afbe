//! Re-authentication before an important change.

use std::time::Duration;

use dewar::accounts::{self, RecentlyAuthenticated};
use dewar::database::Migration;
use dewar::forms::Line;
use dewar::sessions::Session;
use dewar::testing::{Browser, TestResponse};
use dewar::uploads::{Document, MIB, Upload};
use dewar::{App, Db, Form, Redirect, get, post};

use super::COOKIE;
use crate::site::{PASSWORD, Site};

const PAST_RECENT: Duration = Duration::from_secs(11 * 60);

#[derive(Form)]
struct Rename {
    name: Line<80>,
}

#[derive(Form)]
struct Paper {
    paper: Upload<Document, { MIB }>,
}

async fn secret(_recently: RecentlyAuthenticated) -> &'static str {
    "the secret"
}

async fn rename(
    db: Db,
    _recently: RecentlyAuthenticated,
    form: Form<Rename>,
) -> dewar::Result<Redirect> {
    let wanted = form.or_rerender("note.html")?;
    let add = "INSERT INTO names (name) VALUES (?1)";
    db.execute(add, [wanted.name.as_str().into()]).await?;
    Ok(Redirect::to("/secret").flash(format!("Called {}.", wanted.name)))
}

async fn close(session: Session) -> dewar::Result<Redirect> {
    session.sign_out().await?;
    Ok(Redirect::to("/"))
}

async fn paper(form: Form<Paper>) -> dewar::Result<Redirect> {
    form.or_rerender("note.html").map(|_| Redirect::to("/"))
}

fn app(app: App) -> App {
    let names = "CREATE TABLE names (name TEXT NOT NULL) STRICT";
    app.public([
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
    ])
    .signed_in([
        get("/confirm", accounts::confirm_page),
        post("/confirm", accounts::confirm),
        get("/account/sessions", accounts::sessions_page),
        get("/secret", secret),
        post("/rename", rename),
        post("/sign-out", accounts::sign_out),
    ])
    .recently_authenticated([post("/close", close), post("/paper", paper)])
    .migrations([Migration::new("names_0001", names)])
}

async fn names(site: &Site) -> i64 {
    let count = "SELECT count(*) FROM names";
    let rows = site.running.dewar().db().query(count, []).await.unwrap();
    rows[0].get(0).unwrap()
}

fn cookie(browser: &Browser) -> String {
    browser.cookie(COOKIE).unwrap().value().to_owned()
}

async fn token(browser: &Browser) -> String {
    let page = browser.get("/account/sessions").await;
    page.form("/sign-out").value("csrf_token").unwrap()
}

/// Posts like a page of the application's own.
async fn send(browser: &Browser, path: &str, fields: &str) -> TestResponse {
    let mut body = format!("csrf_token={}", token(browser).await);
    if !fields.is_empty() {
        body.extend(["&", fields]);
    }
    send_with(browser, path, &body).await
}

async fn send_with(browser: &Browser, path: &str, body: &str) -> TestResponse {
    let request = browser.raw("POST", path).header("accept", "text/html");
    let request = request.header("sec-fetch-site", "same-origin");
    request.form(body).send().await.unwrap()
}

async fn confirm(browser: &Browser, page: &TestResponse, password: &str) -> TestResponse {
    let form = page.form("/confirm").fill("password", password);
    browser.submit(form).await
}

/// ASVS: V7.5.3, V7.2.4
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_matters_is_shown_after_the_password() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(ada.get("/secret").await.status(), 200, "signed in just now");
    site.clock.advance(PAST_RECENT);
    let answer = ada.get("/secret?page=2").await;
    assert_eq!(
        answer.location(),
        Some("/confirm?next=%2Fsecret%3Fpage%3D2")
    );
    let before = cookie(&ada);
    let page = ada.get("/confirm?next=%2Fsecret%3Fpage%3D2").await;
    assert_eq!(confirm(&ada, &page, "not it at all").await.status(), 422);
    assert_eq!(cookie(&ada), before);
    assert_eq!(ada.get("/secret").await.status(), 303);
    let answer = confirm(&ada, &page, PASSWORD).await;
    assert_eq!(answer.location(), Some("/secret?page=2"));
    assert_eq!(ada.get("/secret?page=2").await.text(), "the secret");
    assert_ne!(cookie(&ada), before);
    let thief = site.visitor.another();
    thief.plant_cookie(COOKIE, &before);
    assert_eq!(thief.get("/account/sessions").await.status(), 303);
}

/// ASVS: V7.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_kept_and_sent_after_the_password() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(PAST_RECENT);
    let page = send(&ada, "/rename", "name=Grace+%26+Co").await;
    assert_eq!(page.status(), 403);
    assert_eq!(names(&site).await, 0);
    assert!(!page.text().contains("Grace"), "sealed: {}", page.text());
    let page = confirm(&ada, &page, "not it at all").await;
    assert_eq!((page.status().as_u16(), names(&site).await), (422, 0));
    assert!(page.text().contains("What you entered is kept"));
    let answer = confirm(&ada, &page, PASSWORD).await;
    assert_eq!(answer.location(), Some("/secret"));
    let rows = "SELECT name FROM names";
    let rows = site.running.dewar().db().query(rows, []).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<String>(0).unwrap(), "Grace & Co");
    // The next one needs no password, because the person entered it a moment ago.
    assert_eq!(send(&ada, "/rename", "name=Ada").await.status(), 303);
    assert_eq!(names(&site).await, 2);
}

/// A person who goes back and confirms again, or twice at the same moment; and another form of the same kind, in another
/// tab.
///
/// ASVS: V7.5.3, V2.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_form_is_sent_once() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(PAST_RECENT);
    let page = send(&ada, "/rename", "name=Grace").await;
    let tab = send(&ada, "/rename", "name=Grace").await;
    assert_eq!(confirm(&ada, &page, PASSWORD).await.status(), 303);
    let again = confirm(&ada, &page, PASSWORD).await;
    assert_eq!((again.status().as_u16(), names(&site).await), (409, 1));
    assert!(again.text().contains("not done a second time"));
    assert_eq!(confirm(&ada, &tab, PASSWORD).await.status(), 303);
    assert_eq!(names(&site).await, 2);
    site.clock.advance(PAST_RECENT);
    let page = send(&ada, "/rename", "name=Ada").await;
    tokio::join!(
        confirm(&ada, &page, PASSWORD),
        confirm(&ada, &page, PASSWORD)
    );
    assert_eq!(names(&site).await, 3);
    confirm(&ada, &tab, PASSWORD).await;
    assert_eq!(names(&site).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kept_form_does_to_the_session_counts_last() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(PAST_RECENT);
    let page = send(&ada, "/close", "").await;
    assert_eq!(page.status(), 403);
    let answer = confirm(&ada, &page, PASSWORD).await;
    assert_eq!(answer.location(), Some("/"));
    assert!(ada.cookie(COOKIE).is_none());
}

/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_is_not_kept() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let eve = site.member("eve", &[]).await;
    site.clock.advance(PAST_RECENT);
    let foreign = token(&eve).await;
    for body in ["name=x".to_owned(), format!("csrf_token={foreign}&name=x")] {
        let answer = send_with(&ada, "/rename", &body).await;
        assert_eq!(answer.status(), 403);
        assert!(!answer.text().contains("/confirm"), "{body}");
    }
    let page = send(&ada, "/rename", "name=x").await;
    assert!(page.text().contains("action=\"/confirm\""));
}

/// The form and the page that keeps it are read by the same rules.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_two_readings_is_not_kept() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(PAST_RECENT);
    let token = token(&ada).await;
    for (name, status) in [("name=x", 403), ("name=%zz", 400), ("name=%ff", 400)] {
        let body = format!("{name}&csrf_token={token}");
        assert_eq!(
            send_with(&ada, "/rename", &body).await.status(),
            status,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_to_be_sent_again_and_that_is_said() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(PAST_RECENT);
    let large = send(&ada, "/rename", &format!("name={}", "x".repeat(270_000))).await;
    let token = token(&ada).await;
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--b--\r\n"
    );
    let request = ada.raw("POST", "/paper").header("accept", "text/html");
    let request = request
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=b");
    let file = request.body(multipart).send().await.unwrap();
    for answer in [large, file] {
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.texts("h1"), ["Please send it again"]);
    }
    // A program gets a response of its own kind.
    let request = ada
        .raw("GET", "/secret")
        .header("accept", "application/json");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_not_kept_for_ever() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    site.clock.advance(PAST_RECENT);
    let page = send(&ada, "/rename", "name=x").await;
    site.clock.advance(Duration::from_secs(15 * 60 + 1));
    let answer = confirm(&ada, &page, PASSWORD).await;
    assert_eq!((answer.status().as_u16(), names(&site).await), (400, 0));
}

#[tokio::test]
async fn a_route_that_asks_for_the_password_needs_the_page_that_does() {
    let data = tempfile::tempdir().unwrap();
    let bare = || App::in_directory(&data).unwrap();
    let wrong = bare().signed_in([get("/secret", secret)]);
    assert!(wrong.route_table().to_string().contains("recently"));
    let refused = format!("{:?}", wrong.start().await.unwrap_err());
    assert!(refused.contains("accounts-no-confirm-page"), "{refused}");
    let right = bare().recently_authenticated([get("/", async || "hello")]);
    let json = serde_json::to_value(right.route_table()).unwrap();
    assert_eq!(json[0]["recently"], true);
    assert_eq!(json[0]["access"], "signed_in");
}
