use crate::accounts::Accounts;
use crate::audit::{Entry, Event};
use crate::forms::{FieldSpec, Form, FormValue, Model, Received};
use crate::https::ClientAddress;
use crate::pages::{Error, Redirect};
use crate::sessions::Session;

/// A form that is only a button.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignOut;

/// By hand, for a derived form has fields.
impl Model for SignOut {
    const NAME: &'static str = "sign-out";
    const FIELDS: &'static [FieldSpec] = &[];

    fn read(_: &mut Received) -> Option<Self> {
        Some(Self)
    }

    fn show(&self) -> Vec<FormValue> {
        Vec::new()
    }
}

/// `POST /sign-out`: the session ends in the store, and the browser forgets what it kept (ASVS 7.4.1, 14.3.1).
///
/// # Errors
/// Where the database cannot be written; the session then goes on.
pub async fn sign_out(
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    form: Form<SignOut>,
) -> Result<Redirect, Error> {
    let SignOut = form.or_error()?;
    session.sign_out().await?;
    if let Some(person) = session.principal() {
        let entry = Entry::new(Event::SessionLogout)
            .actor(person.id())
            .address(address.0);
        accounts.record(entry);
    }
    Ok(Redirect::to("/").forget())
}
