//! Migrations on PostgreSQL: by the role that may change tables, one node at a time.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    Postgres,
    connection::{Connection, Scope},
    lock,
    server::{PATIENCE, Purpose, Server, TRIED},
    statement,
    tables::problems_in,
};
use crate::database::{
    Engine, Error, Row, Table,
    migrations::{Migration, Recorded, compared},
};

/// The key of the lock that lets one node migrate at a time.
pub(super) const LOCK: &str = "SELECT pg_advisory_lock(7235421881)";

/// The same for a transaction that does not wait.
const TRY_LOCK: &str = "SELECT pg_try_advisory_xact_lock(7235421881)";

/// Functions and a collation that SQLite has built in, or that Dewar installs in each of its connections. `fold` is
/// [`fold`](crate::database::fold): ICU writes a sigma at the end of a word in another way, so it is replaced.
const BASE: &str = r#"CREATE TABLE IF NOT EXISTS dewar_migrations (
        name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        checksum TEXT NOT NULL,
        applied_at BIGINT NOT NULL,
        compatible_from TEXT
    );
    DO $column$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('dewar_migrations')
            AND attname = 'compatible_from' AND NOT attisdropped) THEN
            ALTER TABLE dewar_migrations ADD COLUMN compatible_from TEXT;
        END IF;
    END $column$;
    CREATE COLLATION IF NOT EXISTS nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE OR REPLACE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN normalize(replace(lower(upper(lower(normalize($1, NFKD) COLLATE "und-x-icu"))), U&'\03C2', U&'\03C3'), NFKD)
            COLLATE "C";
    CREATE OR REPLACE FUNCTION instr(text, text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN strpos($1 COLLATE "C", $2 COLLATE "C");"#;

/// The migrations that the database has. An older program made the table without the last column.
const RECORDED: &str = "SELECT name, checksum, applied_at, to_jsonb(m) ->> 'compatible_from' FROM dewar_migrations m ORDER BY name";

impl Postgres {
    /// Applies the migrations that are not applied yet.
    pub(crate) async fn migrate(
        &self,
        migrations: &[Migration],
    ) -> Result<Vec<&'static str>, Error> {
        let connection = self.server.connect(Purpose::Migrate).await?;
        connection.batch(LOCK).await?;
        make_schema(&self.server, &connection).await?;
        let applied = self.apply(connection, migrations).await;
        self.server.models.touch();
        applied
    }

    async fn apply(
        &self,
        mut connection: Connection,
        migrations: &[Migration],
    ) -> Result<Vec<&'static str>, Error> {
        // In one transaction: another node that starts meanwhile finds all of it or nothing.
        connection
            .batch(&format!("BEGIN; {} {BASE} COMMIT", lock::TABLE))
            .await?;
        let recorded = recorded(&mut connection).await?;
        let pending = compared(Engine::Postgres, &recorded, migrations)?;
        let mut applied = Vec::new();
        for migration in migrations {
            if !pending.contains(&migration.name()) {
                continue;
            }
            connection.batch("BEGIN").await?;
            if let Err(error) = apply_one(&mut connection, migration).await {
                connection.batch("ROLLBACK").await?;
                return Err(error);
            }
            connection.batch("COMMIT").await?;
            tracing::info!(migration = migration.name(), "applied");
            applied.push(migration.name());
        }
        self.grant(&connection).await?;
        Ok(applied)
    }

    /// All of the migrations, in the open transaction of a copy, in a schema that has none yet.
    pub(super) async fn apply_in(
        &self,
        connection: &mut Connection,
        migrations: &[Migration],
    ) -> Result<(), Error> {
        make_schema(&self.server, connection).await?;
        let find = "SELECT to_regclass('dewar_migrations') IS NOT NULL";
        let found = connection.query::<Row>(Scope::InTransaction, (find, &[]));
        if found.await?.first().map_or(Ok(true), |row| row.get(0))? {
            return Err(Error::refused(
                "there is an application in that schema already: name an empty one (`?schema=name`)",
            ));
        }
        connection.batch(&format!("{} {BASE}", lock::TABLE)).await?;
        for migration in migrations {
            apply_one(connection, migration).await?;
        }
        Ok(())
    }

    /// Runs the pending migrations in a transaction that is rolled back, and compares the models with their tables there. It waits for
    /// nobody, so that nobody waits for it for long: [`Error::Busy`] if a table is in use, [`Error::TimedOut`] after half a minute.
    pub(crate) async fn rehearse(
        &self,
        migrations: &[Migration],
        tables: &[Table],
    ) -> Result<Vec<String>, Error> {
        self.rehearse_within(TRIED, migrations, tables).await
    }

    /// The same, within a time.
    pub(crate) async fn rehearse_within(
        &self,
        time: Duration,
        migrations: &[Migration],
        tables: &[Table],
    ) -> Result<Vec<String>, Error> {
        let mut connection = self.server.connect(Purpose::Rehearse).await?;
        let stop = connection.cancel_token();
        let trying = async {
            connection.batch("BEGIN").await?;
            rehearse_in(&mut connection, migrations, tables).await
        };
        // The server bounds each statement alone.
        let done = timeout(time, trying).await;
        if done.is_err() {
            self.server.cancel(stop).await;
        }
        // Without its connection, the server rolls back too.
        drop(timeout(PATIENCE, connection.batch("ROLLBACK")).await);
        done.unwrap_or(Err(Error::TimedOut))
    }

    /// Gives the role of run time its rights on the tables that are there already: they may come from another program.
    pub(crate) async fn give_access(&self) -> Result<(), Error> {
        if self.server.place.migration_user.is_none() {
            return Ok(());
        }
        let connection = self.server.connect(Purpose::Migrate).await?;
        connection.batch(LOCK).await?;
        self.grant(&connection).await
    }

    /// Lets the role of run time read and change rows, and nothing more, if another role made the tables.
    async fn grant(&self, connection: &Connection) -> Result<(), Error> {
        let place = &self.server.place;
        let (Some(user), Some(_)) = (&place.address.user, &place.migration_user) else {
            return Ok(());
        };
        let user = user.replace('\'', "''");
        let grants = format!(
            "DO $grant$
            DECLARE
                place text := current_schema();
                role text := '{user}';
            BEGIN
                IF to_regclass('dewar_migrations') IS NULL THEN
                    RETURN;
                END IF;
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', place, role);
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', place, role);
                EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', place, role);
                EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.dewar_migrations FROM %I', place, role);
            END $grant$"
        );
        connection.batch(&grants).await
    }

    /// The names of the migrations that [`migrate`](Self::migrate) would apply.
    pub(crate) async fn migrations_pending(
        &self,
        migrations: &[Migration],
    ) -> Result<Vec<&'static str>, Error> {
        let recorded = if self.exists("dewar_migrations").await? {
            let rows = self.read::<Row>(RECORDED, &[]).await?;
            rows.iter().map(Recorded::read).collect::<Result<_, _>>()?
        } else {
            Vec::new()
        };
        compared(Engine::Postgres, &recorded, migrations)
    }

    /// Whether a table exists.
    pub(crate) async fn exists(&self, table: &str) -> Result<bool, Error> {
        let find = "SELECT to_regclass(?) IS NOT NULL";
        let rows = self.read::<Row>(find, &[table.into()]).await?;
        rows.first().map_or(Ok(false), |row| row.get(0))
    }
}

