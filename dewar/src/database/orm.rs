//! `Db` and `Tx` as SeaORM's connections.

use std::{borrow::Cow, fmt, future::Future, pin::Pin};

use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, ProxyExecResult,
    QueryResult, Statement, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait, Value,
};

use super::{Db, Engine, Error, Tx};

/// SeaORM's name for an engine.
const fn backend(engine: Engine) -> DbBackend {
    match engine {
        Engine::Postgres => DbBackend::Postgres,
        Engine::Sqlite => DbBackend::Sqlite,
    }
}

/// The text and the values of a statement that SeaORM built. It refuses hand-made text, which has no list of values.
fn built(engine: Engine, statement: Statement) -> Result<(Cow<'static, str>, Vec<Value>), Error> {
    if statement.db_backend != backend(engine) {
        return Err(Error::refused(
            "the statement was built for another database",
        ));
    }
    let Some(values) = statement.values else {
        return Err(Error::refused(
            "the statement has no list of values, so it was written by hand: use `Db::query` or `Db::execute` with a \
             literal, and a migration for tables",
        ));
    };
    Ok((Cow::Owned(statement.sql), values.0))
}

fn unprepared() -> DbErr {
    Error::refused("use a literal with bound values: `Db::execute`").into()
}

fn outcome((rows, last_id): (u64, i64)) -> ExecResult {
    ProxyExecResult::new(last_id.cast_unsigned(), rows).into()
}

macro_rules! connection {
    ($type:ty) => {
        #[async_trait::async_trait]
        impl ConnectionTrait for $type {
            fn get_database_backend(&self) -> DbBackend {
                backend(self.engine())
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                let (sql, values) = built(self.engine(), statement)?;
                Ok(outcome(self.change(sql, values).await?))
            }

            /// Refused, because it takes any text.
            async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
                Err(unprepared())
            }

            async fn query_one_raw(
                &self,
                statement: Statement,
            ) -> Result<Option<QueryResult>, DbErr> {
                let (sql, values) = built(self.engine(), statement)?;
                Ok(self.rows(sql, values).await?.into_iter().next())
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                let (sql, values) = built(self.engine(), statement)?;
                Ok(self.rows(sql, values).await?)
            }
        }

        #[async_trait::async_trait]
        impl TransactionTrait for $type {
            type Transaction = Tx;

            async fn begin(&self) -> Result<Tx, DbErr> {
                Ok(self.start().await?)
            }

            async fn begin_with_config(
                &self,
                _: Option<IsolationLevel>,
                access: Option<AccessMode>,
            ) -> Result<Tx, DbErr> {
                writes(access)?;
                Ok(self.start().await?)
            }

            async fn begin_with_options(&self, options: TransactionOptions) -> Result<Tx, DbErr> {
                writes(options.access_mode)?;
                Ok(self.start().await?)
            }

            async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(&'c Tx) -> Work<'c, T, E> + Send,
                T: Send,
                E: fmt::Display + fmt::Debug + Send,
            {
                run(TransactionTrait::begin(self).await, callback).await
            }

            async fn transaction_with_config<F, T, E>(
                &self,
                callback: F,
                isolation: Option<IsolationLevel>,
                access: Option<AccessMode>,
            ) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(&'c Tx) -> Work<'c, T, E> + Send,
                T: Send,
                E: fmt::Display + fmt::Debug + Send,
            {
                run(self.begin_with_config(isolation, access).await, callback).await
            }
        }
    };
}

type Work<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

connection!(Db);
connection!(Tx);

#[async_trait::async_trait]
impl TransactionSession for Tx {
    async fn commit(self) -> Result<(), DbErr> {
        Ok(Self::commit(self).await?)
    }

    async fn rollback(self) -> Result<(), DbErr> {
        Ok(Self::rollback(self).await?)
    }
}

/// Every isolation level is guaranteed, because nobody writes beside a transaction. A read-only transaction is not,
/// so it is refused.
fn writes(access: Option<AccessMode>) -> Result<(), Error> {
    match access {
        Some(AccessMode::ReadOnly) => {
            Err(Error::refused("a read-only transaction: read with `Db`"))
        }
        Some(AccessMode::ReadWrite) | None => Ok(()),
    }
}

async fn run<F, T, E>(begun: Result<Tx, DbErr>, callback: F) -> Result<T, TransactionError<E>>
where
    F: for<'c> FnOnce(&'c Tx) -> Work<'c, T, E> + Send,
    E: fmt::Display + fmt::Debug,
{
    let tx = begun.map_err(TransactionError::Connection)?;
    let done = callback(&tx).await;
    let connection = |error: Error| TransactionError::Connection(error.into());
    match done {
        Ok(done) => {
            tx.commit().await.map_err(connection)?;
            Ok(done)
        }
        Err(error) => {
            tx.rollback().await.map_err(connection)?;
            Err(TransactionError::Transaction(error))
        }
    }
}

impl Db {
    async fn start(&self) -> Result<Tx, Error> {
        self.begin().await
    }
}

impl Tx {
    async fn start(&self) -> Result<Self, Error> {
        self.begin_nested().await
    }
}
