//! A form that somebody sends who is signed out meanwhile, in another tab or after a rest: what they typed is kept, on the
//! page where they sign in, and shown to them again.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode, Uri, header};

use crate::accounts;
use crate::forms::{self, FormSpec, Unsent};
use crate::pages::{Error, LocalPath, Prefers};

/// The answer to a request of nobody's for a page of somebody's.
pub(super) async fn answer(
    parts: &Parts,
    body: Body,
    form: Option<&FormSpec>,
    prefers: Prefers,
) -> Response {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    if reads || prefers == Prefers::Json {
        return Error::unauthenticated().into_response();
    }
    match page(parts, body, form).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn page(parts: &Parts, body: Body, form: Option<&FormSpec>) -> Result<Response, Error> {
    let unsent = match form {
        Some(form) => forms::unsent(parts, body, form).await?,
        None => Unsent::default(),
    };
    let back = came_from(parts);
    let page = accounts::sign_in_with(parts, unsent, back.as_ref())?;
    Ok(page.status(StatusCode::UNAUTHORIZED).into_response())
}

/// The page of this application that sent it.
fn came_from(parts: &Parts) -> Option<LocalPath> {
    let text = |name| parts.headers.get(name)?.to_str().ok();
    let referer: Uri = text(header::REFERER)?.parse().ok()?;
    let host = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = host.or_else(|| text(header::HOST))?;
    let own = referer.authority()?.as_str().eq_ignore_ascii_case(host);
    LocalPath::parse(referer.path_and_query().filter(|_| own)?.to_string()).ok()
}
