//! Manages users: list, find, disable, roles, name, picture.
use serde::Serialize;

use super::email::EmailKey;
use super::sign_up::add_role;
use super::{Accounts, Error, link, throttle};
use crate::audit::{Entry, Event, command_line};
use crate::database::{self, Db, Row, Tx, refuse_while_reading};
use crate::forms::{Record, RecordChanged, RecordVersion};
use crate::mail::{IntoRecipient, Recipient};
use crate::sessions::{UserId, in_order};
use crate::uploads::FileId;

/// The columns that [`User::read`] reads, of `dewar_users u`.
macro_rules! user_columns {
    () => {
        concat!(
            "u.id, u.email, u.name, u.picture, u.created_at, u.disabled_at, ",
            $crate::sessions::roles_of_user!(),
            ", u.language, u.second_factor_at"
        )
    };
}

pub(super) use user_columns;

/// A user with an account. It has no password.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The account's number.
    #[serde(serialize_with = "number")]
    pub id: UserId,
    /// The address to sign in with.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// The file of the picture.
    pub picture: Option<String>,
    /// When the account was made, in Unix seconds.
    pub created_at: i64,
    /// When the account was disabled.
    pub disabled_at: Option<i64>,
    /// The names of the roles.
    pub roles: Vec<String>,
    /// The tag of the language in which the user signed up, for letters.
    pub language: Option<String>,
    /// When the user set a second factor up; none without one.
    pub second_factor_at: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn number<S: serde::Serializer>(id: &UserId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(id.get())
}

impl User {
    /// Whether the user has a role, by its name.
    #[must_use]
    pub fn has_role_named(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role == name)
    }

    /// Whether the user may sign in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none()
    }

    pub(super) fn read(row: &Row) -> Result<Self, database::Error> {
        let roles = in_order(row.get(6)?);
        Ok(Self {
            id: UserId::new(row.get(0)?),
            email: row.get(1)?,
            name: row.get(2)?,
            picture: row.get(3)?,
            created_at: row.get(4)?,
            disabled_at: row.get(5)?,
            roles: roles.split_ascii_whitespace().map(str::to_owned).collect(),
            language: row.get(7)?,
            second_factor_at: row.get(8)?,
        })
    }
}

impl IntoRecipient for &User {
    fn into_recipient(self) -> Recipient {
        Recipient::stored(&self.email).in_language_of(self.language.as_deref())
    }
}

impl Record for User {
    fn facts(&self) -> Vec<String> {
        let Self {
            id,
            email,
            name,
            picture,
            created_at,
            disabled_at,
            roles,
            // No page of users changes these.
            language: _,
            second_factor_at: _,
        } = self;
        let mut roles = roles.clone();
        roles.sort_unstable();
        vec![
            "dewar_users".to_owned(),
            id.to_string(),
            email.clone(),
            name.clone(),
            format!("{picture:?}"),
            created_at.to_string(),
            format!("{disabled_at:?}"),
            roles.join(" "),
        ]
    }
}

/// How many active users have a role.
pub(crate) async fn holders(db: &Db, role: &str) -> Result<i64, database::Error> {
    let rows = db.query(ADMINISTRATORS, [role.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.get(0))
}

/// A user, by number.
const FIND: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM dewar_users u WHERE u.id = ?1"
);

