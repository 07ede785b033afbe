//! The audit log's data in the database: where the log ends, and entries of transactions until they are in it.

use std::borrow::Cow;

use super::{Db, Error, Migration, Sql, Tx, db::Backend, id_list};
use crate::audit::{Entry, Log, NodeName, OutboxEntry, Remembered};

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
    Migration::new(
        "dewar_audit_0003_nodes",
        "CREATE TABLE dewar_audit_ends (
            node TEXT NOT NULL PRIMARY KEY,
            head TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO dewar_audit_ends (node, head) SELECT 'main', head FROM dewar_audit_end;
        DROP TABLE dewar_audit_end;
        ALTER TABLE dewar_audit_waiting ADD COLUMN node TEXT NOT NULL DEFAULT 'main';
        CREATE INDEX dewar_audit_waiting_by_node ON dewar_audit_waiting (node, id);",
    ),
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
        let sql = "INSERT INTO dewar_audit_waiting (node, recorded_at, entry) VALUES (?, ?, ?) RETURNING id";
        let node = log.node().as_str();
        let values = [node.into(), milliseconds.into(), text.into()];
        let rows = self.query(sql, values).await?;
        let row = rows.first().ok_or(Error::NotFound)?.get(0)?;
        let log = log.clone();
        self.after_commit(move || log.record_committed(row, milliseconds, entry));
        Ok(())
    }
}

impl Db {
    /// The database's record of the end of this node's log. Every start writes its row before anything is recorded. So a
    /// missing row was removed, unless the node is new: then no log was written under its name, and either another node has
    /// a row or nothing was ever recorded.
    pub(crate) async fn audit_end(&self, node: &NodeName) -> Result<Remembered, Error> {
        if !self.has_table("dewar_audit_ends").await? {
            return Ok(Remembered::Nothing);
        }
        let find = "SELECT head FROM dewar_audit_ends WHERE node = ?";
        let rows = self.query(find, [node.as_str().into()]).await?;
        if let Some(row) = rows.first() {
            return Ok(Remembered::End(row.get(0)?));
        }
        let others = self.query("SELECT 1 FROM dewar_audit_ends LIMIT 1", []);
        if others.await?.is_empty() && !self.query(COUNTED, []).await?.is_empty() {
            Ok(Remembered::Lost)
        } else {
            Ok(Remembered::NotYet)
        }
    }

    /// Whether another node has a log beside this database.
    pub(crate) async fn has_other_nodes(&self, node: &NodeName) -> Result<bool, Error> {
        let find = "SELECT 1 FROM dewar_audit_ends WHERE node <> ? LIMIT 1";
        Ok(!self.query(find, [node.as_str().into()]).await?.is_empty())
    }

    /// Whether a table exists.
    pub(crate) async fn has_table(&self, name: &str) -> Result<bool, Error> {
        if let Backend::Postgres(postgres) = self.backend() {
            return postgres.exists(name).await;
        }
        let find = "SELECT 1 FROM sqlite_schema WHERE name = ?";
        Ok(!self.query(find, [name.into()]).await?.is_empty())
    }

    /// Records where this node's log ends.
    pub(crate) async fn remember_audit_end(
        &self,
        node: &NodeName,
        head: String,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO dewar_audit_ends (node, head) VALUES (?, ?)
            ON CONFLICT (node) DO UPDATE SET head = excluded.head";
        let values = vec![node.as_str().into(), head.into()];
        self.change_aside(Cow::Borrowed(sql), values)
            .await
            .map(drop)
    }

    /// The entries of this node's committed transactions that may not be in its log. Those of another node wait for that node.
    pub(crate) async fn audit_waiting(&self, node: &NodeName) -> Result<Vec<OutboxEntry>, Error> {
        let sql =
            "SELECT id, recorded_at, entry FROM dewar_audit_waiting WHERE node = ? ORDER BY id";
        let rows = self.query(sql, [node.as_str().into()]).await?;
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
        let ids = id_list(rows.iter().copied());
        self.execute(DELETE, [ids]).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{ChainKeys, Clock, Event, Opening, Settings};

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
        let waiting = db.audit_waiting(log.node()).await.unwrap();
        assert_eq!(waiting.len(), 3);
        for (row, subject) in waiting.iter().zip(subjects) {
            assert!(row.text.contains(&format!("\"{subject}\"")), "{}", row.text);
            assert!(row.milliseconds > 0);
        }
        db.audit_written(&[waiting[0].row, waiting[2].row])
            .await
            .unwrap();
        let left = db.audit_waiting(log.node()).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].row, waiting[1].row);
    }

    /// A node that starts writes no entry of another node, which may be about to write it.
    #[tokio::test]
    async fn the_entries_of_a_node_are_its_own() {
        let db = made().await;
        let folder = tempfile::tempdir().unwrap();
        let mut logs = Vec::new();
        for name in ["web-1", "web-2"] {
            let settings = Settings::read(None, [("DEWAR_NODE".to_owned(), name.to_owned())]);
            let opening = Opening {
                node: NodeName::read(&settings),
                ..Opening::default()
            };
            assert_eq!(settings.finish(), []);
            let path = folder.path().join(name);
            let keys = ChainKeys::from([7; 32]);
            let log = Log::open_with(&path, keys, Clock::system(), opening).unwrap();
            let node = log.node();
            assert_eq!(db.audit_end(node).await.unwrap(), Remembered::NotYet);
            db.remember_audit_end(node, name.to_owned()).await.unwrap();
            let tx = db.begin().await.unwrap();
            let entry = Entry::new(Event::SensitiveUpdate).subject(name);
            tx.record(&log, entry).await.unwrap();
            tx.commit().await.unwrap();
            logs.push(log);
        }
        for log in &logs {
            let name = log.node().as_str();
            let waiting = db.audit_waiting(log.node()).await.unwrap();
            let [entry] = waiting.as_slice() else {
                panic!("{waiting:?}");
            };
            assert!(entry.text.contains(name), "{}", entry.text);
            let end = Remembered::End(name.to_owned());
            assert_eq!(db.audit_end(log.node()).await.unwrap(), end);
        }
    }
}
