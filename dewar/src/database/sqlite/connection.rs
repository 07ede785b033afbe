//! One SQLite connection, hardened, with its statements prepared once.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags, StatementStatus, config::DbConfig};
use sea_orm::Value;

use super::{
    limits::{StatementLimits, StatementMode},
    version::VersionFile,
};
use crate::audit::owner_only;
use crate::database::{
    Config, Durability, Error, functions,
    models::{ColumnPlan, Models},
    row::Decode,
    value,
};

/// The number of prepared statements that each connection keeps.
const PREPARED: usize = 256;

/// How long SQLite itself waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// A connection of one thread.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) connection: Connection,
    pub(crate) limits: Arc<StatementLimits>,
    purpose: ConnectionPurpose,
    models: Arc<Models>,
    plans: HashMap<Box<str>, Arc<ColumnPlan>>,
    plans_of: usize,
    /// Last, so that it is closed after the connection.
    version: Option<Arc<VersionFile>>,
}

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionPurpose {
    Read,
    Write,
}

/// Whether the file may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileAccess {
    ReadOnly,
    ReadWrite,
}

/// The result of a query.
#[derive(Debug)]
pub(crate) enum QueryOutcome<T> {
    Rows(Vec<T>),
    /// It is not a read: the writer must run it.
    Writes,
}

impl Handle {
    pub(crate) fn open(
        path: &Path,
        (purpose, access): (ConnectionPurpose, FileAccess),
        config: &Config,
        models: &Arc<Models>,
    ) -> Result<Self, Error> {
        let connection = connect(path, access)?;
        harden(&connection, (purpose, access), config)?;
        functions::install(&connection)?;
        let limits = Arc::new(StatementLimits::default());
        limits.install(&connection)?;
        Ok(Self {
            connection,
            limits,
            purpose,
            models: Arc::clone(models),
            plans: HashMap::new(),
            plans_of: 0,
            version: None,
        })
    }

    /// Lets the connection not outlive this file.
    pub(crate) fn keep(&mut self, version: &Arc<VersionFile>) {
        self.version = Some(Arc::clone(version));
    }

