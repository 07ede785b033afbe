//! Sign in.
use std::net::IpAddr;

use super::email::EmailKey;
use super::password::{Prepared, StoredHash};
use super::throttle::{self, HARD_STOP, Verdict};
use super::{Accounts, Error};
use crate::audit::{Entry, Event};
use crate::sessions::{Principal, Session, UserId};

/// The proof that somebody has just given an account's password. Only this room makes one.
///
/// ```compile_fail
/// let proof = dewar::accounts::VerifiedPassword { user: dewar::sessions::UserId::new(1) };
/// ```
#[derive(Debug)]
#[must_use = "a proof is there to be shown"]
pub struct VerifiedPassword {
    user: UserId,
    /// Read with the password's hash: a session that is begun with it is over where everything was signed out since.
    generation: i64,
}

impl VerifiedPassword {
    /// Whose password it is.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    pub(super) fn generation(&self) -> i64 {
        self.generation
    }

    /// Begins a session for its owner, under a new token.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub async fn begin(self, session: &Session) -> Result<(), Error> {
        Ok(session.sign_in(self.user, self.generation).await?)
    }

    /// Notes in the owner's own session that they have just proved who they are, under a new token.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is somebody else's session; where the store cannot be written.
    pub async fn confirm(self, session: &Session) -> Result<(), Error> {
        if session.principal().map(Principal::id) != Some(self.user) {
            return Err(Error::Refused);
        }
        Ok(session.prove().await?)
    }
}

/// Whose password is asked for.
struct Owner {
    user: UserId,
    stored: StoredHash,
    disabled: bool,
    generation: i64,
}

/// What a password is asked for: to come in; or by somebody who is in, to change it or to prove who they are.
#[derive(Clone, Copy, Debug)]
enum Why {
    Change,
    Proof,
    SignIn,
}

impl Why {
    /// The event of a right password, with or without wrong ones before.
    fn right(self, after_failures: bool) -> Event {
        match self {
            Self::Change | Self::Proof => Event::Application("authn_password_confirmed"),
            Self::SignIn if after_failures => Event::AuthnLoginSuccessAfterFail,
            Self::SignIn => Event::AuthnLoginSuccess,
        }
    }

    fn wrong(self) -> Event {
        match self {
            Self::Change => Event::AuthnPasswordChangeFail,
            Self::Proof | Self::SignIn => Event::AuthnLoginFail,
        }
    }
}

impl Accounts {
    /// Is this the password of the account with this address?
    ///
    /// No, unknown and disabled are one answer, at the cost of one hash each (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Throttled`] after too many attempts, on the account or from the address;
    /// [`Error::Busy`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<VerifiedPassword, Error> {
        self.0.knock(from)?;
        let key = EmailKey::new(email);
        let find = "SELECT id, password_hash, disabled_at, session_generation FROM dewar_users WHERE email_key = ?1";
        let rows = self.0.db.query(find, [key.as_str().into()]).await?;
        let owner = rows.first().map(owner).transpose()?;
        self.verify(&key, owner, password, from, Why::SignIn).await
    }

    /// Is this the password of this person, who is signed in? Counted as attempts to sign in are.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub async fn verify_password(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
    ) -> Result<VerifiedPassword, Error> {
        self.verify_own(user, password, from, Why::Change).await
    }

    /// The same, where nothing is changed by it: they confirm who they are.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub async fn confirm_password(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
    ) -> Result<VerifiedPassword, Error> {
        self.verify_own(user, password, from, Why::Proof).await
    }

    async fn verify_own(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
        why: Why,
    ) -> Result<VerifiedPassword, Error> {
        self.0.knock(from)?;
        let find = "SELECT id, password_hash, disabled_at, session_generation, email_key FROM dewar_users WHERE id = ?1";
        let rows = self.0.db.query(find, [user.into()]).await?;
        let row = rows.first().ok_or(Error::NoSuchUser)?;
        let key = EmailKey::new(&row.get::<String>(4)?);
        self.verify(&key, Some(owner(row)?), password, from, why)
            .await
    }

    async fn verify(
        &self,
        key: &EmailKey,
        owner: Option<Owner>,
        password: &str,
        from: IpAddr,
        why: Why,
    ) -> Result<VerifiedPassword, Error> {
        let inner = &self.0;
        let failures = match throttle::attempt(&inner.db, key, inner.clock.now()).await? {
            Verdict::Go { failures } => failures,
            Verdict::Wait(wait) => {
                let entry = Entry::new(Event::AuthnLoginLock)
                    .subject(key.mark())
                    .address(from);
                inner.log.record(entry);
                return Err(Error::Throttled(wait));
            }
        };
        let stored = owner.as_ref().map(|owner| owner.stored.clone());
        let right = match inner.pool.verify(Prepared::new(password), stored).await {
            Ok(right) => right,
            Err(error) => {
                throttle::give_back(&inner.db, key).await?;
                return Err(error.into());
            }
        };
        match owner {
            Some(owner) if right && !owner.disabled => {
                throttle::clear(&inner.db, key).await?;
                self.upgrade(&owner, password).await;
                let event = why.right(failures > throttle::FREE);
                inner
                    .log
                    .record(Entry::new(event).actor(owner.user).address(from));
                Ok(VerifiedPassword {
                    user: owner.user,
                    generation: owner.generation,
                })
            }
            other => {
                let user = other.map(|owner| owner.user.get());
                throttle::note_owner(&inner.db, key, user).await?;
                let event = if failures >= HARD_STOP {
                    Event::AuthnLoginFailMax
                } else {
                    why.wrong()
                };
                let entry = Entry::new(event).subject(key.mark()).address(from);
                inner
                    .log
                    .record(entry.detail(format_args!("failure {failures} in a row")));
                Err(Error::Refused)
            }
        }
    }

    /// Stores a hash of today's parameters in place of an older one. A sign-in does not fail over it.
    async fn upgrade(&self, owner: &Owner, password: &str) {
        if !owner.stored.needs_upgrade() {
            return;
        }
        let Ok(hash) = self.0.pool.hash(Prepared::new(password)).await else {
            return;
        };
        // Only where the hash is still the one that was verified: the password may have been changed meanwhile.
        let set = "UPDATE dewar_users SET password_hash = ?1 WHERE id = ?2 AND password_hash = ?3";
        let values = [
            hash.as_str().into(),
            owner.user.into(),
            owner.stored.as_str().into(),
        ];
        if let Err(error) = self.0.db.execute(set, values).await {
            tracing::warn!(%error, "a password hash was not upgraded");
        }
    }
}

fn owner(row: &crate::database::Row) -> Result<Owner, crate::database::Error> {
    Ok(Owner {
        user: UserId::new(row.get(0)?),
        stored: StoredHash::from_database(row.get(1)?),
        disabled: row.get::<Option<i64>>(2)?.is_some(),
        generation: row.get(3)?,
    })
}
