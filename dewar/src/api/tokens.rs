use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::Value;
use tokio::sync::Semaphore;

use super::bearer::{Authorization, Presented};
use super::known::KnownTokens;
use super::token::{TokenSecret, encode};
use super::{Config, Error, ScopeInfo, rows};
use crate::accounts::{Accounts, RateLimiter};
use crate::audit::{Clock, Entry, Event, Log};
use crate::database::{Db, refuse_while_reading};
use crate::pages::{AccountPaths, BearerCaller, TokenRights};
use crate::secrets::{KeyRing, Purpose, Secret, random};
use crate::sessions::{Session, SessionId, UserId};

/// The most addresses that are remembered at once.
const MOST_ADDRESSES: usize = 100_000;
/// Dewar writes the time of a token's last use at most this often, in seconds, so that a request costs no write.
const USED_EVERY: i64 = 60;
/// The most of these writes at once. Without a place, the next request with the token writes it.
const MOST_WRITES: usize = 16;
const DAY: i64 = 24 * 3600;

/// The API tokens of the application: make them, list them, revoke them.
///
/// The pages of [`tokens_page`](super::tokens_page) and [`service_tokens_page`](super::service_tokens_page) and the command `tokens`
/// use it; an application needs it only for pages of its own.
///
/// ```
/// use dewar::api::{ApiTokens, Error};
/// use dewar::sessions::UserId;
/// async fn end_all(tokens: ApiTokens, by: UserId, user: UserId) -> Result<u64, Error> {
///     tokens.revoke_all_of(by, user).await
/// }
/// ```
#[derive(Clone)]
pub struct ApiTokens(pub(super) Arc<Inner>);

pub(super) struct Inner {
    accounts: Accounts,
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) db: Db,
    failures: RateLimiter<IpAddr>,
    known: KnownTokens,
    pub(super) log: Log,
    ring: KeyRing,
    pub(super) scopes: Vec<ScopeInfo>,
    writes: Arc<Semaphore>,
}

/// The room's dependencies on the others.
#[derive(Debug)]
pub(crate) struct Dependencies {
    /// The owners of tokens.
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) db: Db,
    pub(crate) log: Log,
    pub(crate) ring: KeyRing,
    /// The application's scopes.
    pub(crate) scopes: Vec<ScopeInfo>,
}

/// Whom a token works for.
///
/// ```
/// use dewar::api::TokenHolder;
/// use dewar::sessions::UserId;
/// let personal = TokenHolder::Person(UserId::new(7));
/// # let _ = personal;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a token has an owner or none")]
pub enum TokenHolder {
    /// A person. The token ends with the account, and its scopes follow the person's roles.
    Person(UserId),
    /// A service, which belongs to nobody.
    Service,
}

/// A token to make.
///
/// ```
/// use dewar::api::TokenRequest;
/// let nightly = TokenRequest { name: "nightly export", scopes: &["tickets_read"], days: 30 };
/// # let _ = nightly;
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the caller builds it")]
pub struct TokenRequest<'a> {
    /// What it is for.
    pub name: &'a str,
    /// The names of its scopes.
    pub scopes: &'a [&'a str],
    /// How many days it lasts.
    pub days: u64,
}

/// A token as lists show it: everything but the token.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct ApiTokenInfo {
    /// Its id, which is not secret.
    pub id: String,
    /// The owner; none for a service.
    pub user: Option<i64>,
    /// What it is for.
    pub name: String,
    /// The names of its scopes.
    pub scopes: Vec<String>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
    /// When it expires.
    pub expires_at: i64,
    /// When it was last used, to the minute.
    pub used_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

