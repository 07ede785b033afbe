use http::StatusCode;

use crate::accounts::{self, Accounts};
use crate::forms::{Form, Line, NewPassword, Path};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, Message, Page, Redirect};

/// A new password instead of a forgotten one.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct Reset {
    /// The new password.
    #[field(
        label = "New password",
        hint = "A few words that do not belong together are good and easy to remember."
    )]
    pub password: NewPassword,
}

/// `GET /reset/{token}`. Opening the page does not use up the link, because mail programs open links too.
///
/// # Errors
/// If the database cannot be read.
pub async fn reset_page(accounts: Accounts, Path(token): Path<Line<64>>) -> Result<Page, Error> {
    match accounts.look_at_reset(token.as_str()).await {
        Ok(email) => Ok(page(&accounts, &token).form("form", Reset::view().username(email))),
        Err(accounts::Error::LinkSpent) => Ok(spent(&accounts)),
        Err(other) => Err(other.into()),
    }
}

/// `POST /reset/{token}`. It signs nobody in.
///
/// # Errors
/// The page again at 422; 410 for a used link; 429; 503.
pub async fn reset(
    accounts: Accounts,
    address: ClientAddress,
    Path(token): Path<Line<64>>,
    form: Form<Reset>,
) -> Result<Redirect, Error> {
    let form = match accounts.look_at_reset(token.as_str()).await {
        Ok(email) => form.username(email),
        Err(_) => form, // the reset itself returns this error
    };
    let (new, bound) = form.bind(page(&accounts, &token))?;
    match accounts
        .reset(token.as_str(), new.password.expose(), address.network())
        .await
    {
        Ok(()) => Ok(Redirect::to(accounts.place(AccountPage::SignIn))
            .flash(Message::new("accounts-changed-sign-in"))),
        Err(accounts::Error::LinkSpent) => Err(Error::page(spent(&accounts))),
        Err(error) => bound.or_refuse(Err(error), Reset::PASSWORD),
    }
}

fn page(accounts: &Accounts, token: &Line<64>) -> Page {
    Page::new("accounts/reset.html").with(
        "action",
        accounts.paths().with(AccountPage::Reset, token.as_str()),
    )
}

fn spent(accounts: &Accounts) -> Page {
    Page::new("accounts/link_spent.html")
        .with("forgot", accounts.paths().pattern(AccountPage::Forgot))
        .status(StatusCode::GONE)
}
