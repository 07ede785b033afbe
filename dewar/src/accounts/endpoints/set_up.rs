use http::StatusCode;

use crate::accounts::{self, Accounts, NewUser};
use crate::forms::{Email, Form, Line, Name, NewPassword, Path};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, Message, Page, Redirect};

/// The input for the first administrator.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct SetUp {
    /// The name.
    #[field(hint = "Others see it.")]
    pub name: Name<80>,
    /// The address.
    #[field(
        label = "E-mail address",
        hint = "You sign in with it.",
        autocomplete = "username"
    )]
    pub email: Email,
    /// The password.
    #[field(hint = "A few words that do not belong together are good and easy to remember.")]
    pub password: NewPassword,
}

/// `GET /setup/{token}`, the link that the first start prints.
///
/// # Errors
/// If the database cannot be read.
pub async fn set_up_page(accounts: Accounts, Path(token): Path<Line<64>>) -> Result<Page, Error> {
    match accounts.look_at_setup(token.as_str()).await {
        Ok(()) => Ok(page(&accounts, &token).form("form", SetUp::view())),
        Err(accounts::Error::LinkSpent) => Ok(spent()),
        Err(other) => Err(other.into()),
    }
}

/// `POST /setup/{token}`. It signs nobody in.
///
/// # Errors
/// The page again at 422; 410 for a used link; 429; 503.
pub async fn set_up(
    accounts: Accounts,
    address: ClientAddress,
    Path(token): Path<Line<64>>,
    form: Form<SetUp>,
) -> Result<Redirect, Error> {
    let (person, bound) = form.bind(page(&accounts, &token))?;
    let new = NewUser {
        email: person.email.as_str(),
        name: person.name.as_str(),
        password: person.password.expose(),
    };
    match accounts
        .set_up(token.as_str(), new, address.network())
        .await
    {
        Ok(_) => {
            Ok(Redirect::to(accounts.place(AccountPage::SignIn))
                .flash(Message::new("accounts-first")))
        }
        Err(accounts::Error::LinkSpent) => Err(Error::page(spent())),
        Err(accounts::Error::Taken) => {
            Err(bound.refuse(SetUp::EMAIL, Message::new("accounts-taken")))
        }
        Err(error) => bound.or_refuse(Err(error), SetUp::PASSWORD),
    }
}

fn page(accounts: &Accounts, token: &Line<64>) -> Page {
    Page::new("accounts/set_up.html").with(
        "action",
        accounts.paths().with(AccountPage::SetUp, token.as_str()),
    )
}

fn spent() -> Page {
    Page::new("accounts/link_spent.html")
        .with("forgot", None::<&str>)
        .status(StatusCode::GONE)
}
