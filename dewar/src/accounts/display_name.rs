//! The names that users may give themselves.
use super::reserved_names::ReservedNames;
use super::{Accounts, Error};
use crate::database;
use crate::forms::{Name, Problem};
use crate::pages::Message;
use crate::sessions::UserId;

impl Accounts {
    /// The name, if a user may choose it without an administrator:
    ///
    /// 1. It does not claim that its owner looks after the site: [`ReservedNames`] has the words.
    /// 2. It does not look like the name of another user with a role other than `accounts.role`, which everybody gets. Nobody may
    ///    imitate such a user; other users may share names, as people do.
    pub(super) async fn free(&self, name: &str, own: Option<UserId>) -> Result<Name<80>, Error> {
        let name = Name::<80>::parse(name).map_err(Error::Name)?;
        if self.is_in_charge(&name) || self.is_anothers(&name, own).await? {
            // One message for both, so that a visitor does not learn who is in charge.
            let problem = Problem::new(Message::new("accounts-name-alike"));
            return Err(Error::Name(problem));
        }
        Ok(name)
    }

    fn is_in_charge(&self, name: &Name<80>) -> bool {
        let inner = &self.0;
        let roles = inner.roles.all.iter().copied();
        ReservedNames::new(roles.chain([inner.site.as_str()])).has(name.as_str())
    }

    async fn is_anothers(&self, name: &Name<80>, own: Option<UserId>) -> Result<bool, Error> {
        let find =
            "SELECT DISTINCT u.name FROM dewar_users u JOIN dewar_user_roles r ON r.user_id = u.id
            WHERE r.role <> ?1 AND u.id <> ?2";
        let everybodys = self.0.config.role.clone().unwrap_or_default();
        let own = own.map_or(0, UserId::get);
        let rows = self
            .0
            .db
            .query(find, [everybodys.into(), own.into()])
            .await?;
        let mut names = rows.iter().map(|row| row.get::<String>(0));
        names
            .try_fold(false, |found, other| {
                Ok::<_, database::Error>(found || name.looks_like(&other?))
            })
            .map_err(Error::from)
    }
}
