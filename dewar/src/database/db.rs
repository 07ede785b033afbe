//! The database handle of handlers.

use std::{
    borrow::Cow,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sea_orm::Value;

use crate::audit::Finding;

use super::tally::Timed;
use super::{
    Config, Error, Literal, Location, Migration, PostgresServer, Row, Table, Tx,
    models::Models,
    postgres::{ATTEMPTS, Postgres, wait},
    row::Decode,
    sqlite::{Sqlite, version::DataVersion},
    tx::OpenTx,
};

/// The application's database. Cheap to clone; every clone is the same database.
///
/// SeaORM's models take it wherever they take a connection; [`query`](Self::query) and
/// [`execute`](Self::execute) take SQL literals with bound values.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), dewar::database::Error> {
/// use dewar::database::{Db, Migration};
///
/// let db = Db::temporary()?;
/// db.migrate(&[Migration::new("notes_0001", "CREATE TABLE notes (title TEXT NOT NULL) STRICT")])
///     .await?;
/// db.execute("INSERT INTO notes (title) VALUES (?)", ["Milk".into()]).await?;
/// let rows = db.query("SELECT title FROM notes", []).await?;
/// # assert_eq!(rows[0].get::<String>(0)?, "Milk");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    /// Whether it is the framework's own handle, which also writes while a request only reads.
    pub(super) is_the_frameworks: bool,
}

struct Inner {
    backend: Backend,
    models: Arc<Models>,
    statements: AtomicU64,
}

/// The engine with its connections.
pub(super) enum Backend {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// The engine of a database.
///
/// ```
/// # async fn sum(db: dewar::Db) {
/// use dewar::database::Engine;
/// let now = match db.engine() {
///     Engine::Postgres => "SELECT CAST(extract(epoch FROM now()) AS bigint)",
///     Engine::Sqlite => "SELECT unixepoch()",
/// };
/// # let _ = db.query(now, []).await;
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a statement in each spelling is for these two"
)]
pub enum Engine {
    /// A PostgreSQL server.
    Postgres,
    /// A file of SQLite.
    Sqlite,
}

impl Db {
    /// Opens the database file. If it is missing, makes it, readable for its owner alone.
    ///
    /// Another SQLite connection of the same process, such as one of `rusqlite`, has to be closed before the last clone of this
    /// value: a process that closes a file loses its locks on it (POSIX).
    ///
    /// # Errors
    /// [`Error::Open`] if the file cannot be made or opened, or is not a database.
    pub fn open(path: &Path, config: &Config) -> Result<Self, Error> {
        let models = Arc::default();
        let sqlite = Sqlite::open(path, config, &models)?;
        Ok(Self::of(Backend::Sqlite(sqlite), models))
    }

    /// Opens an existing database for reading, for commands. It makes no file beside it and changes no table, and a
    /// statement that would change a row fails.
    ///
    /// # Errors
    /// [`Error::Open`] if the file is missing, or is not a database.
    pub(crate) fn open_to_read(path: &Path, config: &Config) -> Result<Self, Error> {
        let models = Arc::default();
        let sqlite = Sqlite::open_to_read(path, config, &models)?;
        Ok(Self::of(Backend::Sqlite(sqlite), models))
    }

