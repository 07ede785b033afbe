//! Adds and removes second factors.
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::super::letters::{FactorAdded, FactorRemoved, RecoveryCodeUsed, RecoveryCodesMade};
use super::super::throttle;
use super::super::{Accounts, Error, User};
use super::qr::OfferedApp;
use super::recovery_code::{CODES, RecoveryCode};
use super::rows;
use super::totp::TotpSecret;
use crate::audit::{Entry, Event, command_line};
use crate::database::{self, Tx, refuse_while_reading};
use crate::pages::AccountPage;
use crate::secrets::random;
use crate::sessions::{Principal, Session, UserId};

/// How long a secret on the page may wait for its first code, in seconds.
const OFFERED_FOR: i64 = 30 * 60;

/// A new authenticator app, before its first code. It travels sealed in the page, for this session; Dewar stores nothing.
#[derive(Debug)]
pub(crate) struct NewTotp {
    secret: TotpSecret,
    until: i64,
}

impl NewTotp {
    pub(crate) fn new(now: i64) -> Self {
        Self {
            secret: TotpSecret::new(),
            until: now + OFFERED_FOR,
        }
    }

    /// The text for a hidden field.
    pub(crate) fn sealed_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}.{}", self.until, &*self.secret.text()))
    }

    /// Reads the hidden field, if it has not expired.
    pub(crate) fn read(text: &str, now: i64) -> Option<Self> {
        let (until, secret) = text.split_once('.')?;
        let until = until.parse().ok().filter(|until| now <= *until)?;
        let secret = TotpSecret::parse(secret)?;
        Some(Self { secret, until })
    }

    /// The key in groups of four, for typing.
    fn typed(&self) -> Zeroizing<String> {
        let text = self.secret.text();
        let mut typed = Zeroizing::new(String::with_capacity(40));
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                typed.push(' ');
            }
            typed.push(letter);
        }
        typed
    }
}

impl Accounts {
    /// Whether a user has a second factor.
    ///
    /// ```
    /// use dewar::accounts::Accounts;
    /// use dewar::sessions::UserId;
    /// async fn says(accounts: Accounts, user: UserId) -> dewar::Result<&'static str> {
    ///     Ok(if accounts.has_second_factor(user).await? { "protected" } else { "password only" })
    /// }
    /// # let _ = says;
    /// ```
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_second_factor(&self, user: UserId) -> Result<bool, Error> {
        let find = "SELECT 1 FROM dewar_users WHERE id = ?1 AND second_factor_at IS NOT NULL";
        Ok(!self.0.db.query(find, [user.into()]).await?.is_empty())
    }

    /// Whether a role of this user requires a second factor and the user has none. Then only the pages that set one up are open.
    pub(crate) fn lacks_second_factor(&self, person: &Principal) -> bool {
        !person.has_second_factor() && self.requires_second_factor(person)
    }

    /// Whether a role of the user with this address requires a second factor and the user has none, for the tools of tests.
    #[cfg(feature = "testing")]
    pub(crate) async fn needs_second_factor(&self, email: &str) -> Result<bool, Error> {
        let person = self.find_by_email(email).await?.ok_or(Error::NoSuchUser)?;
        let required = &self.0.factor_roles;
        let needs = required.iter().any(|role| person.has_role_named(role));
        Ok(needs && person.second_factor_at.is_none())
    }

    /// Whether a role of this user requires a second factor.
    pub(crate) fn requires_second_factor(&self, person: &Principal) -> bool {
        let required = &self.0.factor_roles;
        person
            .roles()
            .any(|role| required.iter().any(|one| one == role))
    }

    /// A new app, as its page shows it.
    pub(crate) fn offer(&self, person: &Principal, new: &NewTotp) -> OfferedApp {
        let link = new.secret.link(&self.0.site, person.email());
        OfferedApp::new(link, new.typed())
    }

    /// How many recovery codes a user has left.
    pub(crate) async fn recovery_codes_left(&self, user: UserId) -> Result<i64, Error> {
        Ok(rows::codes_left(&self.0.db, user).await?)
    }

