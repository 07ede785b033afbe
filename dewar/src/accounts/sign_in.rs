//! Signs users in.
use std::net::IpAddr;
use std::time::Duration;

use super::email::EmailKey;
use super::known_browser::KnownBrowser;
use super::password::{NormalizedPassword, StoredHash};
use super::pool::{ComparedHash, PoolShare, Verdict};
use super::throttle::{self, AttemptVerdict, FailureLimit};
use super::{Accounts, Error, PendingSignIn, SignInStep};
use crate::audit::{Entry, Event};
use crate::sessions::{Principal, Session, UserId};

/// A verified password: the proof that somebody has just given an account's password. Only this room makes one.
///
/// ```compile_fail
/// let proof = dewar::accounts::VerifiedPassword { user: dewar::sessions::UserId::new(1) };
/// ```
#[derive(Debug)]
#[must_use = "pass the proof to the function that requires it"]
pub struct VerifiedPassword {
    user: UserId,
    /// Read with the password's hash: if everything was signed out since, a session that begins with it is invalid. A second factor
    /// that is added meanwhile signs everything out.
    generation: i64,
    /// The password alone opens nothing.
    has_factor: bool,
}

impl VerifiedPassword {
    /// The user whose password it is.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    pub(super) fn generation(&self) -> i64 {
        self.generation
    }

    /// Begins a session for its owner, under a new token (against session fixation). If the owner has a second factor, it begins
    /// none, and returns the sign-in that waits for it.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn begin(self, session: &Session) -> Result<SignInStep, Error> {
        if self.has_factor {
            let pending = PendingSignIn::new(self.user, self.generation);
            return Ok(SignInStep::SecondFactor(pending));
        }
        session.sign_in(self.user, self.generation).await?;
        Ok(SignInStep::Complete)
    }

    /// Records in the owner's own session that they have just re-authenticated, under a new token.
    ///
    /// # Errors
    /// [`Error::FactorRequired`] if the owner has a second factor, which counts instead ([`Accounts::verify_factor`]);
    /// [`Error::Refused`] if it is another user's session; an error if the store cannot be written.
    pub async fn confirm(self, session: &Session) -> Result<(), Error> {
        if self.has_factor {
            return Err(Error::FactorRequired);
        }
        if session.principal().map(Principal::id) != Some(self.user) {
            return Err(Error::Refused);
        }
        Ok(session.prove().await?)
    }
}

/// The user whose password is verified.
struct Owner {
    user: UserId,
    stored: StoredHash,
    disabled: bool,
    generation: i64,
    has_factor: bool,
}

/// Why a password is verified: to sign in; or, for a signed-in user, to change it or to re-authenticate.
#[derive(Clone, Copy, Debug)]
enum PasswordPurpose {
    Change,
    Proof,
    SignIn,
}

