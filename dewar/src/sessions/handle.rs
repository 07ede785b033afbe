use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;

use super::record::{
    ClientInfo, Hash, Live, New, Person, Renewal, SessionId, SessionLookup, SessionUse,
};
use super::session::Now;
use super::store::{self, Charge, Charged, SessionStore, person, persons};
use super::{COOKIE, Config, Error, Principal, Session, SessionLimits, UserId, read_cookie};
use crate::audit::{Clock, Entry, Event, Finding, Log};
use crate::database::Db;
use crate::secrets::Token;

/// Dewar writes the time of a session's last use at most this often, in seconds, so that reading a page costs no write.
const SEEN_EVERY: i64 = 60;

/// A session that a connection was opened in, to look at again while the connection is open.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionWatch {
    pub(super) token: Hash,
    pub(super) user: UserId,
    pub(super) roles: String,
}

impl std::fmt::Debug for SessionWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionWatch({})", self.user)
    }
}

/// The sessions of the application.
///
/// ```
/// use dewar::sessions::{Sessions, UserId};
/// async fn lock_out(sessions: Sessions, user: UserId) -> dewar::Result {
///     sessions.end_all_of(user).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn SessionStore>,
    db: Db,
    config: Config,
    clock: Clock,
    log: Log,
}

/// The reason why the store of the sessions cannot be opened now. Makes nothing.
pub(crate) async fn unreachable(config: &Config) -> Vec<Finding> {
    store::unreachable(&config.store).await
}

impl Sessions {
    /// Opens the store that the settings name. The administrator's role has its own limits.
    ///
    /// # Errors
    /// A finding that forbids the launch, if the store cannot be opened.
    pub(crate) async fn open(
        db: Db,
        mut config: Config,
        administrator: Option<&str>,
        clock: Clock,
        log: Log,
    ) -> Result<Self, Vec<Finding>> {
        if let Some(role) = administrator {
            config.roles.push((role.to_owned(), config.administrators));
        }
        let store = store::open(&config.store, &db).await?;
        Ok(Self::on(store, db, config, clock, log))
    }

    /// Opens the sessions in the application's own database, whatever the settings are.
    #[cfg(test)]
    pub(crate) fn new(db: Db, config: Config, clock: Clock, log: Log) -> Self {
        let store = Arc::new(store::InDatabase::new(db.clone()));
        Self::on(store, db, config, clock, log)
    }

