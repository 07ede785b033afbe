//! An open transaction on its connection.

use sea_orm::Value;
use tokio::sync::{Mutex, MutexGuard};

use super::{Postgres, connection::Scope, pool::Pooled};
use crate::database::{Error, row::Decode};

/// A transaction. It holds the lock of its [kind](super::lock) until its end.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    connection: Mutex<Pooled>,
    /// The outermost dropped transaction inside this one. It is undone before the next statement, with those inside it.
    dropped: std::sync::Mutex<Option<usize>>,
}

impl OpenTransaction {
    pub(super) async fn begin(postgres: &Postgres, begin: &str) -> Result<Self, Error> {
        let mut connection = postgres.writers.take().await?;
        connection.in_transaction = true;
        let begun = connection.batch(begin).await;
        begun.map_err(Error::of_the_lock)?;
        Ok(Self {
            connection: Mutex::new(connection),
            dropped: std::sync::Mutex::default(),
        })
    }

    pub(crate) async fn rows<T: Decode>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<T>, Error> {
        let mut connection = self.ready().await?;
        connection.query(Scope::InTransaction, (sql, values)).await
    }

    pub(crate) async fn change(&self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        let mut connection = self.ready().await?;
        connection
            .execute(Scope::InTransaction, (sql, values))
            .await
    }

    pub(crate) async fn begin_nested(&self, level: usize) -> Result<(), Error> {
        self.own(&format!("SAVEPOINT level_{level}")).await
    }

    pub(crate) async fn commit(&self, level: usize) -> Result<(), Error> {
        if level > 1 {
            return self.own(&format!("RELEASE level_{level}")).await;
        }
        // In a transaction that failed, `COMMIT` alone rolls back and reports nothing; the statement before it reports it.
        let mut connection = self.ready().await?;
        connection.batch("SELECT 1; COMMIT").await?;
        connection.in_transaction = false;
        Ok(())
    }

    pub(crate) async fn rollback(&self, level: usize) -> Result<(), Error> {
        if level > 1 {
            return self.ready().await.map(drop);
        }
        let mut connection = self.connection.lock().await;
        connection.batch("ROLLBACK").await?;
        connection.in_transaction = false;
        Ok(())
    }

    /// Notes that a transaction inside this one was dropped.
    pub(crate) fn drop_nested(&self, level: usize) {
        if level == 1 {
            return;
        }
        let mut dropped = self.dropped.lock();
        if let Ok(dropped) = &mut dropped {
            **dropped = Some(dropped.map_or(level, |outer| outer.min(level)));
        }
    }

    async fn own(&self, sql: &str) -> Result<(), Error> {
        self.ready().await?.batch(sql).await
    }

    /// The connection, after the dropped transactions inside this one were undone.
    async fn ready(&self) -> Result<MutexGuard<'_, Pooled>, Error> {
        let mut connection = self.connection.lock().await;
        let dropped = match self.dropped.lock() {
            Ok(mut dropped) => dropped.take(),
            Err(_) => return Err(Error::RolledBack),
        };
        let Some(level) = dropped else {
            return Ok(connection);
        };
        connection
            .batch(&format!("ROLLBACK TO level_{level}; RELEASE level_{level}"))
            .await?;
        Ok(connection)
    }
}
