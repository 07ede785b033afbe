use crate::accounts::Accounts;
use crate::forms::{Email, Form};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, Message, Page, Redirect};

/// The address of a forgotten password.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct Forgot {
    /// The address.
    #[field(label = "E-mail address", autocomplete = "username")]
    pub email: Email,
}

/// `GET /forgot`.
pub async fn forgot_page(accounts: Accounts) -> Page {
    page(&accounts).form("form", Forgot::view())
}

/// `POST /forgot`. The response is the same for every address, and is sent before Dewar looks anything up.
///
/// # Errors
/// The page again at 422 or 429.
pub async fn forgot(
    accounts: Accounts,
    address: ClientAddress,
    form: Form<Forgot>,
) -> Result<Redirect, Error> {
    let (person, bound) = form.bind(page(&accounts))?;
    let asked = accounts.request_reset(person.email.as_str(), address.network());
    bound.or_refuse(asked, Forgot::EMAIL)?;
    Ok(Redirect::to(accounts.place(AccountPage::SignIn)).flash(Message::new("accounts-letter")))
}

fn page(accounts: &Accounts) -> Page {
    Page::new("accounts/forgot.html").with("sends_mail", accounts.sends_mail())
}