    /// Runs a statement that gives rows; on a reading connection, only if it is a read.
    pub(crate) fn query<T: Decode>(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<QueryOutcome<T>, Error> {
        self.run_query(sql, values)
            .map_err(|error| error.of_statement(sql, values))
    }

    fn run_query<T: Decode>(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<QueryOutcome<T>, Error> {
        let of_models = T::MODELLED.then(|| self.plan(sql)).transpose()?;
        let mut statement = self.connection.prepare_cached(sql)?;
        let plan = of_models
            .unwrap_or_else(|| ColumnPlan::of_literal(statement.column_names().into_iter()));
        if self.purpose == ConnectionPurpose::Read && !statement.readonly() {
            return Ok(QueryOutcome::Writes);
        }
        value::bind(&mut statement, values)?;
        statement.reset_status(StatementStatus::VmStep);
        statement.reset_status(StatementStatus::FullscanStep);
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(T::decode(&plan, row)?);
            // Returning rows costs more than finding them, and SQLite's limit does not count that time.
            if found.len().is_multiple_of(32) && self.limits.expired() {
                return Err(Error::TimedOut);
            }
        }
        drop(rows);
        let steps = statement.reset_status(StatementStatus::VmStep);
        self.models.cost.add(sql, steps);
        let scanned = statement.reset_status(StatementStatus::FullscanStep);
        self.models.cost.note_search(sql, scanned);
        Ok(QueryOutcome::Rows(found))
    }

    /// Runs a statement that returns rows, even if it also writes.
    pub(crate) fn query_all<T: Decode>(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<T>, Error> {
        match self.query(sql, values)? {
            QueryOutcome::Rows(rows) => Ok(rows),
            QueryOutcome::Writes => Err(Error::refused("a read connection cannot write")),
        }
    }

    /// Runs a statement that changes rows. Returns how many, and the last row's id.
    pub(crate) fn execute(&self, sql: &str, values: &[Value]) -> Result<(u64, i64), Error> {
        self.run(sql, values)
            .map_err(|error| error.of_statement(sql, values))
    }

    fn run(&self, sql: &str, values: &[Value]) -> Result<(u64, i64), Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        value::bind(&mut statement, values)?;
        let changed = statement.raw_execute()?;
        Ok((changed as u64, self.connection.last_insert_rowid()))
    }

    /// Runs a statement of this room. It is not cached, because a cached `COMMIT` would then be found by the next
    /// caller who writes `COMMIT`.
    pub(crate) fn own(&self, sql: &'static str) -> Result<(), Error> {
        self.own_text(sql)
    }

    pub(crate) fn own_text(&self, sql: &str) -> Result<(), Error> {
        Ok(self.as_own(|connection| connection.execute_batch(sql))?)
    }

    fn as_own<T>(&self, run: impl FnOnce(&Connection) -> T) -> T {
        self.limits.set_mode(StatementMode::Own);
        let done = run(&self.connection);
        self.limits.set_mode(StatementMode::Running);
        done
    }

    /// Whether SQLite writes ahead to a log: it does not on every file system.
    pub(crate) fn has_write_ahead_log(&self) -> bool {
        let mode = self.as_own(|connection| {
            connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
        });
        mode.is_ok_and(|mode| mode == "wal")
    }

    /// Writes a consistent copy of everything to an existing empty file.
    pub(crate) fn copy_to(&self, path: &str) -> Result<(), Error> {
        self.as_own(|connection| connection.execute("VACUUM INTO ?", [path]))?;
        Ok(())
    }

    /// The faults that SQLite finds in the file: damage, and rows that refer to missing ones.
    pub(crate) fn faults(&self) -> Result<Vec<String>, Error> {
        let found = self.as_own(|connection| -> rusqlite::Result<Vec<String>> {
            let mut checked = connection.prepare("PRAGMA integrity_check(100)")?;
            let lines = checked.query_map([], |row| row.get::<_, String>(0))?;
            let mut found: Vec<_> = lines.collect::<Result<_, _>>()?;
            found.retain(|line| line != "ok");
            let mut checked = connection.prepare("PRAGMA foreign_key_check")?;
            let mut dangling = checked.query([])?;
            while let Some(row) = dangling.next()? {
                let (table, other): (String, String) = (row.get(0)?, row.get(2)?);
                found.push(format!(
                    "a row of `{table}` refers to a missing row of `{other}`"
                ));
            }
            Ok(found)
        });
        Ok(found?)
    }

    fn plan(&mut self, sql: &str) -> Result<Arc<ColumnPlan>, Error> {
        let changes = self.models.changes();
        if self.plans_of != changes || self.plans.len() > 2 * PREPARED {
            self.plans.clear();
            self.plans_of = changes;
        }
        if let Some(plan) = self.plans.get(sql) {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(self.models.plan(&self.connection, sql)?);
        self.plans.insert(sql.into(), Arc::clone(&plan));
        Ok(plan)
    }
}

/// The characters that a path may have unencoded in SQLite's URI.
const IN_A_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

fn connect(path: &Path, access: FileAccess) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    match access {
        FileAccess::ReadWrite => {
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
        }
        FileAccess::ReadOnly => {
            let flags = flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(uri(path), flags)
        }
    }
}

/// The file without changes. Even for a reading connection, SQLite makes the files of its journal, unless it knows that
/// nobody writes. If another process has the database open, a journal lies beside it.
fn uri(path: &Path) -> PathBuf {
    let absolute = fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    let absolute = absolute.unwrap_or_else(|_| path.to_owned());
    let name = percent_encode(absolute.as_os_str().as_bytes(), IN_A_URI);
    let end = if owner_only::beside(&absolute, "-wal").exists() {
        "mode=ro"
    } else {
        "mode=ro&immutable=1"
    };
    PathBuf::from(format!("file:{name}?{end}"))
}

fn harden(
    connection: &Connection,
    (purpose, access): (ConnectionPurpose, FileAccess),
    config: &Config,
) -> Result<(), Error> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    // A damaged or hostile file must not affect more than itself (https://sqlite.org/security.html).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Otherwise SQLite plans `LIKE ?` again for each new pattern, which costs more than most reads.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if access == FileAccess::ReadOnly {
        // Otherwise the last connection to close would write the journal into the database.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    } else if purpose == ConnectionPurpose::Write {
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864;")?;
    }
    connection.execute_batch(match config.durability {
        Durability::Full => "PRAGMA synchronous = FULL;",
        Durability::Normal => "PRAGMA synchronous = NORMAL;",
    })?;
    connection.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;",
    )?;
    if purpose == ConnectionPurpose::Read || access == FileAccess::ReadOnly {
        connection.execute_batch("PRAGMA query_only = ON;")?;
    }
    Ok(())
}

/// Makes the file, readable for its owner alone, if it is missing. SQLite gives its journal the same mode.
pub(crate) fn make_file(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        // An existing file is not opened: to close it would drop SQLite's locks on it, if this process uses it already (POSIX).
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::set_permissions(path, fs::Permissions::from_mode(0o600)),
    }
}
