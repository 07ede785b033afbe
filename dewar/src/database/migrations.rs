//! Migrations: SQL in order, each applied once.

use std::{borrow::Cow, fmt::Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::OptionalExtension;

use super::compatible::{Compatible, check_additive, is_tolerated};
use super::{Engine, Error, Row, sqlite::connection::Handle, sqlite::limits::StatementMode};

/// A migration: one change of the tables, with a name and its SQL.
///
/// [`Db::migrate`](super::Db::migrate) applies them in the order of its list. Never edit a migration that was applied
/// somewhere; write the next one.
///
/// ```
/// use dewar::database::Migration;
///
/// const MIGRATIONS: &[Migration] = &[Migration::new(
///     "notes_0001_notes",
///     "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL) STRICT;
///      CREATE INDEX notes_by_title ON notes (title);",
/// )];
/// # assert_eq!(MIGRATIONS[0].name(), "notes_0001_notes");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    name: &'static str,
    sql: &'static str,
    postgres: Option<&'static str>,
    compatible: Compatible,
}

impl Migration {
    /// A migration of this name; the SQL may be several statements.
    ///
    /// It is written for SQLite. On PostgreSQL `INTEGER` is `BIGINT`, `REAL` is `DOUBLE PRECISION`, `BLOB` is `BYTEA`, `TEXT`
    /// is `TEXT COLLATE "C"`, `AUTOINCREMENT` is an identity, and `STRICT` and `WITHOUT ROWID` are left out. If that is not
    /// enough, give the other spelling with [`postgres`](Self::postgres).
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self {
            name,
            sql,
            postgres: None,
            compatible: Compatible::None,
        }
    }

    /// The same change in PostgreSQL's own SQL, where the text for SQLite does not work. It may be empty, if there is nothing to do.
    ///
    /// ```
    /// use dewar::database::Migration;
    ///
    /// const COUNTED: Migration = Migration::new(
    ///     "notes_0002_counted",
    ///     "CREATE TRIGGER notes_counted AFTER INSERT ON notes BEGIN UPDATE counts SET notes = notes + 1; END;",
    /// )
    /// .postgres(
    ///     "CREATE FUNCTION notes_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    ///          BEGIN UPDATE counts SET notes = notes + 1; RETURN NULL; END $$;
    ///      CREATE TRIGGER notes_counted AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION notes_counted();",
    /// );
    /// # assert_eq!(COUNTED.name(), "notes_0002_counted");
    /// ```
    #[must_use]
    pub const fn postgres(self, sql: &'static str) -> Self {
        Self {
            postgres: Some(sql),
            ..self
        }
    }

    /// Says that the migration only adds, so that a program which does not know it can work beside it: nodes are then replaced one
    /// after the other, without a stop.
    ///
    /// It may create tables, views and indexes (a unique one only on a table that it creates), insert rows, and add a column that
    /// may be `NULL` or has a `DEFAULT`: one in each `ALTER TABLE`. Dewar refuses any other statement in it.
    ///
    /// ```
    /// use dewar::database::Migration;
    ///
    /// const PINNED: Migration = Migration::new(
    ///     "notes_0003_pinned",
    ///     "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
    /// )
    /// .additive();
    /// # assert_eq!(PINNED.name(), "notes_0003_pinned");
    /// ```
    #[must_use]
    pub const fn additive(self) -> Self {
        Self {
            compatible: Compatible::All,
            ..self
        }
    }

    /// Says that every program which knows the migration `name` can work beside this one: for a column or a table that goes, once
    /// the program before it no longer uses it. Nobody checks that, so look at all of that program's statements.
    ///
    /// ```
    /// use dewar::database::Migration;
    ///
    /// // The program with `notes_0003_pinned` was the first that did not read `stars`.
    /// const NO_STARS: Migration = Migration::new("notes_0004_no_stars", "ALTER TABLE notes DROP COLUMN stars")
    ///     .compatible_from("notes_0003_pinned");
    /// # assert_eq!(NO_STARS.name(), "notes_0004_no_stars");
    /// ```
    #[must_use]
    pub const fn compatible_from(self, name: &'static str) -> Self {
        Self {
            compatible: Compatible::From(name),
            ..self
        }
    }

    pub(super) const fn compatible(&self) -> Compatible {
        self.compatible
    }

    /// Whether older programs cannot work beside it.
    pub(crate) fn needs_all_nodes(&self) -> bool {
        self.compatible == Compatible::None
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The text that runs on this engine.
    pub(crate) fn text(&self, engine: Engine) -> Cow<'static, str> {
        match (engine, self.postgres) {
            (Engine::Postgres, Some(text)) => Cow::Borrowed(text),
            (Engine::Postgres, None) => Cow::Owned(super::postgres::tables(self.sql)),
            (Engine::Sqlite, _) => Cow::Borrowed(self.sql),
        }
    }

    /// The checksum of the text as it was written for this engine.
    pub(super) fn checksum(&self, engine: Engine) -> String {
        let written = match engine {
            Engine::Postgres => self.postgres.unwrap_or(self.sql),
            Engine::Sqlite => self.sql,
        };
        let mut text = String::with_capacity(64);
        for byte in digest(&SHA256, written.as_bytes()).as_ref() {
            // Writing to a String cannot fail.
            let _written = write!(text, "{byte:02x}");
        }
        text
    }
}