    /// A database of a PostgreSQL server. Connections are opened when they are needed, so this waits for nothing.
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), dewar::database::Error> {
    /// use dewar::database::{Config, Db, Location};
    /// let Some(Location::Postgres(server)) = Location::parse("postgres://portal@localhost/portal") else {
    ///     unreachable!("the address is right");
    /// };
    /// let db = Db::connect(&server, &Config::default());
    /// db.query("SELECT 1", []).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn connect(server: &PostgresServer, config: &Config) -> Self {
        let models = Arc::default();
        let postgres = Postgres::new(server, config, &models);
        Self::of(Backend::Postgres(postgres), models)
    }

    /// A database for a test.
    ///
    /// It is a file of SQLite, deleted with the last clone. If the variable `TEST_DATABASE_URL` has the address of a
    /// PostgreSQL database, it is a new schema in that database instead, which stays there.
    ///
    /// # Errors
    /// [`Error::Open`] if the folder for temporary files cannot be written; [`Error::Refused`] for a wrong address.
    pub fn temporary() -> Result<Self, Error> {
        if let Some(server) = super::test_database::fresh()? {
            return Ok(Self::connect(&server, &Config::default()));
        }
        Self::temporary_file()
    }

    /// A file of SQLite that is deleted with the last clone.
    pub(crate) fn temporary_file() -> Result<Self, Error> {
        let models = Arc::default();
        let sqlite = Sqlite::temporary(&Config::default(), &models)?;
        Ok(Self::of(Backend::Sqlite(sqlite), models))
    }

    /// The database at this place. A relative path starts in this directory.
    pub(crate) fn at(location: &Location, data: &Path, config: &Config) -> Result<Self, Error> {
        match location {
            Location::Sqlite(path) => Self::open(&data.join(path), config),
            Location::Postgres(server) => Ok(Self::connect(server, config)),
        }
    }

    fn of(backend: Backend, models: Arc<Models>) -> Self {
        Self {
            inner: Arc::new(Inner {
                backend,
                models,
                statements: AtomicU64::new(0),
            }),
            is_the_frameworks: false,
        }
    }

    /// The engine: for a statement that each engine writes in its own way.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.inner.backend {
            Backend::Postgres(_) => Engine::Postgres,
            Backend::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(super) fn backend(&self) -> &Backend {
        &self.inner.backend
    }

    /// The rows of a literal query.
    ///
    /// # Errors
    /// [`Error::TimedOut`] past the statement timeout; otherwise the engine's error.
    pub async fn query(
        &self,
        sql: impl Literal,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Row>, Error> {
        let sql = sql.text(self.engine());
        self.rows(Cow::Borrowed(sql), values.into_iter().collect())
            .await
    }

    /// Runs a literal statement, and returns how many rows it changed.
    ///
    /// # Errors
    /// The violated constraint, as its own variant; [`Error::Busy`] if another writer does not end; [`Error::Refused`]
    /// for a statement that changes tables or settings.
    pub async fn execute(
        &self,
        sql: impl Literal,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Error> {
        let values: Vec<_> = values.into_iter().collect();
        let sql = sql.text(self.engine());
        Ok(self.change(Cow::Borrowed(sql), values).await?.0)
    }

    /// Begins a transaction. Nobody else writes until it is committed or dropped, on any node. Dropping it rolls it back.
    ///
    /// For work that many do at the same time, [`transaction`](Self::transaction) lets others write beside it on PostgreSQL.
    ///
    /// # Errors
    /// [`Error::Busy`] if another writer does not end.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.may_change()?;
        let open = match self.backend() {
            Backend::Postgres(postgres) => {
                OpenTx::Postgres(Box::new(Box::pin(postgres.begin_alone()).await?))
            }
            Backend::Sqlite(sqlite) => OpenTx::Sqlite(sqlite.hold().await?),
        };
        Tx::begin(self.clone(), open).await
    }

    async fn begin_together(&self) -> Result<Tx, Error> {
        self.may_change()?;
        let Backend::Postgres(postgres) = self.backend() else {
            return self.begin().await;
        };
        let open = OpenTx::Postgres(Box::new(Box::pin(postgres.begin_together()).await?));
        Tx::begin(self.clone(), open).await
    }

    /// Does this work in a transaction: commits if it returns `Ok`, and rolls back otherwise.
    ///
    /// On PostgreSQL others write at the same time (`SERIALIZABLE`), and one of them can get in the way. The work is then done
    /// again, up to ten times, so it must only read and change rows; put what must happen once into
    /// [`after_commit`](Tx::after_commit). Borrow a value that the work uses first (`let title = &title;`), because each attempt
    /// needs it.
    ///
    /// ```
    /// # async fn move_note(db: dewar::database::Db, id: i64) -> Result<(), dewar::database::Error> {
    /// use dewar::database::Error;
    ///
    /// db.transaction(|tx| async move {
    ///     let rows = tx.query("SELECT folder FROM notes WHERE id = ?", [id.into()]).await?;
    ///     let folder: i64 = rows.first().ok_or(Error::NotFound)?.get(0)?;
    ///     tx.execute("UPDATE folders SET notes = notes - 1 WHERE id = ?", [folder.into()]).await?;
    ///     tx.execute("DELETE FROM notes WHERE id = ?", [id.into()]).await
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The work's own error; [`Error::Conflict`] after the last attempt; as [`begin`](Self::begin) and [`Tx::commit`].
    pub async fn transaction<T, E, W, F>(&self, work: W) -> Result<T, E>
    where
        E: From<Error>,
        W: Fn(Arc<Tx>) -> F,
        F: Future<Output = Result<T, E>>,
    {
        let mut attempt = 0;
        loop {
            let tx = Arc::new(self.begin_together().await?);
            let done = work(Arc::clone(&tx)).await;
            let Some(tx) = Arc::into_inner(tx) else {
                return Err(Error::refused(
                    "the work returned while a part of it still had the transaction",
                )
                .into());
            };
            let had_conflict = tx.had_conflict();
            let failed = match done {
                Ok(done) => match tx.commit().await {
                    Ok(()) => return Ok(done),
                    Err(error) => (had_conflict || error.may_be_repeated(), error.into()),
                },
                Err(error) => {
                    tx.rollback().await?;
                    (had_conflict, error)
                }
            };
            if !failed.0 || attempt == ATTEMPTS {
                return Err(failed.1);
            }
            attempt += 1;
            wait(attempt).await;
        }
    }

    /// Brings the tables up to date: applies the `migrations` that are not applied yet, each in one transaction
    /// together with its record. Returns their names.
    ///
    /// # Errors
    /// [`Error::Migration`] for one that fails and leaves nothing; [`Error::MigrationChanged`] and
    /// [`Error::MigrationUnknown`] before anything is done.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<&'static str>, Error> {
        match self.backend() {
            Backend::Postgres(postgres) => postgres.migrate(migrations).await,
            Backend::Sqlite(sqlite) => sqlite.migrate(migrations.to_vec()).await,
        }
    }

    /// The names of the migrations that [`migrate`](Self::migrate) would apply.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migrations_pending(
        &self,
        migrations: &[Migration],
    ) -> Result<Vec<&'static str>, Error> {
        match self.backend() {
            Backend::Postgres(postgres) => postgres.migrations_pending(migrations).await,
            Backend::Sqlite(sqlite) => sqlite.migrations_pending(migrations.to_vec()).await,
        }
    }

    /// Registers the models that SeaORM will read, after the migrations. It compares each with its table. SeaORM cannot
    /// read a model that is not registered.
    ///
    /// # Errors
    /// [`Error::Models`] names every column that is missing or of another type.
    pub async fn register(&self, tables: &[Table]) -> Result<(), Error> {
        let problems = match self.backend() {
            Backend::Postgres(postgres) => postgres.problems(tables).await?,
            Backend::Sqlite(sqlite) => sqlite.problems(tables.to_vec()).await?,
        };
        if !problems.is_empty() {
            return Err(Error::Models { problems });
        }
        for table in tables {
            self.inner.models.add(table);
        }
        Ok(())
    }

    /// Writes a consistent copy of the whole database to a new file, readable for its owner alone, while the application runs.
    ///
    /// # Errors
    /// [`Error::Open`] if the file exists already or cannot be made.
    pub async fn backup_to(&self, path: &Path) -> Result<(), Error> {
        match self.backend() {
            Backend::Postgres(_) => {
                Err(Error::refused("use `pg_dump` for a database of PostgreSQL"))
            }
            Backend::Sqlite(sqlite) => sqlite.backup_to(path).await,
        }
    }

    /// Gives the role of run time its rights, if another role owns the tables. Before anything is read at a start.
    ///
    /// # Errors
    /// The server's.
    pub(crate) async fn give_access(&self) -> Result<(), Error> {
        match self.backend() {
            Backend::Postgres(postgres) => postgres.give_access().await,
            Backend::Sqlite(_) => Ok(()),
        }
    }

    /// The faults of the database's file: damage, and rows that refer to missing ones. A server checks its own files.
    ///
    /// # Errors
    /// If it cannot be read at all.
    pub(crate) async fn faults(&self) -> Result<Vec<String>, Error> {
        match self.backend() {
            Backend::Postgres(_) => Err(Error::refused(
                "a server checks its own files: `pg_amcheck`, and `data_checksums` when its cluster is made",
            )),
            Backend::Sqlite(sqlite) => sqlite.faults().await,
        }
    }

    /// How many statements were run. The difference of two calls is the cost of a request, for a test.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    /// The connections in use, and the most there can be.
    pub(crate) fn connections(&self) -> (usize, usize) {
        match self.backend() {
            Backend::Postgres(postgres) => postgres.connections(),
            Backend::Sqlite(sqlite) => sqlite.connections(),
        }
    }

    /// How many steps SQLite's virtual machine has made for completed queries. The difference of two calls is the cost
    /// of a page on any machine: a test compares it with few records and with many.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dewar::database::Error> {
    /// # let db = dewar::Db::temporary()?;
    /// let before = db.steps();
    /// db.query("SELECT 1", []).await?;
    /// assert!(db.steps() - before < 20);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.inner.models.cost.steps()
    }

    /// Asks PostgreSQL for the plans of new searches; SQLite counts while they run.
    ///
    /// # Errors
    /// The server does not answer.
    pub(crate) async fn explain_searches(&self) -> Result<(), Error> {
        match self.backend() {
            Backend::Postgres(postgres) => postgres.explain_searches().await,
            Backend::Sqlite(_) => Ok(()),
        }
    }

    /// The findings about searches that read a whole table, so far. SQLite counts what a statement reads without an index;
    /// PostgreSQL says it in its plan, which Dewar asks for later.
    pub(crate) fn search_findings(&self) -> Vec<Finding> {
        self.inner.models.cost.findings()
    }

    /// The texts of the completed queries since the last call, each once: for a test that checks SQLite's plan for them
    /// (`EXPLAIN QUERY PLAN`).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dewar::database::Error> {
    /// # let db = dewar::Db::temporary()?;
    /// db.query("SELECT 1", []).await?;
    /// assert!(db.queries_seen().contains("SELECT 1"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn queries_seen(&self) -> std::collections::BTreeSet<String> {
        self.inner.models.cost.take_reads()
    }

    /// The version of the database: a value that was read at this version is still in it as long as the version is the same. None
    /// if it is not known, or is just changing.
    pub(crate) fn version(&self) -> Option<DataVersion> {
        match self.backend() {
            Backend::Postgres(_) => None,
            Backend::Sqlite(sqlite) => sqlite.version(),
        }
    }

    pub(crate) fn count(&self) {
        self.inner.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rows<T: Decode>(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<T>, Error>> {
        let timed = Timed::begin(&sql);
        Timed::run(timed, self.rows_of(sql, values))
    }

    async fn rows_of<T: Decode>(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        self.count();
        match self.backend() {
            // Boxed, so that a request on SQLite has no room for it.
            Backend::Postgres(postgres) => Box::pin(postgres.rows(self, &sql, &values)).await,
            Backend::Sqlite(sqlite) => sqlite.rows(self, sql, values).await,
        }
    }

    /// Runs a statement, and returns how many rows it changed, and the id of the last new row where the engine tells it.
    pub(crate) fn change(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<(u64, i64), Error>> {
        let timed = Timed::begin(&sql);
        Timed::run(timed, self.change_of(sql, values))
    }

    async fn change_of(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<(u64, i64), Error> {
        self.count();
        self.may_change()?;
        self.change_aside(sql, values).await
    }

    /// A change outside of any request, which does not count for a request's cost.
    pub(super) async fn change_aside(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<(u64, i64), Error> {
        match self.backend() {
            Backend::Postgres(postgres) => {
                let rows = Box::pin(postgres.change(&sql, &values)).await?;
                Ok((rows, 0))
            }
            Backend::Sqlite(sqlite) => sqlite.change(sql, values).await,
        }
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("statements", &self.statements())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_query_costs_grows_with_its_rows() {
        let db = Db::temporary_file().unwrap();
        let cost = async |sql: &'static str| {
            let before = db.steps();
            db.query(sql, []).await.unwrap();
            db.steps() - before
        };
        let one = cost("SELECT 1").await;
        let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n";
        let (first, second) = (cost(many).await, cost(many).await);
        assert!(one > 0 && first > one + 100, "{one} {first}");
        assert_eq!(first, second);
    }
}
