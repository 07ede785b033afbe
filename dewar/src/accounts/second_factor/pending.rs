//! A sign-in between its two steps.
use serde::{Deserialize, Serialize};

use crate::accounts::pending_form::Pending;
use crate::sessions::UserId;

/// How long somebody may look for a code, in seconds.
const WAITS_FOR: i64 = 10 * 60;

/// The result of [`VerifiedPassword::begin`](super::super::VerifiedPassword::begin).
///
/// ```
/// use dewar::accounts::{Accounts, Error, SignInStep};
/// use dewar::sessions::Session;
/// async fn begin(accounts: Accounts, session: Session, email: &str, password: &str) -> Result<bool, Error> {
///     let from = std::net::IpAddr::from([127, 0, 0, 1]);
///     let proof = accounts.sign_in(email, password, from).await?;
///     Ok(matches!(proof.begin(&session).await?, SignInStep::Complete)) // no session yet, if the user has a second factor
/// }
/// ```
#[derive(Debug)]
#[must_use = "without a second factor, a user who has one is not signed in"]
#[non_exhaustive]
pub enum SignInStep {
    /// The session has begun.
    Complete,
    /// The account has a second factor: nobody is signed in yet.
    SecondFactor(PendingSignIn),
}

/// A sign-in after the right password of an account with a second factor.
///
/// It is no session and gives no right: [`Accounts::complete_sign_in`](super::super::Accounts::complete_sign_in) takes it, together with a code.
///
/// ```compile_fail
/// let pending = dewar::accounts::PendingSignIn { user: dewar::sessions::UserId::new(1), generation: 0 };
/// ```
#[derive(Debug)]
#[must_use = "pass it to `Accounts::complete_sign_in`, with a code"]
pub struct PendingSignIn {
    pub(super) user: UserId,
    /// Read with the password's hash, as in `VerifiedPassword`.
    pub(super) generation: i64,
}

impl PendingSignIn {
    /// Only a verified password makes one.
    pub(in crate::accounts) const fn new(user: UserId, generation: i64) -> Self {
        Self { user, generation }
    }
}

/// A request or a sign-in that waits for a code. It travels sealed in the page that asks, for this browser and this form alone; Dewar stores nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::accounts) enum Waiting {
    /// A signed-in user's request.
    Confirm(Pending),
    /// A sign-in.
    SignIn {
        user: i64,
        generation: i64,
        until: i64,
    },
}

impl Waiting {
    pub(in crate::accounts) const fn sign_in(pending: &PendingSignIn, now: i64) -> Self {
        Self::SignIn {
            user: pending.user.get(),
            generation: pending.generation,
            until: now + WAITS_FOR,
        }
    }

    /// The text for a hidden field.
    pub(in crate::accounts) fn text(&self) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        text.is_ascii().then_some(text)
    }

    pub(in crate::accounts) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The sign-in that waits, if it has not expired.
    pub(in crate::accounts) fn pending_sign_in(&self, now: i64) -> Option<PendingSignIn> {
        match self {
            Self::SignIn {
                user,
                generation,
                until,
            } if now <= *until => Some(PendingSignIn::new(UserId::new(*user), *generation)),
            Self::SignIn { .. } | Self::Confirm(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_waits_for_its_time() {
        let pending = PendingSignIn::new(UserId::new(7), 3);
        let waiting = Waiting::sign_in(&pending, 1_000);
        let again = Waiting::read(&waiting.text().unwrap()).unwrap();
        let opened = again.pending_sign_in(1_000 + WAITS_FOR).unwrap();
        assert_eq!((opened.user, opened.generation), (UserId::new(7), 3));
        assert!(again.pending_sign_in(1_001 + WAITS_FOR).is_none());
        let confirm = Waiting::Confirm(Pending::page(None));
        assert!(confirm.pending_sign_in(0).is_none());
    }
}
