//! The database handle of handlers.

use std::{
    borrow::Cow,
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sea_orm::Value;
use tokio::sync::Mutex;

use super::{
    Config, Error, Literal, Migration, Row, Table, Tx, migrations,
    models::Models,
    sqlite::connection::{ConnectionPurpose, Decode, FileAccess, Handle, QueryOutcome, make_file},
    sqlite::readers::Readers,
    sqlite::version::{DataVersion, OpenFiles, VersionFile},
    sqlite::writer::{JobScope, Writer, WriterGuard, hold},
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
}

struct Inner {
    readers: Arc<Readers>,
    writer: Arc<Mutex<Writer>>,
    models: Arc<Models>,
    config: Config,
    statements: AtomicU64,
    /// The finished jobs of the writer.
    jobs: Arc<AtomicU64>,
    version: Option<Arc<VersionFile>>,
    /// Last, so that the readers are closed before the file is deleted.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "it takes effect when it is dropped")
    )]
    temporary: Option<Temporary>,
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
        make_file(path).map_err(|error| Error::Open {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        Self::open_file(path, FileAccess::ReadWrite, config, None)
    }

    /// Opens an existing database for reading, for commands. It makes no file beside it and changes no table, and a
    /// statement that would change a row fails.
    ///
    /// # Errors
    /// [`Error::Open`] if the file is missing, or is not a database.
    pub(crate) fn open_to_read(path: &Path, config: &Config) -> Result<Self, Error> {
        Self::open_file(path, FileAccess::ReadOnly, config, None)
    }

    /// A database for a test, in its own file, which is deleted with the last clone.
    ///
    /// # Errors
    /// [`Error::Open`] if the folder for temporary files cannot be written.
    pub fn temporary() -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("dewar-database-{}-{number}", std::process::id()));
        // Fails if another user made it first.
        make_folder(&folder).map_err(|error| Error::Open {
            path: folder.clone(),
            why: error.to_string(),
        })?;
        let path = folder.join("database.sqlite");
        let temporary = Temporary(folder);
        make_file(&path).map_err(|error| Error::Open {
            path: path.clone(),
            why: error.to_string(),
        })?;
        Self::open_file(
            &path,
            FileAccess::ReadWrite,
            &Config::default(),
            Some(temporary),
        )
    }

    fn open_file(
        path: &Path,
        access: FileAccess,
        config: &Config,
        temporary: Option<Temporary>,
    ) -> Result<Self, Error> {
        let unopened = |why: String| Error::Open {
            path: path.to_owned(),
            why,
        };
        let models = Arc::new(Models::default());
        let mut files = OpenFiles::hold();
        let mut handle = Handle::open(path, (ConnectionPurpose::Write, access), config, &models)
            .map_err(|error| unopened(error.to_string()))?;
        // SQLite reads a file only when it has to, and nothing here is written that would make it.
        let read = "SELECT count(*) FROM sqlite_schema";
        let tables = handle
            .connection
            .query_row(read, [], |row| row.get::<_, i64>(0));
        tables.map_err(|error| unopened(error.to_string()))?;
        let readers = Readers::open(path, access, config, &models)
            .map_err(|error| unopened(error.to_string()))?;
        let version = files
            .open(&handle)
            .map_err(|error| unopened(error.to_string()))?;
        let version = version.map(Arc::new);
        if let Some(version) = &version {
            handle.keep(version);
            readers.keep(version);
        }
        drop(files);
        let jobs = Arc::new(AtomicU64::new(0));
        let writer = Writer::start(handle, config.statement_timeout, &jobs)
            .map_err(|error| unopened(error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                readers: Arc::new(readers),
                writer,
                models,
                config: config.clone(),
                statements: AtomicU64::new(0),
                jobs,
                version,
                temporary,
            }),
        })
    }

    /// The rows of a literal query.
    ///
    /// # Errors
    /// [`Error::TimedOut`] past the statement timeout; otherwise SQLite's error.
    pub async fn query(
        &self,
        sql: impl Literal,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Row>, Error> {
        self.rows(Cow::Borrowed(sql.text()), values.into_iter().collect())
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
        Ok(self.change(Cow::Borrowed(sql.text()), values).await?.0)
    }

    /// Begins a transaction. It holds the only writer until it is committed or dropped. Dropping it rolls it back.
    ///
    /// # Errors
    /// [`Error::Busy`] if another writer does not end.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Tx::begin(self.clone(), self.hold().await?).await
    }

    /// Brings the tables up to date: applies the `migrations` that are not applied yet, each in one transaction
    /// together with its record. Returns their names.
    ///
    /// # Errors
    /// [`Error::Migration`] for one that fails and leaves nothing; [`Error::MigrationChanged`] and
    /// [`Error::MigrationUnknown`] before anything is done.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<&'static str>, Error> {
        let migrations = migrations.to_vec();
        let models = Arc::clone(&self.inner.models);
        self.hold()
            .await?
            .run(move |handle| {
                let applied = migrations::apply(handle, &migrations);
                models.touch();
                applied
            })
            .await
    }

    /// The names of the migrations that [`migrate`](Self::migrate) would apply.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migrations_pending(
        &self,
        migrations: &[Migration],
    ) -> Result<Vec<&'static str>, Error> {
        let migrations = migrations.to_vec();
        self.hold()
            .await?
            .run(move |handle| migrations::pending(handle, &migrations))
            .await
    }

    /// Registers the models that SeaORM will read, after the migrations. It compares each with its table. SeaORM cannot
    /// read a model that is not registered.
    ///
    /// # Errors
    /// [`Error::Models`] names every column that is missing or of another type.
    pub async fn register(&self, tables: &[Table]) -> Result<(), Error> {
        let asked = tables.to_vec();
        let problems = self
            .hold()
            .await?
            .run(move |handle| {
                let mut problems = Vec::new();
                for table in &asked {
                    problems.extend(table.problems(&handle.connection)?);
                }
                Ok(problems)
            })
            .await?;
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
        let unopened = |why: &dyn fmt::Display| Error::Open {
            path: path.to_owned(),
            why: why.to_string(),
        };
        let text = path
            .to_str()
            .ok_or_else(|| unopened(&"its name is not UTF-8"))?
            .to_owned();
        if fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            return Err(unopened(&"the file exists already"));
        }
        make_file(path).map_err(|error| unopened(&error))?;
        self.hold()
            .await?
            .run(move |handle| handle.copy_to(&text))
            .await
    }

    /// How many statements were run. The difference of two calls is the cost of a request, for a test.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
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
        let jobs = self.inner.jobs.load(Ordering::Acquire);
        self.inner.version.as_ref()?.now(jobs)
    }

    pub(crate) fn count(&self) {
        self.inner.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) async fn rows<T: Decode>(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        self.count();
        if begins_like_a_read(&sql)
            && let QueryOutcome::Rows(rows) = self.inner.readers.query(&sql, &values).await?
        {
            return Ok(rows);
        }
        let held = self.hold().await?;
        held.statement(JobScope::Alone, sql, move |handle, sql| {
            handle.query_all(sql, &values)
        })
        .await
    }

    pub(crate) async fn change(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<(u64, i64), Error> {
        self.count();
        let held = self.hold().await?;
        held.statement(JobScope::Alone, sql, move |handle, sql| {
            handle.execute(sql, &values)
        })
        .await
    }

    /// A change outside of any request, which does not count for a request's cost.
    pub(super) async fn change_aside(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<(), Error> {
        let held = self.hold().await?;
        let job = move |handle: &mut Handle, sql: &str| handle.execute(sql, &values);
        held.statement(JobScope::Alone, Cow::Borrowed(sql), job)
            .await
            .map(drop)
    }

    pub(super) async fn hold(&self) -> Result<WriterGuard, Error> {
        hold(&self.inner.writer, self.inner.config.acquire_timeout).await
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("statements", &self.statements())
            .finish_non_exhaustive()
    }
}

/// Saves the readers from trying an INSERT; SQLite itself decides.
fn begins_like_a_read(sql: &str) -> bool {
    ["INSERT", "UPDATE", "DELETE", "REPLACE"]
        .iter()
        .all(|verb| {
            !sql.as_bytes()
                .get(..verb.len())
                .is_some_and(|b| b.eq_ignore_ascii_case(verb.as_bytes()))
        })
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// Deletes the folder of a temporary database.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a temporary database was not deleted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_change_is_not_given_to_a_reader() {
        for sql in [
            "INSERT INTO a",
            "insert into a",
            "Update a",
            "DELETE",
            "REPLACE INTO a",
        ] {
            assert!(!begins_like_a_read(sql), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "WITH a",
            " INSERT",
            "INSER",
            "",
            "\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert!(begins_like_a_read(sql), "{sql}");
        }
    }

    #[test]
    fn a_temporary_database_leaves_nothing() {
        let db = Db::temporary().unwrap();
        let folder = db.inner.temporary.as_ref().unwrap().0.clone();
        assert!(folder.join("database.sqlite").exists());
        let clone = db.clone();
        drop(db);
        assert!(folder.exists(), "a clone still needs it");
        drop(clone);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_is_its_owners_alone_and_is_made_once() {
        use std::os::unix::fs::PermissionsExt;
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a");
        make_folder(&folder).unwrap();
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let again = make_folder(&folder).unwrap_err();
        assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    }

    #[tokio::test]
    async fn what_a_query_costs_grows_with_its_rows() {
        let db = Db::temporary().unwrap();
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
