//! SQLite: hardened connections, a pool that reads, and one thread that writes.

pub(crate) mod connection;
pub(crate) mod limits;
mod readers;
mod temporary;
pub(crate) mod version;
pub(crate) mod writer;

use std::{
    borrow::Cow,
    fmt, fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sea_orm::Value;
use tokio::sync::Mutex;

use self::{
    connection::{ConnectionPurpose, FileAccess, Handle, QueryOutcome, make_file},
    readers::Readers,
    temporary::Temporary,
    version::{DataVersion, OpenFiles, VersionFile},
    writer::{JobScope, Writer, WriterGuard, hold},
};
use super::{
    Config, Db, Error, Migration, Table, migrations,
    models::{Models, StoredTable},
    row::Decode,
};

/// A database file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    readers: Arc<Readers>,
    writer: Arc<Mutex<Writer>>,
    models: Arc<Models>,
    config: Config,
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

impl Sqlite {
    /// The reading connections in use, and the most there can be.
    pub(crate) fn connections(&self) -> (usize, usize) {
        self.readers.connections()
    }

    /// Opens the file, and makes it if it is missing.
    pub(crate) fn open(path: &Path, config: &Config, models: &Arc<Models>) -> Result<Self, Error> {
        make_file(path).map_err(|error| unopened(path, &error))?;
        Self::open_file(path, FileAccess::ReadWrite, config, models, None)
    }

    pub(crate) fn open_to_read(
        path: &Path,
        config: &Config,
        models: &Arc<Models>,
    ) -> Result<Self, Error> {
        Self::open_file(path, FileAccess::ReadOnly, config, models, None)
    }

    /// A file of its own, deleted with this value.
    pub(crate) fn temporary(config: &Config, models: &Arc<Models>) -> Result<Self, Error> {
        let (temporary, path) = Temporary::make()?;
        make_file(&path).map_err(|error| unopened(&path, &error))?;
        let access = FileAccess::ReadWrite;
        Self::open_file(&path, access, config, models, Some(temporary))
    }

    fn open_file(
        path: &Path,
        access: FileAccess,
        config: &Config,
        models: &Arc<Models>,
        temporary: Option<Temporary>,
    ) -> Result<Self, Error> {
        let mut files = OpenFiles::hold();
        let mut handle = Handle::open(path, (ConnectionPurpose::Write, access), config, models)
            .map_err(|error| unopened(path, &error))?;
        // SQLite reads a file only when it has to, and nothing here is written that would make it.
        let read = "SELECT count(*) FROM sqlite_schema";
        let tables = handle
            .connection
            .query_row(read, [], |row| row.get::<_, i64>(0));
        tables.map_err(|error| unopened(path, &error))?;
        let readers =
            Readers::open(path, access, config, models).map_err(|error| unopened(path, &error))?;
        let version = files
            .open(&handle)
            .map_err(|error| unopened(path, &error))?;
        let version = version.map(Arc::new);
        if let Some(version) = &version {
            handle.keep(version);
            readers.keep(version);
        }
        drop(files);
        let jobs = Arc::new(AtomicU64::new(0));
        let writer = Writer::start(handle, config.statement_timeout, &jobs)
            .map_err(|error| unopened(path, &error))?;
        Ok(Self {
            readers: Arc::new(readers),
            writer,
            models: Arc::clone(models),
            config: config.clone(),
            jobs,
            version,
            temporary,
        })
    }

    pub(crate) async fn rows<T: Decode>(
        &self,
        db: &Db,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        if begins_like_a_read(&sql)
            && let QueryOutcome::Rows(rows) = self.readers.query(&sql, &values).await?
        {
            return Ok(rows);
        }
        db.may_change()?;
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
        let held = self.hold().await?;
        held.statement(JobScope::Alone, sql, move |handle, sql| {
            handle.execute(sql, &values)
        })
        .await
    }

    pub(crate) async fn migrate(
        &self,
        migrations: Vec<Migration>,
    ) -> Result<Vec<&'static str>, Error> {
        let models = Arc::clone(&self.models);
        self.hold()
            .await?
            .run(move |handle| {
                let applied = migrations::apply(handle, &migrations);
                models.touch();
                applied
            })
            .await
    }

    pub(crate) async fn migrations_pending(
        &self,
        migrations: Vec<Migration>,
    ) -> Result<Vec<&'static str>, Error> {
        self.hold()
            .await?
            .run(move |handle| migrations::pending(handle, &migrations))
            .await
    }

    /// The differences between models and their tables.
    pub(crate) async fn problems(&self, tables: Vec<Table>) -> Result<Vec<String>, Error> {
        self.hold()
            .await?
            .run(move |handle| {
                let mut problems = Vec::new();
                for table in &tables {
                    let stored = StoredTable::of_sqlite(&handle.connection, table.name())?;
                    problems.extend(table.problems(&stored));
                }
                Ok(problems)
            })
            .await
    }

    /// Writes a consistent copy of everything to a new file.
    pub(crate) async fn backup_to(&self, path: &Path) -> Result<(), Error> {
        let text = path.to_str().map(str::to_owned);
        let text = text.ok_or_else(|| unopened(path, &"its name is not UTF-8"))?;
        if fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            return Err(unopened(path, &"the file exists already"));
        }
        make_file(path).map_err(|error| unopened(path, &error))?;
        self.hold()
            .await?
            .run(move |handle| handle.copy_to(&text))
            .await
    }

    /// The faults of the file, one sentence each.
    pub(crate) async fn faults(&self) -> Result<Vec<String>, Error> {
        self.hold().await?.run(|handle| handle.faults()).await
    }

    pub(crate) fn version(&self) -> Option<DataVersion> {
        let jobs = self.jobs.load(Ordering::Acquire);
        self.version.as_ref()?.now(jobs)
    }

    pub(crate) async fn hold(&self) -> Result<WriterGuard, Error> {
        hold(&self.writer, self.config.acquire_timeout).await
    }
}

fn unopened(path: &Path, why: &dyn fmt::Display) -> Error {
    Error::Open {
        path: path.to_owned(),
        why: why.to_string(),
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
        let sqlite = Sqlite::temporary(&Config::default(), &Arc::default()).unwrap();
        let folder = sqlite.temporary.as_ref().unwrap().folder().to_owned();
        assert!(folder.join("database.sqlite").exists());
        drop(sqlite);
        assert!(!folder.exists());
    }
}
