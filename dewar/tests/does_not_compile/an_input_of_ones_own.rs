// An extractor that lets in anything a visitor sends, and names itself an input of handlers.
use axum::extract::FromRequestParts;
use dewar::forms::HandlerInput;
use dewar::pages::Error;
use axum::http::request::Parts;

struct Anything(String);

impl<S: Sync> FromRequestParts<S> for Anything {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(Self(parts.uri.to_string()))
    }
}

impl HandlerInput for Anything {}

fn main() {}
