use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderMap;

use super::cookie::HostCookie;
use super::{COOKIE, Principal, Sessions, UserId};
use crate::database::Error;
use crate::secrets::Token;

/// The session of one request: what was found when it came in, and what is to become of it.
///
/// As an argument of a handler it is there for everyone, visitors too; [`CurrentUser`](crate::accounts::CurrentUser)
/// is for handlers that need somebody.
///
/// ```
/// use dewar::sessions::Session;
/// async fn greet(session: Session) -> &'static str {
///     if session.principal().is_some() { "Welcome back." } else { "Hello." }
/// }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    store: Sessions,
    found: Option<Found>,
    outcome: OnceLock<Outcome>,
}

/// A live session, as the store found it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) token_hash: [u8; 32],
    pub(super) principal: Principal,
}

/// What the answer tells the browser about its session. It is decided once a request.
enum Outcome {
    Began(Token),
    Ended,
}

impl Session {
    pub(super) fn new(store: Sessions, found: Option<Found>) -> Self {
        Self(Arc::new(Inner {
            store,
            found,
            outcome: OnceLock::new(),
        }))
    }

    /// Who is signed in, as of the beginning of this request.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.0.found.as_ref().map(|found| &found.principal)
    }

    /// What ties a CSRF token to this session: the hash of its token.
    pub(crate) fn binding(&self) -> Option<&[u8; 32]> {
        self.0.found.as_ref().map(|found| &found.token_hash)
    }

    /// Begins a session for this account under a new token; the one that the browser had, if any, ends (CWE-384).
    ///
    /// Whoever calls this has checked who is there: `accounts` does, with a password's proof in its hand.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub(crate) async fn sign_in(&self, user: UserId) -> Result<(), Error> {
        if let Some(found) = &self.0.found {
            self.0.store.end(&found.token_hash).await?;
        }
        let token = self.0.store.begin(user).await?;
        self.decide(Outcome::Began(token));
        Ok(())
    }

    /// Ends this session, in the store and in the browser (ASVS 7.4.1).
    ///
    /// # Errors
    /// Where the database cannot be written; the session then goes on.
    pub async fn sign_out(&self) -> Result<(), Error> {
        if let Some(found) = &self.0.found {
            self.0.store.end(&found.token_hash).await?;
        }
        self.decide(Outcome::Ended);
        Ok(())
    }

    /// Ends every session of this account and begins a new one here: after a change of password (ASVS 7.4.3).
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub(crate) async fn renew_alone(&self, user: UserId) -> Result<(), Error> {
        self.0.store.end_all_of(user).await?;
        let token = self.0.store.begin(user).await?;
        self.decide(Outcome::Began(token));
        Ok(())
    }

    fn decide(&self, outcome: Outcome) {
        if self.0.outcome.set(outcome).is_err() {
            tracing::error!(
                "a request decided twice what becomes of its session; the first decision stands"
            );
        }
    }

    /// Tells the browser what has become of its session.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        match self.0.outcome.get() {
            Some(Outcome::Began(token)) => HostCookie {
                name: COOKIE,
                value: &token.reveal(),
            }
            .set(headers),
            Some(Outcome::Ended) => HostCookie::remove(COOKIE, headers),
            None => {}
        }
    }

    /// Whether the binding of this browser's CSRF tokens changes with this answer.
    pub(crate) fn began(&self) -> bool {
        matches!(self.0.outcome.get(), Some(Outcome::Began(_)))
    }
}

/// Who, and never by which token.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("principal", &self.principal().map(Principal::id))
            .finish_non_exhaustive()
    }
}
