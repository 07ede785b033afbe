use crate::accounts::fields::OnSignUp;
use crate::accounts::{
    self, AccountFields, Accounts, FieldsError, NewUser, SignUpLetter, SignUpWith,
};
use crate::forms::{AnyField, BoundForm, Email, FieldPath, Form, FormView, Name, NewPassword};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, Message, Page, Redirect};

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
    let done = accounts.sign_up(new_user(&person), address.network()).await;
    answer(&accounts, &bound, done)
}

/// `GET /sign-up` with fields of the application's own.
///
/// # Errors
/// 404 if sign-up is closed.
pub async fn sign_up_page_with<E: AccountFields>(
    _here: OnSignUp,
    accounts: Accounts,
) -> Result<Page, Error> {
    if !accounts.sign_up_is_open() {
        return Err(Error::not_found());
    }
    let form = FormView::<SignUpWith<E>>::blank();
    Ok(page(&accounts).form("form", form))
}

/// `POST /sign-up` with fields of the application's own. They are checked together with the account's, so the page shows all
/// problems at once.
///
/// # Errors
/// As [`sign_up`].
pub async fn sign_up_with<E: AccountFields>(
    _here: OnSignUp,
    accounts: Accounts,
    address: ClientAddress,
    form: Form<SignUpWith<E>>,
) -> Result<Redirect, Error> {
    let (person, bound) = form.bind(page(&accounts))?;
    let SignUpWith { account, fields } = person;
    let done = accounts
        .sign_up_with(new_user(&account), fields, address.network())
        .await;
    answer(&accounts, &bound, done)
}

fn new_user(person: &SignUp) -> NewUser<'_> {
    NewUser {
        email: person.email.as_str(),
        name: person.name.as_str(),
        password: person.password.expose(),
    }
}

/// The response to a sign-up. It is the same for an address that has an account already.
fn answer<T>(
    accounts: &Accounts,
    bound: &BoundForm<T>,
    done: Result<SignUpLetter, accounts::Error>,
) -> Result<Redirect, Error> {
    let text = match done {
        Ok(SignUpLetter::Queued) => Message::new("accounts-welcome-letter"),
        Ok(SignUpLetter::None) => Message::new("accounts-welcome"),
        Err(accounts::Error::Fields(FieldsError::Problems(problems))) => {
            return Err(bound.clone().refuse_all(problems.of_form()));
        }
        Err(error) => {
            // A form with fields of the application's own has these fields too.
            let name = error.about_name().map_or("password", |_| "name");
            let field = FieldPath::<T, AnyField>::new(name);
            return bound.or_refuse(Err(error), field);
        }
    };
    Ok(Redirect::to(accounts.place(AccountPage::SignIn)).flash(text))
}

fn page(accounts: &Accounts) -> Page {
    Page::new("accounts/sign_up.html").with("sends_mail", accounts.sends_mail())
}
