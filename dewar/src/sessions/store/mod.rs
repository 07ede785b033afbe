//! The stores of sessions: one trait, and one suite of tests that every store passes.

mod cache;
mod counts;
mod database;
mod place;
#[cfg(feature = "redis")]
mod redis;
mod roles;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::record::{Hash, New, Renewal, SessionId, SessionInfo, SessionLookup};
use super::{Error, UserId};
use crate::audit::Finding;
use crate::database::Db;

pub(crate) use counts::{Charge, Charged};
pub(super) use database::{InDatabase, person, persons};
pub(crate) use database::{MIGRATIONS, read_person};
pub use place::StorePlace;
pub(crate) use roles::{in_order, person_columns, roles_of_user};

/// A store of sessions. Each of these is atomic, whatever happens at the same time.
#[async_trait]
pub(super) trait SessionStore: fmt::Debug + Send + Sync {
    /// Stores a new session, ends the oldest of its owner's beyond `most`, and returns how many those were. It refuses
    /// a token or an id that exists already, and does not change that session.
    async fn begin(&self, new: &New, most: u32) -> Result<u64, Error>;

    /// Finds the session of a token.
    async fn find(&self, token: &Hash) -> Result<Option<SessionLookup>, Error>;

    /// Finds the sessions of several tokens.
    async fn find_all(&self, tokens: &[Hash]) -> Result<HashMap<Hash, SessionLookup>, Error>;

    /// Writes the time of a session's last use. A session that ended meanwhile stays ended.
    async fn touch(&self, token: &Hash, now: i64) -> Result<(), Error>;

    /// Replaces a session's token, and returns whether the session still existed.
    async fn renew(&self, token: &Hash, renewal: &Renewal) -> Result<bool, Error>;

    /// Ends one of a user's sessions, whatever its current token is.
    async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error>;

    /// Ends a user's sessions, all or all but one.
    async fn end_all_of(&self, user: UserId, but: Option<&SessionId>) -> Result<u64, Error>;

    /// Ends everybody's sessions.
    async fn end_everyone(&self) -> Result<u64, Error>;

    /// A user's sessions, the latest first.
    async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error>;

    /// A value of a session.
    async fn value(&self, id: &SessionId, name: &str) -> Result<Option<StoredValue>, Error>;

    /// Writes a value in place of the version that was read, or removes it.
    async fn keep(
        &self,
        id: &SessionId,
        name: &str,
        change: &ValueWrite,
    ) -> Result<WriteOutcome, Error>;

    /// Removes sessions that were last used before the first time, or begun before the second.
    async fn sweep(&self, seen_before: i64, created_before: i64) -> Result<u64, Error>;

    /// Counts requests for a rate limit that all nodes share: what is owed, and one more if there is room for it.
    async fn charge(&self, charge: &Charge) -> Result<Charged, Error>;

    /// Removes the counts whose bucket is empty by then (in microseconds), and returns how many are left.
    async fn sweep_counts(&self, now: i64) -> Result<u64, Error>;
}

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredValue {
    /// Random at each change, so that a value that was removed and written again differs.
    pub(super) version: i64,
    pub(super) json: String,
}

/// A value to write.
#[derive(Clone, Debug)]
pub(super) struct ValueWrite {
    /// The version that was read; none if there was no value.
    pub(super) before: Option<i64>,
    /// The value to store; none removes it.
    pub(super) after: Option<StoredValue>,
    /// The most values of a session.
    pub(super) most: usize,
}

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    /// It was written.
    Written,
    /// Another request was first.
    Changed,
    /// The session is over.
    Ended,
    /// The session already has the most values allowed.
    Full,
}

/// Opens the store that the settings name.
pub(super) async fn open(
    place: &StorePlace,
    db: &Db,
) -> Result<Arc<dyn SessionStore>, Vec<Finding>> {
    match place {
        StorePlace::Database => Ok(Arc::new(InDatabase::new(db.clone()))),
        #[cfg(feature = "redis")]
        StorePlace::Redis(address) => {
            let opened = redis::InRedis::open(address).await;
            Ok(Arc::new(
                opened.map_err(|error| place::not_opened(address, &error))?,
            ))
        }
        #[cfg(not(feature = "redis"))]
        other => Err(other.findings()),
    }
}

/// The reason why the store in the settings cannot be opened now. It makes no table. The application's own database is
/// checked elsewhere.
pub(super) async fn unreachable(place: &StorePlace) -> Vec<Finding> {
    match place {
        StorePlace::Database => Vec::new(),
        #[cfg(feature = "redis")]
        StorePlace::Redis(address) => match redis::InRedis::open(address).await {
            Ok(_) => Vec::new(),
            Err(error) => place::not_opened(address, &error),
        },
        #[cfg(not(feature = "redis"))]
        other => other.findings(),
    }
}

#[cfg(test)]
mod tests;
