//! Users whose role requires a second factor and who have none: only the pages that set one up are open to them.

use axum::response::{IntoResponse, Response};
use http::Method;
use http::request::Parts;

use crate::accounts::Accounts;
use crate::pages::{AccountPage, Error, LocalPath, Message, Prefers, Redirect, RequestContext};
use crate::roles::Access;
use crate::sessions::Principal;

/// The page that such a user has to go to first; none for everybody else. Every route of signed-in users asks, whatever its
/// role is: an administrator acts on the pages of all users too.
pub(super) fn missing(access: Access, parts: &Parts) -> Result<Option<LocalPath>, Error> {
    match access {
        Access::AnyRole(_) | Access::Role(_) | Access::SignedIn => {}
        // A public page knows the user, and is open to visitors; the others have no session.
        Access::Api(_)
        | Access::BrowserReports
        | Access::Public
        | Access::Unsubscribe
        | Access::Webhook(_) => {
            return Ok(None);
        }
    }
    let context = RequestContext::of(parts)?;
    let Some(person) = context.session()?.principal() else {
        return Ok(None);
    };
    if !context.service::<Accounts>()?.lacks_second_factor(person) {
        return Ok(None);
    }
    let paths = context.services().mounted.accounts();
    let open = [
        AccountPage::Confirm,
        AccountPage::Factors,
        AccountPage::SignOut,
    ];
    let path = parts.uri.path();
    let is_open = open.into_iter().any(|page| paths.is(page, path));
    Ok((!is_open).then(|| paths.place(AccountPage::Factors)))
}

/// Whether the caller has a second factor.
pub(super) fn has(parts: &Parts) -> Result<bool, Error> {
    let person = RequestContext::of(parts)?.session()?.principal();
    Ok(person.is_some_and(Principal::has_second_factor))
}

/// Sends a person to that page. A request that changes something, and a program, get an error, and nothing is changed.
pub(super) fn answer(parts: &Parts, prefers: Prefers, page: &LocalPath) -> Result<Response, Error> {
    if prefers == Prefers::Json || !matches!(parts.method, Method::GET | Method::HEAD) {
        let first = Message::new("accounts-factor-first").with("path", page.as_str().to_owned());
        return Err(Error::forbidden().public(first));
    }
    Ok(Redirect::to(page.clone()).into_response())
}
