// An extractor of the application's own needs a reason that the audit can report.
use axum::extract::FromRequestParts;
use dewar::forms::DangerousInput;
use dewar::pages::Error;
use dewar::{App, get};
use axum::http::request::Parts;

struct Tenant(String);

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(Self(parts.uri.path().to_owned()))
    }
}

async fn show(_: DangerousInput<Tenant>) -> &'static str {
    "Hello"
}

fn app(app: App) -> App {
    app.public([get("/", show)])
}

fn main() {}