    /// Adds an authenticator app with its first code, and makes the recovery codes.
    ///
    /// Every other session of the user ends: it began with the password alone. So does a sign-in that is under way. API tokens
    /// stay.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code; [`Error::FactorThere`].
    pub(crate) async fn add_totp(
        &self,
        session: &Session,
        user: UserId,
        new: NewTotp,
        code: &str,
    ) -> Result<Vec<RecoveryCode>, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let now = inner.clock.now();
        let step = new.secret.step_of(code, now).ok_or(Error::Refused)?;
        let sealed = rows::SECRET.seal(&inner.ring, user, &new.secret.text());
        let sealed = sealed.map_err(|_| Error::NotSealed)?;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let id = BASE64URL_NOPAD.encode(&random::<16>());
        let tx = inner.db.begin().await?;
        if !rows::add_totp(&tx, (&id, user), &sealed, (step, now)).await? {
            tx.rollback().await?;
            return Err(Error::FactorThere);
        }
        rows::note(&tx, user, Some(now)).await?;
        let codes = new_codes();
        rows::replace_codes(&tx, user, &codes).await?;
        let generation = self.next_generation(&tx, user).await?;
        let entry = Entry::new(Event::AuthnFactorAdded);
        let entry = entry.actor(user).subject(user).detail("totp");
        tx.record(&inner.log, entry).await?;
        let link = self.address_of(AccountPage::Forgot);
        self.tell_owner(&tx, &person, &FactorAdded { link }).await?;
        tx.commit().await?;
        session
            .continue_alone(generation, "the user added a second factor")
            .await?;
        Ok(codes)
    }

    /// Replaces the recovery codes of a user who has a second factor.
    ///
    /// # Errors
    /// [`Error::Refused`] if the user has none.
    pub(crate) async fn renew_recovery_codes(
        &self,
        user: UserId,
    ) -> Result<Vec<RecoveryCode>, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        let find = "SELECT 1 FROM dewar_users WHERE id = ?1 AND second_factor_at IS NOT NULL";
        if tx.query(find, [user.into()]).await?.is_empty() {
            tx.rollback().await?;
            return Err(Error::Refused);
        }
        let codes = new_codes();
        rows::replace_codes(&tx, user, &codes).await?;
        let entry = Entry::new(Event::AuthnFactorAdded);
        let entry = entry.actor(user).subject(user);
        tx.record(&inner.log, entry.detail("new recovery codes"))
            .await?;
        let link = self.address_of(AccountPage::Forgot);
        self.tell_owner(&tx, &person, &RecoveryCodesMade { link })
            .await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Removes the second factor of a user who has just re-authenticated. Every other session of the user ends; API tokens stay.
    ///
    /// # Errors
    /// [`Error::FactorRequired`] if a role of the user requires one.
    pub(crate) async fn remove_factors(
        &self,
        session: &Session,
        person: &Principal,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        if self.requires_second_factor(person) {
            return Err(Error::FactorRequired);
        }
        let (inner, user) = (&self.0, person.id());
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        self.remove_in(&tx, &person).await?;
        let generation = self.next_generation(&tx, user).await?;
        let entry = Entry::new(Event::AuthnFactorRemoved);
        tx.record(&inner.log, entry.actor(user).subject(user))
            .await?;
        tx.commit().await?;
        session
            .continue_alone(generation, "the user removed the second factor")
            .await?;
        Ok(())
    }

    /// Removes a user's second factors and recovery codes, when the user has lost them. The user is signed out everywhere, and reads
    /// of it in a letter. False if there was no factor.
    ///
    /// Without an administrator (`by` is none) it is the command line. Check first that the person who asks is the user: whoever
    /// has the password can then sign in with it alone, and set up a factor of their own.
    ///
    /// ```
    /// use dewar::accounts::{Accounts, Error};
    /// use dewar::sessions::UserId;
    /// async fn lost_telephone(accounts: Accounts, admin: UserId, user: UserId) -> Result<bool, Error> {
    ///     accounts.reset_factors(Some(admin), user).await
    /// }
    /// # let _ = lost_telephone;
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; if the database fails.
    pub async fn reset_factors(&self, by: Option<UserId>, user: UserId) -> Result<bool, Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        if !self.remove_in(&tx, &person).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        inner.sessions.next_generation_in(&tx, user).await?;
        throttle::clear_factor_of(&tx, user).await?;
        let entry = Entry::new(Event::AuthnFactorRemoved);
        let entry = match by {
            Some(by) => entry.actor(by),
            None => entry.actor(command_line()),
        };
        let entry = entry.subject(user).detail("reset");
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        Ok(true)
    }

    /// Removes everything in a transaction, with the letter about it.
    async fn remove_in(&self, tx: &Tx, person: &User) -> Result<bool, Error> {
        if rows::remove_all(tx, person.id).await? == 0 {
            return Ok(false);
        }
        rows::note(tx, person.id, None).await?;
        let link = self.address_of(AccountPage::Forgot);
        self.tell_owner(tx, person, &FactorRemoved { link }).await?;
        Ok(true)
    }

    /// A new generation, which ends every session and every sign-in that is under way. The user's API tokens follow into it.
    async fn next_generation(&self, tx: &Tx, user: UserId) -> Result<i64, Error> {
        let generation = self.0.sessions.next_generation_in(tx, user).await?;
        self.carry_tokens(tx, user, generation).await?;
        Ok(generation)
    }

    pub(super) async fn tell_of_used_code(
        &self,
        tx: &Tx,
        person: &User,
    ) -> Result<(), database::Error> {
        let link = self.address_of(AccountPage::Forgot);
        self.tell_owner(tx, person, &RecoveryCodeUsed { link })
            .await
    }
}

fn new_codes() -> Vec<RecoveryCode> {
    (0..CODES).map(|_| RecoveryCode::new()).collect()
}
