//! Re-authentication: the guard of routes that require a recent password, or a recent second factor of users who have one. A
//! person who entered it recently passes with the proof. For everybody else Dewar keeps the request until they have entered it.

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::routes::refused;
use crate::accounts::{Accounts, Pending, largest_form};
use crate::csrf::HEADER;
use crate::forms::{Intake, URLENCODED, token_of};
use crate::https::media_type::MediaType;
use crate::pages::{AccountPage, Error, Message, Page, Prefers, Redirect, RequestContext};

/// Asks for the password, and keeps the original request: a page by its path, a form sealed in the page that asks.
pub(super) async fn ask(parts: Parts, body: Body, prefers: Prefers) -> Response {
    let page = match RequestContext::of(&parts) {
        Ok(context) => {
            let paths = context.services().mounted.accounts();
            paths.place(AccountPage::Confirm)
        }
        Err(error) => return error.into_response(),
    };
    if prefers == Prefers::Json {
        // A program cannot enter a password.
        let first = Message::new("accounts-confirm-first").with("path", page.as_str().to_owned());
        return Error::forbidden().public(first).into_response();
    }
    if matches!(parts.method, Method::GET | Method::HEAD) {
        let wanted = parts
            .uri
            .path_and_query()
            .map_or("/", |whole| whole.as_str());
        let next = utf8_percent_encode(wanted, NON_ALPHANUMERIC);
        return Redirect::to_path(format!("{}?next={next}", page.as_str()))
            .unwrap_or_else(|_| Redirect::to(page))
            .into_response();
    }
    match keep(&parts, body).await {
        Ok(Some(page)) => page.status(StatusCode::FORBIDDEN).into_response(),
        Ok(None) => Page::new("accounts/confirm_again.html")
            .status(StatusCode::FORBIDDEN)
            .into_response(),
        Err(error) => error.into_response(),
    }
}

/// The page that asks, with the form in it. None if the form cannot be kept, because it has files or is too large. Dewar
/// refuses a cross-site request before it asks for anything (CSRF).
async fn keep(parts: &Parts, body: Body) -> Result<Option<Page>, Error> {
    let context = RequestContext::of(parts)?;
    let intake = context.service::<Intake>()?;
    let most = largest_form(intake);
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| MediaType::of(kind).is_utf8(URLENCODED)) {
        return Ok(None);
    }
    let Ok(body) = to_bytes(body, most).await else {
        return Ok(None);
    };
    let in_header = parts.headers.get(HEADER).map(|token| token.to_str().ok());
    let in_body = token_of(&body, context)?;
    let of_body = in_body.as_ref().map(|token| token.as_str());
    let tokens = context.tokens()?;
    tokens
        .verify(in_header.unwrap_or(of_body))
        .map_err(|rejection| refused(rejection, context))?;
    // A token that came only in a header would not come with the form.
    let (true, Ok(body)) = (in_body.is_some(), String::from_utf8(body.to_vec())) else {
        return Ok(None);
    };
    let pending = Pending::form(
        &parts.method,
        &parts.uri,
        body,
        context.services().clock.now(),
    );
    let accounts = context.service::<Accounts>()?;
    let person = context.session()?.principal();
    let page = pending.and_then(|pending| pending.ask(person));
    Ok(page.map(|page| accounts.with_providers(page)))
}
