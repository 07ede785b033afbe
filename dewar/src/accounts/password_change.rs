//! Changes a password: with the old one, with a link, or from the command line.
use std::net::IpAddr;
use std::sync::Arc;

use super::email::EmailKey;
use super::letters::{PasswordChanged, ResetLetter};
use super::link::{self, LinkPurpose};
use super::password::StoredHash;
use super::pool::PoolShare;
use super::{Accounts, Error, User, VerifiedPassword, throttle};
use crate::audit::{Entry, Event, command_line};
use crate::database::{self, Tx, refuse_while_reading};
use crate::mail::{IntoRecipient, Letter, LetterKind, MailQuota, Recipient};
use crate::pages::AccountPage;
use crate::secrets::Token;
use crate::sessions::{Session, UserId};

impl Accounts {
    /// Changes the password of a user who has just proved the old one.
    ///
    /// Every session and link of the user ends, and this browser gets a new session. Dewar sends a letter to the user's address
    /// (ASVS 6.3.7, 7.4.3).
    ///
    /// # Errors
    /// The problem of the new password; [`Error::Busy`].
    pub async fn change_password(
        &self,
        proof: VerifiedPassword,
        new: &str,
        session: &Session,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let user = proof.user();
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let password = inner.acceptable(new, &person.email, &person.name)?;
        let hash = inner.pool.hash(password, PoolShare::Known).await?;
        let tx = inner.db.begin().await?;
        let proved = Some(proof.generation());
        // None if the password was changed, or everything was signed out, after the old one was verified.
        let generation = self.set(&tx, &person, &hash, proved).await?;
        let generation = generation.ok_or(Error::Refused)?;
        let entry = Entry::new(Event::AuthnPasswordChange);
        let entry = entry.actor(user).subject(user);
        tx.record(&inner.log, entry).await?;
        self.tell_of_change(&tx, &person).await?;
        tx.commit().await?;
        session.renew_alone(user, generation).await?;
        Ok(())
    }

    /// Requests a link for a forgotten password. The response comes at once and is the same for every address; only afterwards
    /// does Dewar decide whether to send a letter (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`Error::Throttled`], by the network address of the request.
    pub fn request_reset(&self, email: &str, from: IpAddr) -> Result<(), Error> {
        self.0.check_rate_limit(from)?;
        let Ok(turn) = Arc::clone(&self.0.errands).try_acquire_owned() else {
            tracing::warn!("a password reset request was dropped: too many at once");
            return Ok(());
        };
        let (accounts, key) = (self.clone(), EmailKey::new(email));
        tokio::spawn(async move {
            if let Err(error) = accounts.send_reset(&key, from).await {
                tracing::error!(%error, "a password reset link was not sent");
            }
            drop(turn);
        });
        Ok(())
    }

    /// Checks whether a link for a new password is valid.
    ///
    /// # Errors
    /// [`Error::LinkSpent`] if it is not.
    pub async fn look_at_reset(&self, token: &str) -> Result<String, Error> {
        let owner = self.owner_of_reset(token).await?;
        let person = self.find(owner).await?.ok_or(Error::LinkSpent)?;
        Ok(person.email)
    }

    /// Sets a new password with a link.
    ///
    /// Every session and every other link of the account ends, and nobody is signed in. Dewar forgets the failures and knows this
    /// browser from now on, so that no attacker can lock the owner out.
    ///
    /// A valid link has attempts of its own, so other users of its owner's network address cannot use them up.
    ///
    /// # Errors
    /// [`Error::LinkSpent`]; the problem of the new password, after which the link is still valid; [`Error::Busy`];
    /// [`Error::Throttled`].
    pub async fn reset(&self, token: &str, new: &str, from: IpAddr) -> Result<(), Error> {
        refuse_while_reading()?;
        let inner = &self.0;
        let user = match self.owner_of_reset(token).await {
            Ok(user) => user,
            Err(error) => {
                inner.check_rate_limit(from)?;
                return Err(error);
            }
        };
        let token = Token::parse(token).ok_or(Error::LinkSpent)?;
        inner.knock_as(token.hash(), from)?;
        let person = self.find(user).await?.ok_or(Error::LinkSpent)?;
        let password = inner.acceptable(new, &person.email, &person.name)?;
        let hash = inner.pool.hash(password, PoolShare::Known).await?;
        let tx = inner.db.begin().await?;
        link::spend(&tx, LinkPurpose::Reset, &token, inner.clock.now())
            .await?
            .ok_or(Error::LinkSpent)?;
        let generation = self.set(&tx, &person, &hash, None).await?;
        let generation = generation.ok_or(Error::LinkSpent)?;
        let entry = Entry::new(Event::AuthnPasswordChange)
            .actor(user)
            .subject(user)
            .address(from);
        tx.record(&inner.log, entry.detail("by a link")).await?;
        self.tell_of_change(&tx, &person).await?;
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        if let Some(session) = &self.1.session {
            session.note_proof(user, generation);
        }
        Ok(())
    }

