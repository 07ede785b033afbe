//! Full-text search: an index of words for the rows of a table, on FTS5 and on `tsvector`, behind one call.
//!
//! Dewar cuts a text into terms itself, so both engines find the same rows: case, accents' spelling and width do not matter
//! ([`fold`]), and a run of Han, kana, Thai, Lao, Khmer or Burmese letters, which has no spaces, becomes overlapping
//! pairs. The engines see only ASCII: each letter beyond it is spelled by its number, so it does not matter which version of
//! Unicode an engine knows.

use std::borrow::Cow;

use sea_orm::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};

use super::{Db, Engine, Error, Literal, Migration, Row, Sql, Tx, fold};

/// The most bytes of a row's terms; PostgreSQL's `tsvector` takes a megabyte. Later words of a longer text are not found.
const MAX_BYTES: usize = 400_000;

/// The most letters of a term. Longer words are found by their beginning.
const MAX_LETTERS: usize = 40;

/// The most terms of a query; further ones are ignored.
const MAX_TERMS: usize = 12;

/// The most rows of one result.
const MAX_ROWS: u32 = 1_000;

/// A full-text index of a table's rows, declared by [`search_index!`](crate::search_index).
///
/// ```
/// use dewar::database::{Migration, SearchQuery};
/// use dewar::{Db, search_index};
///
/// search_index! {
///     /// The words of the notes.
///     const NOTES: "notes";
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dewar::Result<()> {
/// # let db = Db::temporary()?;
/// let notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL, body TEXT NOT NULL) STRICT";
/// db.migrate(&[Migration::new("notes_0001", notes), NOTES.migration()]).await?; // an application lists its migrations
///
/// let tx = db.begin().await?;
/// tx.execute("INSERT INTO notes (id, owner, body) VALUES (1, 7, 'Two loaves')", []).await?;
/// NOTES.put(&tx, 1, "Shopping for Ärzte", "Two loaves, 東京タワー").await?;
/// tx.commit().await?;
///
/// let mine = "SELECT id FROM notes WHERE owner = ?";
/// for typed in ["shop", "ÄRZTE loav", "京タ"] {
///     let found = NOTES.find_among(&db, &SearchQuery::parse(typed), mine, [7.into()], 20).await?;
///     assert_eq!(found, [1], "{typed}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SearchIndex {
    migration: Migration,
    put: &'static str,
    remove: &'static str,
    missing: &'static str,
    find: Sql,
    find_among: Sql,
}

impl SearchIndex {
    /// The parts that [`search_index!`](crate::search_index) writes.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_parts(
        migration: Migration,
        [put, remove, missing]: [&'static str; 3],
        [find, find_among]: [Sql; 2],
    ) -> Self {
        Self {
            migration,
            put,
            remove,
            missing,
            find,
            find_among,
        }
    }

    /// The migration that makes the index, after that of its table. A row of the index goes with its row of the table.
    #[must_use]
    pub const fn migration(&self) -> Migration {
        self.migration
    }

    /// Writes the words of a row, in the transaction that writes the row. Words of the title count more than those of the body.
    ///
    /// # Errors
    /// As [`Tx::execute`]; [`Error::ForeignKey`] if the table has no such row.
    pub async fn put(&self, tx: &Tx, id: i64, title: &str, body: &str) -> Result<(), Error> {
        let title = terms(title, MAX_BYTES / 4);
        let body = terms(body, MAX_BYTES - title.len());
        tx.execute(self.put, [id.into(), title.into(), body.into()])
            .await
            .map(drop)
    }

    /// Removes the words of a row that stays. Nothing is to do for a row that is deleted.
    ///
    /// # Errors
    /// As [`Tx::execute`].
    pub async fn remove(&self, tx: &Tx, id: i64) -> Result<(), Error> {
        tx.execute(self.remove, [id.into()]).await.map(drop)
    }

