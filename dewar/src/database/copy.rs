//! Copies a database of SQLite to PostgreSQL, all of it or nothing, and compares every row.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use rusqlite::types::ValueRef;
use tokio::sync::mpsc;

use super::{
    Db, Error, Migration, PostgresServer, Row,
    db::Backend,
    postgres::{Copying, TargetTable},
    sqlite::connection::Handle,
};
use crate::secrets::sha256;

/// Rows that are sent at once.
const BATCH: usize = 500;

/// A table that was copied.
#[derive(Debug)]
pub(crate) struct CopiedTable {
    pub(crate) name: String,
    pub(crate) rows: u64,
}

/// The sum of the hashes of rows: two tables with the same rows have the same, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowSum {
    rows: u64,
    sum: u128,
}

impl RowSum {
    /// Adds a row, as the line that is sent for it.
    pub(super) fn add(&mut self, line: &str) {
        let [bytes, ..] = *sha256(line.as_bytes()).as_chunks::<16>().0 else {
            return;
        };
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(bytes));
    }
}

impl Db {
    /// Copies all rows of this file of SQLite into the tables of a server, in one transaction. The tables are made by the same
    /// migrations, in the same transaction. It calls `done` with each table and the rows that were copied of it so far.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is an application already, a table has no place, or it has other rows after it was
    /// copied; the server's. The target is then as before.
    pub(crate) async fn copy_to(
        &self,
        server: &PostgresServer,
        migrations: &[Migration],
        mut done: impl FnMut(&str, u64),
    ) -> Result<Vec<CopiedTable>, Error> {
        let target = Self::connect(server, &super::Config::default());
        let Backend::Postgres(postgres) = target.backend() else {
            return Ok(Vec::new());
        };
        let copying = Copying::begin(postgres, migrations).await?;
        let tables = copying.tables().await?;
        let own = self.own_tables(&tables).await?;
        let tables: Vec<_> = tables
            .into_iter()
            .filter(|table| own.contains_key(&table.name))
            .collect();
        copying.empty(&tables).await?;
        let mut copied = Vec::new();
        for table in &tables {
            let Some(columns) = own.get(&table.name) else {
                continue;
            };
            let sum = self
                .copy_table(&copying, table, columns, |rows| done(&table.name, rows))
                .await?;
            copied.push(CopiedTable {
                name: table.name.clone(),
                rows: sum.rows,
            });
            if copying.sum_of(table, columns).await? != sum {
                return Err(Error::refused(format!(
                    "`{}` has other rows on the server after it was copied; nothing was kept",
                    table.name
                )));
            }
            self.copy_counter(&copying, table).await?;
        }
        copying.commit(&tables).await?;
        Ok(copied)
    }

    /// The columns of each table here but the words that FTS5 keeps of a search index, if every one of them has its place on the server.
    async fn own_tables(
        &self,
        tables: &[TargetTable],
    ) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let sql = "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
            WHERE t.schema = 'main' AND t.type IN ('table', 'virtual') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND t.name <> 'dewar_migrations' AND t.name NOT LIKE '%\\_search\\_fts' ESCAPE '\\' ORDER BY t.name, c.cid";
        let rows: Vec<Row> = self.rows(Cow::Borrowed(sql), Vec::new()).await?;
        let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            own.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        let mut homeless = Vec::new();
        for (name, columns) in &own {
            let Some(table) = tables.iter().find(|table| table.name == *name) else {
                homeless.push(format!("`{name}`"));
                continue;
            };
            let missing = columns
                .iter()
                .filter(|column| !table.columns.contains(column));
            homeless.extend(missing.map(|column| format!("`{name}.{column}`")));
        }
        if homeless.is_empty() {
            return Ok(own);
        }
        Err(Error::refused(format!(
            "the server has no place for {}: add them to the PostgreSQL spelling of the migrations, or drop them here first",
            homeless.join(", ")
        )))
    }

    async fn copy_table(
        &self,
        copying: &Copying,
        table: &TargetTable,
        columns: &[String],
        mut done: impl FnMut(u64),
    ) -> Result<RowSum, Error> {
        let Backend::Sqlite(sqlite) = self.backend() else {
            return Err(Error::refused("only a file of SQLite is copied"));
        };
        let sql = format!("SELECT {} FROM \"{}\"", quoted(columns), table.name);
        let (send, lines) = mpsc::channel::<Vec<String>>(4);
        let held = sqlite.hold().await?;
        let reading = held.run(move |handle| read_lines(handle, &sql, &send));
        let writing = async {
            // If the server ends early, the reader must find nobody who takes the rest.
            let mut lines = lines;
            let mut sum = RowSum::default();
            let mut copy = copying.copy_in(table, columns).await?;
            while let Some(batch) = lines.recv().await {
                for line in &batch {
                    sum.add(line);
                }
                copy.send(batch.concat()).await?;
                done(sum.rows);
            }
            copy.finish().await?;
            Ok(sum)
        };
        let (read, written) = futures_util::future::join(reading, writing).await;
        let sum = written.map_err(|error: Error| {
            Error::refused(format!("`{}` cannot be copied: {error}", table.name))
        })?;
        read?;
        Ok(sum)
    }

    /// Lets the server go on counting where SQLite stopped, so that no id comes back.
    async fn copy_counter(&self, copying: &Copying, table: &TargetTable) -> Result<(), Error> {
        let Some(identity) = &table.identity else {
            return Ok(());
        };
        let sql = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)";
        let values = vec![table.name.as_str().into()];
        let rows: Vec<Row> = self.rows(Cow::Borrowed(sql), values).await?;
        let last = rows.first().map_or(Ok(0), |row| row.get(0))?;
        copying.count_from(table, identity, last).await
    }
}

