//! The audit log's data in the database: where the log ends, and entries of transactions until they are in it.

use std::borrow::Cow;

use super::{Db, Error, Migration, Sql, Tx, db::Backend};
use crate::audit::{Entry, Log, OutboxEntry, Remembered};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new("dewar_audit_0001", FIRST),
    // Its one row has a fixed id: SQLite numbers nothing.
    Migration::new(
        "dewar_audit_0002_ids",
        "CREATE TABLE dewar_audit_end_anew (
            one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
            head TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO dewar_audit_end_anew (one, head) SELECT one, head FROM dewar_audit_end;
        DROP TABLE dewar_audit_end;
        ALTER TABLE dewar_audit_end_anew RENAME TO dewar_audit_end;",
    )
    .postgres(""),
];

/// Whether an entry was ever recorded in a transaction: the counter shows it, even if the rows are gone.
const COUNTED: Sql = Sql::new(
    "SELECT 1 FROM sqlite_sequence WHERE name = 'dewar_audit_waiting' AND seq > 0",
    "SELECT 1 WHERE pg_sequence_last_value(pg_get_serial_sequence('dewar_audit_waiting', 'id')) IS NOT NULL",
);

const FIRST: &str = "CREATE TABLE dewar_audit_end (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        head TEXT NOT NULL
    ) STRICT;
    CREATE TABLE dewar_audit_waiting (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        recorded_at INTEGER NOT NULL,
        entry TEXT NOT NULL
    ) STRICT;";

impl Tx {
    /// Records an entry of the audit log as part of this transaction. The log gets it if the transaction is committed,
    /// and only then, even if the program is killed right after the commit.
    ///
    /// It costs a row. Use it for entries that must not be lost; use [`Log::record`] for all others.
    ///
    /// ```
    /// use dewar::audit::{Entry, Event, Log};
    /// # async fn archive(db: dewar::database::Db, log: Log) -> Result<(), dewar::database::Error> {
    /// let tx = db.begin().await?;
    /// tx.execute("UPDATE notes SET archived = 1", []).await?;
    /// tx.record(&log, Entry::new(Event::SensitiveUpdate).subject("all notes")).await?;
    /// tx.commit().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn record(&self, log: &Log, entry: Entry) -> Result<(), Error> {
        let (milliseconds, text) = log.for_row(&entry);
        let sql = "INSERT INTO dewar_audit_waiting (recorded_at, entry) VALUES (?, ?) RETURNING id";
        let rows = self.query(sql, [milliseconds.into(), text.into()]).await?;
        let row = rows.first().ok_or(Error::NotFound)?.get(0)?;
        let log = log.clone();
        self.after_commit(move || log.record_committed(row, milliseconds, entry));
        Ok(())
    }
}

impl Db {
    /// The database's record of the log's end. Every start writes its row before anything is recorded. So a missing row
    /// was removed, unless nothing was ever recorded.
    pub(crate) async fn audit_end(&self) -> Result<Remembered, Error> {
        if !self.has_table("dewar_audit_end").await? {
            return Ok(Remembered::Nothing);
        }
        let rows = self.query("SELECT head FROM dewar_audit_end", []).await?;
        if let Some(row) = rows.first() {
            return Ok(Remembered::End(row.get(0)?));
        }
        if self.query(COUNTED, []).await?.is_empty() {
            Ok(Remembered::NotYet)
        } else {
            Ok(Remembered::Lost)
        }
    }

    /// Whether a table exists.
    pub(crate) async fn has_table(&self, name: &str) -> Result<bool, Error> {
        if let Backend::Postgres(postgres) = self.backend() {
            return postgres.exists(name).await;
        }
        let find = "SELECT 1 FROM sqlite_schema WHERE name = ?";
        Ok(!self.query(find, [name.into()]).await?.is_empty())
    }

    /// Records where the log ends.
    pub(crate) async fn remember_audit_end(&self, head: String) -> Result<(), Error> {
        let sql = "INSERT INTO dewar_audit_end (one, head) VALUES (1, ?)
            ON CONFLICT (one) DO UPDATE SET head = excluded.head";
        self.change_aside(Cow::Borrowed(sql), vec![head.into()])
            .await
            .map(drop)
    }

    /// The entries of committed transactions that may not be in the log.
    pub(crate) async fn audit_waiting(&self) -> Result<Vec<OutboxEntry>, Error> {
        let sql = "SELECT id, recorded_at, entry FROM dewar_audit_waiting ORDER BY id";
        let rows = self.query(sql, []).await?;
        let waiting = rows.iter().map(|row| {
            Ok(OutboxEntry {
                row: row.get(0)?,
                milliseconds: row.get(1)?,
                text: row.get(2)?,
            })
        });
        waiting.collect()
    }

    /// Deletes the rows whose entries are in the log.
    pub(crate) async fn audit_written(&self, rows: &[i64]) -> Result<(), Error> {
        const DELETE: Sql = Sql::new(
            "DELETE FROM dewar_audit_waiting WHERE id IN (SELECT value FROM json_each(?))",
            "DELETE FROM dewar_audit_waiting
                WHERE id IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))",
        );
        let ids: Vec<_> = rows.iter().map(i64::to_string).collect();
        let ids = format!("[{}]", ids.join(","));
        self.execute(DELETE, [ids.into()]).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Clock, Event};

    async fn made() -> Db {
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        db
    }

    #[tokio::test]
    async fn an_entry_waits_until_it_is_written() {
        let db = made().await;
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path().join("audit.log"), [7; 32], Clock::system()).unwrap();
        let subjects = ["a", "b", "c"];
        for subject in subjects {
            let tx = db.begin().await.unwrap();
            let entry = Entry::new(Event::SensitiveUpdate).subject(subject);
            tx.record(&log, entry).await.unwrap();
            tx.commit().await.unwrap();
        }
        let tx = db.begin().await.unwrap();
        let undone = Entry::new(Event::SensitiveUpdate).subject("undone");
        tx.record(&log, undone).await.unwrap();
        tx.rollback().await.unwrap();
        let waiting = db.audit_waiting().await.unwrap();
        assert_eq!(waiting.len(), 3);
        for (row, subject) in waiting.iter().zip(subjects) {
            assert!(row.text.contains(&format!("\"{subject}\"")), "{}", row.text);
            assert!(row.milliseconds > 0);
        }
        db.audit_written(&[waiting[0].row, waiting[2].row])
            .await
            .unwrap();
        let left = db.audit_waiting().await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].row, waiting[1].row);
    }
}