impl Accounts {
    /// The user with this number.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn find(&self, user: UserId) -> Result<Option<User>, Error> {
        let rows = self.0.db.query(FIND, [user.into()]).await?;
        Ok(rows.first().map(User::read).transpose()?)
    }

    /// The user, in a transaction without other writers; if a page showed the user, only in the same version.
    async fn found_in(
        &self,
        tx: &Tx,
        user: UserId,
        shown: Option<&RecordVersion>,
    ) -> Result<User, Error> {
        let rows = tx.query(FIND, [user.into()]).await?;
        let user = rows.first().map(User::read).transpose()?;
        let user = user.ok_or(Error::NoSuchUser)?;
        if let Some(shown) = shown {
            shown.check(&user)?;
        }
        Ok(user)
    }

    /// The user with this address. Do not show a visitor the result: it reveals whether the address has an account.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn find_by_email(&self, email: &str) -> Result<Option<User>, Error> {
        let find = concat!(
            "SELECT ",
            user_columns!(),
            " FROM dewar_users u WHERE u.email_key = ?1"
        );
        let rows = self
            .0
            .db
            .query(find, [EmailKey::new(email).as_str().into()])
            .await?;
        Ok(rows.first().map(User::read).transpose()?)
    }

    /// Disables an account: its sessions and links end at once, and nobody can sign in to it (ASVS 7.4.2).
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; [`Error::LastAdministrator`].
    pub async fn disable(&self, by: Option<UserId>, user: UserId) -> Result<(), Error> {
        self.disable_where(by, user, None).await
    }

    pub(super) async fn disable_where(
        &self,
        by: Option<UserId>,
        user: UserId,
        shown: Option<&RecordVersion>,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let tx = inner.db.begin().await?;
        self.found_in(&tx, user, shown).await?;
        // The generation keeps the sessions ended, even if the account is enabled before the store is cleared.
        let set = "UPDATE dewar_users SET disabled_at = coalesce(disabled_at, ?1),
            session_generation = session_generation + 1 WHERE id = ?2";
        changed(
            tx.execute(set, [inner.clock.now().into(), user.into()])
                .await?,
        )?;
        self.one_remains(&tx).await?;
        link::end_all_of(&tx, user).await?;
        let entry = about(Event::UserArchived, by, user);
        tx.record(&inner.log, entry.detail("disabled")).await?;
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        Ok(())
    }

    /// Forgets the failed attempts to sign in to an account, so that its owner need not wait any longer.
    ///
    /// It is for a user who cannot sign in while strangers guess: in an unknown browser, without a letter. It gives the guessers
    /// new attempts too, so Dewar writes it into the audit log.
    ///
    /// ```
    /// use dewar::accounts::{Accounts, Error};
    /// use dewar::sessions::UserId;
    /// async fn help(accounts: Accounts, admin: UserId, user: UserId) -> Result<(), Error> {
    ///     accounts.unlock(Some(admin), user).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSuchUser`].
    pub async fn unlock(&self, by: Option<UserId>, user: UserId) -> Result<(), Error> {
        refuse_while_reading()?;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = self.0.db.begin().await?;
        throttle::clear_all_of(&tx, &EmailKey::new(&person.email), user).await?;
        throttle::clear_factor_of(&tx, user).await?;
        let entry = about(Event::AuthzAdmin, by, user).detail("unlocked");
        tx.record(&self.0.log, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Those of these users whose password an unknown browser may not try now, because strangers failed too often. Known browsers
    /// and sessions may.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn locked(&self, users: &[UserId]) -> Result<Vec<UserId>, Error> {
        let now = self.0.clock.now();
        Ok(throttle::waited_for(&self.0.db, users, now).await?)
    }

    /// Ends every session of a user, at their very next request; the user can sign in again (ASVS 7.4.5). Returns how many
    /// sessions there were.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; an error if the store of the sessions cannot be written.
    pub async fn sign_out_everywhere(
        &self,
        by: Option<UserId>,
        user: UserId,
    ) -> Result<u64, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        inner.sessions.next_generation_in(&tx, user).await?;
        // An unused link could bring somebody back in.
        link::end_all_of(&tx, user).await?;
        let entry = about(Event::AuthzAdmin, by, user).detail("signed out everywhere");
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        Ok(inner.sessions.clear_all_of(user, None).await?)
    }

    /// Ends the sessions of all users (ASVS 7.4.5). Returns how many there were.
    ///
    /// # Errors
    /// If the database or the store of the sessions cannot be written.
    pub async fn sign_out_everyone(&self) -> Result<u64, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let tx = inner.db.begin().await?;
        inner.sessions.next_generations_in(&tx).await?;
        let entry = Entry::new(Event::AuthzAdmin).actor(command_line());
        tx.record(&inner.log, entry.detail("all users were signed out"))
            .await?;
        tx.commit().await?;
        Ok(inner.sessions.clear_everyone().await?)
    }

    /// Enables a disabled account.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`].
    pub async fn enable(&self, by: Option<UserId>, user: UserId) -> Result<(), Error> {
        self.enable_where(by, user, None).await
    }

    pub(super) async fn enable_where(
        &self,
        by: Option<UserId>,
        user: UserId,
        shown: Option<&RecordVersion>,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        let set = "UPDATE dewar_users SET disabled_at = NULL WHERE id = ?1";
        let tx = self.0.db.begin().await?;
        self.found_in(&tx, user, shown).await?;
        changed(tx.execute(set, [user.into()]).await?)?;
        let entry = about(Event::UserUpdated, by, user).detail("enabled");
        tx.record(&self.0.log, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives a user exactly these roles. Dewar reads the roles with each request, so the change applies to the very next one.
    ///
    /// # Errors
    /// [`Error::UnknownRole`]; [`Error::NoSuchUser`]; [`Error::LastAdministrator`].
    pub async fn set_roles(&self, by: UserId, user: UserId, roles: &[&str]) -> Result<(), Error> {
        self.set_roles_where(by, user, roles, None).await
    }

    pub(super) async fn set_roles_where(
        &self,
        by: UserId,
        user: UserId,
        roles: &[&str],
        shown: Option<&RecordVersion>,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        self.known(roles)?;
        let tx = inner.db.begin().await?;
        let before = self.found_in(&tx, user, shown).await?;
        tx.execute(
            "DELETE FROM dewar_user_roles WHERE user_id = ?1",
            [user.into()],
        )
        .await?;
        for role in roles {
            add_role(&tx, user, role).await?;
        }
        if before.is_active() {
            self.one_remains(&tx).await?;
        }
        let detail = format!("from [{}] to [{}]", before.roles.join(" "), roles.join(" "));
        let entry = about(Event::AuthzChange, Some(by), user).detail(detail);
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets the name that others see, as the user requests.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; [`Error::Name`] for a name that looks like that of another user who is in charge.
    pub async fn set_name(&self, user: UserId, name: &str) -> Result<(), Error> {
        self.name_from(user, None, name).await
    }

    /// Sets the name that others see, if it is still `before`: it does not overwrite a change from another window.
    ///
    /// ```
    /// use dewar::CurrentUser;
    /// use dewar::accounts::{Accounts, Error};
    /// async fn rename(caller: &CurrentUser, accounts: &Accounts) -> Result<(), Error> {
    ///     accounts.replace_name(caller.id(), caller.name(), "Ada Lovelace").await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Changed`] if the name is another one now, and those of [`set_name`](Self::set_name).
    pub async fn replace_name(&self, user: UserId, before: &str, name: &str) -> Result<(), Error> {
        self.name_from(user, Some(before), name).await
    }

    async fn name_from(&self, user: UserId, before: Option<&str>, name: &str) -> Result<(), Error> {
        refuse_while_reading()?;
        let name = self.free(name, Some(user)).await?;
        let set = "UPDATE dewar_users SET name = ?1 WHERE id = ?2 AND (?3 IS NULL OR name = ?3)";
        let tx = self.0.db.begin().await?;
        let values = [name.as_str().into(), user.into(), before.into()];
        if tx.execute(set, values).await? == 0 {
            let find = "SELECT 1 FROM dewar_users WHERE id = ?1";
            let is_there = !tx.query(find, [user.into()]).await?.is_empty();
            return Err(if is_there {
                RecordChanged.into()
            } else {
                Error::NoSuchUser
            });
        }
        let entry = about(Event::UserUpdated, Some(user), user).detail("name");
        tx.record(&self.0.log, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets the file of the picture in the transaction that commits it, and returns the file before it, so that the same
    /// transaction can release that.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`].
    pub async fn set_picture(
        &self,
        tx: &Tx,
        user: UserId,
        file: Option<&FileId>,
    ) -> Result<Option<FileId>, Error> {
        let find = "SELECT picture FROM dewar_users WHERE id = ?1";
        let rows = tx.query(find, [user.into()]).await?;
        let before: Option<String> = rows.first().ok_or(Error::NoSuchUser)?.get(0)?;
        let set = "UPDATE dewar_users SET picture = ?1 WHERE id = ?2";
        let file = file.map(|file| file.as_str().to_owned());
        changed(tx.execute(set, [file.into(), user.into()]).await?)?;
        let entry = about(Event::UserUpdated, Some(user), user).detail("picture");
        tx.record(&self.0.log, entry).await?;
        Ok(before.and_then(|file| file.parse().ok()))
    }

    /// The role whose holders administer the application, if it has one.
    pub(crate) fn administrator(&self) -> Option<&'static str> {
        self.0.roles.administrator
    }

    /// The names of the application's roles.
    pub(crate) fn role_names(&self) -> &[&'static str] {
        &self.0.roles.all
    }

    /// How many active administrators the application has.
    pub(super) async fn administrators(&self) -> Result<i64, Error> {
        let role = self.0.roles.administrator.unwrap_or_default();
        Ok(holders(&self.0.db, role).await?)
    }

    /// Refuses a change that removed the last administrator; the caller then drops the transaction.
    pub(super) async fn one_remains(&self, tx: &Tx) -> Result<(), Error> {
        let Some(role) = self.0.roles.administrator else {
            return Ok(());
        };
        let now = tx.query(ADMINISTRATORS, [role.into()]).await?;
        let left: i64 = now.first().map_or(Ok(0), |row| row.get(0))?;
        // An application that has no administrator yet may continue without one.
        if left == 0 && self.administrators().await? > 0 {
            return Err(Error::LastAdministrator);
        }
        Ok(())
    }

    pub(super) fn known(&self, roles: &[&str]) -> Result<(), Error> {
        match roles.iter().find(|role| !self.0.roles.all.contains(role)) {
            Some(unknown) => Err(Error::UnknownRole((*unknown).to_owned())),
            None => Ok(()),
        }
    }
}

pub(super) fn about(event: Event, by: Option<UserId>, user: UserId) -> Entry {
    let entry = Entry::new(event).subject(user);
    match by {
        Some(by) => entry.actor(by),
        None => entry.actor(command_line()),
    }
}

const ADMINISTRATORS: &str =
    "SELECT count(*) FROM dewar_user_roles r JOIN dewar_users u ON u.id = r.user_id
    WHERE r.role = ?1 AND u.disabled_at IS NULL";

fn changed(rows: u64) -> Result<(), Error> {
    if rows == 0 {
        Err(Error::NoSuchUser)
    } else {
        Ok(())
    }
}
