//! Roles from the claims of a provider, by the table in the settings.
use super::client::Provider;
use super::returned::ProvedUser;
use crate::accounts::sign_up::add_role;
use crate::accounts::{Accounts, Error};
use crate::audit::{Entry, Event};
use crate::sessions::UserId;

impl Accounts {
    /// Gives the user the roles of the claim's values, and takes the other roles of the table away. Roles that the table does not
    /// name stay as they are.
    pub(super) async fn roles_from_claims(
        &self,
        provider: &Provider,
        user: UserId,
        proved: &ProvedUser,
    ) -> Result<(), Error> {
        let table = &provider.config.roles;
        if table.is_empty() {
            return Ok(());
        }
        let inner = &self.0;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let is_given = |role: &str| {
            let mut lines = table.iter().filter(|(_, given)| given == role);
            lines.any(|(value, _)| proved.role_values.contains(value))
        };
        let roles = inner.roles.all.iter().copied();
        let of_table = roles.filter(|role| table.iter().any(|(_, given)| given == role));
        let changes = of_table.filter(|role| is_given(role) != person.has_role_named(role));
        let changes: Vec<&str> = changes.collect();
        if changes.is_empty() {
            return Ok(());
        }
        let tx = inner.db.begin().await?;
        for role in &changes {
            if is_given(role) {
                add_role(&tx, user, role).await?;
            } else {
                let take = "DELETE FROM dewar_user_roles WHERE user_id = ?1 AND role = ?2";
                tx.execute(take, [user.into(), (*role).into()]).await?;
            }
        }
        match self.one_remains(&tx).await {
            Ok(()) => {}
            Err(Error::LastAdministrator) => {
                tracing::warn!("the claims of a provider would remove the last administrator");
                return Ok(tx.rollback().await?);
            }
            Err(other) => return Err(other),
        }
        let name = &provider.config.name;
        let entry = Entry::new(Event::AuthzChange).subject(user);
        let changed = changes.join(" ");
        let entry = entry.detail(format_args!("provider {name} changed: {changed}"));
        tx.record(&inner.log, entry).await?;
        Ok(tx.commit().await?)
    }
}
