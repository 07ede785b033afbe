//! The letter to the owner of a document about which a reviewer has decided.

use dewar::accounts::{Accounts, User};
use dewar::database::Tx;
use dewar::mail::{Error, Letter, Mailer};
use dewar::sessions::UserId;

use crate::documents::document;

/// The decision about a document.
#[derive(Letter)]
#[letter(template = "letters/decided")]
pub(crate) struct Decided<'a> {
    id: i64,
    title: &'a str,
    approved: bool,
    reason: Option<&'a str>,
}

impl<'a> Decided<'a> {
    pub(super) fn about(
        document: &'a document::Model,
        approved: bool,
        reason: Option<&'a str>,
    ) -> Self {
        Self {
            id: document.id,
            title: &document.title,
            approved,
            reason,
        }
    }

    /// Queues the letter to the owner, with the decision.
    ///
    /// The decision counts even if the owner has had many letters this hour.
    pub(super) async fn send(
        &self,
        tx: &Tx,
        (accounts, mailer): (&Accounts, &Mailer),
        owner: i64,
    ) -> dewar::Result {
        let owner = accounts.find(UserId::new(owner)).await?;
        let Some(owner) = owner.filter(User::is_active) else {
            return Ok(());
        };
        match mailer.send(tx, &owner, self).await {
            Ok(_) | Err(Error::RecipientLimit(_) | Error::SenderLimit(_) | Error::Full) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
