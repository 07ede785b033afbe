//! Where sessions are kept: one trait, and one suite of tests that every store passes.

mod database;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::record::{Hash, New, Renewal, SessionId, SessionInfo, SessionLookup};
use super::{Error, UserId};
use crate::audit::Finding;
use crate::database::Db;

pub(crate) use database::MIGRATIONS;
pub(super) use database::{InDatabase, person};
pub use place::{Address, Host, StorePlace, StoreTls};

/// A store of sessions. Each of these happens whole or not at all, whatever happens beside it.
#[async_trait]
pub(super) trait SessionStore: fmt::Debug + Send + Sync {
    /// Keeps a new session, and ends the oldest of its owner's beyond so many: how many those were. A token or an id
    /// that is there already is refused, and what it names stays as it is.
    async fn begin(&self, new: &New, most: u32) -> Result<u64, Error>;

    /// The session of a token.
    async fn find(&self, token: &Hash) -> Result<Option<SessionLookup>, Error>;

    /// Notes that a session was seen. One that ended meanwhile stays ended.
    async fn touch(&self, token: &Hash, now: i64) -> Result<(), Error>;

    /// Gives a session another token in place of this one, and says whether it was still there.
    async fn renew(&self, token: &Hash, renewal: &Renewal) -> Result<bool, Error>;

    /// Ends one of a person's sessions, whatever its token is by now.
    async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error>;

    /// Ends a person's sessions, all or all but one.
    async fn end_all_of(&self, user: UserId, but: Option<&SessionId>) -> Result<u64, Error>;

    /// Ends everybody's.
    async fn end_everyone(&self) -> Result<u64, Error>;

    /// A person's sessions, the latest first.
    async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error>;

    /// A value of a session.
    async fn value(&self, id: &SessionId, name: &str) -> Result<Option<StoredValue>, Error>;

    /// Writes a value in place of the version that was read, or takes it away.
    async fn keep(
        &self,
        id: &SessionId,
        name: &str,
        change: &ValueWrite,
    ) -> Result<WriteOutcome, Error>;

    /// Removes sessions that nobody has seen since, or that were begun before.
    async fn sweep(&self, seen_before: i64, created_before: i64) -> Result<u64, Error>;
}

/// A value as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredValue {
    /// Drawn at random at each change, so that a value that went and came back is another one.
    pub(super) version: i64,
    pub(super) json: String,
}

/// A value to write.
#[derive(Clone, Debug)]
pub(super) struct ValueWrite {
    /// The version that was read; none where there was no value.
    pub(super) before: Option<i64>,
    /// What is to be there afterwards.
    pub(super) after: Option<StoredValue>,
    /// So many values may a session have.
    pub(super) most: usize,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    /// It was written.
    Written,
    /// Somebody else was first.
    Changed,
    /// The session is over.
    Ended,
    /// The session has as many values as it may.
    Full,
}

/// Opens the store that the settings name.
pub(super) async fn open(
    place: &StorePlace,
    db: &Db,
) -> Result<Arc<dyn SessionStore>, Vec<Finding>> {
    match place {
        StorePlace::Database => Ok(Arc::new(InDatabase::new(db.clone()))),
        #[cfg(feature = "postgres")]
        StorePlace::Postgres(address) => {
            let opened = postgres::InPostgres::open(address).await;
            Ok(Arc::new(
                opened.map_err(|error| place::not_opened(address, &error))?,
            ))
        }
        #[cfg(feature = "redis")]
        StorePlace::Redis(address) => {
            let opened = redis::InRedis::open(address).await;
            Ok(Arc::new(
                opened.map_err(|error| place::not_opened(address, &error))?,
            ))
        }
        #[cfg(not(all(feature = "postgres", feature = "redis")))]
        other => Err(other.findings()),
    }
}

/// What keeps the store that the settings name from being opened now. No table is made for the question, and the
/// application's own database is asked elsewhere.
pub(super) async fn unreachable(place: &StorePlace) -> Vec<Finding> {
    match place {
        StorePlace::Database => Vec::new(),
        #[cfg(feature = "postgres")]
        StorePlace::Postgres(address) => match postgres::InPostgres::reach(address).await {
            Ok(_) => Vec::new(),
            Err(error) => place::not_opened(address, &error),
        },
        #[cfg(feature = "redis")]
        StorePlace::Redis(address) => match redis::InRedis::open(address).await {
            Ok(_) => Vec::new(),
            Err(error) => place::not_opened(address, &error),
        },
        #[cfg(not(all(feature = "postgres", feature = "redis")))]
        other => other.findings(),
    }
}

#[cfg(test)]
mod tests;
