use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::guessable::{self, PersonalWords};
use super::known_browser::{self, KnownBrowser};
use super::password::NormalizedPassword;
use super::pool::HashPool;
use super::provider::{self, Provider};
use super::rate_limiter::RateLimiter;
use super::session_end::{SessionEnd, TokensFollow};
use super::{Config, Error, link, throttle};
use crate::audit::{Clock, Entry, Event, Log};
use crate::database::{self, Db, Tx};
use crate::mail::{self, Letter, LetterKind, LetterStatus, MailQuota, Mailer, Recipient};
use crate::outgoing::Client;
use crate::pages::{AccountPage, AccountPaths, Language, Languages, LocalPath, RequestContext};
use crate::secrets::KeyRing;
use crate::sessions::{PROVIDER_COOKIE, Session, Sessions, read_cookie};
use http::HeaderMap;

/// The most addresses that are remembered at once.
const MOST_ADDRESSES: usize = 100_000;
/// The most requests for a new password in progress; further ones are dropped.
pub(super) const MOST_ERRANDS: usize = 64;

/// The accounts of the application: make one, sign in, change the password, manage users.
///
/// ```
/// use dewar::accounts::{Accounts, Error};
/// use dewar::sessions::UserId;
/// async fn promote(accounts: Accounts, admin: UserId, user: UserId) -> Result<(), Error> {
///     accounts.set_roles(admin, user, &["member", "reviewer"]).await
/// }
/// ```
#[derive(Clone)]
pub struct Accounts(
    pub(super) Arc<Inner>,
    /// Data of the request that the handler belongs to.
    pub(super) Caller,
);

/// The caller, as far as a request shows.
#[derive(Clone)]
pub(super) struct Caller {
    /// The language of letters.
    pub(super) language: Language,
    /// The cookie of a known browser, as the request sent it.
    pub(super) browser: Option<Box<str>>,
    /// The cookie of a sign-in at a provider, as the request sent it.
    pub(super) at_provider: Option<Box<str>>,
    /// The request's session.
    pub(super) session: Option<Session>,
}

pub(super) struct Inner {
    pub(super) addresses: RateLimiter<IpAddr>,
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) db: Db,
    /// The roles whose holders need a second factor.
    pub(super) factor_roles: Vec<String>,
    pub(super) errands: Arc<tokio::sync::Semaphore>,
    /// How often a known browser, a session or a link may try, beside their failures, which the database counts.
    pub(super) own: RateLimiter<[u8; 32]>,
    pub(super) ring: KeyRing,
    pub(super) log: Log,
    pub(super) mailer: Mailer,
    pub(super) paths: AccountPaths,
    pub(super) pool: HashPool,
    /// The providers with which users can sign in (OpenID Connect).
    pub(super) providers: Vec<Provider>,
    pub(super) roles: Roles,
    pub(super) session_end: SessionEnd,
    pub(super) sessions: Sessions,
    pub(super) site: String,
    pub(super) tokens_follow: TokensFollow,
}

/// The room's dependencies on the others.
#[derive(Debug)]
pub(crate) struct Dependencies {
    /// The client for the providers.
    pub(crate) client: Client,
    /// The clock.
    pub(crate) clock: Clock,
    /// The settings.
    pub(crate) config: Config,
    /// The database, migrated.
    pub(crate) db: Db,
    /// The audit log.
    pub(crate) log: Log,
    /// The keys.
    pub(crate) ring: KeyRing,
    /// The application's roles.
    pub(crate) roles: Roles,
    /// The sessions.
    pub(crate) sessions: Sessions,
    /// The site's name, which may not be a password.
    pub(crate) site: String,
    /// The letters.
    pub(crate) mailer: Mailer,
    /// The paths of the pages, for links in letters and redirects.
    pub(crate) paths: AccountPaths,
}

/// The names of the application's roles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    /// The administrator's role; one active user has to keep it.
    pub(crate) administrator: Option<&'static str>,
    /// All of them.
    pub(crate) all: Vec<&'static str>,
}

