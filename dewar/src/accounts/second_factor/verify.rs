//! Verifies second factors: at sign-in, and when a signed-in user re-authenticates.
use std::net::IpAddr;

use super::super::email::EmailKey;
use super::super::known_browser::KnownBrowser;
use super::super::sign_in::CountedAttempt;
use super::super::throttle::{self, FailureLimit};
use super::super::{Accounts, Error};
use super::pending::PendingSignIn;
use super::recovery_code::RecoveryCode;
use super::{rows, totp};
use crate::accounts::second_factor::totp::TotpSecret;
use crate::audit::{Entry, Event};
use crate::sessions::{Principal, Session, UserId};

/// A kind of second factor.
///
/// ```
/// use dewar::accounts::FactorKind;
/// assert_eq!(FactorKind::AuthenticatorApp.as_str(), "totp");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FactorKind {
    /// An app that shows a code every 30 seconds (TOTP, RFC 6238).
    AuthenticatorApp,
    /// One of the codes that the user has printed.
    RecoveryCode,
}

impl FactorKind {
    /// The name in the database and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthenticatorApp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// A user's proof of a second factor.
///
/// ```
/// use dewar::accounts::FactorProof;
/// let typed = FactorProof::Code("123456");
/// # let _ = typed;
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum FactorProof<'a> {
    /// The digits of an app's code, or of a recovery code. Its length says which.
    Code(&'a str),
}

impl std::fmt::Debug for FactorProof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(_) => f.write_str("Code([redacted])"),
        }
    }
}

/// A complete sign-in: the proof that somebody gave the password of an account, and then its second factor.
///
/// ```compile_fail
/// let proof = dewar::accounts::VerifiedSignIn { user: dewar::sessions::UserId::new(1), generation: 0 };
/// ```
#[derive(Debug)]
#[must_use = "pass the proof to `begin`"]
pub struct VerifiedSignIn {
    user: UserId,
    generation: i64,
}

impl VerifiedSignIn {
    /// The user who signs in.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Begins a session for the user, under a new token (against session fixation).
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn begin(self, session: &Session) -> Result<(), Error> {
        Ok(session.sign_in(self.user, self.generation).await?)
    }
}

/// A verified second factor of a signed-in user. It begins no session.
///
/// ```compile_fail
/// let proof = dewar::accounts::VerifiedFactor { user: dewar::sessions::UserId::new(1) };
/// ```
#[derive(Debug)]
#[must_use = "pass the proof to `confirm`"]
pub struct VerifiedFactor {
    user: UserId,
}

impl VerifiedFactor {
    /// Records in the owner's own session that they have just re-authenticated, under a new token.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is another user's session; an error if the store cannot be written.
    pub async fn confirm(self, session: &Session) -> Result<(), Error> {
        if session.principal().map(Principal::id) != Some(self.user) {
            return Err(Error::Refused);
        }
        Ok(session.prove().await?)
    }
}

impl Accounts {
    /// Completes a sign-in with the second factor.
    ///
    /// A browser in which the owner has signed in before has attempts of its own. A recovery code has no count of failures, because
    /// nobody can guess one: the owner gets in with it whatever strangers do.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code and for one that was used; [`Error::SignInEnded`] if the account was disabled or signed
    /// out everywhere since the password; [`Error::Throttled`].
    pub async fn complete_sign_in(
        &self,
        pending: PendingSignIn,
        proof: FactorProof<'_>,
        from: IpAddr,
    ) -> Result<VerifiedSignIn, Error> {
        let PendingSignIn { user, generation } = pending;
        let inner = &self.0;
        let find = "SELECT email_key FROM dewar_users
            WHERE id = ?1 AND session_generation = ?2 AND disabled_at IS NULL AND second_factor_at IS NOT NULL";
        let rows = inner
            .db
            .query(find, [user.into(), generation.into()])
            .await?;
        let row = rows.first().ok_or(Error::SignInEnded)?;
        let key = EmailKey::new(&row.get::<String>(0)?);
        let now = inner.clock.now();
        let browser = self.1.browser.as_deref();
        let known = browser
            .and_then(|cookie| KnownBrowser::allowance(cookie, &inner.ring, user, generation, now));
        // One count for all of them: a link for a new password makes a browser known too.
        let own = known.map(|_| FailureLimit::of_factor_in_known_browsers(user));
        let (kind, after_failures) = self.check_factor(user, &key, proof, own, from).await?;
        let event = if after_failures {
            Event::AuthnLoginSuccessAfterFail
        } else {
            Event::AuthnLoginSuccess
        };
        let entry = Entry::new(event).actor(user).address(from);
        inner.log.record(entry.detail(kind.as_str()));
        Ok(VerifiedSignIn { user, generation })
    }

