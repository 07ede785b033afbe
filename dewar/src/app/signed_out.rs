//! A form whose sender was signed out meanwhile, in another tab or by a timeout. Dewar keeps the typed values on the
//! sign-in page and shows them again after the sign-in.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode, Uri, header};

use crate::accounts;
use crate::forms::{self, FormSpec, Unsent};
use crate::pages::{Error, LocalPath, Prefers};

/// The response to a visitor's request for a page of signed-in people.
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

/// The page of this application that the request came from, by its `Referer`.
fn came_from(parts: &Parts) -> Option<LocalPath> {
    let text = |name| parts.headers.get(name)?.to_str().ok();
    let referer: Uri = text(header::REFERER)?.parse().ok()?;
    let host = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = host.or_else(|| text(header::HOST))?;
    let own = referer.authority()?.as_str().eq_ignore_ascii_case(host);
    LocalPath::parse(referer.path_and_query().filter(|_| own)?.to_string()).ok()
}
