//! Change a password, with the old one or with a link.
use std::net::IpAddr;
use std::sync::Arc;

use super::email::EmailKey;
use super::letters::Letter;
use super::link::{self, LinkPurpose};
use super::{Accounts, Error, RESET, VerifiedPassword, forgot_at, throttle};
use crate::audit::{Entry, Event};
use crate::database;
use crate::secrets::Token;
use crate::sessions::{Session, UserId};

impl Accounts {
    /// Changes the password of whoever has just proved the old one. Every session of theirs ends, and this browser gets
    /// a new one; their address gets a letter (ASVS 6.3.7, 7.4.3).
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
        let hash = inner.pool.hash(password).await?;
        // The generation ends every session in the statement that changes the password: none outlives it, even where the
        // program is killed before the store is cleared.
        let set = "UPDATE dewar_users SET password_hash = ?1, password_changed_at = ?2,
            session_generation = session_generation + 1 WHERE id = ?3 AND session_generation = ?4
            RETURNING session_generation";
        let values = [
            hash.as_str().into(),
            inner.clock.now().into(),
            user.into(),
            proof.generation().into(),
        ];
        let rows = inner.db.query(set, values).await?;
        // None where the password was changed, or everything signed out, since the old one was given.
        let row = rows.first().ok_or(Error::Refused)?;
        session.renew_alone(user, row.get(0)?).await?;
        inner.log.record(
            Entry::new(Event::AuthnPasswordChange)
                .actor(user)
                .subject(user),
        );
        inner.write_to(&person.email, &self.1, |origin| Letter::PasswordChanged {
            forgot: forgot_at(origin),
        });
        Ok(())
    }

    /// Somebody forgot the password of this address. The answer is given at once and is the same for every address;
    /// whether a letter goes out is settled after it (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`Error::Throttled`], by the address the request came from.
    pub fn request_reset(&self, email: &str, from: IpAddr) -> Result<(), Error> {
        self.0.knock(from)?;
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

    /// Sets a new password with a link. Every session of the account ends and nobody is signed in; the failures are
    /// forgotten, so that no attacker can keep the owner out.
    ///
    /// # Errors
    /// [`Error::LinkSpent`]; what is wrong with the new password, after which the link still works; [`Error::Busy`].
    pub async fn reset(&self, token: &str, new: &str, from: IpAddr) -> Result<(), Error> {
        let inner = &self.0;
        inner.knock(from)?;
        let user = self.owner_of_reset(token).await?;
        let token = Token::parse(token).ok_or(Error::LinkSpent)?;
        let person = self.find(user).await?.ok_or(Error::LinkSpent)?;
        let password = inner.acceptable(new, &person.email, &person.name)?;
        let hash = inner.pool.hash(password).await?;
        let now = inner.clock.now();
        let tx = inner.db.begin().await?;
        link::spend(&tx, LinkPurpose::Reset, &token, now)
            .await?
            .ok_or(Error::LinkSpent)?;
        let set = "UPDATE dewar_users SET password_hash = ?1, password_changed_at = ?2,
            session_generation = session_generation + 1 WHERE id = ?3";
        tx.execute(set, [hash.as_str().into(), now.into(), user.into()])
            .await?;
        tx.commit().await?;
        inner.sessions.clear_all_of(user, None).await?;
        throttle::clear(&inner.db, &EmailKey::new(&person.email)).await?;
        let entry = Entry::new(Event::AuthnPasswordChange)
            .actor(user)
            .subject(user)
            .address(from);
        inner.log.record(entry.detail("by a link"));
        inner.write_to(&person.email, &self.1, |origin| Letter::PasswordChanged {
            forgot: forgot_at(origin),
        });
        Ok(())
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
    /// Makes and sends the link, where there is an account that may have one.
    async fn send_reset(&self, key: &EmailKey, from: IpAddr) -> Result<(), database::Error> {
        let find = "SELECT id, email FROM dewar_users WHERE email_key = ?1 AND disabled_at IS NULL";
        let inner = &self.0;
        let rows = inner.db.query(find, [key.as_str().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let (user, email) = (UserId::new(row.get(0)?), row.get::<String>(1)?);
        let token = link::make(
            &inner.db,
            LinkPurpose::Reset,
            Some(user.get()),
            inner.clock.now(),
        )
        .await?;
        let entry = Entry::new(Event::AuthnTokenCreated)
            .subject(user)
            .address(from);
        inner.log.record(entry.detail("link for a new password"));
        inner.write_to(&email, &self.1, |origin| Letter::Reset {
            link: format!("{origin}{RESET}/{}", token.reveal()),
        });
        Ok(())
    }
}