impl PasswordPurpose {
    /// The event of a correct password, with or without failures before.
    fn right(self, owner: &Owner, after_failures: bool) -> Event {
        match self {
            Self::Change | Self::Proof => Event::Application("authn_password_confirmed"),
            // Nobody is signed in yet.
            Self::SignIn if owner.has_factor => Event::Application("authn_password_confirmed"),
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

/// A counted attempt, and its limit.
pub(super) struct CountedAttempt {
    pub(super) allowance: FailureLimit,
    pub(super) failures: i64,
}

impl Accounts {
    /// Verifies the password of the account with this address.
    ///
    /// A wrong password, an unknown address and a disabled account give the same result, at the cost of one hash each (ASVS
    /// 6.3.8). A browser in which the owner has signed in before has attempts of its own, which no stranger can use up.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Throttled`] after too many attempts, on the account or from the network address;
    /// [`Error::Busy`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<VerifiedPassword, Error> {
        let inner = &self.0;
        let (ring, now) = (&inner.ring, inner.clock.now());
        let cookie = self.1.browser.as_deref();
        let cookie = cookie.filter(|cookie| KnownBrowser::is_any(cookie, ring, now));
        // Without a cookie, Dewar looks nothing up before it counts the network address.
        if cookie.is_none() {
            inner.check_rate_limit(from)?;
        }
        let key = EmailKey::new(email);
        let find = "SELECT id, password_hash, disabled_at, session_generation, second_factor_at
            FROM dewar_users WHERE email_key = ?1";
        let rows = inner.db.query(find, [key.as_str().into()]).await?;
        let owner = rows.first().map(owner).transpose()?;
        let own = cookie.zip(owner.as_ref()).and_then(|(cookie, owner)| {
            KnownBrowser::allowance(cookie, ring, owner.user, owner.generation, now)
        });
        if cookie.is_some() && own.is_none() {
            inner.check_rate_limit(from)?;
        }
        let counted = self.count(&key, own, from).await?;
        self.verify(
            &key,
            owner,
            password,
            from,
            counted,
            PasswordPurpose::SignIn,
        )
        .await
    }

    /// Verifies the password of a signed-in user. A handler's `Accounts` counts the attempt for the session of its request, which
    /// has attempts of its own.
    ///
    /// # Errors
    /// Like [`sign_in`](Self::sign_in).
    pub async fn verify_password(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
    ) -> Result<VerifiedPassword, Error> {
        self.verify_own(user, password, from, PasswordPurpose::Change)
            .await
    }

    /// The same without a change: the user re-authenticates.
    ///
    /// # Errors
    /// Like [`sign_in`](Self::sign_in).
    pub async fn confirm_password(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
    ) -> Result<VerifiedPassword, Error> {
        self.verify_own(user, password, from, PasswordPurpose::Proof)
            .await
    }

    async fn verify_own(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
        why: PasswordPurpose,
    ) -> Result<VerifiedPassword, Error> {
        let session = self.1.session.as_ref();
        let session =
            session.filter(|session| session.principal().map(Principal::id) == Some(user));
        let own = session
            .and_then(Session::id)
            .map(|id| FailureLimit::of_session(user, id));
        if own.is_none() {
            self.0.check_rate_limit(from)?;
        }
        let find =
            "SELECT id, password_hash, disabled_at, session_generation, second_factor_at, email_key
            FROM dewar_users WHERE id = ?1";
        let rows = self.0.db.query(find, [user.into()]).await?;
        let row = rows.first().ok_or(Error::NoSuchUser)?;
        let key = EmailKey::new(&row.get::<String>(5)?);
        let counted = self.count(&key, own, from).await?;
        self.verify(&key, Some(owner(row)?), password, from, counted, why)
            .await
    }

    /// Counts an attempt against the caller's own limit, if it has one that is not used up, or else against that of strangers.
    async fn count(
        &self,
        key: &EmailKey,
        own: Option<FailureLimit>,
        from: IpAddr,
    ) -> Result<CountedAttempt, Error> {
        self.count_in(key, own, FailureLimit::of_strangers(key), from)
            .await
    }

    /// The same, with another limit of strangers.
    pub(super) async fn count_in(
        &self,
        key: &EmailKey,
        own: Option<FailureLimit>,
        allowance: FailureLimit,
        from: IpAddr,
    ) -> Result<CountedAttempt, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        if let Some(own) = own {
            match throttle::attempt(&inner.db, own, from, now).await? {
                AttemptVerdict::Go { failures } => {
                    if let Err(error) = inner.knock_as(own.bucket(), from) {
                        throttle::give_back(&inner.db, own).await?;
                        return Err(error);
                    }
                    return Ok(CountedAttempt {
                        allowance: own,
                        failures,
                    });
                }
                AttemptVerdict::Wait(wait) => return Err(self.has_to_wait(key, from, wait)),
                AttemptVerdict::Spent => inner.check_rate_limit(from)?,
            }
        }
        match throttle::attempt(&inner.db, allowance, from, now).await? {
            AttemptVerdict::Go { failures } => Ok(CountedAttempt {
                allowance,
                failures,
            }),
            AttemptVerdict::Wait(wait) => Err(self.has_to_wait(key, from, wait)),
            AttemptVerdict::Spent => Err(self.has_to_wait(key, from, throttle::LONGEST_WAIT)),
        }
    }

    fn has_to_wait(&self, key: &EmailKey, from: IpAddr, wait: Duration) -> Error {
        let entry = Entry::new(Event::AuthnLoginLock)
            .subject(key.mark())
            .address(from);
        self.0.log.record(entry);
        Error::Throttled(wait)
    }

    async fn verify(
        &self,
        key: &EmailKey,
        owner: Option<Owner>,
        password: &str,
        from: IpAddr,
        counted: CountedAttempt,
        why: PasswordPurpose,
    ) -> Result<VerifiedPassword, Error> {
        let inner = &self.0;
        let CountedAttempt {
            allowance,
            failures,
        } = counted;
        // Read for every address, so that both kinds cost the same statements.
        let compared = ComparedHash {
            owner: owner.as_ref().map(|owner| owner.stored.clone()),
            stand_in: self.stand_in(key).await?,
        };
        let share = PoolShare::of(allowance);
        let right = match inner
            .pool
            .verify(NormalizedPassword::new(password), compared, share)
            .await
        {
            Ok(verdict) => {
                self.note_unusable(key, from, verdict);
                verdict == Verdict::Right
            }
            Err(error) => {
                throttle::give_back(&inner.db, allowance).await?;
                return Err(error.into());
            }
        };
        match owner {
            Some(owner) if right && !owner.disabled => {
                throttle::clear(&inner.db, allowance).await?;
                self.upgrade(&owner, password).await;
                let event = why.right(&owner, failures > throttle::FREE);
                inner
                    .log
                    .record(Entry::new(event).actor(owner.user).address(from));
                Ok(VerifiedPassword {
                    user: owner.user,
                    generation: owner.generation,
                    has_factor: owner.has_factor,
                })
            }
            other => {
                if !allowance.is_own() {
                    let user = other.map(|owner| owner.user.get());
                    throttle::note_owner(&inner.db, allowance, user).await?;
                }
                let event = if allowance.is_last(failures) {
                    Event::AuthnLoginFailMax
                } else {
                    why.wrong()
                };
                let entry = Entry::new(event).subject(key.mark()).address(from);
                let place = allowance.place();
                inner
                    .log
                    .record(entry.detail(format_args!("failure {failures} in a row{place}")));
                Err(Error::Refused)
            }
        }
    }

    /// Records that the stored hash of an account matches no password. The caller sees a wrong password.
    fn note_unusable(&self, key: &EmailKey, from: IpAddr, verdict: Verdict) {
        let Verdict::Unusable(problem) = verdict else {
            return;
        };
        let entry = Entry::new(Event::AuthnHashUnusable).subject(key.mark());
        self.record(entry.address(from).detail(problem));
    }

    /// Stores a hash with today's parameters instead of an older one. A failure here does not fail the sign-in.
    async fn upgrade(&self, owner: &Owner, password: &str) {
        if !owner.stored.needs_upgrade(self.0.config.scheme()) {
            return;
        }
        let Ok(hash) = self
            .0
            .pool
            .hash(NormalizedPassword::new(password), PoolShare::Known)
            .await
        else {
            return;
        };
        // Only if the hash is still the one that was verified: the password may have changed meanwhile.
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
        has_factor: row.get::<Option<i64>>(4)?.is_some(),
    })
}
