//! A copy of the tables without their rows, to try migrations without changing the database.

use super::migrations::{HAS_COMPATIBLE, recorded};
use super::{
    Db, Engine, Error, Migration, Row, Table, db::Backend, sqlite::connection::Handle,
    sqlite::limits::StatementMode,
};

/// A virtual table makes its own shadow tables.
const TABLES: &str = "SELECT sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
    ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 ELSE 2 END, rowid";

/// A row of `dewar_migrations`.
type AppliedMigration = (String, String, i64, Option<String>);

impl Db {
    /// A temporary database with the tables of this one, and with the record of the migrations that made them. It has
    /// no other row: only the start shows what a migration does to existing rows. None for PostgreSQL, which [`rehearse`](Self::rehearse) tries in a
    /// transaction.
    pub(crate) async fn rehearsal(&self) -> Result<Option<Self>, Error> {
        if self.engine() == Engine::Postgres {
            return Ok(None);
        }
        let texts = |rows: Vec<Row>| -> Result<Vec<String>, Error> {
            rows.iter().map(|row| row.get(0)).collect()
        };
        let tables = texts(self.query(TABLES, []).await?)?;
        let record = tables.iter().any(|sql| sql.contains("dewar_migrations"));
        let applied = if record {
            let marked = self.query(HAS_COMPATIBLE, []).await?;
            self.query(recorded(!marked.is_empty()), []).await?
        } else {
            Vec::new()
        };
        let applied: Vec<AppliedMigration> = applied
            .iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .collect::<Result<_, Error>>()?;
        let copy = Self::temporary_file()?;
        let Backend::Sqlite(sqlite) = copy.backend() else {
            return Ok(None);
        };
        let held = sqlite.hold().await?;
        held.run(move |handle| make(handle, &tables, &applied))
            .await?;
        drop(held);
        Ok(Some(copy))
    }
}

impl Db {
    /// Tries the pending migrations on PostgreSQL, in a transaction that is rolled back, and compares the models with their tables.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate) and [`register`](Self::register), and [`Error::Busy`] if a table is in use.
    pub(crate) async fn rehearse(
        &self,
        migrations: &[Migration],
        tables: &[Table],
    ) -> Result<(), Error> {
        let Backend::Postgres(postgres) = self.backend() else {
            return Ok(());
        };
        let problems = postgres.rehearse(migrations, tables).await?;
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Models { problems })
        }
    }
}

fn make(handle: &Handle, tables: &[String], applied: &[AppliedMigration]) -> Result<(), Error> {
    handle.limits.set_mode(StatementMode::Migrating);
    let made = tables
        .iter()
        .try_for_each(|sql| handle.connection.execute_batch(sql));
    handle.limits.set_mode(StatementMode::Running);
    made?;
    if applied.is_empty() {
        return Ok(());
    }
    let connection = &handle.connection;
    if !connection.prepare(HAS_COMPATIBLE)?.exists([])? {
        handle.own("ALTER TABLE dewar_migrations ADD COLUMN compatible_from TEXT")?;
    }
    let mut insert = connection.prepare(
        "INSERT INTO dewar_migrations (name, checksum, applied_at, compatible_from) VALUES (?, ?, ?, ?)",
    )?;
    for row in applied {
        insert.execute((&row.0, &row.1, row.2, &row.3))?;
    }
    Ok(())
}
