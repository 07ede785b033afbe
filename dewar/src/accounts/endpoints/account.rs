use crate::accounts::fields::OnAccount;
use crate::accounts::{AccountFields, Accounts, CurrentUser, FieldsError};
use crate::database::Db;
use crate::forms::{Form, FormView};
use crate::pages::{AccountPage, Error, Message, Page, Redirect};

const PAGE: &str = "accounts/account.html";

/// `GET /account` with fields of the application's own: the user's name and address, these fields, and the ways to the password, the
/// sessions and the tokens.
///
/// # Errors
/// If the database cannot be read.
pub async fn account_page_with<E: AccountFields>(
    _here: OnAccount,
    person: CurrentUser,
    accounts: Accounts,
    db: Db,
) -> Result<Page, Error> {
    let page = page(&accounts, &person).await?;
    let form = match E::load(&db, person.id()).await? {
        Some(values) => FormView::filled(&values),
        None => FormView::<E>::blank(),
    };
    Ok(page.form("form", form))
}

/// `POST /account`: stores the application's own fields.
///
/// # Errors
/// The page again at 422; if the database cannot be written.
pub async fn change_account_with<E: AccountFields>(
    _here: OnAccount,
    person: CurrentUser,
    accounts: Accounts,
    form: Form<E>,
) -> Result<Redirect, Error> {
    let (fields, bound) = form.bind(page(&accounts, &person).await?)?;
    match accounts.store_fields(person.id(), fields).await {
        Ok(()) => Ok(Redirect::to(accounts.place(AccountPage::Account))
            .flash(Message::new("accounts-fields-saved"))),
        Err(FieldsError::Problems(problems)) => Err(bound.refuse_all(problems.of_form())),
        Err(FieldsError::Failed(error)) => Err(*error),
    }
}

async fn page(accounts: &Accounts, person: &CurrentUser) -> Result<Page, Error> {
    let user = accounts.find(person.id()).await?;
    let email = user.map(|user| user.email);
    Ok(Page::new(PAGE).with("email", email.unwrap_or_default()))
}
