//! Change a password: with the old one, with a link, or from the command line.
use std::net::IpAddr;
use std::sync::Arc;

use super::email::EmailKey;
use super::letters::Letter;
use super::link::{self, LinkPurpose};
use super::mail::MailQuota;
use super::password::StoredHash;
use super::pool::PoolShare;
use super::{Accounts, Error, RESET, User, VerifiedPassword, forgot_at, throttle};
use crate::audit::{Entry, Event, command_line};
use crate::database::{self, Tx};
use crate::secrets::Token;
use crate::sessions::{Session, UserId};

impl Accounts {
    /// Changes the password of whoever has just proved the old one. Every session and link of theirs ends, and this
    /// browser gets a new session; their address gets a letter (ASVS 6.3.7, 7.4.3).
    ///
    /// # Errors
    /// What is wrong with the new password; [`Error::Busy`].
    pub async fn change_password(
        &self,
        proof: VerifiedPassword,
        new: &str,
        session: &Session,
    ) -> Result<(), Error> {
        let inner = &self.0;
        let user = proof.user();
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let password = inner.acceptable(new, &person.email, &person.name)?;
        let hash = inner.pool.hash(password, PoolShare::Known).await?;
        let tx = inner.db.begin().await?;
        let proved = Some(proof.generation());
        // None where the password was changed, or everything signed out, since the old one was given.
        let generation = self.set(&tx, &person, &hash, proved).await?;
        let generation = generation.ok_or(Error::Refused)?;
        let entry = Entry::new(Event::AuthnPasswordChange);
        let entry = entry.actor(user).subject(user);
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        session.renew_alone(user, generation).await?;
        self.tell_of_change(&person.email);
        Ok(())
    }

    /// Somebody forgot the password of this address. The answer is given at once and is the same for every address;
    /// whether a letter goes out is settled after it (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`Error::Throttled`], by the address the request came from.
    pub fn request_reset(&self, email: &str, from: IpAddr) -> Result<(), Error> {
        self.0.check_rate_limit(from)?;
        let Ok(turn) = Arc::clone(&self.0.errands).try_acquire_owned() else {
            tracing::warn!("a request for a new password was dropped: too many at once");
            return Ok(());
        };
        let (accounts, key) = (self.clone(), EmailKey::new(email));
        tokio::spawn(async move {
            if let Err(error) = accounts.send_reset(&key, from).await {
                tracing::error!(%error, "a link for a new password was not sent");
            }
            drop(turn);
        });
        Ok(())
    }

    /// Does this link for a new password still work?
    ///
    /// # Errors
    /// [`Error::LinkSpent`] where it does not.
    pub async fn look_at_reset(&self, token: &str) -> Result<String, Error> {
        let owner = self.owner_of_reset(token).await?;
        let person = self.find(owner).await?.ok_or(Error::LinkSpent)?;
        Ok(person.email)
    }

    /// Sets a new password with a link. Every session and every other link of the account ends and nobody is signed in;
    /// the failures are forgotten and the browser is known from now on, so that no attacker can keep the owner out.
    ///
    /// A link that works has attempts of its own: whoever shares the network address of its owner does not use them up.
    ///
    /// # Errors
    /// [`Error::LinkSpent`]; what is wrong with the new password, after which the link still works; [`Error::Busy`];
    /// [`Error::Throttled`].
    pub async fn reset(&self, token: &str, new: &str, from: IpAddr) -> Result<(), Error> {
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
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        if let Some(session) = &self.1.session {
            session.note_proof(user, generation);
        }
        self.tell_of_change(&person.email);
        Ok(())
    }

    /// Sets a person's password from the command line, where they cannot do it themselves. Their sessions and links end, and
    /// their failures are forgotten; their address gets a letter (ASVS 6.3.7).
    ///
    /// # Errors
    /// [`Error::NoSuchUser`]; what is wrong with the new password.
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
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        self.tell_of_change(&person.email);
        Ok(())
    }

    /// The path of a link for a new password, to be handed over where no letter reaches a person. It works once and for an
    /// hour.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], which is also the answer for a disabled account; [`Error::TooManyLinks`].
    pub(crate) async fn reset_path(&self, user: UserId) -> Result<String, Error> {
        let inner = &self.0;
        let person = self.find(user).await?.filter(User::is_active);
        let person = person.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        let token = link::make_reset(&tx, person.id, inner.clock.now()).await?;
        let token = token.ok_or(Error::TooManyLinks)?;
        let entry = Entry::new(Event::AuthnTokenCreated).actor(command_line());
        let entry = entry.subject(user).detail("link for a new password");
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        Ok(format!("{RESET}/{}", token.reveal()))
    }

    async fn owner_of_reset(&self, token: &str) -> Result<UserId, Error> {
        let inner = &self.0;
        let token = Token::parse(token).ok_or(Error::LinkSpent)?;
        let found = link::look(&inner.db, LinkPurpose::Reset, &token, inner.clock.now()).await?;
        if let Some(user) = found.and_then(|link| link.user) {
            return Ok(UserId::new(user));
        }
        if link::was_spent(&inner.db, &token).await? {
            inner.log.record(
                Entry::new(Event::AuthnTokenReuse).detail("a spent link for a new password"),
            );
        }
        Err(Error::LinkSpent)
    }
}

impl Accounts {
    /// The one way to a new password. With the old one go every session, every known browser, every link and every failure
    /// that was counted. The new generation, or none where it was not the one that was expected.
    async fn set(
        &self,
        tx: &Tx,
        person: &User,
        hash: &StoredHash,
        expected: Option<i64>,
    ) -> Result<Option<i64>, database::Error> {
        // The generation ends every session in the statement that changes the password: none outlives it, even where the
        // program is killed before the store is cleared.
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

    /// Tells a person that their password was changed. No budget holds this letter back: it is written only after a proof,
    /// and it is how its reader learns that the proof was somebody else's. It is dropped only where many of the same wait
    /// for them already.
    fn tell_of_change(&self, email: &str) {
        let cause = MailQuota::Receiver(EmailKey::new(email).as_str().into());
        let letter = |origin: &str| Letter::PasswordChanged {
            forgot: forgot_at(origin),
        };
        self.0.write_to(email, cause, &self.1.language, letter);
    }

    /// Makes and sends the link, where there is an account that may have one. Links that were sent before stay good: the
    /// owner may be opening one.
    async fn send_reset(&self, key: &EmailKey, from: IpAddr) -> Result<(), database::Error> {
        let find = "SELECT id, email FROM dewar_users WHERE email_key = ?1 AND disabled_at IS NULL";
        let inner = &self.0;
        let rows = inner.db.query(find, [key.as_str().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let (user, email) = (UserId::new(row.get(0)?), row.get::<String>(1)?);
        if !self.sends_mail() || !inner.may_write_about_reset(key) {
            return Ok(());
        }
        let tx = inner.db.begin().await?;
        let Some(token) = link::make_reset(&tx, user, inner.clock.now()).await? else {
            return Ok(());
        };
        let entry = Entry::new(Event::AuthnTokenCreated)
            .subject(user)
            .address(from)
            .detail("link for a new password");
        tx.record(&inner.log, entry).await?;
        tx.commit().await?;
        let letter = |origin: &str| Letter::Reset {
            link: format!("{origin}{RESET}/{}", token.reveal()),
        };
        let cause = MailQuota::Network(from);
        let queued = inner.write_to(&email, cause, &self.1.language, letter);
        if !queued {
            return link::end(&inner.db, &token).await;
        }
        Ok(())
    }
}
