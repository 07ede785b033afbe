//! One connection, with its statements prepared once.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures_util::{TryStreamExt, future::join3, pin_mut};
use sea_orm::Value;
use tokio_postgres::{
    CancelToken, Client, CopyInSink, RowStream, SimpleQueryMessage, Statement, error::SqlState,
    types::ToSql,
};

use super::{
    explained::{PlanText, Sample},
    lock, statement,
    value::{Cell, bind, is_read, kind_of},
};
use crate::database::{
    Error,
    models::{ColumnPlan, Models},
    row::{Cells, Decode},
};

/// The number of prepared statements that each connection keeps.
const PREPARED: usize = 256;

/// The server's answers to a statement whose values need a type.
const UNTYPED: [SqlState; 5] = [
    SqlState::AMBIGUOUS_FUNCTION,
    SqlState::AMBIGUOUS_PARAMETER,
    SqlState::DATATYPE_MISMATCH,
    SqlState::INDETERMINATE_DATATYPE,
    SqlState::UNDEFINED_FUNCTION,
];

/// Where a statement runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// By itself.
    Alone,
    /// In the open transaction.
    InTransaction,
    /// In a transaction of its own, beside those of others.
    OwnTransaction,
}

/// A connection of one caller at a time.
pub(super) struct Connection {
    client: Client,
    prepared: HashMap<Box<str>, Prepared>,
    /// The tables and columns of the server's numbers for them.
    relations: HashMap<u32, Arc<Relation>>,
    models: Arc<Models>,
    /// The version of the models at which the statements were prepared.
    prepared_at: usize,
}

struct Prepared {
    statement: Statement,
    plan: Option<Arc<ColumnPlan>>,
}

/// A table's name and those of its columns, by their numbers.
#[derive(Debug)]
struct Relation {
    name: String,
    columns: HashMap<i16, String>,
}

impl Connection {
    pub(super) fn new(client: Client, models: &Arc<Models>) -> Self {
        Self {
            client,
            prepared: HashMap::new(),
            relations: HashMap::new(),
            models: Arc::clone(models),
            prepared_at: 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// Whether the server refuses changes on this connection.
    pub(super) async fn only_reads(&mut self) -> Result<bool, Error> {
        let ask = "SELECT current_setting('default_transaction_read_only') = 'on'";
        let rows = self.client.query(ask, &[]).await?;
        Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
    }

    /// The mark of the session behind this connection, as a text protocol without prepared statements returns it.
    pub(super) async fn mark(&self) -> Result<Option<String>, Error> {
        let ask = "SELECT current_setting('dewar.session', true)";
        let found = self.client.simple_query(ask).await?;
        Ok(found.iter().find_map(|message| {
            let SimpleQueryMessage::Row(row) = message else {
                return None;
            };
            row.get(0).map(str::to_owned)
        }))
    }

    /// The rows of a statement.
    pub(super) async fn query<T: Decode>(
        &mut self,
        scope: Scope,
        (sql, values): (&str, &[Value]),
    ) -> Result<Vec<T>, Error> {
        let statement = self.prepare(scope, (sql, values)).await?;
        let plan = if T::MODELLED {
            self.plan(sql, &statement).await?
        } else {
            ColumnPlan::of_literal(statement.columns().iter().map(|column| column.name()))
        };
        let bound = bind(statement.params(), values)?;
        let found = async {
            let rows = self.client.query_raw(&statement, bound).await?;
            pin_mut!(rows);
            let mut found = Vec::new();
            while let Some(row) = rows.try_next().await? {
                found.push(T::decode(&plan, &row)?);
            }
            Ok(found)
        };
        let found = match scope {
            Scope::OwnTransaction => self.in_one_turn(found).await?,
            Scope::Alone | Scope::InTransaction => found.await?,
        };
        self.models.cost.add(sql, 0);
        Ok(found)
    }

    /// A statement in a transaction of its own. All is sent at once, so it takes as long as the statement alone. If the beginning
    /// fails, the server runs nothing of it.
    async fn in_one_turn<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        // They are polled, and so sent, in this order.
        let (begun, done, committed) = join3(
            self.client.batch_execute(lock::TOGETHER),
            work,
            self.client.batch_execute("COMMIT"),
        )
        .await;
        begun.map_err(|error| Error::from(error).of_the_lock())?;
        let done = done?;
        committed?;
        Ok(done)
    }

    /// Runs a statement, and returns how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        scope: Scope,
        (sql, values): (&str, &[Value]),
    ) -> Result<u64, Error> {
        let statement = self.prepare(scope, (sql, values)).await?;
        if !statement.columns().is_empty() {
            return Err(Error::refused("the statement returns rows: use `query`"));
        }
        let bound = bind(statement.params(), values)?;
        let work = async { Ok(self.client.execute_raw(&statement, bound).await?) };
        match scope {
            Scope::OwnTransaction => self.in_one_turn(work).await,
            Scope::Alone | Scope::InTransaction => work.await,
        }
    }

    /// Runs statements of this room, which have no values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Error> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Begins to fill a table.
    pub(super) async fn copy_in(&self, sql: &str) -> Result<CopyInSink<Bytes>, Error> {
        Ok(self.client.copy_in(sql).await?)
    }

