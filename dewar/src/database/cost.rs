//! The cost of statements, in a unit that does not depend on the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::audit::{Finding, Practice, Severity};

/// A search that reads so many rows of a table in their order uses no index, and the table is not small for ever.
const SEARCHED: i32 = 1_000;

/// How many such statements are noted.
const MOST_SEARCHES: usize = 20;

/// The most letters of a statement in a finding.
const SHOWN: usize = 200;

/// The sum over all connections of a database.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    steps: AtomicU64,
    /// The searches that read a whole table, with the most rows that each read.
    searches: Mutex<BTreeMap<String, i32>>,
    /// The searches whose plans PostgreSQL was not asked for, or whose tables were small.
    unexplained: Mutex<BTreeSet<String>>,
    #[cfg(feature = "testing")]
    reads: Mutex<BTreeSet<String>>,
}

impl Cost {
    /// Adds a completed query, with the steps of SQLite's virtual machine for it.
    pub(crate) fn add(&self, sql: &str, steps: i32) {
        self.steps
            .fetch_add(steps.unsigned_abs().into(), Ordering::Relaxed);
        #[cfg(feature = "testing")]
        {
            let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
            if !reads.contains(sql) {
                reads.insert(sql.to_owned());
            }
        }
        #[cfg(not(feature = "testing"))]
        let _ = sql;
    }

    /// Notes a statement that looks for a part of a text in a whole table. `scanned` is SQLite's count of rows that it read without an
    /// index, or the rows of a table that PostgreSQL plans to read without one. False if they are few.
    pub(crate) fn note_search(&self, sql: &str, scanned: i32) -> bool {
        if scanned < SEARCHED || !searches(sql) {
            return false;
        }
        let mut noted = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(most) = noted.get_mut(sql) {
            *most = scanned.max(*most);
        } else if noted.len() < MOST_SEARCHES {
            tracing::warn!(
                sql,
                scanned,
                "a search reads a whole table: it gets slower as the table grows"
            );
            noted.insert(sql.to_owned(), scanned);
        }
        true
    }

    /// Notes a statement that PostgreSQL has prepared, if it looks for a part of a text.
    pub(crate) fn note_unexplained(&self, sql: &str) {
        if searches(sql) {
            let mut open = self.unexplained();
            if open.len() < MOST_SEARCHES && !self.is_noted(sql) {
                open.insert(sql.to_owned());
            }
        }
    }

    /// The searches to ask for.
    pub(crate) fn searches_to_explain(&self) -> Vec<String> {
        self.unexplained().iter().cloned().collect()
    }

    /// Asks for a search no more.
    pub(crate) fn forget_search(&self, sql: &str) {
        self.unexplained().remove(sql);
    }

    fn unexplained(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.unexplained
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_noted(&self, sql: &str) -> bool {
        let noted = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        noted.contains_key(sql)
    }

    /// The findings about such searches so far.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let noted = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        noted
            .iter()
            .map(|(sql, rows)| reads_all(sql, *rows))
            .collect()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn take_reads(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a statement looks for a part of a text, outside of its own texts.
fn searches(sql: &str) -> bool {
    let words = sql
        .split('\'')
        .step_by(2)
        .flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let verbs = ["GLOB", "INSTR", "LIKE"];
    words
        .into_iter()
        .any(|word| verbs.iter().any(|verb| word.eq_ignore_ascii_case(verb)))
}

fn reads_all(sql: &str, rows: i32) -> Finding {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let shown: String = words.join(" ").chars().take(SHOWN).collect();
    let title = format!("a search reads the whole table: `{shown}`");
    Finding::warn(Practice::Database, "database-search-unindexed", title)
        .severity(Severity::Low)
        .why(format!(
            "It reads {rows} rows, because no index finds a part of a text. It gets slower as the table grows, and whoever may search can repeat it."
        ))
        .fix("Search with an index of words: `search_index!` and `SearchQuery`. For the beginning of a text, compare a range that an index has: `name >= ? AND name < ?`. Otherwise bound the rows that one page looks at.")
        .cwe(400)
}

#[cfg(test)]
mod tests {
    use super::super::{Db, Migration};
    use super::*;

    #[test]
    fn a_search_is_told_by_its_words_and_not_by_its_texts() {
        for sql in [
            "SELECT a FROM t WHERE a LIKE ?",
            "select a from t where a not like 'x' and b = 'like'",
            "SELECT a FROM t WHERE instr(a, ?) > 0",
            "SELECT a FROM t WHERE a GLOB '*x*'",
        ] {
            assert!(searches(sql), "{sql}");
        }
        for sql in [
            "SELECT a FROM t WHERE a = 'x LIKE y'",
            "SELECT likes, instructions FROM t",
            "SELECT a FROM t",
        ] {
            assert!(!searches(sql), "{sql}");
        }
    }

    /// What SQLite counted decides, and not the text: an index, or a bound, makes the same words harmless.
    #[tokio::test]
    async fn a_search_that_reads_a_growing_table_is_a_finding() {
        let db = Db::temporary_file().unwrap();
        let table = "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, owner INTEGER NOT NULL) STRICT;
            CREATE INDEX notes_by_owner ON notes (owner, title);";
        db.migrate(&[Migration::new("notes_0001", table)])
            .await
            .unwrap();
        let fill = "INSERT INTO notes (title, owner) WITH RECURSIVE n (i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT 'note ' || i, i % 100 FROM n";
        let all = "SELECT id FROM notes WHERE title LIKE ?";
        let ask = async |sql: &'static str| {
            db.query(sql, ["%9%".into()]).await.unwrap();
            db.search_findings()
        };
        db.execute(fill, [500.into()]).await.unwrap();
        assert_eq!(ask(all).await, [], "it is small");
        db.execute(fill, [1_000.into()]).await.unwrap();
        assert_eq!(
            ask("SELECT id FROM notes WHERE owner = 7 AND title LIKE ?").await,
            []
        );
        assert_eq!(ask("SELECT id FROM notes WHERE title <> ?").await, []);
        let bounded = "SELECT id FROM (SELECT id, title FROM notes ORDER BY id LIMIT 200) AS some WHERE title LIKE ?";
        assert_eq!(ask(bounded).await, []);
        for _ in 0..2 {
            let found = ask(all).await;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].id, "database-search-unindexed");
            assert!(
                found[0].title.contains(all) && found[0].why.contains("1499"),
                "{found:?}"
            );
        }
    }
}
