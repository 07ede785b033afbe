//! Migrations: SQL in order, each applied once.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::OptionalExtension;

use super::{Error, sqlite::connection::Handle, sqlite::limits::StatementMode};

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
}

impl Migration {
    /// A migration of this name; the SQL may be several statements.
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn checksum(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in digest(&SHA256, self.sql.as_bytes()).as_ref() {
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
             applied_at INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID",
    )?;
    let connection = &handle.connection;
    let checksum = migration.checksum();
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
        "INSERT INTO dewar_migrations (name, checksum, applied_at) VALUES (?, ?, unixepoch())",
        [migration.name, &checksum],
    )?;
    Ok(MigrationOutcome::Now)
}

/// Compares the list with the recorded migrations, and changes nothing.
pub(super) fn pending(
    handle: &mut Handle,
    migrations: &[Migration],
) -> Result<Vec<&'static str>, Error> {
    for (index, migration) in migrations.iter().enumerate() {
        if migrations
            .iter()
            .skip(index + 1)
            .any(|other| other.name == migration.name)
        {
            return Err(Error::refused(format!(
                "two migrations are named `{}`",
                migration.name
            )));
        }
    }
    let connection = &handle.connection;
    if !connection.table_exists(None, "dewar_migrations")? {
        return Ok(migrations.iter().map(Migration::name).collect());
    }
    let recorded: Vec<(String, String)> = connection
        .prepare("SELECT name, checksum FROM dewar_migrations ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let unknown: Vec<_> = recorded
        .iter()
        .filter(|(name, _)| migrations.iter().all(|migration| migration.name != name))
        .map(|(name, _)| name.clone())
        .collect();
    if !unknown.is_empty() {
        return Err(Error::MigrationUnknown { names: unknown });
    }
    let mut pending = Vec::new();
    for migration in migrations {
        match recorded.iter().find(|(name, _)| name == migration.name) {
            None => pending.push(migration.name),
            Some((_, checksum)) if *checksum == migration.checksum() => {}
            Some(_) => {
                return Err(Error::MigrationChanged {
                    name: migration.name.to_owned(),
                });
            }
        }
    }
    Ok(pending)
}