    /// Sets a user's password from the command line, when the user cannot do it. The user's sessions and links end, Dewar forgets
    /// the failures and sends a letter to the user's address (ASVS 6.3.7).
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; the problem of the new password.
    pub(crate) async fn set_password(&self, user: UserId, new: &str) -> Result<(), Error> {
        let inner = &self.0;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let password = inner.acceptable(new, &person.email, &person.name)?;
        let hash = inner.pool.hash(password, PoolShare::Known).await?;
        let tx = inner.db.begin().await?;
        let generation = self.set(&tx, &person, &hash, None).await?;
        generation.ok_or(Error::NoSuchUser)?;
        let entry = Entry::new(Event::AuthnPasswordChange);
        let entry = entry.actor(command_line()).subject(user);
        tx.record(&inner.log, entry).await?;
        self.tell_of_change(&tx, &person).await?;
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        Ok(())
    }

    /// The path of a link for a new password, for an operator to hand over when no letter reaches the user. It works once and for
    /// an hour.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], also for a disabled account; [`Error::TooManyLinks`].
    pub(crate) async fn reset_path(&self, user: UserId) -> Result<String, Error> {
        let inner = &self.0;
        let person = self.find(user).await?.filter(User::is_active);
        let person = person.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        let token = link::make_reset(&tx, person.id, inner.clock.now()).await?;
        let token = token.ok_or(Error::TooManyLinks)?;
        let entry = Entry::new(Event::AuthnTokenCreated).actor(command_line());
        let entry = entry.subject(user).detail("password reset link");
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        Ok(inner.paths.with(AccountPage::Reset, &token.reveal()))
    }

    async fn owner_of_reset(&self, token: &str) -> Result<UserId, Error> {
        let inner = &self.0;
        let token = Token::parse(token).ok_or(Error::LinkSpent)?;
        let found = link::look(&inner.db, LinkPurpose::Reset, &token, inner.clock.now()).await?;
        if let Some(user) = found.and_then(|link| link.user) {
            return Ok(UserId::new(user));
        }
        if link::was_spent(&inner.db, &token).await? {
            inner
                .log
                .record(Entry::new(Event::AuthnTokenReuse).detail("a used password reset link"));
        }
        Err(Error::LinkSpent)
    }
}

impl Accounts {
    /// The only way to a new password. With the old one, every session, known browser, link and counted failure ends. Returns the
    /// new generation, or none if the old one was not as expected.
    async fn set(
        &self,
        tx: &Tx,
        person: &User,
        hash: &StoredHash,
        expected: Option<i64>,
    ) -> Result<Option<i64>, database::Error> {
        // The statement that changes the password also raises the generation, which ends every session: none outlives it, even if
        // the program is killed before the store is cleared.
        let set = "UPDATE dewar_users SET password_hash = ?1, password_changed_at = ?2,
            session_generation = session_generation + 1
            WHERE id = ?3 AND (?4 IS NULL OR session_generation = ?4)
            RETURNING session_generation";
        let values = [
            hash.as_str().into(),
            self.0.clock.now().into(),
            person.id.into(),
            expected.into(),
        ];
        let rows = tx.query(set, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        link::end_all_of(tx, person.id).await?;
        throttle::clear_all_of(tx, &EmailKey::new(&person.email), person.id).await?;
        Ok(Some(row.get(0)?))
    }

    /// Notifies a user of the changed password. No rate limit holds this letter back: Dewar writes it only after a verified
    /// password or a valid link, and it is how the owner learns that an attacker had one. It is dropped only if many of the same
    /// already wait for the user.
    async fn tell_of_change(&self, tx: &Tx, person: &User) -> Result<(), database::Error> {
        let link = self.address_of(AccountPage::Forgot);
        self.tell_owner(tx, person, &PasswordChanged { link }).await
    }

    /// Notifies a user of a change to the account, in the transaction that makes it. As with the letter about a changed password, no
    /// rate limit holds it back, and it is dropped only if many of the same already wait for the user.
    pub(super) async fn tell_owner<L: Letter>(
        &self,
        tx: &Tx,
        person: &User,
        letter: &L,
    ) -> Result<(), database::Error> {
        let key = EmailKey::new(&person.email);
        let about = (LetterKind::Notice, MailQuota::Receiver(key.as_str().into()));
        let to = person.into_recipient().or_in_language(&self.1.language);
        self.0.write_to(tx, about, to, letter).await.map(drop)
    }

    /// Makes and sends the link, if the account exists and may have one. Links that were sent before stay valid: the owner may be
    /// opening one.
    async fn send_reset(&self, key: &EmailKey, from: IpAddr) -> Result<(), database::Error> {
        let find = "SELECT id, email FROM dewar_users WHERE email_key = ?1 AND disabled_at IS NULL";
        let inner = &self.0;
        let rows = inner.db.query(find, [key.as_str().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let (user, email) = (UserId::new(row.get(0)?), row.get::<String>(1)?);
        if !self.sends_mail() {
            return Ok(());
        }
        let tx = inner.db.begin().await?;
        let Some(token) = link::make_reset(&tx, user, inner.clock.now()).await? else {
            return Ok(());
        };
        let entry = Entry::new(Event::AuthnTokenCreated)
            .subject(user)
            .address(from)
            .detail("password reset link");
        tx.record(&inner.log, entry).await?;
        let about = (LetterKind::Link, MailQuota::Network(from));
        let path = inner.paths.with(AccountPage::Reset, &token.reveal());
        let link = format!("{}{path}", inner.mailer.origin());
        let to = Recipient::stored(&email).in_language(&self.1.language);
        if inner
            .write_to(&tx, about, to, &ResetLetter { link })
            .await?
        {
            return tx.commit().await;
        }
        // Without a letter there is no link.
        tx.rollback().await
    }
}