impl ApiTokenInfo {
    /// Whether the token works at this time, as far as the token itself says.
    #[must_use]
    pub fn is_active(&self, now: i64) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// Why a request was not let in.
#[derive(Debug)]
pub(crate) enum TokenRejection {
    /// No token came.
    Missing,
    /// The header has two readings.
    Malformed,
    /// The token does not work; the reason is for the log.
    Invalid(Event, &'static str, Option<String>),
    /// Too many refused tokens came from this address.
    Throttled(Duration),
    Database(crate::database::Error),
}

impl From<crate::database::Error> for TokenRejection {
    fn from(error: crate::database::Error) -> Self {
        Self::Database(error)
    }
}

/// A token that was found and works.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) caller: BearerCaller,
    /// The first use is worth an entry in the log.
    pub(crate) is_first_use: bool,
    /// The MAC that it is stored under.
    mac: Vec<u8>,
}

/// A use that is to be written when the response is ready, or when its client has gone.
#[must_use = "it writes the use when it is dropped"]
pub(crate) struct TokenUse {
    tokens: ApiTokens,
    id: String,
    /// The MAC under the key that signs now.
    mac: [u8; 32],
    now: i64,
}

impl Drop for TokenUse {
    fn drop(&mut self) {
        let inner = &*self.tokens.0;
        let place = Arc::clone(&inner.writes).try_acquire_owned();
        let (Ok(place), Ok(runtime)) = (place, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (db, id, mac) = (inner.db.clone(), std::mem::take(&mut self.id), self.mac);
        let times = (self.now, self.now - USED_EVERY);
        runtime.spawn(async move {
            if let Err(error) = rows::touch(&db, &id, &mac, times).await {
                tracing::warn!(%error, "cannot update the time of an API token's last use");
            }
            drop(place);
        });
    }
}

impl ApiTokens {
    pub(crate) fn new(needs: Dependencies) -> Self {
        let Dependencies {
            accounts,
            clock,
            config,
            db,
            log,
            ring,
            scopes,
        } = needs;
        let tokens = Self(Arc::new(Inner {
            failures: RateLimiter::new(config.failures(), MOST_ADDRESSES, clock.clone()),
            known: KnownTokens::default(),
            writes: Arc::new(Semaphore::new(MOST_WRITES)),
            accounts,
            clock,
            config,
            db,
            log,
            ring,
            scopes,
        }));
        // Weak, because the tokens have the accounts.
        let weak = Arc::downgrade(&tokens.0);
        tokens.0.accounts.at_session_end(move |user, id| {
            let tokens = weak.upgrade().map(Self);
            async move {
                match tokens {
                    Some(tokens) => tokens.revoke_made_in(user, id).await,
                    None => Ok(()),
                }
            }
        });
        tokens
            .0
            .accounts
            .at_new_generation(|tx, user, generation| Box::pin(rows::follow(tx, user, generation)));
        tokens
    }

    /// The paths of the pages of accounts and tokens.
    pub(super) fn paths(&self) -> &AccountPaths {
        self.0.accounts.paths()
    }

    /// Makes a token, and returns its text, which nobody can read again.
    ///
    /// A person gets no scope whose role they do not have. `by` is who makes it: the person or an administrator; none is the
    /// command line. A person gets a letter about it.
    ///
    /// # Errors
    /// The request breaks a rule of [`Error`], or the database fails.
    pub async fn create(
        &self,
        by: Option<UserId>,
        holder: TokenHolder,
        request: TokenRequest<'_>,
    ) -> Result<(Secret<String>, ApiTokenInfo), Error> {
        self.make((by, None), holder, request).await
    }

    /// Makes a token for the person of this session. It ends when the person ends the session on the list of sessions: whoever had
    /// the session may hold the token.
    ///
    /// ```
    /// use dewar::api::{ApiTokens, Error, TokenRequest};
    /// use dewar::sessions::Session;
    /// async fn add(tokens: ApiTokens, session: Session) -> Result<String, Error> {
    ///     let request = TokenRequest { name: "laptop", scopes: &["tickets_read"], days: 30 };
    ///     Ok(tokens.create_in(&session, request).await?.1.id)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`create`](Self::create); [`Error::NoSuchUser`] in a visitor's session.
    pub async fn create_in(
        &self,
        session: &Session,
        request: TokenRequest<'_>,
    ) -> Result<(Secret<String>, ApiTokenInfo), Error> {
        let person = session.principal().ok_or(Error::NoSuchUser)?.id();
        let by = (Some(person), session.id().copied());
        self.make(by, TokenHolder::Person(person), request).await
    }