/// Applies the migrations that are not applied yet.
pub(super) fn apply(
    handle: &mut Handle,
    migrations: &[Migration],
) -> Result<Vec<&'static str>, Error> {
    pending(handle, migrations)?;
    // If another process is migrating, wait for it, because it does the same work. Foreign keys are checked before each
    // commit instead, so that a table can be rebuilt (https://sqlite.org/lang_altertable.html, section 7).
    handle.own("PRAGMA foreign_keys = OFF; PRAGMA busy_timeout = 60000")?;
    let applied = apply_each(handle, migrations);
    handle.own("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000")?;
    handle.connection.flush_prepared_statement_cache();
    applied
}

fn apply_each(handle: &Handle, migrations: &[Migration]) -> Result<Vec<&'static str>, Error> {
    let mut applied = Vec::new();
    for migration in migrations {
        handle.own("BEGIN IMMEDIATE")?;
        let done = apply_one(handle, migration).and_then(|done| {
            handle.own("COMMIT")?;
            Ok(done)
        });
        if !handle.connection.is_autocommit() {
            handle.own("ROLLBACK")?;
        }
        let done = done.map_err(|error| {
            if matches!(error, Error::MigrationChanged { .. }) {
                return error;
            }
            Error::Migration {
                name: migration.name.to_owned(),
                source: error.into(),
            }
        })?;
        if done == MigrationOutcome::Now {
            tracing::info!(migration = migration.name, "applied");
            applied.push(migration.name);
        }
    }
    Ok(applied)
}

#[derive(PartialEq)]
enum MigrationOutcome {
    Before,
    Now,
}

/// Runs inside a transaction that holds the lock on the file, so no other process migrates at the same time.
fn apply_one(handle: &Handle, migration: &Migration) -> Result<MigrationOutcome, Error> {
    handle.own(
        "CREATE TABLE IF NOT EXISTS dewar_migrations (
             name TEXT NOT NULL PRIMARY KEY,
             checksum TEXT NOT NULL,
             applied_at INTEGER NOT NULL,
             compatible_from TEXT
         ) STRICT, WITHOUT ROWID",
    )?;
    let connection = &handle.connection;
    // Older programs made the table without it.
    if !connection.prepare(HAS_COMPATIBLE)?.exists([])? {
        handle.own("ALTER TABLE dewar_migrations ADD COLUMN compatible_from TEXT")?;
    }
    let checksum = migration.checksum(Engine::Sqlite);
    let before = connection
        .query_row(
            "SELECT checksum FROM dewar_migrations WHERE name = ?",
            [migration.name],
            |row| row.get::<_, String>(0),
        )
        .optional()?;
    if let Some(before) = before {
        return if before == checksum {
            Ok(MigrationOutcome::Before)
        } else {
            Err(Error::MigrationChanged {
                name: migration.name.to_owned(),
            })
        };
    }
    handle.limits.set_mode(StatementMode::Migrating);
    let done = connection.execute_batch(migration.sql);
    handle.limits.set_mode(StatementMode::Running);
    done?;
    let dangling = connection
        .query_row(
            "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1",
            [],
            |row| row.get::<_, String>(0),
        )
        .optional()?;
    if let Some(table) = dangling {
        tracing::error!(table, "a row refers to a missing row");
        return Err(Error::ForeignKey);
    }
    connection.execute(
        "INSERT INTO dewar_migrations (name, checksum, applied_at, compatible_from) VALUES (?, ?, unixepoch(), ?)",
        (migration.name, &checksum, migration.compatible.recorded()),
    )?;
    Ok(MigrationOutcome::Now)
}

