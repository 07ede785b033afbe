//! The tables as the server describes them.

use std::collections::HashMap;

use super::{
    Postgres,
    connection::{Connection, Scope},
};
use crate::database::{
    Error, Row,
    models::{StoredTable, Table},
};

impl Postgres {
    /// The differences between models and their tables.
    pub(crate) async fn problems(&self, tables: &[Table]) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        for table in tables {
            problems.extend(table.problems(&self.stored(table.name()).await?));
        }
        Ok(problems)
    }

    async fn stored(&self, table: &str) -> Result<StoredTable, Error> {
        let columns = self.read::<Row>(COLUMNS, &[table.into()]).await?;
        let checks = self.read::<Row>(CHECKS, &[table.into()]).await?;
        read(&columns, &checks)
    }
}

/// The same in the open transaction of a connection.
pub(super) async fn problems_in(
    connection: &mut Connection,
    tables: &[Table],
) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    for table in tables {
        let name = [table.name().into()];
        let columns = connection.query::<Row>(Scope::InTransaction, (COLUMNS, &name));
        let columns = columns.await?;
        let checks = connection.query::<Row>(Scope::InTransaction, (CHECKS, &name));
        problems.extend(table.problems(&read(&columns, &checks.await?)?));
    }
    Ok(problems)
}

const COLUMNS: &str =
    "SELECT CAST(a.attname AS text), format_type(a.atttypid, NULL) FROM pg_attribute a
        WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped";

const CHECKS: &str = "SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = to_regclass(?) AND contype = 'c'";

fn read(columns: &[Row], checks: &[Row]) -> Result<StoredTable, Error> {
    let columns = columns
        .iter()
        .map(|row| Ok((row.get(0)?, class(&row.get::<String>(1)?))))
        .collect::<Result<HashMap<_, _>, Error>>()?;
    let checks = checks
        .iter()
        .map(|row| row.get(0))
        .collect::<Result<Vec<String>, _>>()?;
    Ok(StoredTable {
        columns,
        checks: checks.join("\n"),
    })
}

/// The type of SQLite that holds the same values; the type itself if there is none.
fn class(kind: &str) -> String {
    match kind {
        "bigint" | "boolean" | "integer" | "smallint" => "INTEGER",
        "bytea" => "BLOB",
        "double precision" | "real" => "REAL",
        "character varying" | "text" => "TEXT",
        other => other,
    }
    .to_owned()
}
