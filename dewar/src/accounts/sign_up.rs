//! Makes an account: by a visitor, by an administrator, and the very first one.
use std::net::IpAddr;

use super::email::EmailKey;
use super::fields::{Beside, Own};
use super::letters::{SignUpAgain, Welcome};
use super::link::{self, LinkPurpose};
use super::password::StoredHash;
use super::pool::PoolShare;
use super::users::about;
use super::{AccountFields, Accounts, Error, FieldsError};
use crate::audit::{Entry, Event};
use crate::database::{self, Tx, refuse_while_reading};
use crate::forms::{Email, Name};
use crate::mail::{LetterKind, MailQuota, Recipient};
use crate::pages::AccountPage;
use crate::secrets::Token;
use crate::sessions::{Session, UserId};

/// A user who gets an account.
#[derive(Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an account needs these three values"
)]
pub struct NewUser<'a> {
    /// The address to sign in with, for example from a form's `Email`.
    pub email: &'a str,
    /// The name that others see.
    pub name: &'a str,
    /// The password that the user chose.
    pub password: &'a str,
}

impl std::fmt::Debug for NewUser<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewUser([redacted])")
    }
}

/// The fate of the letter after a sign-up.
///
/// ```
/// use dewar::pages::Message;
/// use dewar::accounts::SignUpLetter;
/// fn thanks(letter: SignUpLetter) -> Message {
///     match letter {
///         SignUpLetter::Queued => Message::new("accounts-welcome-letter"),
///         _ => Message::new("accounts-welcome"),
///     }
/// }
/// # let _ = thanks(SignUpLetter::None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignUpLetter {
    /// Dewar writes none: it sends no mail, the address had its letters for this hour, or too many wait.
    None,
    /// It waits for the mail server.
    Queued,
}

impl Accounts {
    /// Makes an account for a visitor.
    ///
    /// The response and its cost do not depend on whether the address has an account (user enumeration): Dewar hashes one
    /// password and writes one letter, to the new user or to the existing one (ASVS 6.3.8). It signs nobody in. It does not
    /// confirm the address: the owner of the mailbox can take the account over by a reset. The result tells whether the letter
    /// found a place in its queue; that does not depend on whether an account exists.
    ///
    /// # Errors
    /// [`Error::Closed`]; [`Error::Name`] for a name that looks like that of somebody in charge; the problem of the password;
    /// [`Error::Throttled`]; [`Error::Busy`].
    pub async fn sign_up(&self, person: NewUser<'_>, from: IpAddr) -> Result<SignUpLetter, Error> {
        self.sign_up_beside(person, (), from).await
    }

    /// As [`sign_up`](Self::sign_up), and stores the application's own fields in the same transaction. It calls
    /// [`AccountFields::store`] also if the address has an account: then for a user whom it rolls back.
    ///
    /// # Errors
    /// As [`sign_up`](Self::sign_up), and [`Error::Fields`].
    pub async fn sign_up_with<E: AccountFields>(
        &self,
        person: NewUser<'_>,
        fields: E,
        from: IpAddr,
    ) -> Result<SignUpLetter, Error> {
        self.sign_up_beside(person, Own(fields), from).await
    }

    async fn sign_up_beside(
        &self,
        person: NewUser<'_>,
        beside: impl Beside,
        from: IpAddr,
    ) -> Result<SignUpLetter, Error> {
        let inner = &self.0;
        if !self.sign_up_is_open() {
            return Err(Error::Closed);
        }
        let password = inner.acceptable(person.password, person.email, person.name)?;
        inner.check_rate_limit(from)?;
        let name = self.free(person.name, None).await?;
        let person = NewUser {
            name: name.as_str(),
            ..person
        };
        let hash = inner.pool.hash(password, PoolShare::Stranger).await?;
        let tx = inner.db.begin().await?;
        let user = self.insert_beside(&tx, person, &hash, beside).await?;
        let key = EmailKey::new(person.email);
        // One audit entry in the transaction either way, so that both cases cost the same.
        let entry = match user {
            Some(user) => Entry::new(Event::UserCreated).actor(user).subject(user),
            None => Entry::new(Event::Application("sign_up_again")).subject(key.mark()),
        };
        tx.record(&inner.log, entry.address(from)).await?;
        let queued = self.write_of_sign_up(&tx, &person, user, from).await?;
        tx.commit().await?;
        Ok(if queued {
            SignUpLetter::Queued
        } else {
            SignUpLetter::None
        })
    }

