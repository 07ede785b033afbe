//! Tables that can hand out an id twice.
//!
//! If a table's key is only `INTEGER PRIMARY KEY`, SQLite gives a new row the id of a deleted one. A page that still
//! shows the old record then decides about the new one (CWE-639).

use super::{Db, Engine, Error};
use crate::audit::{Finding, Practice};

/// A table whose keys SQLite numbers and may use again.
#[derive(Debug)]
struct Reusing {
    table: String,
    key: String,
    columns: Vec<String>,
    /// The names of the indexes and triggers to make again when the table is rebuilt.
    beside: Vec<String>,
}

impl Db {
    /// The tables that can use an id again, each with the migration that prevents it.
    pub(super) async fn reused_ids(&self) -> Result<Vec<Finding>, Error> {
        // PostgreSQL's identities only count up.
        if self.engine() == Engine::Postgres {
            return Ok(Vec::new());
        }
        let rows = self
            .query(
                // `wr` is 1 for WITHOUT ROWID: such a table numbers nothing. A full-text index manages its own key.
                "SELECT t.name, c.name, s.sql FROM pragma_table_list t
                 JOIN pragma_table_info(t.name) c ON c.pk = 1 AND upper(c.type) = 'INTEGER'
                 JOIN sqlite_schema s ON s.type = 'table' AND s.name = t.name
                 WHERE t.schema = 'main' AND t.type = 'table' AND t.wr = 0 AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                     AND (SELECT max(pk) FROM pragma_table_info(t.name)) = 1
                 ORDER BY t.name",
                [],
            )
            .await?;
        let mut findings = Vec::new();
        for row in rows {
            if counts_up(&row.get::<String>(2)?) {
                continue;
            }
            let (table, key): (String, String) = (row.get(0)?, row.get(1)?);
            findings.push(self.reusing(table, key).await?.finding());
        }
        Ok(findings)
    }

    async fn reusing(&self, table: String, key: String) -> Result<Reusing, Error> {
        let columns = self
            .query(
                "SELECT name FROM pragma_table_info(?) ORDER BY cid",
                [table.as_str().into()],
            )
            .await?;
        let beside = self
            .query(
                "SELECT name FROM sqlite_schema WHERE tbl_name = ? AND type IN ('index', 'trigger')
                     AND sql IS NOT NULL ORDER BY name",
                [table.as_str().into()],
            )
            .await?;
        let columns = columns.iter().map(|row| row.get(0));
        let beside = beside.iter().map(|row| row.get(0));
        Ok(Reusing {
            columns: columns.collect::<Result<_, _>>()?,
            beside: beside.collect::<Result<_, _>>()?,
            table,
            key,
        })
    }
}

impl Reusing {
    fn finding(&self) -> Finding {
        let Self { table, key, .. } = self;
        let title = format!("SQLite can reuse the ids of `{table}`: `{key}` has no AUTOINCREMENT");
        Finding::refuse(Practice::Database, "database-ids-reused", title)
            .why(
                "SQLite gives a new row the id of a deleted one. A page, a link or a log entry about the old record \
                 then refers to the new one: a user could approve or delete another record than the one on the page.",
            )
            .fix(self.fix())
            .cwe(639)
            .asvs(&["8.2.2", "15.4.2"])
    }

    fn fix(&self) -> String {
        let Self {
            table,
            key,
            columns,
            beside,
        } = self;
        let others = columns.iter().filter(|column| *column != key);
        let others: String = others.map(|column| format!(", {column} …")).collect();
        let all = columns.join(", ");
        let again = if beside.is_empty() {
            String::new()
        } else {
            format!(
                " Then create again what was dropped with the table: {}.",
                beside.join(", ")
            )
        };
        format!(
            "Build the table again in a new migration: `CREATE TABLE {table}_anew ({key} INTEGER PRIMARY KEY \
             AUTOINCREMENT{others}) STRICT; INSERT INTO {table}_anew ({all}) SELECT {all} FROM {table}; DROP TABLE \
             {table}; ALTER TABLE {table}_anew RENAME TO {table};`.{again} Where `{key}` is the id of another table's \
             row, write `WITHOUT ROWID` instead: SQLite gives such rows no ids."
        )
    }
}