    async fn make(
        &self,
        (by, made_in): (Option<UserId>, Option<SessionId>),
        holder: TokenHolder,
        request: TokenRequest<'_>,
    ) -> Result<(Secret<String>, ApiTokenInfo), Error> {
        refuse_while_reading()?;
        let inner = &*self.0;
        let new = self.judge(request)?;
        let owner = match holder {
            TokenHolder::Person(user) => inner.accounts.find(user).await.map_err(unfound)?,
            TokenHolder::Service => None,
        };
        let owner = owner.as_ref();
        let secret = TokenSecret::new();
        let mac = inner.ring.mac(Purpose::ApiToken, &[secret.bytes()]);
        let actor = rows::actor(by);
        let (new, actor) = (&new, &*actor);
        let most = inner.config.max_tokens_per_user;
        inner
            .db
            .transaction(|tx| async move {
                let row = rows::NewRow {
                    info: new,
                    mac,
                    actor,
                    made_in,
                };
                rows::add(&tx, holder, &row, &inner.scopes, most).await?;
                let entry = Entry::new(Event::AuthnTokenCreated)
                    .actor(actor)
                    .subject(rows::subject(holder, &new.id));
                let scopes = new.scopes.join(" ");
                let entry = entry.detail(format_args!("API token, scopes: {scopes}"));
                tx.record(&inner.log, entry).await?;
                if let Some(owner) = owner {
                    inner.accounts.tell_of_token(&tx, owner).await?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        let user = match holder {
            TokenHolder::Person(user) => Some(user.get()),
            TokenHolder::Service => None,
        };
        let text = secret.reveal(&inner.config.token_prefix);
        let text = Secret::new(String::clone(&text));
        let info = ApiTokenInfo {
            user,
            ..new.clone()
        };
        Ok((text, info))
    }

    /// The row of a request that keeps the rules which need no database.
    fn judge(&self, request: TokenRequest<'_>) -> Result<ApiTokenInfo, Error> {
        let config = &self.0.config;
        let most = config.token_lifetime.as_secs() / DAY.unsigned_abs();
        let days = i64::try_from(request.days).unwrap_or(i64::MAX);
        if request.days == 0 || request.days > most {
            return Err(Error::TooLong(u32::try_from(most).unwrap_or(u32::MAX)));
        }
        let name = request.name.trim();
        let is_name = (1..=60).contains(&name.chars().count()) && !name.contains(char::is_control);
        if !is_name {
            return Err(Error::Name);
        }
        if request.scopes.is_empty() {
            return Err(Error::NoScope);
        }
        let unknown = |name: &&&str| !self.0.scopes.iter().any(|scope| scope.name == **name);
        if let Some(name) = request.scopes.iter().find(unknown) {
            return Err(Error::UnknownScope((*name).to_owned()));
        }
        let mut scopes: Vec<String> = request
            .scopes
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        let now = self.0.clock.now();
        Ok(ApiTokenInfo {
            id: encode(&random::<10>()),
            user: None,
            name: name.to_owned(),
            scopes,
            created_at: now,
            expires_at: now + days * DAY,
            used_at: None,
            revoked_at: None,
        })
    }

    /// A holder's tokens, the newest first, also those that have ended lately.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list_of(&self, holder: TokenHolder) -> Result<Vec<ApiTokenInfo>, Error> {
        Ok(rows::list_of(&self.0.db, holder).await?)
    }

    /// Revokes one of a holder's tokens, at its next request on every node. Returns whether the holder had it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn revoke(
        &self,
        by: Option<UserId>,
        holder: TokenHolder,
        id: &str,
    ) -> Result<bool, Error> {
        refuse_while_reading()?;
        let inner = &*self.0;
        let (now, actor) = (inner.clock.now(), rows::actor(by));
        let actor = &*actor;
        inner
            .db
            .transaction(|tx| async move {
                if !rows::revoke(&tx, holder, id, now).await? {
                    return Ok(false);
                }
                let entry = Entry::new(Event::AuthnTokenRevoked)
                    .actor(actor)
                    .subject(rows::subject(holder, id));
                tx.record(&inner.log, entry).await?;
                Ok(true)
            })
            .await
    }

    /// Revokes all tokens of a person. Returns how many worked until now.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn revoke_all_of(&self, by: UserId, user: UserId) -> Result<u64, Error> {
        refuse_while_reading()?;
        let inner = &*self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| async move {
                let ended = rows::revoke_all_of(&tx, user, now).await?;
                let entry = Entry::new(Event::AuthnTokenRevoked).actor(by).subject(user);
                let entry = entry.detail(format_args!("all {ended} API tokens"));
                tx.record(&inner.log, entry).await?;
                Ok(ended)
            })
            .await
    }