    /// Adds the account with its role, and does the work beside it. None if the address has an account: then the work is done for a
    /// user whom nobody else sees, and rolled back. Otherwise its result and its time would show that the address is known.
    ///
    /// The work may read the address of its user. So that user has it in both cases: the row that has it moves aside until the
    /// rollback, and the statements are the same whether there is one or not.
    async fn insert_beside<B: Beside>(
        &self,
        tx: &Tx,
        person: NewUser<'_>,
        hash: &StoredHash,
        beside: B,
    ) -> Result<Option<UserId>, Error> {
        let (language, now) = (Some(self.1.language.tag()), self.0.clock.now());
        let nested = tx.begin_nested().await?;
        let mut is_known = B::IS_SOME && move_aside(&nested, person.email).await?;
        let mut user = insert(&nested, person, hash, now, language).await?;
        if user.is_none() && B::IS_SOME {
            // Another sign-up made the account between the two statements.
            is_known = move_aside(&nested, person.email).await?;
            user = insert(&nested, person, hash, now, language).await?;
        }
        let done = if let Some(one) = user {
            if let Some(role) = &self.0.config.role {
                add_role(&nested, one, role).await?;
            }
            beside.keep(&nested, one).await
        } else {
            Ok(())
        };
        match (&done, is_known) {
            (Ok(()), false) => nested.commit().await?,
            _ => nested.rollback().await?,
        }
        done?;
        Ok(user.filter(|_| !is_known))
    }

    /// Stores the application's own fields of an account.
    pub(super) async fn store_fields<E: AccountFields>(
        &self,
        user: UserId,
        fields: E,
    ) -> Result<(), FieldsError<()>> {
        refuse_while_reading()?;
        let tx = self.0.db.begin().await?;
        let stored = fields.store(&tx, user).await;
        stored.map_err(FieldsError::untyped)?;
        let entry = about(Event::UserUpdated, Some(user), user).detail("fields");
        tx.record(&self.0.log, entry).await?;
        Ok(tx.commit().await?)
    }

    /// The one letter of a sign-up: to the new user, or to the owner of the account that the address has.
    async fn write_of_sign_up(
        &self,
        tx: &Tx,
        person: &NewUser<'_>,
        user: Option<UserId>,
        from: IpAddr,
    ) -> Result<bool, database::Error> {
        let inner = &self.0;
        let about = (LetterKind::SignUp, MailQuota::Network(from));
        let to = Recipient::stored(person.email).in_language(&self.1.language);
        if user.is_some() {
            let link = self.address_of(AccountPage::SignIn);
            inner.write_to(tx, about, to, &Welcome { link }).await
        } else {
            let link = self.address_of(AccountPage::Forgot);
            inner.write_to(tx, about, to, &SignUpAgain { link }).await
        }
    }

