use crate::accounts::{self, Accounts, CurrentUser, FactorFirst};
use crate::forms::{Form, NewPassword, Password};
use crate::https::ClientAddress;
use crate::pages::{AccountPage, Error, Message, Page, Redirect};
use crate::sessions::Session;

const PAGE: &str = "accounts/change_password.html";

/// The old password and the new one.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct ChangePassword {
    /// The old password.
    #[field(label = "Password until now")]
    pub current_password: Password,
    /// The new password.
    #[field(
        label = "New password",
        hint = "A few words that do not belong together are good and easy to remember."
    )]
    pub new_password: NewPassword,
}

/// `GET /account/password`. A user who has a second factor gives it first.
pub async fn change_password_page(_person: CurrentUser, _factor: FactorFirst) -> Page {
    Page::new(PAGE).form("form", ChangePassword::view())
}

/// `POST /account/password`. It ends every other session of the user.
///
/// # Errors
/// The page again at 422; 429; 503.
pub async fn change_password(
    accounts: Accounts,
    person: CurrentUser,
    session: Session,
    address: ClientAddress,
    _factor: FactorFirst,
    form: Form<ChangePassword>,
) -> Result<Redirect, Error> {
    let (change, bound) = form.bind(PAGE)?;
    let old = change.current_password.expose();
    let proof = match accounts
        .verify_password(person.id(), old, address.network())
        .await
    {
        Ok(proof) => proof,
        Err(accounts::Error::Refused) => {
            return Err(bound.refuse(
                ChangePassword::CURRENT_PASSWORD,
                Message::new("accounts-not-your-password"),
            ));
        }
        Err(other) => return bound.or_refuse(Err(other), ChangePassword::CURRENT_PASSWORD),
    };
    let changed = accounts
        .change_password(proof, change.new_password.expose(), &session)
        .await;
    bound.or_refuse(changed, ChangePassword::NEW_PASSWORD)?;
    let has_account_page = accounts.paths().pattern(AccountPage::Account).is_some();
    let next = if has_account_page {
        AccountPage::Account
    } else {
        AccountPage::ChangePassword
    };
    Ok(Redirect::to(accounts.place(next)).flash(Message::new("accounts-changed")))
}