    /// Verifies the second factor of a signed-in user, who re-authenticates. A handler's `Accounts` counts the attempt for the
    /// session of its request.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code and for one that was used; [`Error::Throttled`].
    pub async fn verify_factor(
        &self,
        user: UserId,
        proof: FactorProof<'_>,
        from: IpAddr,
    ) -> Result<VerifiedFactor, Error> {
        let find =
            "SELECT email_key FROM dewar_users WHERE id = ?1 AND second_factor_at IS NOT NULL";
        let rows = self.0.db.query(find, [user.into()]).await?;
        let row = rows.first().ok_or(Error::Refused)?;
        let key = EmailKey::new(&row.get::<String>(0)?);
        let session = self.1.session.as_ref();
        let session =
            session.filter(|session| session.principal().map(Principal::id) == Some(user));
        let own = session
            .and_then(Session::id)
            .map(|id| FailureLimit::of_factor_in_session(user, id));
        let (kind, _) = self.check_factor(user, &key, proof, own, from).await?;
        let entry = Entry::new(Event::Application("authn_factor_confirmed"));
        let entry = entry.actor(user).address(from);
        self.0.log.record(entry.detail(kind.as_str()));
        Ok(VerifiedFactor { user })
    }

    /// Checks a proof, and uses it up. Returns its kind, and whether many failures came before it.
    async fn check_factor(
        &self,
        user: UserId,
        key: &EmailKey,
        proof: FactorProof<'_>,
        own: Option<FailureLimit>,
        from: IpAddr,
    ) -> Result<(FactorKind, bool), Error> {
        let FactorProof::Code(digits) = proof;
        if let Some(code) = RecoveryCode::parse(digits) {
            self.0.check_rate_limit(from)?;
            if self.spend_recovery_code(user, &code).await? {
                return Ok((FactorKind::RecoveryCode, false));
            }
            return Err(self.wrong_factor(key, from, "a recovery code", None));
        }
        if own.is_none() {
            self.0.check_rate_limit(from)?;
        }
        let strangers = FailureLimit::of_factor(user);
        let counted = self.count_in(key, own, strangers, from).await?;
        if digits.len() == totp::DIGITS && self.spend_totp(user, digits).await? {
            throttle::clear(&self.0.db, counted.allowance).await?;
            let after_failures = counted.failures > throttle::FREE;
            return Ok((FactorKind::AuthenticatorApp, after_failures));
        }
        Err(self.wrong_factor(key, from, "a code", Some(&counted)))
    }

    /// Whether these digits are the code of the user's app now, and nobody used it before.
    async fn spend_totp(&self, user: UserId, digits: &str) -> Result<bool, Error> {
        let inner = &self.0;
        let Some(row) = rows::totp_of(&inner.db, user).await? else {
            return Ok(false);
        };
        let secret = rows::SECRET.open(&inner.ring, user, &row.secret);
        let secret = secret
            .ok()
            .and_then(|text| TotpSecret::parse(text.expose()));
        let Some(secret) = secret else {
            let entry = Entry::new(Event::CryptDecryptFail).subject(user);
            inner
                .log
                .record(entry.detail("the secret of a second factor"));
            return Ok(false);
        };
        let now = inner.clock.now();
        let Some(step) = secret.step_of(digits, now) else {
            return Ok(false);
        };
        Ok(rows::spend_step(&inner.db, &row.id, step, now).await?)
    }

    /// Uses up a recovery code, and writes to its owner.
    async fn spend_recovery_code(&self, user: UserId, code: &RecoveryCode) -> Result<bool, Error> {
        let inner = &self.0;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        if !rows::spend_code(&tx, user, code).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let entry = Entry::new(Event::Application("authn_recovery_code_used"));
        tx.record(&inner.log, entry.actor(user)).await?;
        self.tell_of_used_code(&tx, &person).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Logs a wrong second factor. The person reads one sentence, whatever was wrong.
    fn wrong_factor(
        &self,
        key: &EmailKey,
        from: IpAddr,
        what: &str,
        counted: Option<&CountedAttempt>,
    ) -> Error {
        let is_last = counted.is_some_and(|counted| counted.allowance.is_last(counted.failures));
        let event = if is_last {
            Event::AuthnLoginFailMax
        } else {
            Event::AuthnLoginFail
        };
        let failures = counted.map_or(0, |counted| counted.failures);
        let entry = Entry::new(event).subject(key.mark()).address(from);
        let detail = format_args!("second factor: {what}, failure {failures} in a row");
        self.0.log.record(entry.detail(detail));
        Error::Refused
    }
}
