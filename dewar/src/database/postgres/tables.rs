//! The tables as the server describes them.

use std::collections::HashMap;

use super::Postgres;
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
        let find =
            "SELECT CAST(a.attname AS text), format_type(a.atttypid, NULL) FROM pg_attribute a
            WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped";
        let rows = self.read::<Row>(find, &[table.into()]).await?;
        let columns = rows
            .iter()
            .map(|row| Ok((row.get(0)?, class(&row.get::<String>(1)?))))
            .collect::<Result<HashMap<_, _>, Error>>()?;
        let find = "SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = to_regclass(?) AND contype = 'c'";
        let rows = self.read::<Row>(find, &[table.into()]).await?;
        let checks = rows
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<Vec<String>, _>>()?;
        Ok(StoredTable {
            columns,
            checks: checks.join("\n"),
        })
    }
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
