use crate::accounts::{Accounts, NewUser, SIGN_IN, SignUpLetter};
use crate::forms::{Email, Form, Name, NewPassword};
use crate::https::ClientAddress;
use crate::pages::{Error, Message, Page, Redirect};

/// The input for a new account.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct SignUp {
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

/// `GET /sign-up`.
///
/// # Errors
/// 404 if sign-up is closed.
pub async fn sign_up_page(accounts: Accounts) -> Result<Page, Error> {
    if !accounts.sign_up_is_open() {
        return Err(Error::not_found());
    }
    Ok(page(&accounts).form("form", SignUp::view()))
}

/// `POST /sign-up`. The response is the same for an address that has an account already (ASVS 6.3.8).
///
/// # Errors
/// The page again at 422; 404 if sign-up is closed; 429; 503.
pub async fn sign_up(
    accounts: Accounts,
    address: ClientAddress,
    form: Form<SignUp>,
) -> Result<Redirect, Error> {
    let (person, bound) = form.bind(page(&accounts))?;
    let new = NewUser {
        email: person.email.as_str(),
        name: person.name.as_str(),
        password: person.password.expose(),
    };
    let text = match accounts.sign_up(new, address.network()).await {
        Ok(SignUpLetter::Queued) => Message::new("accounts-welcome-letter"),
        Ok(SignUpLetter::None) => Message::new("accounts-welcome"),
        Err(error) => {
            let field = match error.about_name() {
                Some(_) => SignUp::NAME.any(),
                None => SignUp::PASSWORD.any(),
            };
            return bound.or_refuse(Err(error), field);
        }
    };
    Ok(Redirect::to(SIGN_IN).flash(text))
}

fn page(accounts: &Accounts) -> Page {
    Page::new("accounts/sign_up.html").with("sends_mail", accounts.sends_mail())
}
