use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{Next, is_page};
use crate::accounts::pending_form::{LARGEST_FORM, PAGE, Pending, Sent};
use crate::accounts::{self, Accounts, CurrentUser};
use crate::audit::Clock;
use crate::forms::{Form, Hidden, Line, Password, Query};
use crate::https::ClientAddress;
use crate::pages::{
    AccountPage, Error, ErrorKind, LocalPath, Message, Outcome, Page, Redirect, Resume, output,
};
use crate::sessions::Session;

/// The password for re-authentication, and the pending request.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct Confirm {
    /// The pending request, sealed for this session.
    pub pending: Hidden<Line<MOST_PENDING>>,
    /// The password.
    pub password: Password,
}

/// The largest form, its path and the JSON syntax around them.
pub(in crate::accounts) const MOST_PENDING: usize = LARGEST_FORM + 16 * 1024;

/// The response to the right password.
#[derive(Debug)]
pub struct Confirmed(AfterConfirm);

#[derive(Debug)]
pub(super) enum AfterConfirm {
    Go(Redirect),
    Send(Resume),
}

impl IntoResponse for Confirmed {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl IntoResponse for AfterConfirm {
    fn into_response(self) -> Response {
        match self {
            Self::Go(redirect) => redirect.into_response(),
            Self::Send(resume) => {
                // The stack replaces this response by the form's own.
                Outcome::resume(resume)
            }
        }
    }
}

output! { Confirmed => [303 None] }

/// `GET /confirm`.
///
/// # Errors
/// Never for a path that [`Next`] takes.
pub async fn confirm_page(
    person: CurrentUser,
    accounts: Accounts,
    Query(next): Query<Next>,
) -> Result<Page, Error> {
    let paths = accounts.paths();
    let to = next
        .local(paths)
        .filter(|path| !is_page(paths, AccountPage::Confirm, path));
    let asks = Pending::page(to.as_ref()).ask(Some(person.principal()));
    let asks = asks.map(|page| {
        accounts
            .with_providers(page)
            .with("next", to.as_ref().map(|path| path.as_str().to_owned()))
    });
    asks.ok_or_else(|| Error::internal("the path does not fit into the re-authentication form"))
}

/// `POST /confirm`: with the right password the session gets a new token, and Dewar continues with the pending request. A user who has
/// a second factor is asked for that.
///
/// # Errors
/// The page again at 422; 400 if the pending request has expired; 409 if it was sent already; 429; 503.
pub async fn confirm(
    accounts: Accounts,
    person: CurrentUser,
    session: Session,
    address: ClientAddress,
    clock: Clock,
    form: Form<Confirm>,
) -> Result<Confirmed, Error> {
    let page = accounts.with_providers(Page::new(PAGE));
    let (confirm, bound) = form.bind(page)?;
    let late = || Error::bad_request(Message::new("accounts-confirm-late"));
    let pending = Pending::read(confirm.pending.as_str());
    let pending = pending
        .filter(|pending| pending.is_kept(clock.now()))
        .ok_or_else(late)?;
    let password = confirm.password.expose();
    let proof = accounts
        .confirm_password(person.id(), password, address.network())
        .await;
    let proof = match proof {
        Ok(proof) => proof.confirm(&session).await,
        Err(error) => Err(error),
    };
    match proof {
        Ok(()) => {}
        Err(accounts::Error::FactorRequired) => {
            let page = pending.ask(Some(person.principal()));
            let page = page.ok_or_else(late)?.status(StatusCode::FORBIDDEN);
            return Err(Error::page(page));
        }
        Err(accounts::Error::Refused) => {
            let problem = Message::new("accounts-not-your-password");
            let bound = bound.with("kept", pending.is_form());
            return Err(bound.refuse(Confirm::PASSWORD, problem));
        }
        Err(other) => {
            let bound = bound.with("kept", pending.is_form());
            return bound.or_refuse(Err(other), Confirm::PASSWORD);
        }
    }
    Ok(Confirmed(
        after_confirm(&session, pending, clock.now()).await?,
    ))
}

/// Continues with the pending request, once.
pub(super) async fn after_confirm(
    session: &Session,
    pending: Pending,
    now: i64,
) -> Result<AfterConfirm, Error> {
    if !Sent::note(session, &pending, now).await? {
        let done = Message::new("accounts-confirm-done");
        return Err(Error::new(ErrorKind::Conflict).public(done));
    }
    Ok(match pending {
        Pending::Go { to } => AfterConfirm::Go(Redirect::to(LocalPath::parse(to)?)),
        Pending::Send {
            method, path, body, ..
        } => AfterConfirm::Send(Resume::send(
            method.parse().map_err(Error::internal)?,
            path.parse().map_err(Error::internal)?,
            body,
        )),
    })
}
