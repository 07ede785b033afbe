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

/// Written by hand, because a derived form has fields.
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

/// `POST /sign-out`: ends the session in the store, and makes the browser delete its data for the site (ASVS 7.4.1, 14.3.1).
///
/// # Errors
/// If the database cannot be written; the session then continues.
pub async fn sign_out(
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    form: Form<SignOut>,
) -> Result<Redirect, Error> {
    let SignOut = form.or_reject()?;
    session.sign_out().await?;
    if let Some(person) = session.principal() {
        let entry = Entry::new(Event::SessionLogout)
            .actor(person.id())
            .address(address.0);
        accounts.record(entry);
    }
    Ok(Redirect::to("/").forget())
}
