//! Inputs of an application's own: none disables the check of the CSRF token.

use axum::extract::{FromRequest, FromRequestParts, Request};
use dewar::database::Migration;
use dewar::forms::{DangerousHandlerInput, DangerousInput, Line};
use dewar::testing::{Browser, Cookies};
use dewar::{App, Db, Error, Form, app, post};
use http::request::Parts;

use crate::site::{self, Site};

#[derive(Form)]
struct Mark {
    word: Line<20>,
}

/// It stands in a form's place, and reads nothing.
struct SaysItTakesAForm;

impl DangerousHandlerInput for SaysItTakesAForm {
    const REASON: &'static str = "a test of the guard";
}

impl<S: Send + Sync> FromRequest<S> for SaysItTakesAForm {
    type Rejection = Error;

    async fn from_request(_: Request, _: &S) -> Result<Self, Error> {
        Ok(Self)
    }
}

/// It reads a form, and goes on if that is refused.
struct MayHaveAForm;

impl DangerousHandlerInput for MayHaveAForm {
    const REASON: &'static str = "a test of the guard";
}

impl<S: Send + Sync> FromRequest<S> for MayHaveAForm {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        drop(Form::<Mark>::from_request(request, state).await);
        Ok(Self)
    }
}

/// It always fails, and the handler goes on.
struct Fails;

impl DangerousHandlerInput for Fails {
    const REASON: &'static str = "a test of the guard";
}

impl<S: Send + Sync> FromRequestParts<S> for Fails {
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Error> {
        Err(Error::bad_request("always"))
    }
}

async fn mark(db: &Db) -> dewar::Result<&'static str> {
    db.execute("INSERT INTO marks DEFAULT VALUES", []).await?;
    Ok("marked")
}

async fn says(db: Db, _: DangerousInput<SaysItTakesAForm>) -> dewar::Result<&'static str> {
    mark(&db).await
}

async fn may(db: Db, _: DangerousInput<MayHaveAForm>) -> dewar::Result<&'static str> {
    mark(&db).await
}

async fn fails(
    db: Db,
    failed: Result<DangerousInput<Fails>, Error>,
) -> dewar::Result<&'static str> {
    assert!(failed.is_err());
    mark(&db).await
}

/// `Form` is there, but does not read the body.
async fn button(db: Db) -> dewar::Result<&'static str> {
    mark(&db).await
}

const PATHS: [&str; 4] = ["/says", "/may", "/fails", "/button"];

fn marking(app: App) -> App {
    let table = "CREATE TABLE marks (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT";
    let routes = [
        post("/says", says),
        post("/may", may),
        post("/fails", fails),
        post("/button", button),
        app::delete("/button", button),
    ];
    site::app(app)
        .public(routes)
        .migrations([Migration::new("marks_0001", table)])
}

struct Scene {
    site: Site,
    ada: Browser,
    token: String,
}

impl Scene {
    async fn open() -> Self {
        let site = Site::of(marking).await;
        let ada = site.member("ada", &[]).await;
        let page = ada.get("/notes").await;
        let token = page.form("/sign-out").value("csrf_token").unwrap();
        Self { site, ada, token }
    }

    async fn marks(&self) -> i64 {
        let db = self.site.running.dewar().db();
        let rows = db.query("SELECT count(*) FROM marks", []).await.unwrap();
        rows[0].get(0).unwrap()
    }

    async fn press(&self, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut raw = self.ada.raw("POST", path);
        raw = raw.header("sec-fetch-site", "same-origin");
        for (name, value) in headers {
            raw = raw.header(name, value);
        }
        let answer = raw.cookies(Cookies::All).body(body.to_owned()).send().await;
        answer.unwrap().status().as_u16()
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test(flavor = "multi_thread")]
async fn no_argument_of_the_applications_own_switches_the_token_off() {
    let scene = Scene::open().await;
    let wrong = "A".repeat(86);
    for (number, path) in (1..).zip(PATHS) {
        for body in ["", "word=tea", "csrf_token=&word=tea"] {
            assert_eq!(scene.press(path, &[FORM], body).await, 403, "{path} {body}");
        }
        let header = [FORM, ("x-csrf-token", wrong.as_str())];
        assert_eq!(scene.press(path, &header, "").await, 403, "{path}");
        assert_eq!(scene.press(path, &[], "").await, 403, "{path}");
        assert_eq!(scene.marks().await, number - 1, "{path}");
        // With the token, Dewar calls the handler.
        let body = format!("csrf_token={}", scene.token);
        assert_eq!(scene.press(path, &[FORM], &body).await, 200, "{path}");
        assert_eq!(scene.marks().await, number, "{path}");
    }
}

/// A button follows the rules of every form, so that no two parsers can see two tokens.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_button_is_read_as_strictly_as_a_form() {
    let scene = Scene::open().await;
    let (own, wrong) = (scene.token.as_str(), "A".repeat(86));
    let field = format!("csrf_token={own}");
    let header = ("x-csrf-token", own);
    let json = ("content-type", "application/json");
    for (what, headers, body, status) in [
        (
            "two tokens",
            &[FORM] as &[_],
            format!("{field}&csrf_token={wrong}"),
            400,
        ),
        (
            "two tokens, the good one last",
            &[FORM],
            format!("csrf_token={wrong}&{field}"),
            403,
        ),
        ("another field", &[FORM], format!("{field}&a=b"), 400),
        ("a broken escape", &[FORM], format!("{field}&%zz=b"), 400),
        (
            "a good header and a bad field",
            &[FORM, header],
            format!("csrf_token={wrong}"),
            403,
        ),
        (
            "a good field and a bad header",
            &[FORM, ("x-csrf-token", wrong.as_str())],
            field.clone(),
            403,
        ),
        ("two headers", &[FORM, header, header], String::new(), 403),
        (
            "plain text",
            &[("content-type", "text/plain")],
            field.clone(),
            415,
        ),
        (
            "plain text beside the header",
            &[("content-type", "text/plain"), header],
            field.clone(),
            415,
        ),
        (
            "two types",
            &[FORM, ("content-type", "text/plain")],
            field.clone(),
            415,
        ),
        ("no type", &[], field.clone(), 403),
        (
            "a body of no type beside the header",
            &[header],
            field.clone(),
            415,
        ),
        (
            "too much",
            &[FORM],
            format!("{field}&a={}", "b".repeat(5_000)),
            413,
        ),
        (
            "JSON with the token inside",
            &[json, header],
            format!(r#"{{"csrf_token":"{own}"}}"#),
            400,
        ),
    ] {
        assert_eq!(
            scene.press("/button", headers, &body).await,
            status,
            "{what}"
        );
        assert_eq!(scene.marks().await, 0, "{what}");
    }
    for (number, (what, headers, body)) in (1..).zip([
        ("a form", &[FORM] as &[_], field.clone()),
        ("both", &[FORM, header], field.clone()),
        ("the header alone", &[header], String::new()),
        ("JSON", &[json, header], "{}".to_owned()),
    ]) {
        assert_eq!(scene.press("/button", headers, &body).await, 200, "{what}");
        assert_eq!(scene.marks().await, number, "{what}");
    }
}
