//! The page that asks for the second factor: the second step of a sign-in, and re-authentication of a user who has one.
use axum::response::{IntoResponse, Response};

use super::confirm::{AfterConfirm, after_confirm};
use super::sign_in::AfterSignIn;
use super::{MOST_PENDING, Next, SecondTab, sign_in};
use crate::accounts::second_factor::Waiting;
use crate::accounts::{
    self, Accounts, CurrentUser, FactorProof, OneTimeCode, PendingSignIn, StoredForm,
};
use crate::audit::Clock;
use crate::forms::{Form, Hidden, Line, Query};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, LocalPath, Message, Page, Redirect, output};
use crate::sessions::Session;

const PAGE: &str = "accounts/second_factor.html";

/// The code, and what waits for it.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct SecondFactor {
    /// The sign-in or the request that waits, sealed for this browser.
    pub pending: Hidden<Line<MOST_PENDING>>,
    /// The code of the app, or a recovery code.
    #[field(
        label = "Code",
        hint = "The six digits that your app shows now. If you do not have it, one of your recovery codes."
    )]
    pub code: OneTimeCode,
    /// The typed values of another form, whose sender was signed out.
    pub kept: StoredForm,
}

/// The response to the right code: the page that the person wanted, or the form that waited.
#[derive(Debug)]
pub struct FactorAccepted(After);

#[derive(Debug)]
enum After {
    Confirm(AfterConfirm),
    Go(Redirect),
    SignIn(AfterSignIn),
}

impl IntoResponse for FactorAccepted {
    fn into_response(self) -> Response {
        match self.0 {
            After::Confirm(then) => then.into_response(),
            After::Go(redirect) => redirect.into_response(),
            After::SignIn(then) => then.into_response(),
        }
    }
}

output! { FactorAccepted => [303 None] }

/// `GET /second-factor`. Nothing waits for a code here: the page of it is the response to a password or to a request.
pub async fn second_factor_page(accounts: Accounts, person: Option<CurrentUser>) -> Redirect {
    match person {
        Some(_) => Redirect::to(LocalPath::front()),
        None => Redirect::to(accounts.place(AccountPage::SignIn)),
    }
}

/// `POST /second-factor`: with the right code the sign-in is complete, or Dewar continues with the pending request.
///
/// # Errors
/// The page again at 422 with the same sentence for every reason, and at 429; 400 if the request that waits has expired.
#[expect(clippy::too_many_arguments, reason = "each is an input of the route")]
pub async fn second_factor(
    accounts: Accounts,
    person: Option<CurrentUser>,
    session: Session,
    address: ClientAddress,
    Query(next): Query<Next>,
    _tab: SecondTab,
    clock: Clock,
    form: Form<SecondFactor>,
) -> Result<FactorAccepted, Error> {
    let next = next.local(accounts.paths());
    let (given, bound) = form.bind(page(next.as_ref()))?;
    let late = || Error::bad_request(Message::new("accounts-confirm-late"));
    let waiting = Waiting::read(given.pending.as_str()).ok_or_else(late)?;
    let (proof, from) = (FactorProof::Code(given.code.expose()), address.network());
    let wrong = |error: accounts::Error| {
        if matches!(error, accounts::Error::Refused) {
            let wrong = Message::new("accounts-code-wrong");
            return bound.clone().refuse(SecondFactor::CODE, wrong);
        }
        let refused = bound.or_refuse(Err::<(), _>(error), SecondFactor::CODE);
        refused
            .err()
            .unwrap_or_else(|| Error::internal("a refused code that is none"))
    };
    let pending = match waiting {
        Waiting::Confirm(pending) => {
            let person = person.ok_or_else(Error::unauthenticated)?;
            if !pending.is_kept(clock.now()) {
                return Err(late());
            }
            let proof = accounts.verify_factor(person.id(), proof, from).await;
            proof.map_err(wrong)?.confirm(&session).await?;
            let then = after_confirm(&session, pending, clock.now()).await?;
            return Ok(FactorAccepted(After::Confirm(then)));
        }
        waiting @ Waiting::SignIn { .. } => waiting.pending_sign_in(clock.now()),
    };
    let Some(pending) = pending else {
        return Ok(begin_again(&accounts));
    };
    let complete = match accounts.complete_sign_in(pending, proof, from).await {
        Ok(complete) => complete,
        Err(accounts::Error::SignInEnded) => return Ok(begin_again(&accounts)),
        Err(other) => return Err(wrong(other)),
    };
    let user = complete.user();
    complete.begin(&session).await?;
    let then = sign_in::after_sign_in(user, given.kept, next, clock.now());
    Ok(FactorAccepted(After::SignIn(then)))
}

fn begin_again(accounts: &Accounts) -> FactorAccepted {
    let sign_in = Redirect::to(accounts.place(AccountPage::SignIn));
    FactorAccepted(After::Go(
        sign_in.flash(Message::new("accounts-sign-in-ended")),
    ))
}

/// The page that asks for the second step of a sign-in. It carries the sign-in sealed for this browser.
pub(super) fn ask_for_second_step(
    pending: &PendingSignIn,
    kept: StoredForm,
    next: Option<&LocalPath>,
    now: i64,
) -> Option<Page> {
    let form = SecondFactor::view().fill(
        SecondFactor::PENDING,
        Waiting::sign_in(pending, now).text()?,
    );
    let form = match kept.into_text() {
        Some(kept) => form.fill(SecondFactor::KEPT, kept),
        None => form,
    };
    Some(page(next).form("form", form.focused()))
}

/// The page that asks a signed-in user. None if the request would grow too large for a form.
pub(in crate::accounts) fn ask_to_confirm(waiting: &Waiting) -> Option<Page> {
    let text = waiting.text().filter(|text| text.len() <= MOST_PENDING)?;
    let form = SecondFactor::view().fill(SecondFactor::PENDING, text);
    Some(page(None).form("form", form.focused()))
}

fn page(next: Option<&LocalPath>) -> Page {
    Page::new(PAGE).with("next", next.map(|path| path.as_str().to_owned()))
}
