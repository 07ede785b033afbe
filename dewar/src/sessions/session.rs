use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

use super::cookie::HostCookie;
use super::handle::SessionWatch;
use super::record::{ClientInfo, Hash, Live, Renewal, SessionId};
use super::{
    COOKIE, Error, PROVIDER_COOKIE, PROVIDER_COOKIE_LIFETIME, Principal, Sessions, UserId,
};
use crate::audit::{Entry, Event};
use crate::secrets::Token;

/// The session of one request.
///
/// A handler's input for every request, also a visitor's. [`CurrentUser`](crate::accounts::CurrentUser) is for handlers
/// that need a signed-in user.
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
    sessions: Sessions,
    whence: ClientInfo,
    found: Option<(SessionId, Principal)>,
    /// The owner of the session, if it was over when this request came with its cookie.
    ended: Option<UserId>,
    now: Mutex<Now>,
}

/// The changes that a request has made to its session so far.
#[derive(Debug, Default)]
pub(super) struct Now {
    pub(super) token_hash: Hash,
    pub(super) proved_at: i64,
    generation: i64,
    roles: String,
    outcome: Outcome,
    /// The user who gave a password or a link in this request, and the generation of their account since then.
    proved: Option<(UserId, i64)>,
    /// The change of the cookie of a sign-in at a provider.
    at_provider: ProviderCookie,
}

/// The instruction of the response about the cookie of a sign-in that is under way at a provider.
#[derive(Debug, Default)]
pub(crate) enum ProviderCookie {
    /// The sign-in is over.
    Removed,
    /// It begins or goes on, with this sealed text.
    Set(String),
    #[default]
    Unchanged,
}

/// The instruction of the response to the browser about its session. The last change counts: a handler may end a session
/// that was renewed before the handler ran.
#[derive(Debug, Default)]
enum Outcome {
    Began(Token),
    Ended,
    Renewed(Token),
    #[default]
    Unchanged,
}

impl Now {
    pub(super) fn found(token_hash: Hash, live: &Live) -> Self {
        Self {
            token_hash,
            proved_at: live.proved_at,
            generation: live.generation,
            roles: live.roles.clone(),
            outcome: Outcome::Unchanged,
            proved: None,
            at_provider: ProviderCookie::Unchanged,
        }
    }

    pub(super) fn renewed(&mut self, token: Token, renewal: &Renewal) {
        self.token_hash = renewal.token_hash;
        self.proved_at = renewal.proved_at;
        self.generation = renewal.generation;
        self.roles.clone_from(&renewal.roles);
        self.outcome = Outcome::Renewed(token);
    }
}

impl Session {
    pub(super) fn visitor(sessions: Sessions, whence: ClientInfo) -> Self {
        Self(Arc::new(Inner {
            sessions,
            whence,
            found: None,
            ended: None,
            now: Mutex::default(),
        }))
    }

    /// A visitor whose session is over.
    pub(super) fn over(sessions: Sessions, whence: ClientInfo, user: UserId) -> Self {
        Self(Arc::new(Inner {
            sessions,
            whence,
            found: None,
            ended: Some(user),
            now: Mutex::default(),
        }))
    }

    pub(super) fn found(
        sessions: Sessions,
        whence: ClientInfo,
        id: SessionId,
        principal: Principal,
        now: Now,
    ) -> Self {
        Self(Arc::new(Inner {
            sessions,
            whence,
            found: Some((id, principal)),
            ended: None,
            now: Mutex::new(now),
        }))
    }