/// Whether a table's own SQL has the keyword AUTOINCREMENT, and not only the word in a comment, a text or a quoted name.
fn counts_up(sql: &str) -> bool {
    let mut rest = sql;
    let mut word = String::new();
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '\'' | '"' | '`' => Some(rest.get(1..).and_then(|text| text.split_once(c))),
            '[' => Some(rest.split_once(']')),
            '-' if rest.starts_with("--") => Some(rest.split_once('\n')),
            '/' if rest.starts_with("/*") => {
                Some(rest.get(2..).and_then(|text| text.split_once("*/")))
            }
            _ => None,
        };
        if skipped.is_none() && (c.is_alphanumeric() || matches!(c, '_' | '$')) {
            word.push(c);
        } else {
            if word.eq_ignore_ascii_case("autoincrement") {
                return true;
            }
            word.clear();
        }
        rest = match skipped {
            None => rest.get(c.len_utf8()..).unwrap_or_default(),
            Some(Some((_, after))) => after,
            Some(None) => "",
        };
    }
    word.eq_ignore_ascii_case("autoincrement")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Migration;

    async fn ids(sql: &'static str) -> Vec<Finding> {
        let db = Db::temporary_file().unwrap();
        db.migrate(&[Migration::new("t_0001", sql)]).await.unwrap();
        db.findings().await.unwrap()
    }

    /// Every way to key a table, and which of them hand out an id twice.
    #[tokio::test]
    async fn a_table_that_hands_an_id_out_twice_is_refused() {
        for refused in [
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT",
            "CREATE TABLE t (id integer not null primary key) STRICT",
            "CREATE TABLE t (a TEXT, id INTEGER, PRIMARY KEY (id)) STRICT",
            "CREATE TABLE t (id INTEGER PRIMARY KEY ASC, a TEXT DEFAULT 'autoincrement') STRICT",
            "CREATE TABLE t (id INTEGER PRIMARY KEY /* AUTOINCREMENT */, a TEXT) STRICT",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, -- AUTOINCREMENT\n a TEXT) STRICT",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, \"autoincrement\" TEXT, [a 'AUTOINCREMENT] TEXT) STRICT",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, auto_increment TEXT, x_autoincrement TEXT) STRICT",
        ] {
            let found = ids(refused).await;
            assert_eq!(found.len(), 1, "{refused}");
            assert!(found[0].refuses_launch && found[0].id == "database-ids-reused");
        }
        for passes in [
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT) STRICT",
            "CREATE TABLE t (a TEXT, id INTEGER NOT NULL CONSTRAINT key PRIMARY KEY ASC\nautoincrement) STRICT",
            "CREATE TABLE t (a INTEGER DEFAULT -1, id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
            "CREATE TABLE t (a INTEGER DEFAULT (4/2), id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT) STRICT, WITHOUT ROWID",
            "CREATE TABLE t (id TEXT PRIMARY KEY) STRICT",
            "CREATE TABLE t (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) STRICT",
            "CREATE TABLE t (a TEXT) STRICT",
            "CREATE VIRTUAL TABLE t USING fts5 (title)",
        ] {
            assert_eq!(ids(passes).await, [], "{passes}");
        }
    }

    /// The migration that the finding prints works.
    #[tokio::test]
    async fn the_finding_says_how_to_build_the_table_anew() {
        let sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, stars INTEGER) STRICT;
             CREATE INDEX notes_by_title ON notes (title);
             CREATE TRIGGER noted AFTER INSERT ON notes BEGIN SELECT 1; END;";
        let fix = ids(sql).await.remove(0).fix;
        let parts = [
            "CREATE TABLE notes_anew (id INTEGER PRIMARY KEY AUTOINCREMENT, title …, stars …) STRICT;",
            "INSERT INTO notes_anew (id, title, stars) SELECT id, title, stars FROM notes;",
            "DROP TABLE notes; ALTER TABLE notes_anew RENAME TO notes;",
            "noted, notes_by_title",
            "WITHOUT ROWID",
        ];
        for part in parts {
            assert!(fix.contains(part), "{part} is not in: {fix}");
        }
    }

    #[tokio::test]
    async fn the_count_that_keeps_ids_from_coming_back_is_out_of_reach() {
        let db = Db::temporary_file().unwrap();
        let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT) STRICT";
        db.migrate(&[Migration::new("t_0001", sql)]).await.unwrap();
        let add = "INSERT INTO t (a) VALUES ('x')";
        db.execute(add, []).await.unwrap();
        for statement in [
            "DELETE FROM sqlite_sequence",
            "UPDATE sqlite_sequence SET seq = 0",
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('t', 0)",
        ] {
            match statement {
                "DELETE FROM sqlite_sequence" => {
                    db.execute("DELETE FROM sqlite_sequence", []).await
                }
                "UPDATE sqlite_sequence SET seq = 0" => {
                    db.execute("UPDATE sqlite_sequence SET seq = 0", []).await
                }
                _ => {
                    db.execute(
                        "INSERT INTO sqlite_sequence (name, seq) VALUES ('t', 0)",
                        [],
                    )
                    .await
                }
            }
            .unwrap_err();
        }
        db.execute("DELETE FROM t", []).await.unwrap();
        db.execute(add, []).await.unwrap();
        let rows = db.query("SELECT id FROM t", []).await.unwrap();
        assert_eq!(rows[0].get::<i64>(0).unwrap(), 2);
    }
}
