//! The server's side of a copy from SQLite: one transaction of the role that owns the tables.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt, pin_mut};
use tokio_postgres::CopyInSink;

use super::{
    Postgres,
    connection::{Connection, Scope},
    migrations::LOCK,
    server::Purpose,
};
use crate::database::{
    Error, Migration, Row,
    copy::{RowSum, quoted, write_value},
    row::Cells,
};

/// A table of the server, with what its copy needs.
#[derive(Debug)]
pub(crate) struct TargetTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// The column that the server numbers.
    pub(crate) identity: Option<String>,
    /// The tables that it refers to.
    refers_to: Vec<String>,
}

impl TargetTable {
    /// Its name, for a statement.
    fn quoted(&self) -> String {
        quoted(std::slice::from_ref(&self.name))
    }
}

/// A transaction that fills all tables.
#[derive(Debug)]
pub(crate) struct Copying {
    connection: tokio::sync::Mutex<Connection>,
}

/// Rows on their way.
pub(crate) struct CopyIn(Pin<Box<CopyInSink<Bytes>>>);

impl Copying {
    /// Begins it with the tables of these migrations. Nobody else sees them before its end.
    pub(crate) async fn begin(
        postgres: &Postgres,
        migrations: &[Migration],
    ) -> Result<Self, Error> {
        let mut connection = postgres.server.connect(Purpose::Migrate).await?;
        connection.batch(LOCK).await?;
        connection.batch("BEGIN").await?;
        postgres.apply_in(&mut connection, migrations).await?;
        Ok(Self {
            connection: tokio::sync::Mutex::new(connection),
        })
    }

    /// The tables of the schema, each after those that it refers to.
    pub(crate) async fn tables(&self) -> Result<Vec<TargetTable>, Error> {
        in_order(self.found().await?)
    }

    /// Deletes the rows that migrations wrote, because the copy brings its own.
    pub(crate) async fn empty(&self, tables: &[TargetTable]) -> Result<(), Error> {
        let connection = self.connection.lock().await;
        for table in tables {
            let name = table.quoted();
            // A trigger has done its work in SQLite already.
            let sql = format!("ALTER TABLE {name} DISABLE TRIGGER USER");
            connection.batch(&sql).await?;
        }
        for table in tables.iter().rev() {
            let name = table.quoted();
            connection.batch(&format!("DELETE FROM {name}")).await?;
        }
        Ok(())
    }

    async fn found(&self) -> Result<Vec<TargetTable>, Error> {
        let find = "SELECT CAST(t.relname AS text),
                (SELECT string_agg(CAST(a.attname AS text), chr(1) ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
                (SELECT CAST(a.attname AS text) FROM pg_attribute a
                    WHERE a.attrelid = t.oid AND a.attidentity <> '' AND NOT a.attisdropped),
                (SELECT string_agg(CAST(o.relname AS text), chr(1)) FROM pg_constraint c JOIN pg_class o ON o.oid = c.confrelid
                    WHERE c.conrelid = t.oid AND c.contype = 'f' AND c.confrelid <> t.oid)
            FROM pg_class t WHERE t.relkind = 'r' AND t.relname <> 'dewar_migrations'
                AND t.relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
            ORDER BY 1";
        let mut connection = self.connection.lock().await;
        let rows = connection
            .query::<Row>(Scope::InTransaction, (find, &[]))
            .await?;
        let parts = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            let parts = text.split('\u{1}').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        rows.iter()
            .map(|row| {
                Ok(TargetTable {
                    name: row.get(0)?,
                    columns: parts(row.get(1)?),
                    identity: row.get(2)?,
                    refers_to: parts(row.get(3)?),
                })
            })
            .collect()
    }

    pub(crate) async fn copy_in(
        &self,
        table: &TargetTable,
        columns: &[String],
    ) -> Result<CopyIn, Error> {
        let name = table.quoted();
        let sql = format!("COPY {name} ({}) FROM STDIN", quoted(columns));
        let connection = self.connection.lock().await;
        let sink = connection.copy_in(&sql).await?;
        Ok(CopyIn(Box::pin(sink)))
    }

    /// The sum of the rows that the server has now.
    pub(crate) async fn sum_of(
        &self,
        table: &TargetTable,
        columns: &[String],
    ) -> Result<RowSum, Error> {
        let name = table.quoted();
        let sql = format!("SELECT {} FROM {name}", quoted(columns));
        let connection = self.connection.lock().await;
        let rows = connection.stream(&sql).await?;
        pin_mut!(rows);
        let (mut sum, mut line) = (RowSum::default(), String::new());
        while let Some(row) = rows.try_next().await? {
            line.clear();
            for index in 0..row.count() {
                if index > 0 {
                    line.push('\t');
                }
                write_value(&mut line, row.cell(index)?)?;
            }
            line.push('\n');
            sum.add(&line);
        }
        Ok(sum)
    }

    /// Lets the next id be higher than this one.
    pub(crate) async fn count_from(
        &self,
        table: &TargetTable,
        column: &str,
        last: i64,
    ) -> Result<(), Error> {
        let name = table.quoted();
        let quoted_column = quoted(&[column.to_owned()]);
        let text = |text: &str| text.replace('\'', "''");
        let set = format!(
            "SELECT setval(pg_get_serial_sequence('{}', '{}'), greatest({last}, max({quoted_column}))) FROM {name}
                HAVING greatest({last}, max({quoted_column})) > 0",
            text(&name),
            text(column),
        );
        self.connection.lock().await.batch(&set).await
    }

    pub(crate) async fn commit(&self, tables: &[TargetTable]) -> Result<(), Error> {
        let connection = self.connection.lock().await;
        connection.batch("SET CONSTRAINTS ALL IMMEDIATE").await?;
        for table in tables {
            let name = table.quoted();
            let sql = format!("ALTER TABLE {name} ENABLE TRIGGER USER");
            connection.batch(&sql).await?;
        }
        connection.batch("COMMIT").await
    }
}

impl CopyIn {
    pub(crate) async fn send(&mut self, lines: String) -> Result<(), Error> {
        Ok(self.0.send(Bytes::from(lines)).await?)
    }

    pub(crate) async fn finish(mut self) -> Result<u64, Error> {
        Ok(self.0.as_mut().finish().await?)
    }
}

/// Each table after those that it refers to.
fn in_order(mut tables: Vec<TargetTable>) -> Result<Vec<TargetTable>, Error> {
    let mut ordered: Vec<TargetTable> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let is_ready = |table: &TargetTable| {
            let mut others = table.refers_to.iter();
            others.all(|other| ordered.iter().any(|done| done.name == *other))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = tables.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<_> = waiting.iter().map(|table| table.name.as_str()).collect();
            return Err(Error::refused(format!(
                "these tables refer to each other in a circle, and cannot be copied: {}",
                names.join(", ")
            )));
        }
        ordered.extend(ready);
        tables = waiting;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, refers_to: &[&str]) -> TargetTable {
        TargetTable {
            name: name.to_owned(),
            columns: Vec::new(),
            identity: None,
            refers_to: refers_to.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to() {
        let tables = vec![
            table("a", &["b", "c"]),
            table("b", &["c"]),
            table("c", &[]),
            table("d", &[]),
        ];
        let names: Vec<_> = in_order(tables).unwrap();
        let names: Vec<_> = names.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "d", "b", "a"]);
        let circle = in_order(vec![table("a", &["b"]), table("b", &["a"])]);
        assert!(circle.unwrap_err().to_string().contains("a, b"));
    }
}