async fn rehearse_in(
    connection: &mut Connection,
    migrations: &[Migration],
    tables: &[Table],
) -> Result<Vec<String>, Error> {
    let alone = connection.query::<Row>(Scope::InTransaction, (TRY_LOCK, &[]));
    if !alone.await?.first().map_or(Ok(false), |row| row.get(0))? {
        return Err(Error::Busy);
    }
    connection.batch(&format!("{} {BASE}", lock::TABLE)).await?;
    let recorded = recorded(connection).await?;
    let pending = compared(Engine::Postgres, &recorded, migrations)?;
    for migration in migrations {
        if pending.contains(&migration.name()) {
            apply_one(connection, migration).await?;
        }
    }
    problems_in(connection, tables).await
}

/// Makes the schema that the address names, if it is missing.
async fn make_schema(server: &Server, connection: &Connection) -> Result<(), Error> {
    let Some(schema) = &server.place.schema else {
        return Ok(());
    };
    // `IF NOT EXISTS` requires the right to make schemas even where it exists.
    let make = format!(
        "DO $make$ BEGIN IF to_regnamespace('\"{schema}\"') IS NULL THEN CREATE SCHEMA \"{schema}\"; END IF; END $make$"
    );
    connection.batch(&make).await
}

async fn recorded(connection: &mut Connection) -> Result<Vec<Recorded>, Error> {
    let rows = connection
        .query::<Row>(Scope::Alone, (RECORDED, &[]))
        .await?;
    rows.iter().map(Recorded::read).collect()
}

/// A migration and its record, in the open transaction.
async fn apply_one(connection: &mut Connection, migration: &Migration) -> Result<(), Error> {
    let failed = |error: Error| Error::Migration {
        name: migration.name().to_owned(),
        source: error.into(),
    };
    let text = migration.text(Engine::Postgres);
    if statement::ends_its_transaction(&text) {
        return Err(failed(Error::refused(
            "a migration is one transaction, and does not end it",
        )));
    }
    connection.batch(&text).await.map_err(failed)?;
    let record = "INSERT INTO dewar_migrations (name, checksum, applied_at, compatible_from)
        VALUES (?, ?, CAST(extract(epoch FROM now()) AS bigint), ?)";
    let values = [
        migration.name().into(),
        migration.checksum(Engine::Postgres).into(),
        migration.compatible().recorded().into(),
    ];
    let recorded = connection.execute(Scope::InTransaction, (record, &values));
    recorded.await.map(drop).map_err(failed)
}
