use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::Value;

use super::bearer::{Authorization, Presented};
use super::known::KnownTokens;
use super::token::{TokenSecret, encode};
use super::{Config, Error, ScopeInfo, rows};
use crate::accounts::RateLimiter;
use crate::audit::{Clock, Entry, Event, Log};
use crate::database::{Db, refuse_while_reading};
use crate::pages::BearerCaller;
use crate::secrets::{KeyRing, Purpose, Secret, random};
use crate::sessions::UserId;

/// The most addresses that are remembered at once.
const MOST_ADDRESSES: usize = 100_000;
/// Dewar writes the time of a token's last use at most this often, in seconds, so that a request costs no write.
const USED_EVERY: i64 = 60;
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
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) db: Db,
    failures: RateLimiter<IpAddr>,
    known: KnownTokens,
    pub(super) log: Log,
    ring: KeyRing,
    pub(super) scopes: Vec<ScopeInfo>,
}

/// The room's dependencies on the others.
#[derive(Debug)]
pub(crate) struct Dependencies {
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

/// A token that was found and works, with its MAC.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) caller: BearerCaller,
    mac: [u8; 32],
    /// The first use is worth an entry in the log.
    pub(crate) is_first_use: bool,
}

impl ApiTokens {
    pub(crate) fn new(needs: Dependencies) -> Self {
        let Dependencies {
            clock,
            config,
            db,
            log,
            ring,
            scopes,
        } = needs;
        Self(Arc::new(Inner {
            failures: RateLimiter::new(config.failures(), MOST_ADDRESSES, clock.clone()),
            known: KnownTokens::default(),
            clock,
            config,
            db,
            log,
            ring,
            scopes,
        }))
    }

    /// Makes a token, and returns its text, which nobody can read again.
    ///
    /// A person gets no scope whose role they do not have. `by` is who makes it: the person or an administrator; none is the
    /// command line.
    ///
    /// # Errors
    /// The request breaks a rule of [`Error`], or the database fails.
    pub async fn create(
        &self,
        by: Option<UserId>,
        holder: TokenHolder,
        request: TokenRequest<'_>,
    ) -> Result<(Secret<String>, ApiTokenInfo), Error> {
        refuse_while_reading()?;
        let inner = &*self.0;
        let new = self.judge(request)?;
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
                };
                rows::add(&tx, holder, &row, &inner.scopes, most).await?;
                let entry = Entry::new(Event::AuthnTokenCreated)
                    .actor(actor)
                    .subject(rows::subject(holder, &new.id));
                let scopes = new.scopes.join(" ");
                let entry = entry.detail(format_args!("API token, scopes: {scopes}"));
                tx.record(&inner.log, entry).await?;
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
    ) -> Result<Accepted, TokenRejection> {
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
                self.used(&found, mac);
                Ok(found)
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
                return Ok(self.judge_row(row, mac));
            }
        }
        Ok(Err((Event::AuthnLoginFail, "an unknown API token", None)))
    }

    fn judge_row(&self, row: rows::FoundRow, mac: [u8; 32]) -> Result<Accepted, Rejected> {
        let now = self.0.clock.now();
        let rows::FoundRow {
            info,
            person,
            generation,
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

    /// Writes the time of the last use, without delaying the request, at most once a minute. If another key signs now, the
    /// token is stored under that key, so that the older one can be revoked.
    fn used(&self, found: &Accepted, signing: [u8; 32]) {
        let now = self.0.clock.now();
        let is_recent = found
            .caller
            .used_at
            .is_some_and(|used| now - used < USED_EVERY);
        if is_recent && found.mac == signing {
            return;
        }
        let (db, id) = (self.0.db.clone(), found.caller.token.clone());
        tokio::spawn(async move {
            if let Err(error) = rows::touch(&db, &id, &signing, now).await {
                tracing::warn!(%error, "cannot update the time of an API token's last use");
            }
        });
    }

    /// Whether a token still works, with the same scopes: a request with a slow body asks again.
    pub(crate) async fn still_holds(
        &self,
        mac: [u8; 32],
        scopes: &[&'static str],
    ) -> Result<bool, crate::database::Error> {
        let Some(row) = rows::find(&self.0.db, &mac).await? else {
            return Ok(false);
        };
        let found = self.judge_row(row, mac);
        Ok(found.is_ok_and(|found| found.caller.scopes == scopes))
    }
}

/// The event, the reason for the log, and the id of the token, if there is one.
type Rejected = (Event, &'static str, Option<String>);

impl Accepted {
    pub(crate) const fn mac(&self) -> [u8; 32] {
        self.mac
    }
}

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