/// The rows of SQLite's table of migrations: name, checksum, time, and the programs that can work beside it, which older programs
/// did not record.
pub(super) const fn recorded(has_compatible: bool) -> &'static str {
    if has_compatible {
        "SELECT name, checksum, applied_at, compatible_from FROM dewar_migrations ORDER BY name"
    } else {
        "SELECT name, checksum, applied_at, NULL FROM dewar_migrations ORDER BY name"
    }
}

/// Whether SQLite's table has the column.
pub(super) const HAS_COMPATIBLE: &str =
    "SELECT 1 FROM pragma_table_info('dewar_migrations') WHERE name = 'compatible_from'";

/// A migration that the database has.
#[derive(Debug)]
pub(super) struct Recorded {
    name: String,
    checksum: String,
    /// The programs that can work beside it without knowing it.
    compatible_from: Option<String>,
}

impl Recorded {
    pub(super) fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            name: row.get(0)?,
            checksum: row.get(1)?,
            compatible_from: row.get(3)?,
        })
    }
}

/// The migrations that SQLite's database does not have yet.
pub(super) fn pending(
    handle: &mut Handle,
    migrations: &[Migration],
) -> Result<Vec<&'static str>, Error> {
    let connection = &handle.connection;
    let recorded = if connection.table_exists(None, "dewar_migrations")? {
        let has_compatible = connection.prepare(HAS_COMPATIBLE)?.exists([])?;
        connection
            .prepare(recorded(has_compatible))?
            .query_map([], |row| {
                Ok(Recorded {
                    name: row.get(0)?,
                    checksum: row.get(1)?,
                    compatible_from: row.get(3)?,
                })
            })?
            .collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    compared(Engine::Sqlite, &recorded, migrations)
}

/// Compares the list with the recorded migrations, and returns the names of those that are not recorded.
pub(super) fn compared(
    engine: Engine,
    recorded: &[Recorded],
    migrations: &[Migration],
) -> Result<Vec<&'static str>, Error> {
    for (index, migration) in migrations.iter().enumerate() {
        let mut after = migrations.iter().skip(index + 1);
        if after.any(|other| other.name == migration.name) {
            let name = migration.name;
            return Err(Error::refused(format!("two migrations are named `{name}`")));
        }
        check_additive(migration, engine)?;
    }
    let known = |name: &str| migrations.iter().any(|migration| migration.name == name);
    let unknown: Vec<_> = recorded
        .iter()
        .filter(|recorded| {
            !known(&recorded.name) && !is_tolerated(recorded.compatible_from.as_deref(), known)
        })
        .map(|recorded| recorded.name.clone())
        .collect();
    if !unknown.is_empty() {
        return Err(Error::MigrationUnknown { names: unknown });
    }
    let mut pending = Vec::new();
    for migration in migrations {
        let found = recorded.iter().find(|found| found.name == migration.name);
        match found {
            None => pending.push(migration.name),
            Some(found) if found.checksum == migration.checksum(engine) => {}
            Some(_) => {
                return Err(Error::MigrationChanged {
                    name: migration.name.to_owned(),
                });
            }
        }
    }
    Ok(pending)
}
