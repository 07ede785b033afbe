use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::{Error, Page, Redirect};

/// What a handler may return.
///
/// Everything that implements it says what it is: a page from a template, a redirect to a place in the application,
/// JSON, plain text, a download. Hand-made HTML is not among them.
///
/// ```
/// use dewar::pages::{HandlerOutput, Page, Text};
/// fn is_an_answer<A: HandlerOutput>(_: A) {}
/// is_an_answer(Page::new("index.html"));
/// is_an_answer(Text::new("42"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an answer that a handler may give",
    label = "this handler returns `{Self}`",
    note = "return `Page::new(\"template.html\")` for HTML: a template escapes what it prints, hand-made HTML does not",
    note = "or `Redirect`, `Json<T>`, `Csv`, `KeyFileText`, `Download`, `&'static str`, or a `dewar::CheckOutcome` of one of these"
)]
pub trait HandlerOutput: IntoResponse {}

impl HandlerOutput for Page {}
impl HandlerOutput for Redirect {}
impl HandlerOutput for Error {}
impl HandlerOutput for Text {}
impl HandlerOutput for &'static str {}
impl<T: Serialize> HandlerOutput for Json<T> {}
impl<A: HandlerOutput> HandlerOutput for Result<A, Error> {}

/// Plain text, `text/plain; charset=utf-8`.
///
/// Saved, it is `text.txt`, whatever its address ends in (see [`Json`]).
///
/// ```
/// use dewar::pages::Text;
/// async fn version() -> Text { Text::new(format!("version {}", 1)) }
/// ```
#[derive(Debug, Clone)]
pub struct Text(String);

impl Text {
    /// The text as it is; a browser shows it as text and as nothing else.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        named(self.0.into_response(), "inline; filename=\"text.txt\"")
    }
}

/// The name under which a browser saves an answer. Without one it takes the end of the address, which whoever made a
/// link chose: `/search/setup.bat?q=…` would leave a program that holds the visitor's text (reflected file download).
fn named(mut response: Response, disposition: &'static str) -> Response {
    let disposition = HeaderValue::from_static(disposition);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}

/// JSON, `application/json`.
///
/// It is for scripts: a browser that is sent to its address saves `data.json` and shows nothing, whatever the address
/// ends in, so that no link makes a program of an answer (reflected file download).
///
/// ```
/// use dewar::pages::Json;
/// #[derive(serde::Serialize)]
/// struct Health { ready: bool }
/// async fn health() -> Json<Health> { Json(Health { ready: true }) }
/// ```
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler builds it by its one field"
)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let json = HeaderValue::from_static("application/json");
                let response = (StatusCode::OK, [(header::CONTENT_TYPE, json)], body);
                named(
                    response.into_response(),
                    "attachment; filename=\"data.json\"",
                )
            }
            Err(error) => Error::internal(error).into_response(),
        }
    }
}