    /// Revokes the tokens that were made in a session of a person, who ends it.
    async fn revoke_made_in(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<(), crate::database::Error> {
        refuse_while_reading()?;
        let inner = &*self.0;
        let now = inner.clock.now();
        inner
            .db
            .transaction(|tx| async move {
                let ended = rows::revoke_made_in(&tx, user, session, now).await?;
                if ended > 0 {
                    let entry = Entry::new(Event::AuthnTokenRevoked)
                        .actor(user)
                        .subject(user);
                    let entry = entry.detail(format_args!(
                        "{ended} API tokens of a session that was ended"
                    ));
                    tx.record(&inner.log, entry).await?;
                }
                Ok::<_, crate::database::Error>(())
            })
            .await
    }

    /// The scopes that a holder with these roles can get.
    pub(super) fn offered(&self, has_role: impl Fn(&str) -> bool) -> Vec<ScopeInfo> {
        let all = self.0.scopes.iter();
        all.filter(|scope| scope.role.is_none_or(&has_role))
            .copied()
            .collect()
    }

    /// The names of the application's scopes.
    pub(crate) fn scope_names(&self) -> Vec<&'static str> {
        self.0.scopes.iter().map(|scope| scope.name).collect()
    }

    /// Removes the rows of tokens that ended a month ago.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        let before = self.0.clock.now() - 30 * DAY;
        Ok(rows::sweep(&self.0.db, before).await?)
    }
}

impl ApiTokens {
    /// The caller of a request with these headers.
    ///
    /// # Errors
    /// Why the request is not let in.
    pub(crate) async fn authenticate(
        &self,
        sent: &Authorization,
        from: Option<IpAddr>,
    ) -> Result<(Accepted, Option<TokenUse>), TokenRejection> {
        let inner = &*self.0;
        let secret = match sent.presented() {
            Presented::Nothing => return Err(TokenRejection::Missing),
            Presented::Malformed => return Err(TokenRejection::Malformed),
            Presented::NoToken => {
                self.failed(from)?;
                let event = Event::AuthnLoginFail;
                return Err(TokenRejection::Invalid(event, "no API token", None));
            }
            Presented::Token(secret) => secret,
        };
        let mac = inner.ring.mac(Purpose::ApiToken, &[secret.bytes()]);
        if !inner.known.contains(&mac)
            && let Some(wait) = from.and_then(|from| inner.failures.wait(&from))
        {
            return Err(TokenRejection::Throttled(wait));
        }
        match self.look_up(&secret).await? {
            Ok(found) => {
                inner.known.add(mac);
                let used = self.used(&found, mac);
                Ok((found, used))
            }
            Err((event, why, id)) => {
                inner.known.remove(&mac);
                self.failed(from)?;
                Err(TokenRejection::Invalid(event, why, id))
            }
        }
    }

    /// Counts a refused token of an address.
    fn failed(&self, from: Option<IpAddr>) -> Result<(), TokenRejection> {
        let counted = from.map_or(Ok(()), |from| self.0.failures.take(from));
        counted.map_err(TokenRejection::Throttled)
    }

    /// The token under each key of the ring. Usually there is one key, and so one query; an unknown token takes as many as
    /// one that has ended.
    async fn look_up(
        &self,
        secret: &TokenSecret,
    ) -> Result<Result<Accepted, Rejected>, crate::database::Error> {
        let inner = &*self.0;
        for mac in inner.ring.macs(Purpose::ApiToken, &[secret.bytes()]) {
            if let Some(row) = rows::find(&inner.db, &mac).await? {
                return Ok(self.judge_row(row));
            }
        }
        Ok(Err((Event::AuthnLoginFail, "an unknown API token", None)))
    }