    pub(super) fn on(
        store: Arc<dyn SessionStore>,
        db: Db,
        config: Config,
        clock: Clock,
        log: Log,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            db,
            config,
            clock,
            log,
        }))
    }

    /// The session of a request. If the request has no session, or one that is over, it is a visitor's.
    ///
    /// # Errors
    /// The store cannot be read. The user is then unknown, so the request fails; it is not treated as a visitor's.
    #[cfg(test)]
    pub(crate) async fn of_request(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Session, Error> {
        self.of_cookies(headers, headers, address, SessionUse::Counts)
            .await
    }

    /// The session that these cookies name, for a request with this head.
    pub(crate) async fn of_cookies(
        &self,
        cookies: &HeaderMap,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        used: SessionUse,
    ) -> Result<Session, Error> {
        let whence = ClientInfo::of(headers, address).used(used);
        let Some(token) = read_cookie(cookies, COOKIE).and_then(Token::parse) else {
            return Ok(Session::visitor(self.clone(), whence));
        };
        self.of_token(&token, whence).await
    }

    pub(super) async fn of_token(
        &self,
        token: &Token,
        whence: ClientInfo,
    ) -> Result<Session, Error> {
        let hash = token.hash();
        let Some(found) = self.0.store.find(&hash).await? else {
            return Ok(Session::visitor(self.clone(), whence));
        };
        self.still_holds(hash, found, whence).await
    }

    /// A visitor's session, for a response that Dewar gives before it looks for one.
    pub(crate) fn visitor(&self) -> Session {
        Session::visitor(self.clone(), ClientInfo::default())
    }

    async fn still_holds(
        &self,
        token: Hash,
        found: SessionLookup,
        whence: ClientInfo,
    ) -> Result<Session, Error> {
        let SessionLookup { live, person } = found;
        let person = match person {
            Some(person) => Some(person),
            None => self.person(live.user).await?,
        };
        let now = self.0.clock.now();
        let (person, over) = match person {
            Some(person) => {
                let over = self.over(&live, &person, now);
                (Some(person), over)
            }
            None => (None, Some("the account was deleted")),
        };
        let (Some(person), None) = (person, over) else {
            self.0.store.end(live.user, &live.id).await?;
            let entry = Entry::new(Event::SessionExpired).subject(live.user);
            self.0.log.record(entry.detail(over.unwrap_or_default()));
            return Ok(Session::over(self.clone(), whence, live.user));
        };
        let principal = person.principal;
        let mut state = Now::found(token, &live);
        if live.roles != principal.roles {
            self.roles_changed(&mut state, &live, &principal, whence.use_of_session())
                .await?;
        } else if whence.use_of_session() == SessionUse::Counts && now - live.seen_at >= SEEN_EVERY
        {
            self.saw(token, now);
        }
        Ok(Session::found(
            self.clone(),
            whence,
            live.id,
            principal,
            state,
        ))
    }

    /// Whether the token's session still belongs to this user, with the same roles.
    pub(super) async fn holds(&self, token: &Hash, principal: &Principal) -> Result<bool, Error> {
        let Some(SessionLookup { live, person }) = self.0.store.find(token).await? else {
            return Ok(false);
        };
        let person = match person {
            Some(person) => Some(person),
            None => self.person(live.user).await?,
        };
        let now = self.0.clock.now();
        Ok(person.is_some_and(|person| {
            let is_over = self.over(&live, &person, now).is_some();
            !is_over && person.principal.roles == principal.roles
        }))
    }

    /// Which of these sessions still belong to the same users with the same roles: one read for all of them. It does not count
    /// as a use of a session.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn still_hold(&self, watched: &[SessionWatch]) -> Result<Vec<bool>, Error> {
        let tokens: Vec<Hash> = watched.iter().map(|watch| watch.token).collect();
        let found = self.0.store.find_all(&tokens).await?;
        let without_person = found.values().filter(|found| found.person.is_none());
        let users: Vec<UserId> = without_person.map(|found| found.live.user).collect();
        let people = persons(&self.0.db, &users).await?;
        let now = self.0.clock.now();
        let holds = watched.iter().map(|watch| {
            let Some(SessionLookup { live, person }) = found.get(&watch.token) else {
                return false;
            };
            let person = person.as_ref().or_else(|| people.get(&live.user));
            person.is_some_and(|person| {
                let is_over = self.over(live, person, now).is_some();
                !is_over && person.principal.roles == watch.roles && live.user == watch.user
            })
        });
        Ok(holds.collect())
    }

    /// Why a session is over; none if it is not.
    fn over(&self, live: &Live, person: &Person, now: i64) -> Option<&'static str> {
        let limits = self.limits_of(&person.principal);
        if person.disabled {
            Some("disabled")
        } else if live.generation != person.generation {
            Some("signed out everywhere")
        } else if now - live.seen_at > seconds(limits.idle) {
            Some("idle")
        } else if now - live.created_at > seconds(limits.lifetime) {
            Some("lifetime")
        } else {
            None
        }
    }

    /// The strictest limits of a user's roles.
    fn limits_of(&self, person: &Principal) -> SessionLimits {
        let config = &self.0.config;
        let held = config
            .roles
            .iter()
            .filter(|(role, _)| person.has_role_named(role));
        held.fold(config.limits, |limits, (_, of_role)| limits.and(*of_role))
    }

    /// Renews the token, because it was made for other rights, and ends an earlier re-authentication (CWE-384; ASVS 7.2.4).
    async fn roles_changed(
        &self,
        state: &mut Now,
        live: &Live,
        person: &Principal,
        used: SessionUse,
    ) -> Result<(), Error> {
        let token = Token::new();
        let renewal = Renewal {
            token_hash: token.hash(),
            generation: live.generation,
            seen_at: match used {
                SessionUse::Counts => self.0.clock.now(),
                SessionUse::Watches => live.seen_at,
            },
            proved_at: 0,
            roles: person.roles.clone(),
        };
        // If another request of this browser was first, this one came before the change, and keeps the session that it found.
        if self.0.store.renew(&state.token_hash, &renewal).await? {
            state.renewed(token, &renewal);
            let entry = Entry::new(Event::SessionRenewed).actor(person.id());
            self.0.log.record(entry.detail("the roles changed"));
        }
        state.proved_at = 0;
        Ok(())
    }

    /// Writes the time of a session's last use, without delaying the request.
    fn saw(&self, token: Hash, now: i64) {
        let store = Arc::clone(&self.0.store);
        tokio::spawn(async move {
            if let Err(error) = store.touch(&token, now).await {
                tracing::warn!(%error, "cannot update the time of a session's last request");
            }
        });
    }

    pub(super) async fn begin(
        &self,
        user: UserId,
        generation: i64,
        whence: &ClientInfo,
    ) -> Result<Token, Error> {
        let Inner {
            store, clock, log, ..
        } = &*self.0;
        let person = self.person(user).await?.ok_or(Error::Ended)?;
        let (token, now) = (Token::new(), clock.now());
        let new = New {
            token_hash: token.hash(),
            live: Live {
                id: SessionId::new(),
                user,
                generation,
                created_at: now,
                seen_at: now,
                proved_at: now,
                roles: person.principal.roles,
            },
            device: whence.device(),
            address: whence.address(),
        };
        let most = self.0.config.max_per_user;
        let ended = store.begin(&new, most).await?;
        log.record(Entry::new(Event::SessionCreated).actor(user));
        if ended > 0 {
            let entry = Entry::new(Event::ExcessSessionsExceeded).subject(user);
            log.record(entry.detail(format_args!(
                "more than {most}; Dewar ended {ended} of the oldest"
            )));
        }
        Ok(token)
    }

    pub(super) async fn renew(&self, token: &Hash, renewal: &Renewal) -> Result<bool, Error> {
        self.0.store.renew(token, renewal).await
    }

    async fn person(&self, user: UserId) -> Result<Option<Person>, Error> {
        person(&self.0.db, user).await
    }

    /// Counts requests for a rate limit that all nodes share, in the store of the sessions.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn charge(&self, charge: &Charge) -> Result<Charged, Error> {
        self.0.store.charge(charge).await
    }

    /// Removes the counts that say nothing any more, and returns how many are left.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn sweep_counts(&self, now: i64) -> Result<u64, Error> {
        self.0.store.sweep_counts(now).await
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(super) fn limits(&self) -> SessionLimits {
        self.0.config.limits
    }

    pub(super) fn store(&self) -> &dyn SessionStore {
        &*self.0.store
    }

    pub(super) fn log(&self) -> &Log {
        &self.0.log
    }

    pub(super) fn now(&self) -> i64 {
        self.0.clock.now()
    }

    /// How long a password counts before re-authentication, in seconds.
    pub(super) fn recent(&self) -> i64 {
        seconds(self.0.config.reauth_timeout)
    }
}

pub(super) fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
