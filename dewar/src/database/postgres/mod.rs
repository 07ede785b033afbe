//! PostgreSQL: a pool that the server lets only read, and one whose statements run as if each were alone.
//!
//! The driver is `tokio-postgres`, which prepares each statement once for a connection.

mod connection;
mod copying;
mod error;
mod explained;
mod lock;
mod migrations;
mod name;
mod pool;
mod server;
mod statement;
mod tables;
pub(super) mod tls;
mod transaction;
mod value;

use std::{sync::Arc, time::Duration};

use sea_orm::Value;

use self::{
    connection::Scope,
    pool::Pool,
    server::{Purpose, Server},
};
use super::{Config, Db, Error, PostgresServer, models::Models, row::Decode};
use crate::secrets::random;

pub(crate) use copying::{Copying, TargetTable};
pub(crate) use name::{Asking, HeldName, Session};
pub(crate) use transaction::OpenTransaction;

pub(super) use statement::tables;

/// How often a statement that another one got in the way of is tried.
pub(super) const ATTEMPTS: u32 = 10;

/// A database of a PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Arc<Server>,
    readers: Arc<Pool>,
    writers: Arc<Pool>,
}

impl Postgres {
    /// The connections in use, and the most there can be.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let [(read, readers), (write, writers)] =
            [&self.readers, &self.writers].map(|pool| pool.connections());
        (read + write, readers + writers)
    }

    /// Connects nowhere yet.
    pub(crate) fn new(place: &PostgresServer, config: &Config, models: &Arc<Models>) -> Self {
        let server = Arc::new(Server::new(place, config, models));
        let half = (config.max_connections / 2).max(1);
        let pool = |purpose| Pool::new(&server, purpose, half, config.acquire_timeout);
        Self {
            readers: pool(Purpose::Read),
            writers: pool(Purpose::Write),
            server: Arc::clone(&server),
        }
    }

    pub(crate) async fn rows<T: Decode>(
        &self,
        db: &Db,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<T>, Error> {
        if statement::begins_like_a_read(sql) {
            let read = self.read(sql, values).await;
            if !matches!(read, Err(Error::ReadOnly)) {
                return read;
            }
        }
        db.may_change()?;
        repeated(|| async {
            let mut connection = self.writers.take().await?;
            connection.query(Scope::OwnTransaction, (sql, values)).await
        })
        .await
    }

    /// A read is repeated once, because the server may have been restarted, or the tables changed, since the last one.
    async fn read<T: Decode>(&self, sql: &str, values: &[Value]) -> Result<Vec<T>, Error> {
        let first = self.read_once(sql, values).await;
        match first {
            Err(Error::ConnectionLost { .. } | Error::TablesChanged | Error::Conflict) => {
                self.read_once(sql, values).await
            }
            first => first,
        }
    }

    async fn read_once<T: Decode>(&self, sql: &str, values: &[Value]) -> Result<Vec<T>, Error> {
        let mut connection = self.readers.take().await?;
        connection.query(Scope::Alone, (sql, values)).await
    }

    pub(crate) async fn change(&self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        repeated(|| async {
            let mut connection = self.writers.take().await?;
            connection
                .execute(Scope::OwnTransaction, (sql, values))
                .await
        })
        .await
    }

    /// Begins a transaction that nothing else is written beside.
    pub(crate) async fn begin_alone(&self) -> Result<OpenTransaction, Error> {
        OpenTransaction::begin(self, lock::ALONE).await
    }

    /// Begins a transaction beside others, any of which may end it with [`Error::Conflict`].
    pub(crate) async fn begin_together(&self) -> Result<OpenTransaction, Error> {
        OpenTransaction::begin(self, lock::TOGETHER).await
    }
}

/// Does what other changes can get in the way of, again until they no longer do.
async fn repeated<T, F>(change: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempt = 0;
    loop {
        match change().await {
            Err(error) if error.may_be_repeated() && attempt < ATTEMPTS => attempt += 1,
            done => return done,
        }
        wait(attempt).await;
    }
}

/// Waits before another attempt, each time longer, and not as long as another node.
pub(super) async fn wait(attempt: u32) {
    let longest = 1_u64 << attempt.min(7);
    let part = u64::from(random::<1>()[0]);
    tokio::time::sleep(Duration::from_micros(longest * 1_000 * (part + 1) / 256)).await;
}