    /// The signed-in user, as of the beginning of this request.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.0.found.as_ref().map(|(_, principal)| principal)
    }

    /// Whether the session is still as this request found it: it has not ended, and its owner has the same roles. A
    /// request with a slow body checks this again before its handler runs.
    pub(crate) async fn still_holds(&self) -> Result<bool, Error> {
        let Some((_, principal)) = &self.0.found else {
            return Ok(true);
        };
        let token = self.now().token_hash;
        self.0.sessions.holds(&token, principal).await
    }

    /// The session as the end of this request leaves it, for a connection that stays open. None for a visitor.
    pub(crate) fn watch(&self) -> Option<SessionWatch> {
        let (_, principal) = self.0.found.as_ref()?;
        Some(SessionWatch {
            token: self.now().token_hash,
            user: principal.id(),
            roles: principal.roles.clone(),
        })
    }

    /// The owner of the session that this request found to be over; none if the owner is unknown.
    pub(crate) fn ended_owner(&self) -> Option<UserId> {
        self.0.ended
    }

    /// The session that this request has begun, as the next request will find it. The response sets its cookie.
    ///
    /// # Errors
    /// [`Error::Ended`] if none was begun, or if it ended meanwhile; or the store cannot be read.
    pub(crate) async fn begun(&self) -> Result<Self, Error> {
        let token = match &self.now().outcome {
            Outcome::Began(token) => Token::parse(&token.reveal()),
            Outcome::Ended | Outcome::Renewed(_) | Outcome::Unchanged => None,
        };
        let token = token.ok_or(Error::Ended)?;
        let sessions = &self.0.sessions;
        let begun = sessions.of_token(&token, self.0.whence.clone()).await?;
        if begun.0.found.is_none() {
            return Err(Error::Ended);
        }
        begun.now().outcome = Outcome::Began(token);
        Ok(begun)
    }

    /// The name of the session; a visitor has none.
    #[must_use]
    pub fn id(&self) -> Option<&SessionId> {
        self.0.found.as_ref().map(|(id, _)| id)
    }

    /// The name to which CSRF tokens and sealed values of this session are bound. It changes at each sign-in and stays
    /// at a renewal, so that the pages in a user's other tabs stay valid.
    pub(crate) fn binding(&self) -> Option<&[u8; 32]> {
        self.id().map(SessionId::bytes)
    }

    /// Whether its owner gave the password within `sessions.reauth_timeout`.
    #[must_use]
    pub fn is_recent(&self) -> bool {
        let sessions = &self.0.sessions;
        self.0.found.is_some() && sessions.now() - self.now().proved_at <= sessions.recent()
    }

    /// Begins a session for this account under a new token. The browser's earlier session ends (CWE-384).
    ///
    /// The caller must have authenticated the user: `accounts` does, with a password's proof. The generation is the one
    /// that was read with the password: if everything was signed out since then, this session is over as well.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(crate) async fn sign_in(&self, user: UserId, generation: i64) -> Result<(), Error> {
        self.end_found().await?;
        let sessions = &self.0.sessions;
        let token = sessions.begin(user, generation, &self.0.whence).await?;
        self.now().outcome = Outcome::Began(token);
        self.note_proof(user, generation);
        Ok(())
    }

    /// Records that this browser's user has just proved to be the owner of this account, by a password or a link. The
    /// response makes the browser known to `accounts`.
    pub(crate) fn note_proof(&self, user: UserId, generation: i64) {
        self.now().proved = Some((user, generation));
    }

    /// Sets or removes the cookie of a sign-in at a provider, which this browser alone has.
    pub(crate) fn keep_at_provider(&self, cookie: ProviderCookie) {
        self.now().at_provider = cookie;
    }

    /// The user who has just given a proof in this request, and the generation of their account.
    pub(crate) fn proved(&self) -> Option<(UserId, i64)> {
        self.now().proved
    }

    /// Ends this session, in the store and in the browser (ASVS 7.4.1).
    ///
    /// # Errors
    /// The store cannot be written; the session then continues.
    pub async fn sign_out(&self) -> Result<(), Error> {
        self.end_found().await?;
        self.now().outcome = Outcome::Ended;
        Ok(())
    }

    async fn end_found(&self) -> Result<(), Error> {
        if let Some((id, principal)) = &self.0.found {
            self.0.sessions.end(principal.id(), id).await?;
        }
        Ok(())
    }

    /// Clears every session of this account, which a newer generation has ended, and begins a new one here, after a
    /// change of password (ASVS 7.4.3).
    ///
    /// # Errors
    /// The store cannot be written.
    pub(crate) async fn renew_alone(&self, user: UserId, generation: i64) -> Result<(), Error> {
        let sessions = &self.0.sessions;
        sessions.clear_all_of(user, None).await?;
        let token = sessions.begin(user, generation, &self.0.whence).await?;
        self.now().outcome = Outcome::Began(token);
        self.note_proof(user, generation);
        Ok(())
    }

    /// Records that its owner has just given a proof, under a new token (ASVS 7.2.4).
    ///
    /// # Errors
    /// [`Error::Ended`] if the session ended meanwhile; or the store cannot be written.
    pub(crate) async fn prove(&self) -> Result<(), Error> {
        let generation = self.now().generation;
        self.renew(generation, "the user re-authenticated").await
    }

    /// Ends all other sessions of its owner. This one continues under a new token (ASVS 7.5.2). Returns their number.
    ///
    /// # Errors
    /// [`Error::Visitor`]; [`Error::Ended`] if this one ended meanwhile; or the database or the store cannot be written.
    pub async fn end_others(&self) -> Result<u64, Error> {
        let (id, principal) = self.0.found.as_ref().ok_or(Error::Visitor)?;
        let sessions = &self.0.sessions;
        let generation = sessions.next_generation(principal.id()).await?;
        self.renew(generation, "the user ended all other sessions")
            .await?;
        sessions.clear_all_of(principal.id(), Some(id)).await
    }

    /// Continues this session alone in a newer generation, which has ended all others, as after a re-authentication.
    ///
    /// # Errors
    /// [`Error::Visitor`]; [`Error::Ended`] if this one ended meanwhile; or the store cannot be written.
    pub(crate) async fn continue_alone(&self, generation: i64, why: &str) -> Result<(), Error> {
        let (id, principal) = self.0.found.as_ref().ok_or(Error::Visitor)?;
        self.renew(generation, why).await?;
        let sessions = &self.0.sessions;
        sessions
            .clear_all_of(principal.id(), Some(id))
            .await
            .map(drop)
    }

    async fn renew(&self, generation: i64, why: &str) -> Result<(), Error> {
        let principal = self.principal().ok_or(Error::Visitor)?;
        let sessions = &self.0.sessions;
        let token = Token::new();
        let (before, renewal) = {
            let now = self.now();
            let renewal = Renewal {
                token_hash: token.hash(),
                generation,
                seen_at: sessions.now(),
                proved_at: sessions.now(),
                roles: now.roles.clone(),
            };
            (now.token_hash, renewal)
        };
        if !sessions.renew(&before, &renewal).await? {
            return Err(Error::Ended);
        }
        self.now().renewed(token, &renewal);
        self.note_proof(principal.id(), generation);
        let entry = Entry::new(Event::SessionRenewed).actor(principal.id());
        sessions.log().record(entry.detail(why));
        Ok(())
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets or removes the session's cookie in the response.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        match &self.now().outcome {
            Outcome::Began(token) | Outcome::Renewed(token) => HostCookie {
                name: COOKIE,
                value: &token.reveal(),
            }
            .set(headers),
            Outcome::Ended => HostCookie::remove(COOKIE, headers),
            Outcome::Unchanged => {}
        }
        match &self.now().at_provider {
            ProviderCookie::Set(value) => HostCookie {
                name: PROVIDER_COOKIE,
                value,
            }
            .keep(PROVIDER_COOKIE_LIFETIME, headers),
            ProviderCookie::Removed => HostCookie::remove(PROVIDER_COOKIE, headers),
            ProviderCookie::Unchanged => {}
        }
    }

    /// Whether this response changes the binding of this browser's CSRF tokens.
    pub(crate) fn began(&self) -> bool {
        matches!(self.now().outcome, Outcome::Began(_))
    }
}

/// Prints the user, and never the token.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("principal", &self.principal().map(Principal::id))
            .finish_non_exhaustive()
    }
}
