use http::HeaderMap;
use sea_orm::Value;

use super::session::Found;
use super::{COOKIE, Config, Principal, Session, UserId, read_cookie};
use crate::audit::{Clock, Entry, Event, Log};
use crate::database::{Db, Error, Migration, Row};
use crate::secrets::Token;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::new(
    "dewar_sessions_0001",
    "CREATE TABLE dewar_sessions (
        token_hash BLOB NOT NULL PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES dewar_users (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dewar_sessions_of_user ON dewar_sessions (user_id);
    CREATE INDEX dewar_sessions_by_seen ON dewar_sessions (seen_at);",
)];

/// The one read that the framework makes for a signed-in request: session, person and roles together.
const FIND: &str =
    "SELECT s.created_at, s.seen_at, u.id, u.email, u.name, u.picture, u.disabled_at,
    (SELECT group_concat(r.role, ' ') FROM dewar_user_roles r WHERE r.user_id = u.id)
    FROM dewar_sessions s JOIN dewar_users u ON u.id = s.user_id WHERE s.token_hash = ?1";

/// A session's last sight is written at most this often, in seconds: reading a page must not cost a write.
const SEEN_EVERY: i64 = 60;

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
pub struct Sessions {
    db: Db,
    config: Config,
    clock: Clock,
    log: Log,
}

impl Sessions {
    pub(crate) fn new(db: Db, config: Config, clock: Clock, log: Log) -> Self {
        Self {
            db,
            config,
            clock,
            log,
        }
    }

    /// The session of a request. Where there is none, or none that still holds, the request is a visitor's.
    ///
    /// # Errors
    /// Where the database cannot be read: who is there is then unknown, and the request fails rather than pass as a
    /// visitor's.
    pub(crate) async fn of_request(&self, headers: &HeaderMap) -> Result<Session, Error> {
        let Some(token) = read_cookie(headers, COOKIE).and_then(Token::parse) else {
            return Ok(Session::new(self.clone(), None));
        };
        let hash = token.hash();
        let rows = self.db.query(FIND, [Value::from(hash.to_vec())]).await?;
        let found = match rows.first() {
            Some(row) => self.still_holds(hash, row).await?,
            None => None,
        };
        Ok(Session::new(self.clone(), found))
    }

    /// The session of nobody, for an answer that is given before anyone was asked.
    pub(crate) fn visitor(&self) -> Session {
        Session::new(self.clone(), None)
    }

    async fn still_holds(&self, token_hash: [u8; 32], row: &Row) -> Result<Option<Found>, Error> {
        let (created_at, seen_at) = (row.get::<i64>(0)?, row.get::<i64>(1)?);
        let (user, now) = (UserId::new(row.get(2)?), self.clock.now());
        let disabled = row.get::<Option<i64>>(6)?.is_some();
        let idle = now - seen_at > seconds(self.config.idle);
        let outlived = now - created_at > seconds(self.config.lifetime);
        if idle || outlived || disabled {
            self.end(&token_hash).await?;
            let why = if disabled {
                "disabled"
            } else if idle {
                "idle"
            } else {
                "lifetime"
            };
            self.log
                .record(Entry::new(Event::SessionExpired).subject(user).detail(why));
            return Ok(None);
        }
        if now - seen_at >= SEEN_EVERY {
            self.saw(token_hash, now);
        }
        let principal = Principal {
            id: user,
            email: row.get(3)?,
            name: row.get(4)?,
            picture: row.get(5)?,
            roles: row.get::<Option<String>>(7)?.unwrap_or_default(),
        };
        Ok(Some(Found {
            token_hash,
            principal,
        }))
    }

    /// Notes that a session was seen, without keeping the request waiting.
    fn saw(&self, token_hash: [u8; 32], now: i64) {
        let db = self.db.clone();
        tokio::spawn(async move {
            let set =
                "UPDATE dewar_sessions SET seen_at = ?1 WHERE token_hash = ?2 AND seen_at < ?1";
            if let Err(error) = db
                .execute(set, [now.into(), token_hash.to_vec().into()])
                .await
            {
                tracing::warn!(%error, "a session's last sight was not noted");
            }
        });
    }

    pub(super) async fn begin(&self, user: UserId) -> Result<Token, Error> {
        let (token, now) = (Token::new(), self.clock.now());
        let add = "INSERT INTO dewar_sessions (token_hash, user_id, created_at, seen_at) VALUES (?1, ?2, ?3, ?3)";
        self.db
            .execute(add, [token.hash().to_vec().into(), user.into(), now.into()])
            .await?;
        self.log
            .record(Entry::new(Event::SessionCreated).actor(user));
        Ok(token)
    }

    pub(super) async fn end(&self, token_hash: &[u8; 32]) -> Result<(), Error> {
        let end = "DELETE FROM dewar_sessions WHERE token_hash = ?1";
        self.db
            .execute(end, [Value::from(token_hash.to_vec())])
            .await
            .map(drop)
    }

    /// Ends every session of an account; it holds at the very next request (ASVS 7.4.3, 7.4.5).
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub async fn end_all_of(&self, user: UserId) -> Result<u64, Error> {
        self.db
            .execute(
                "DELETE FROM dewar_sessions WHERE user_id = ?1",
                [user.into()],
            )
            .await
    }

    /// Removes sessions that no limit lets live any longer. Runs now and then, so that the table does not grow.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let (idle, lifetime) = (
            now - seconds(self.config.idle),
            now - seconds(self.config.lifetime),
        );
        let sweep = "DELETE FROM dewar_sessions WHERE seen_at < ?1 OR created_at < ?2";
        self.db.execute(sweep, [idle.into(), lifetime.into()]).await
    }
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
