//! The room as a whole: forms that arrive through real CSRF tokens, and forms that are rendered.

mod array;
mod bounds;
mod columns;
mod derived;
mod drawn;
mod hidden;
mod json;
mod lists;
mod patch;
mod posted;
mod promises;
mod too_large;
mod under_way;
mod widgets;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, HeaderValue, header};

use super::{
    Choice, CleanHtml, Config, Email, Field, FieldKind, Form, FormValue, FormView, Incoming, Int,
    Intake, Line, NewPassword, Problem, Problems, RawValue, Text,
};
use crate::audit::Log;
use crate::csrf::CsrfTokens;
use crate::pages::{Error, Fixture, Prefers, RequestContext};
use crate::secrets::Token;

/// A file of at most 100 bytes, unchecked.
#[derive(Debug)]
struct Small(Incoming);

impl PartialEq for Small {
    fn eq(&self, other: &Self) -> bool {
        self.0.path() == other.0.path()
    }
}

impl Field for Small {
    const KIND: FieldKind = FieldKind::file("text/plain,.txt", 100);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        raw.file().map(Self)
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

#[derive(super::Choices, Clone, Copy, Debug, PartialEq)]
enum Colour {
    Red,
    #[choice(label = "Deep \"blue\" <sea>")]
    DeepBlue,
}

#[derive(super::Form, Debug)]
#[form(check = Self::title_is_not_body)]
struct NewNote {
    #[field(hint = "In a few words.")]
    title: Line<20>,
    body: Option<CleanHtml<2_000>>,
    colour: Choice<Colour>,
    #[field(label = "Also as")]
    others: Vec<Choice<Colour>>,
    pinned: bool,
}

impl NewNote {
    fn title_is_not_body(&self) -> Result<(), Problems<Self>> {
        match &self.body {
            Some(body) if body.as_str().contains(self.title.as_str()) => {
                Problems::at(Self::BODY, "Say more than the title.")
                    .and_all("Nothing is said twice.")
                    .into_result()
            }
            _ => Ok(()),
        }
    }
}

#[derive(super::Form, Debug)]
struct NewFile {
    title: Line<20>,
    file: Small,
    more: Vec<Small>,
}

#[derive(super::Form, Debug)]
struct SignUp {
    email: Email,
    password: NewPassword,
    age: Option<Int<0, 150>>,
    #[field(rows = 3, placeholder = "Hello \"there\"")]
    about: Option<Text<500>>,
}

/// A browser that has loaded a page: it has the pre-session's cookie and a token for it.
struct Browser {
    directory: tempfile::TempDir,
    rooms: Fixture,
    log: Log,
    gate: CsrfTokens,
    config: Config,
}

impl Browser {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let rooms = Fixture::new(directory.path());
        let mut headers = HeaderMap::new();
        let cookie = format!("__Host-visitor={}", Token::new().reveal());
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
        let visitor = rooms.sessions.visitor();
        let gate = CsrfTokens::new(rooms.ring.clone(), &visitor, &headers);
        Self {
            log: rooms.log.clone(),
            directory,
            rooms,
            gate,
            config: Config::default(),
        }
    }

    fn quarantined(&self) -> usize {
        std::fs::read_dir(self.directory.path().join("quarantine"))
            .unwrap()
            .count()
    }

    /// A request as the middleware stack passes it to a handler.
    fn request(&self, kind: &str, body: impl Into<Body>) -> Request {
        let quarantine = self.directory.path().join("quarantine");
        std::fs::create_dir_all(&quarantine).unwrap();
        let mut request = Request::post("/notes")
            .header(header::CONTENT_TYPE, kind)
            .body(body.into())
            .unwrap();
        let mut later = http::Extensions::new();
        later.insert(Intake::new(self.config, quarantine));
        self.rooms.enter(&mut request, later);
        RequestContext::in_test(&mut request).facts_mut().tokens = self.gate.clone();
        request
    }

    /// Sends fields with a token, like a browser.
    fn head(&self, address: &str) -> http::request::Parts {
        let mut request = Request::get(address).body(Body::empty()).unwrap();
        self.rooms.enter(&mut request, http::Extensions::new());
        request.into_parts().0
    }

    /// Sends fields with a token, as a browser does.
    async fn send<T: super::Model>(&self, fields: &str) -> Result<Form<T>, Error> {
        let body = format!("csrf_token={}&{fields}", self.gate.token());
        Form::from_request(self.request("application/x-www-form-urlencoded", body), &()).await
    }

    /// Sends parts, each with its headers after `name="`, with a token before them.
    async fn send_parts<T: super::Model>(&self, parts: &[(&str, &str)]) -> Result<Form<T>, Error> {
        let token = self.gate.token();
        let mut all = vec![("csrf_token\"", token.as_str())];
        all.extend_from_slice(parts);
        self.send_parts_alone(&all).await
    }

    async fn send_parts_alone<T: super::Model>(
        &self,
        parts: &[(&str, &str)],
    ) -> Result<Form<T>, Error> {
        let request = self.request("multipart/form-data; boundary=b0", multipart(parts));
        Form::from_request(request, &()).await
    }

    async fn events(&self) -> Vec<String> {
        self.log.flush().await;
        self.log
            .latest(100, None)
            .await
            .unwrap()
            .into_iter()
            .map(|recorded| recorded.event)
            .collect()
    }
}

/// Says which kind of answer the reader of a request wants.
fn accept(request: &mut Request, kind: &str) {
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_str(kind).unwrap());
    let prefers = Prefers::of(headers);
    RequestContext::in_test(request).facts_mut().prefers = prefers;
}

fn multipart(parts: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (head, content) in parts {
        body +=
            &format!("--b0\r\nContent-Disposition: form-data; name=\"{head}\r\n\r\n{content}\r\n");
    }
    body + "--b0--\r\n"
}

/// The form of a refusal, as a template shows it.
fn shown(view: &dyn crate::pages::NeedsToken) -> String {
    view.value("THE-TOKEN").to_string()
}
