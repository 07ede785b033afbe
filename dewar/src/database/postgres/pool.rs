//! A bounded pool of connections for one purpose.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{error::Elapsed, timeout},
};

use super::{
    connection::{Connection, Scope},
    server::{Purpose, Server},
};
use crate::database::{Error, row::Decode};

/// How long an abandoned statement may still run, before the server is asked to stop it.
const ABANDONED: Duration = Duration::from_millis(100);

/// Connections that are opened when they are needed, and kept.
#[derive(Debug)]
pub(super) struct Pool {
    server: Arc<Server>,
    purpose: Purpose,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
    most: usize,
    acquire_timeout: Duration,
}

/// A connection of the pool. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Pooled {
    /// None only while it is dropped.
    connection: Option<Connection>,
    pool: Arc<Pool>,
    place: Option<OwnedSemaphorePermit>,
    /// A statement was sent, and its answer has not arrived.
    waits: bool,
    /// A transaction is open.
    pub(super) in_transaction: bool,
}

impl Pool {
    pub(super) fn new(
        server: &Arc<Server>,
        purpose: Purpose,
        most: usize,
        acquire_timeout: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            server: Arc::clone(server),
            purpose,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(most)),
            most,
            acquire_timeout,
        })
    }

    /// An idle connection, or a new one.
    ///
    /// # Errors
    /// [`Error::Busy`] if none is given back in time; [`Error::Unreachable`].
    pub(super) async fn take(self: &Arc<Self>) -> Result<Pooled, Error> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => timeout(
                self.acquire_timeout,
                Arc::clone(&self.places).acquire_owned(),
            )
            .await
            .map_err(|_| Error::Busy)?
            .map_err(|_| Error::Closed)?,
        };
        let connection = match self.idle() {
            Some(connection) => connection,
            None => self.server.connect(self.purpose).await?,
        };
        Ok(Pooled {
            connection: Some(connection),
            pool: Arc::clone(self),
            place: Some(place),
            waits: false,
            in_transaction: false,
        })
    }

    /// The connections in use, and the most there can be.
    pub(super) fn connections(&self) -> (usize, usize) {
        (self.most - self.places.available_permits(), self.most)
    }

    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // After a restart of the server all are closed.
        while let Some(connection) = idle.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    fn give(&self, connection: Connection) {
        if !connection.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(connection);
        }
    }
}

impl Pooled {
    /// The rows of a statement.
    pub(super) async fn query<T: Decode>(
        &mut self,
        scope: Scope,
        (sql, values): (&str, &[Value]),
    ) -> Result<Vec<T>, Error> {
        self.waits = true;
        let connection = self.connection.as_mut().ok_or(Error::Closed)?;
        let answer = timeout(
            self.pool.server.patience(),
            connection.query(scope, (sql, values)),
        );
        let answer = answer.await;
        self.answered(sql, answer)
    }

    /// Runs a statement, and returns how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        scope: Scope,
        (sql, values): (&str, &[Value]),
    ) -> Result<u64, Error> {
        self.waits = true;
        let connection = self.connection.as_mut().ok_or(Error::Closed)?;
        let answer = timeout(
            self.pool.server.patience(),
            connection.execute(scope, (sql, values)),
        )
        .await;
        self.answered(sql, answer)
    }

    /// Runs statements of this room, which have no values.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.waits = true;
        let connection = self.connection.as_ref().ok_or(Error::Closed)?;
        let answer = timeout(self.pool.server.patience(), connection.batch(sql)).await;
        self.answered(sql, answer)
    }

    /// The server's plan for a statement, in JSON. It runs nothing.
    pub(super) async fn plan_of(&mut self, sql: &str) -> Result<String, Error> {
        self.waits = true;
        let connection = self.connection.as_ref().ok_or(Error::Closed)?;
        let answer = timeout(self.pool.server.patience(), connection.plan_of(sql)).await;
        self.answered(sql, answer)
    }

    fn answered<T>(
        &mut self,
        sql: &str,
        answer: Result<Result<T, Error>, Elapsed>,
    ) -> Result<T, Error> {
        let Ok(answer) = answer else {
            return Err(Error::ConnectionLost {
                why: "the server does not respond".to_owned(),
            });
        };
        self.waits = false;
        if let (Err(Error::TablesChanged), Some(connection)) = (&answer, &mut self.connection) {
            connection.forget(sql);
        }
        answer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !self.waits && !self.in_transaction {
            self.pool.give(connection);
            return;
        }
        // Without a runtime the connection is closed, and the server rolls back.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (pool, place) = (Arc::clone(&self.pool), self.place.take());
        runtime.spawn(async move {
            if let Some(connection) = tidied(&pool.server, connection).await {
                pool.give(connection);
            }
            drop(place);
        });
    }
}

/// A connection without a running statement and without an open transaction. None if the server does not answer: the connection
/// is then closed.
async fn tidied(server: &Server, connection: Connection) -> Option<Connection> {
    // It is answered after everything that was sent before it.
    if timeout(ABANDONED, connection.batch("")).await.is_err() {
        server.cancel(connection.cancel_token()).await;
        // The server may stop a later statement of the same connection, so it gets none.
        return None;
    }
    // The server rolls nothing back if nothing is open, and says so in a notice.
    let done = timeout(server.patience(), connection.batch("ROLLBACK")).await;
    matches!(done, Ok(Ok(()))).then_some(connection)
}