    /// Makes an account with roles, for an administrator or from the command line.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Name`]; [`Error::Taken`]; [`Error::UnknownRole`]; the problem of the password.
    pub async fn add(&self, person: NewUser<'_>, roles: &[&str]) -> Result<UserId, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        self.known(roles)?;
        let email = Email::parse(person.email).map_err(Error::Address)?;
        let name = Name::<80>::parse(person.name).map_err(Error::Name)?;
        let person = NewUser {
            email: email.as_str(),
            name: name.as_str(),
            ..person
        };
        let password = inner.acceptable(person.password, person.email, person.name)?;
        let hash = inner.pool.hash(password, PoolShare::Known).await?;
        let tx = inner.db.begin().await?;
        let user = insert(&tx, person, &hash, inner.clock.now(), None)
            .await?
            .ok_or(Error::Taken)?;
        for role in roles {
            add_role(&tx, user, role).await?;
        }
        let session = self.1.session.as_ref();
        let by = session
            .and_then(Session::principal)
            .map(|person| person.id());
        let entry = about(Event::UserCreated, by, user);
        tx.record(&inner.log, entry.detail(roles.join(" "))).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The path of a link that makes the first administrator, if there is none yet. Each call ends the link before.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn setup_path(&self) -> Result<Option<String>, Error> {
        let inner = &self.0;
        if inner.roles.administrator.is_none() || self.administrators().await? > 0 {
            return Ok(None);
        }
        let tx = inner.db.begin().await?;
        let token = link::make_setup(&tx, inner.clock.now()).await?;
        let entry = Entry::new(Event::AuthnTokenCreated).detail("setup link");
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        Ok(Some(inner.paths.with(AccountPage::SetUp, &token.reveal())))
    }

    /// Checks whether a setup link is valid.
    ///
    /// # Errors
    /// [`Error::LinkSpent`] if it is not.
    pub async fn look_at_setup(&self, token: &str) -> Result<(), Error> {
        let token = Token::parse(token).ok_or(Error::LinkSpent)?;
        let found = link::look(&self.0.db, LinkPurpose::Setup, &token, self.0.clock.now()).await?;
        if found.is_none() || self.administrators().await? > 0 {
            return Err(Error::LinkSpent);
        }
        Ok(())
    }

    /// Makes the first administrator, with the link that only the operator has seen. Signs nobody in.
    ///
    /// # Errors
    /// [`Error::LinkSpent`]; [`Error::Taken`]; the problem of the password.
    pub async fn set_up(
        &self,
        token: &str,
        person: NewUser<'_>,
        from: IpAddr,
    ) -> Result<UserId, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        if let Err(error) = self.look_at_setup(token).await {
            inner.check_rate_limit(from)?;
            return Err(error);
        }
        let token = Token::parse(token).ok_or(Error::LinkSpent)?;
        inner.knock_as(token.hash(), from)?;
        let role = inner.roles.administrator.ok_or(Error::LinkSpent)?;
        let password = inner.acceptable(person.password, person.email, person.name)?;
        let hash = inner.pool.hash(password, PoolShare::Known).await?;
        let now = inner.clock.now();
        let tx = inner.db.begin().await?;
        link::spend(&tx, LinkPurpose::Setup, &token, now)
            .await?
            .ok_or(Error::LinkSpent)?;
        let language = Some(self.1.language.tag());
        let user = insert(&tx, person, &hash, now, language).await?;
        let user = user.ok_or(Error::Taken)?;
        add_role(&tx, user, role).await?;
        let entry = Entry::new(Event::UserCreated)
            .actor(user)
            .subject(user)
            .address(from);
        tx.record(&inner.log, entry.detail("first administrator"))
            .await?;
        tx.commit().await?;
        Ok(user)
    }
}

/// Gives the account with this address another one, in a transaction that the caller then rolls back. Tells whether there is one.
async fn move_aside(tx: &Tx, email: &str) -> Result<bool, database::Error> {
    let aside = format!("{}@stand-in.invalid", Token::new().reveal());
    let set = "UPDATE dewar_users SET email = ?1, email_key = ?2 WHERE email_key = ?3";
    let (aside_key, key) = (EmailKey::new(&aside), EmailKey::new(email));
    let values = [
        aside.as_str().into(),
        aside_key.as_str().into(),
        key.as_str().into(),
    ];
    tx.execute(set, values).await.map(|moved| moved > 0)
}

/// Adds an account; does nothing if the address has one.
pub(super) async fn insert(
    tx: &Tx,
    person: NewUser<'_>,
    hash: &StoredHash,
    now: i64,
    language: Option<&str>,
) -> Result<Option<UserId>, database::Error> {
    let add = "INSERT INTO dewar_users (email, email_key, name, password_hash, created_at, password_changed_at, language)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT (email_key) DO NOTHING RETURNING id";
    let key = EmailKey::new(person.email);
    let values = [
        person.email.trim().into(),
        key.as_str().into(),
        person.name.trim().into(),
        hash.as_str().into(),
        now.into(),
        language.into(),
    ];
    tx.query(add, values)
        .await?
        .first()
        .map(|row| Ok(UserId::new(row.get(0)?)))
        .transpose()
}

pub(super) async fn add_role(tx: &Tx, user: UserId, role: &str) -> Result<(), database::Error> {
    let add = "INSERT INTO dewar_user_roles (user_id, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    tx.execute(add, [user.into(), role.into()]).await.map(drop)
}