    fn judge_row(&self, row: rows::FoundRow) -> Result<Accepted, Rejected> {
        let now = self.0.clock.now();
        let rows::FoundRow {
            info,
            person,
            generation,
            mac,
        } = row;
        let ended = match &person {
            _ if info.revoked_at.is_some() => Some("revoked"),
            _ if now >= info.expires_at => Some("expired"),
            None if info.user.is_some() => Some("of a deleted account"),
            Some(person) if person.disabled => Some("of a disabled account"),
            Some(person) if person.generation != generation => {
                Some("from before its owner changed the password or was signed out everywhere")
            }
            _ => None,
        };
        if let Some(why) = ended {
            return Err((Event::AuthnTokenReuse, why, Some(info.id)));
        }
        let person = person.map(|person| person.principal);
        let has = |scope: &&ScopeInfo| {
            let role = |role| {
                person
                    .as_ref()
                    .is_none_or(|person| person.has_role_named(role))
            };
            info.scopes.iter().any(|name| name == scope.name) && scope.role.is_none_or(role)
        };
        let scopes = self.0.scopes.iter().filter(has);
        let scopes = scopes.map(|scope| scope.name).collect();
        Ok(Accepted {
            is_first_use: info.used_at.is_none(),
            mac,
            caller: BearerCaller {
                token: info.id,
                name: info.name,
                person,
                scopes,
                used_at: info.used_at,
            },
        })
    }

    /// The use to write after the response: at most once a minute, and if another key signs now, so that the older one can be
    /// revoked.
    fn used(&self, found: &Accepted, signing: [u8; 32]) -> Option<TokenUse> {
        let now = self.0.clock.now();
        let used_at = found.caller.used_at;
        let is_recent = used_at.is_some_and(|used| now - used < USED_EVERY);
        let is_written = is_recent && found.mac == signing;
        (!is_written).then(|| TokenUse {
            tokens: self.clone(),
            id: found.caller.token.clone(),
            mac: signing,
            now,
        })
    }

    /// Whether a token still works and gives the same rights, its scopes and the roles of its owner: a request with a slow body asks
    /// again. A token that expired or was revoked, and one of a disabled account or from before a new password, gives none.
    pub(crate) async fn still_holds(
        &self,
        id: &str,
        rights: &TokenRights,
    ) -> Result<bool, crate::database::Error> {
        let Some(row) = rows::find_again(&self.0.db, id).await? else {
            return Ok(false);
        };
        let found = self.judge_row(row);
        Ok(found.is_ok_and(|found| found.caller.rights() == *rights))
    }

    /// What each of these tokens gives its bearer now, by its id: one statement for each 500 of them. A token that no longer works
    /// is missing. It does not count as a use.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn rights_now(
        &self,
        ids: &[String],
    ) -> Result<HashMap<String, TokenRights>, crate::database::Error> {
        let rows = rows::find_all_again(&self.0.db, ids).await?;
        let judged = rows.into_iter().filter_map(|row| self.judge_row(row).ok());
        Ok(judged
            .map(|found| {
                let rights = found.caller.rights();
                (found.caller.token, rights)
            })
            .collect())
    }
}

/// Why the owner of a new token was not found.
fn unfound(error: crate::accounts::Error) -> Error {
    if let crate::accounts::Error::Database(error) = error {
        return error.into();
    }
    Error::NoSuchUser
}

/// The event, the reason for the log, and the id of the token, if there is one.
type Rejected = (Event, &'static str, Option<String>);

impl fmt::Debug for ApiTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiTokens")
            .field("scopes", &self.0.scopes.len())
            .finish_non_exhaustive()
    }
}

/// A MAC as a value of a statement.
pub(super) fn blob(bytes: &[u8; 32]) -> Value {
    Value::from(bytes.to_vec())
}