impl Accounts {
    /// Opens the room: starts the hashing threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn open(needs: Dependencies) -> Result<Self, Error> {
        let Dependencies {
            client,
            clock,
            config,
            db,
            log,
            ring,
            roles,
            sessions,
            site,
            mailer,
            paths,
        } = needs;
        let addresses = RateLimiter::new(config.attempt_rate(), MOST_ADDRESSES, clock.clone());
        let own = RateLimiter::new(config.attempt_rate(), MOST_ADDRESSES, clock.clone());
        let mut providers = Vec::new();
        for provider in &config.providers {
            let secret = provider::secret_of(provider)?;
            let (client, clock) = (client.clone(), clock.clone());
            providers.push(Provider::new(provider.clone(), secret, client, clock));
        }
        let inner = Arc::new(Inner {
            addresses,
            errands: Arc::new(tokio::sync::Semaphore::new(MOST_ERRANDS)),
            factor_roles: match paths.pattern(AccountPage::Factors) {
                Some(_) => config.factor_roles(roles.administrator),
                // Nobody could set one up; the start has said so.
                None => Vec::new(),
            },
            mailer,
            own,
            paths,
            ring,
            pool: HashPool::start(
                config.hash_threads,
                config.hash_queue,
                config.scheme(),
                config.flask_security_salt()?,
            )?,
            clock,
            config,
            db,
            log,
            providers,
            roles,
            session_end: SessionEnd::new(),
            sessions,
            site,
            tokens_follow: TokensFollow::new(),
        });
        let caller = Caller {
            language: Languages::english().first(),
            at_provider: None,
            browser: None,
            session: None,
        };
        Ok(Self(inner, caller))
    }

    /// The accounts for the caller of a request: a handler cannot forget to say who asks.
    pub(super) fn for_caller(&self, context: &RequestContext) -> Self {
        let cookies = context.facts().cookies.headers();
        let caller = Caller {
            language: context.language().clone(),
            at_provider: read_cookie(cookies, PROVIDER_COOKIE).map(Box::from),
            browser: read_cookie(cookies, known_browser::COOKIE).map(Box::from),
            session: context.session().ok().cloned(),
        };
        Self(Arc::clone(&self.0), caller)
    }

    /// Makes the browser of a request known for a user who has just proved their identity in it.
    pub(crate) fn remember(&self, session: &Session, request: &HeaderMap, headers: &mut HeaderMap) {
        let Some((user, generation)) = session.proved() else {
            return;
        };
        let (ring, now) = (&self.0.ring, self.0.clock.now());
        KnownBrowser::remember(request, user, generation, ring, now, headers);
    }

    /// The paths of the pages.
    pub(crate) fn paths(&self) -> &AccountPaths {
        &self.0.paths
    }

    /// The place of a page, for a redirect.
    pub(crate) fn place(&self, page: AccountPage) -> LocalPath {
        self.0.paths.place(page)
    }

    /// The address of a page, for a link in a letter.
    pub(super) fn address_of(&self, page: AccountPage) -> String {
        format!("{}{}", self.0.mailer.origin(), self.0.paths.path(page))
    }

    /// Whether visitors may make an account.
    #[must_use]
    pub fn sign_up_is_open(&self) -> bool {
        matches!(self.0.config.sign_up, super::SignUps::Open)
    }

    /// Whether the application sends mail, so that users can replace a forgotten password.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.0.mailer.sends()
    }

    /// How many password hashes were computed. A test compares two readings, which a stopwatch cannot replace.
    #[must_use]
    pub fn hashes_done(&self) -> u64 {
        self.0.pool.hashes_done()
    }

    /// Password hashes that are being computed or wait, of people who are not signed in.
    pub(crate) fn hashes_in_hand(&self) -> usize {
        self.0.pool.in_hand()
    }

    /// Waits until requested letters are sent or given up: for a test, and before the program ends.
    pub async fn settle(&self) {
        self.finish_requests().await;
        self.0.mailer.settle().await;
    }

    /// Waits until every requested link was queued.
    pub(crate) async fn finish_requests(&self) {
        let all = u32::try_from(MOST_ERRANDS).unwrap_or(u32::MAX);
        drop(self.0.errands.acquire_many(all).await);
    }

    pub(super) fn record(&self, entry: Entry) {
        self.0.log.record(entry);
    }

    /// Removes what has expired. Runs from time to time.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub(crate) async fn sweep(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        link::sweep(&self.0.db, now).await?;
        throttle::sweep(&self.0.db, now).await?;
        provider::sweep(&self.0.db, now).await?;
        Ok(())
    }
}

impl Inner {
    /// Whether the password is acceptable. It checks only the typed text, before anything is looked up.
    pub(super) fn acceptable(
        &self,
        password: &str,
        email: &str,
        name: &str,
    ) -> Result<NormalizedPassword, Error> {
        let password = NormalizedPassword::new(password);
        let scheme = self.config.scheme();
        if !scheme.takes(&password) {
            return Err(Error::TooLong(scheme.max_bytes()));
        }
        let least = self.config.min_password_length;
        if password.text().chars().count() < least {
            return Err(Error::TooShort(least));
        }
        guessable::judge(
            password.text(),
            &PersonalWords::new(email, name, &self.site),
        )?;
        Ok(password)
    }

    /// Counts an attempt from an address.
    pub(super) fn check_rate_limit(&self, from: IpAddr) -> Result<(), Error> {
        self.addresses.take(from).map_err(|wait| {
            self.log.record(
                Entry::new(Event::ExcessRateLimitExceeded)
                    .address(from)
                    .detail("accounts"),
            );
            Error::Throttled(wait)
        })
    }

    /// Counts an attempt of a user who has shown to belong to an account.
    pub(super) fn knock_as(&self, whose: [u8; 32], from: IpAddr) -> Result<(), Error> {
        self.own.take(whose).map_err(|wait| {
            let entry = Entry::new(Event::ExcessRateLimitExceeded).address(from);
            self.log.record(entry.detail("accounts, by a known user"));
            Error::Throttled(wait)
        })
    }

    /// Queues a letter in this transaction. Returns whether it found a place: visitors do not see why it found none.
    pub(super) async fn write_to<L: Letter>(
        &self,
        tx: &Tx,
        about: (LetterKind, MailQuota),
        to: Recipient,
        letter: &L,
    ) -> Result<bool, database::Error> {
        let (kind, cause) = about;
        match self.mailer.queue(tx, (kind, &cause), to, letter).await {
            Ok(status) => Ok(status == LetterStatus::Queued),
            Err(mail::Error::Database(error)) => Err(error),
            // A stranger has requested letters to this address again and again.
            Err(mail::Error::RecipientLimit(_)) => Ok(false),
            Err(mail::Error::Full) => {
                // A stranger who requests letters can cause this.
                tracing::warn!(
                    ?kind,
                    "an email was dropped: too many of its kind are waiting"
                );
                Ok(false)
            }
            Err(error) => {
                tracing::error!(%error, "an email was not written");
                Ok(false)
            }
        }
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("pool", &self.0.pool)
            .finish_non_exhaustive()
    }
}
