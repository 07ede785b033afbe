// HTML put together by hand, in a type that names itself an output of handlers.
use axum::response::{Html, IntoResponse, Response};
use dewar::pages::HandlerOutput;

struct RawHtml(String);

impl IntoResponse for RawHtml {
    fn into_response(self) -> Response {
        Html(self.0).into_response()
    }
}

impl HandlerOutput for RawHtml {}

fn main() {}