    /// Rows of the table that the index lacks, lowest ids first: rows from before the index. [`put`](Self::put) them.
    ///
    /// # Errors
    /// As [`Db::query`].
    pub async fn missing(&self, db: &Db, limit: u32) -> Result<Vec<i64>, Error> {
        let rows = db.query(self.missing, [i64::from(limit).into()]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The ids of the rows that have every term of the query, best first; at most 1,000. If more than 2,000 rows have them, those
    /// with the highest ids are ranked: a word that every row has costs no more to rank with a million rows than with two thousand.
    ///
    /// # Errors
    /// As [`Db::query`].
    pub async fn find(&self, db: &Db, query: &SearchQuery, limit: u32) -> Result<Vec<i64>, Error> {
        self.found(db, query, None, limit).await
    }

    /// The same among the rows whose ids a query selects: those that this person may see. The query is a literal and its values
    /// are bound, as everywhere.
    ///
    /// # Errors
    /// As [`Db::query`].
    pub async fn find_among(
        &self,
        db: &Db,
        query: &SearchQuery,
        among: impl Literal,
        values: impl IntoIterator<Item = Value>,
        limit: u32,
    ) -> Result<Vec<i64>, Error> {
        let among = among.text(db.engine());
        let values = values.into_iter().collect();
        self.found(db, query, Some((among, values)), limit).await
    }

    async fn found(
        &self,
        db: &Db,
        query: &SearchQuery,
        among: Option<(&'static str, Vec<Value>)>,
        limit: u32,
    ) -> Result<Vec<i64>, Error> {
        let engine = db.engine();
        let Some(matching) = query.text(engine) else {
            return Ok(Vec::new());
        };
        let asked = [matching.into(), i64::from(limit.min(MAX_ROWS)).into()];
        let rows: Vec<Row> = match among {
            None => db.query(self.find, asked).await?,
            Some((among, mut values)) => {
                // Two literals; the places of the first one's values come first.
                let sql = format!(
                    "WITH among (id) AS ({among}) {}",
                    self.find_among.text(engine)
                );
                values.extend(asked);
                db.rows(Cow::Owned(sql), values).await?
            }
        };
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// The words of a search: each has to begin a word of the row, in any order.
///
/// ```
/// use dewar::database::SearchQuery;
///
/// assert!(!SearchQuery::parse("plan 2027").is_empty());
/// assert!(SearchQuery::parse(" ?! ").is_empty()); // finds nothing
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    terms: Vec<String>,
}

impl SearchQuery {
    /// Reads what was typed. Nothing in it is an operator; at most twelve words count.
    #[must_use]
    pub fn parse(typed: &str) -> Self {
        let terms = terms_of(typed, Whose::Query).take(MAX_TERMS).collect();
        Self { terms }
    }

    /// Whether no letter or digit was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The query in the engine's language. A term has only ASCII letters and digits, so nothing can leave its quotes.
    fn text(&self, engine: Engine) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let (open, close, and) = match engine {
            Engine::Postgres => ("'", "':*", " & "),
            Engine::Sqlite => ("\"", "\"*", " AND "),
        };
        let terms = self.terms.iter().map(|term| format!("{open}{term}{close}"));
        Some(terms.collect::<Vec<_>>().join(and))
    }
}

/// The terms of a text for the index, with spaces between, in so many bytes at most.
fn terms(text: &str, most: usize) -> String {
    let mut all = String::new();
    for term in terms_of(text, Whose::Index) {
        if all.len() + term.len() >= most {
            break;
        }
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&term);
    }
    all
}

/// Whose terms they are: the index has the last letter of a run alone too, so that a query of one letter finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Index,
    Query,
}

/// The terms of a text in order.
fn terms_of(text: &str, whose: Whose) -> impl Iterator<Item = String> {
    // Composed again, so that the letters of a script are letters and not letters with marks.
    let folded: Vec<char> = fold(text).nfc().collect();
    let mut terms = Vec::new();
    for word in folded.split(|c| !is_part(*c)) {
        for run in word.chunk_by(|one, other| is_unspaced(*one) == is_unspaced(*other)) {
            match run {
                [] => {}
                [first, ..] if !is_unspaced(*first) => terms.push(spelled(run)),
                [only] => terms.push(spelled(&[*only])),
                [.., last] => {
                    terms.extend(run.windows(2).map(spelled));
                    if whose == Whose::Index {
                        terms.push(spelled(&[*last]));
                    }
                }
            }
        }
    }
    terms.into_iter()
}

/// Whether a character is part of a word: letters, digits, and the marks on them.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

/// Whether words of this script have no spaces between them.
fn is_unspaced(c: char) -> bool {
    matches!(
        c.script(),
        Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Thai
            | Script::Lao
            | Script::Khmer
            | Script::Myanmar
    )
}

/// A term in ASCII: each letter beyond it as `q` and four digits, or as `z` and six, and an `n` before a first digit, which an
/// engine could take for a number. So the beginning of a word is spelled as the beginning of its term.
fn spelled(letters: &[char]) -> String {
    let mut term = String::new();
    if letters.first().is_some_and(char::is_ascii_digit) {
        term.push('n');
    }
    for letter in letters.iter().take(MAX_LETTERS) {
        match u32::from(*letter) {
            0..=0x7f => term.push(*letter),
            number @ 0x80..=0xffff => term.push_str(&format!("q{number:04x}")),
            number => term.push_str(&format!("z{number:06x}")),
        }
    }
    term
}

/// Declares a full-text index of a table, as a constant.
///
/// The constant is a [`SearchIndex`](crate::database::SearchIndex), which has an example. The table needs a column `id`, an
/// integer that is its primary key. The index is a table of its own, named after the first with `_search`. Its texts are the terms,
/// which both engines index.
#[macro_export]
macro_rules! search_index {
    ($(#[$doc:meta])* $vis:vis const $name:ident: $table:literal;) => {
        $(#[$doc])*
        $vis const $name: $crate::database::SearchIndex = $crate::database::SearchIndex::from_parts(
            $crate::database::Migration::new(
                concat!($table, "_search_0001"),
                concat!(
                    "CREATE TABLE ", $table, "_search (
                        id INTEGER NOT NULL PRIMARY KEY REFERENCES ", $table, " (id) ON DELETE CASCADE,
                        title TEXT NOT NULL, body TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE VIRTUAL TABLE ", $table, "_search_fts USING fts5(
                        title, body, content='", $table, "_search', content_rowid='id', tokenize='ascii', prefix='2 3');
                    CREATE TRIGGER ", $table, "_search_added AFTER INSERT ON ", $table, "_search BEGIN
                        INSERT INTO ", $table, "_search_fts (rowid, title, body) VALUES (new.id, new.title, new.body);
                    END;
                    CREATE TRIGGER ", $table, "_search_removed AFTER DELETE ON ", $table, "_search BEGIN
                        INSERT INTO ", $table, "_search_fts (", $table, "_search_fts, rowid, title, body)
                            VALUES ('delete', old.id, old.title, old.body);
                    END;
                    CREATE TRIGGER ", $table, "_search_changed AFTER UPDATE ON ", $table, "_search BEGIN
                        INSERT INTO ", $table, "_search_fts (", $table, "_search_fts, rowid, title, body)
                            VALUES ('delete', old.id, old.title, old.body);
                        INSERT INTO ", $table, "_search_fts (rowid, title, body) VALUES (new.id, new.title, new.body);
                    END;"
                ),
            )
            .postgres(concat!(
                "CREATE TABLE ", $table, "_search (
                    id BIGINT NOT NULL PRIMARY KEY REFERENCES ", $table, " (id) ON DELETE CASCADE,
                    title TEXT NOT NULL, body TEXT NOT NULL,
                    vector TSVECTOR NOT NULL GENERATED ALWAYS AS (
                        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', body), 'D')) STORED
                );
                CREATE INDEX ", $table, "_search_vector ON ", $table, "_search USING gin (vector);"
            )),
            [
                concat!("INSERT INTO ", $table, "_search (id, title, body) VALUES (?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body"),
                concat!("DELETE FROM ", $table, "_search WHERE id = ?"),
                concat!("SELECT t.id FROM ", $table, " t WHERE NOT EXISTS
                    (SELECT 1 FROM ", $table, "_search s WHERE s.id = t.id) ORDER BY t.id LIMIT ?"),
            ],
            [
                $crate::database::Sql::new(
                    concat!("SELECT id FROM (SELECT rowid AS id, bm25(", $table, "_search_fts, 10.0, 1.0) AS score
                            FROM ", $table, "_search_fts WHERE ", $table, "_search_fts MATCH ?
                            ORDER BY rowid DESC LIMIT 2000) AS newest
                        ORDER BY score, id DESC LIMIT ?"),
                    concat!("WITH q (terms) AS (SELECT CAST(CAST(? AS text) AS tsquery)),
                            matched (id) AS MATERIALIZED (SELECT s.id FROM q, ", $table, "_search s WHERE s.vector @@ q.terms)
                        SELECT s.id FROM (SELECT id FROM matched ORDER BY id DESC LIMIT 2000) AS newest
                        JOIN ", $table, "_search s ON s.id = newest.id, q
                        ORDER BY ts_rank(s.vector, q.terms) DESC, s.id DESC LIMIT ?"),
                ),
                $crate::database::Sql::new(
                    concat!("SELECT id FROM (SELECT rowid AS id, bm25(", $table, "_search_fts, 10.0, 1.0) AS score
                            FROM ", $table, "_search_fts WHERE ", $table, "_search_fts MATCH ?
                            AND EXISTS (SELECT 1 FROM among WHERE among.id = ", $table, "_search_fts.rowid)
                            ORDER BY rowid DESC LIMIT 2000) AS newest
                        ORDER BY score, id DESC LIMIT ?"),
                    // The server guesses badly how many rows have the beginning of a word, so it uses the index always, and
                    // looks at the newest matches in order until there are enough.
                    concat!(", q (terms) AS (SELECT CAST(CAST(? AS text) AS tsquery)),
                            matched (id) AS MATERIALIZED (SELECT s.id FROM q, ", $table, "_search s WHERE s.vector @@ q.terms)
                        SELECT s.id FROM (SELECT m.id FROM (SELECT id FROM matched ORDER BY id DESC OFFSET 0) m
                            WHERE EXISTS (SELECT 1 FROM among WHERE among.id = m.id)
                            ORDER BY m.id DESC LIMIT 2000) AS newest
                        JOIN ", $table, "_search s ON s.id = newest.id, q
                        ORDER BY ts_rank(s.vector, q.terms) DESC, s.id DESC LIMIT ?"),
                ),
            ],
        );
    };
}
