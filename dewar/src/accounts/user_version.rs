use super::{Accounts, Error};
use crate::forms::RecordVersion;
use crate::sessions::UserId;

/// Decisions about a user that are valid only while the user is as a page showed them (optimistic locking).
///
/// If two administrators decide at the same moment, one learns that the user was changed (CWE-367). Dewar compares the version in
/// the transaction that changes the user, so nothing comes between.
///
/// ```
/// use dewar::accounts::{Accounts, Error};
/// use dewar::forms::RecordVersion;
/// use dewar::sessions::UserId;
/// async fn promote(accounts: Accounts, by: UserId, user: UserId, shown: RecordVersion) -> Result<(), Error> {
///     accounts.as_shown(&shown).set_roles(by, user, &["reviewer"]).await
/// }
/// ```
#[derive(Debug)]
pub struct AsShown<'a> {
    accounts: &'a Accounts,
    shown: &'a RecordVersion,
}

impl Accounts {
    /// The same accounts, for a decision from a page with this version.
    #[must_use]
    pub const fn as_shown<'a>(&'a self, shown: &'a RecordVersion) -> AsShown<'a> {
        AsShown {
            accounts: self,
            shown,
        }
    }
}

impl AsShown<'_> {
    /// Gives the user exactly these roles.
    ///
    /// # Errors
    /// [`Error::Changed`], and those of [`Accounts::set_roles`].
    pub async fn set_roles(&self, by: UserId, user: UserId, roles: &[&str]) -> Result<(), Error> {
        let shown = Some(self.shown);
        self.accounts.set_roles_where(by, user, roles, shown).await
    }

    /// Disables the account.
    ///
    /// # Errors
    /// [`Error::Changed`], and those of [`Accounts::disable`].
    pub async fn disable(&self, by: UserId, user: UserId) -> Result<(), Error> {
        let shown = Some(self.shown);
        self.accounts.disable_where(Some(by), user, shown).await
    }

    /// Enables a disabled account.
    ///
    /// # Errors
    /// [`Error::Changed`], and those of [`Accounts::enable`].
    pub async fn enable(&self, by: UserId, user: UserId) -> Result<(), Error> {
        let shown = Some(self.shown);
        self.accounts.enable_where(Some(by), user, shown).await
    }
}