    /// The server's plan for a statement, in JSON. It runs nothing.
    pub(super) async fn plan_of(&self, sql: &str) -> Result<String, Error> {
        let text = format!("EXPLAIN (FORMAT JSON) {}", statement::statement(sql));
        let statement = self.client.prepare(&text).await?;
        let samples = statement.params().iter().map(|_| Sample);
        let rows = self.client.query_raw(&statement, samples);
        let rows: Vec<_> = rows.await?.try_collect().await?;
        let plan: Option<PlanText> = rows.first().map(|row| row.try_get(0)).transpose()?;
        Ok(plan.map(|plan| plan.0).unwrap_or_default())
    }

    /// The rows of a statement of this room, one by one.
    pub(super) async fn stream(&self, sql: &str) -> Result<RowStream, Error> {
        let none: [&(dyn ToSql + Sync); 0] = [];
        Ok(self.client.query_raw(sql, none).await?)
    }

    /// Forgets a statement, because the tables have changed since it was prepared.
    pub(super) fn forget(&mut self, sql: &str) {
        self.prepared.remove(sql);
        self.relations.clear();
    }

    async fn prepare(
        &mut self,
        scope: Scope,
        (sql, values): (&str, &[Value]),
    ) -> Result<Statement, Error> {
        let changes = self.models.changes();
        if self.prepared_at != changes {
            self.prepared.clear();
            self.relations.clear();
            self.prepared_at = changes;
        }
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.statement.clone());
        }
        if !statement::is_single(sql) {
            return Err(Error::several());
        }
        // A statement that cannot be prepared would end the transaction.
        let in_transaction = matches!(scope, Scope::InTransaction);
        if in_transaction {
            self.client.batch_execute("SAVEPOINT prepared").await?;
        }
        let text = statement::statement(sql);
        let mut prepared = self.client.prepare(&text).await;
        if in_transaction && prepared.is_err() {
            self.client.batch_execute("ROLLBACK TO prepared").await?;
        }
        // The statement does not tell the type of a value, or tells another, so the value does.
        let is_untyped =
            |error: &tokio_postgres::Error| error.code().is_some_and(|code| UNTYPED.contains(code));
        if prepared.as_ref().is_err_and(is_untyped) {
            let kinds: Vec<_> = values.iter().map(kind_of).collect::<Result<_, _>>()?;
            prepared = self.client.prepare_typed(&text, &kinds).await;
        }
        let statement = prepared.map_err(|error| Error::from(error).of_statement(sql, values))?;
        // After the server has read it, so that a misspelled word is its own error.
        if !statement::is_of_rows(sql) {
            return Err(Error::not_of_rows());
        }
        if in_transaction {
            self.client.batch_execute("RELEASE prepared").await?;
        }
        // Before the statement runs: what it wrote would stay, although nobody can read what it returns.
        let unread = statement
            .columns()
            .iter()
            .find(|column| !is_read(column.type_()));
        if let Some(column) = unread {
            return Err(unread_column(column.name(), column.type_().name()));
        }
        self.models.cost.note_unexplained(sql);
        if self.prepared.len() >= PREPARED {
            self.prepared.clear();
        }
        let prepared = Prepared {
            statement: statement.clone(),
            plan: None,
        };
        self.prepared.insert(sql.into(), prepared);
        Ok(statement)
    }

    /// How the columns of a statement are read.
    async fn plan(&mut self, sql: &str, statement: &Statement) -> Result<Arc<ColumnPlan>, Error> {
        let known = self.prepared.get(sql).and_then(|known| known.plan.clone());
        if let Some(plan) = known {
            return Ok(plan);
        }
        let mut columns = Vec::with_capacity(statement.columns().len());
        for column in statement.columns() {
            let origin = match (column.table_oid(), column.column_id()) {
                (Some(table), Some(number)) => {
                    let relation = self.relation(table).await?;
                    let name = relation.columns.get(&number).cloned();
                    name.map(|name| (relation.name.clone(), name))
                }
                _ => None,
            };
            columns.push((column.name().to_owned(), origin));
        }
        let plan = Arc::new(self.models.plan_of(columns)?);
        if let Some(prepared) = self.prepared.get_mut(sql) {
            prepared.plan = Some(Arc::clone(&plan));
        }
        Ok(plan)
    }

    async fn relation(&mut self, table: u32) -> Result<Arc<Relation>, Error> {
        if let Some(known) = self.relations.get(&table) {
            return Ok(Arc::clone(known));
        }
        let find = "SELECT c.relname::text, a.attnum, a.attname::text FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = $1 AND a.attnum > 0";
        let rows = self.client.query(find, &[&table]).await?;
        let mut relation = Relation {
            name: String::new(),
            columns: HashMap::new(),
        };
        for row in rows {
            relation.name = row.try_get(0)?;
            relation.columns.insert(row.try_get(1)?, row.try_get(2)?);
        }
        let relation = Arc::new(relation);
        self.relations.insert(table, Arc::clone(&relation));
        Ok(relation)
    }
}

fn unread_column(column: &str, kind: &str) -> Error {
    Error::refused(format!(
        "the column `{column}` is a `{kind}`, which Dewar does not read: write `CAST(… AS TEXT)` in the statement"
    ))
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Cells for tokio_postgres::Row {
    fn count(&self) -> usize {
        self.len()
    }

    fn cell(&self, index: usize) -> Result<rusqlite::types::ValueRef<'_>, Error> {
        let cell: Cell<'_> = self.try_get(index)?;
        Ok(cell.0)
    }
}