/// Names of columns, for a statement. A name of the database's own schema is quoted, whatever it has in it.
pub(super) fn quoted(columns: &[String]) -> String {
    let names = columns
        .iter()
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
    names.collect::<Vec<_>>().join(", ")
}

fn read_lines(
    handle: &mut Handle,
    sql: &str,
    send: &mpsc::Sender<Vec<String>>,
) -> Result<(), Error> {
    let mut statement = handle.connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(row) = rows.next()? {
        let mut line = String::new();
        for index in 0..columns {
            if index > 0 {
                line.push('\t');
            }
            write_value(&mut line, row.get_ref(index)?)?;
        }
        line.push('\n');
        batch.push(line);
        if batch.len() == BATCH && send.blocking_send(std::mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    }
    // The last ones; if nobody takes them, the copy has failed.
    let _unheard = send.blocking_send(batch);
    Ok(())
}

/// A value in the text format of `COPY`.
pub(super) fn write_value(line: &mut String, value: ValueRef<'_>) -> Result<(), Error> {
    // Writing to a String cannot fail.
    let _written = match value {
        ValueRef::Null => write!(line, "\\N"),
        ValueRef::Integer(value) => write!(line, "{value}"),
        ValueRef::Real(value) => write!(line, "{value}"),
        ValueRef::Text(text) => {
            let text = str::from_utf8(text).map_err(|_| Error::Value {
                column: "a text".to_owned(),
                wanted: "UTF-8",
            })?;
            for letter in text.chars() {
                match letter {
                    '\\' => line.push_str("\\\\"),
                    '\t' => line.push_str("\\t"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    letter => line.push(letter),
                }
            }
            Ok(())
        }
        ValueRef::Blob(bytes) => write!(line, "\\\\x{}", data_encoding::HEXLOWER.encode(bytes)),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_so_that_the_server_reads_the_same() {
        for (value, right) in [
            (ValueRef::Null, "\\N"),
            (ValueRef::Integer(i64::MIN), "-9223372036854775808"),
            (ValueRef::Real(0.1), "0.1"),
            (
                ValueRef::Text("a\tb\nc\r\\N ü".as_bytes()),
                "a\\tb\\nc\\r\\\\N ü",
            ),
            (ValueRef::Blob(&[0, 255]), "\\\\x00ff"),
            (ValueRef::Text(b""), ""),
        ] {
            let mut line = String::new();
            write_value(&mut line, value).unwrap();
            assert_eq!(line, right);
        }
        assert!(write_value(&mut String::new(), ValueRef::Text(&[255])).is_err());
    }

    #[test]
    fn a_sum_of_rows_has_no_order_and_counts_each() {
        let sum = |lines: &[&str]| {
            let mut sum = RowSum::default();
            lines.iter().for_each(|line| sum.add(line));
            sum
        };
        assert_eq!(sum(&["a", "b", "c"]), sum(&["c", "a", "b"]));
        assert_ne!(sum(&["a", "b"]), sum(&["a", "c"]));
        assert_ne!(sum(&["a", "a"]), sum(&["a"]));
        assert_ne!(sum(&[]), sum(&["a"]));
    }
}
