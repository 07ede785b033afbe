//! The text of a statement in PostgreSQL's spelling.
//!
//! Statements are written once, for both engines: `?` or `?1` for a bound value. Tables are written in the types that both have:
//! `INTEGER`, `REAL`, `TEXT` and `BLOB`. Where the engines differ more, both spellings stand together ([`Sql`](crate::database::Sql),
//! [`Migration::postgres`](crate::database::Migration::postgres)).

use std::fmt::Write as _;

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// A word, or a number.
    Word(&'a str),
    /// Space, a comment, a quoted text or name: everything that is copied.
    Other(&'a str),
    /// One other character.
    Sign(char),
}

/// The pieces of a statement.
#[derive(Clone)]
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.0.chars().next()?;
        let length = match first {
            '\'' | '"' => quoted(self.0, first),
            'e' | 'E' if self.0.get(1..2) == Some("'") => escaped(self.0),
            '$' => dollar_quoted(self.0),
            '-' if self.0.starts_with("--") => self.0.find('\n').unwrap_or(self.0.len()),
            '/' if self.0.starts_with("/*") => end_after(self.0, "*/", 2),
            c if c.is_whitespace() => run(self.0, char::is_whitespace),
            c if is_word(c) => run(self.0, is_word),
            c => {
                self.0 = self.0.get(c.len_utf8()..).unwrap_or_default();
                return Some(Piece::Sign(c));
            }
        };
        let (piece, rest) = self.0.split_at_checked(length).unwrap_or((self.0, ""));
        self.0 = rest;
        Some(if is_word(first) && !piece.ends_with('\'') {
            Piece::Word(piece)
        } else {
            Piece::Other(piece)
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(text: &str, of: fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// The length up to the closing quotation mark. A doubled one does not close: the next piece begins with its second half, which
/// gives the same text.
fn quoted(text: &str, mark: char) -> usize {
    let rest = text.get(1..).unwrap_or_default();
    rest.find(mark).map_or(text.len(), |end| end + 2)
}

/// The length of `E'…'`, in which a backslash escapes.
fn escaped(text: &str) -> usize {
    let mut letters = text.char_indices().skip(2);
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '\'' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// `$$ … $$` and `$name$ … $name$`; `$1` is a sign and a number.
fn dollar_quoted(text: &str) -> usize {
    let rest = text.get(1..).unwrap_or_default();
    let name = rest.get(..run(rest, is_word)).unwrap_or_default();
    let is_number = name.starts_with(|first: char| first.is_ascii_digit());
    let mark = text.get(..name.len() + 2).unwrap_or_default();
    if is_number || !mark.ends_with('$') || mark.len() < 2 {
        return 1;
    }
    end_after(text, mark, mark.len())
}

fn end_after(text: &str, mark: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.find(mark)
        .map_or(text.len(), |end| from + end + mark.len())
}

/// A statement with `$1` for each `?1`, and numbered ones for each `?`.
pub(super) fn statement(sql: &str) -> String {
    let mut written = String::with_capacity(sql.len() + 16);
    let (mut number, mut pieces) = (0, Pieces(sql).peekable());
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Sign('?') => {
                written.push('$');
                let explicit = match pieces.peek() {
                    Some(Piece::Word(word)) => word.parse::<usize>().ok(),
                    _ => None,
                };
                // As in SQLite, a `?` is the one after the highest so far.
                number = explicit.map_or(number + 1, |explicit| number.max(explicit));
                if explicit.is_none() {
                    // Writing to a String cannot fail.
                    let _written = write!(written, "{number}");
                }
            }
            Piece::Sign(sign) => written.push(sign),
            Piece::Word(text) | Piece::Other(text) => written.push_str(text),
        }
    }
    written
}

/// The words of a statement, without comments and quoted text.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    Pieces(sql).filter_map(|piece| match piece {
        Piece::Word(word) => Some(word),
        Piece::Other(_) | Piece::Sign(_) => None,
    })
}

fn is(word: &str, known: &[&str]) -> bool {
    known.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// Whether the text is one statement: nothing follows a semicolon.
pub(super) fn is_single(sql: &str) -> bool {
    let mut pieces = Pieces(sql).skip_while(|piece| *piece != Piece::Sign(';'));
    pieces.all(|piece| piece == Piece::Sign(';') || is_space(piece))
}

fn is_space(piece: Piece<'_>) -> bool {
    let Piece::Other(text) = piece else {
        return false;
    };
    text.starts_with(|first: char| first.is_whitespace() || first == '-' || first == '/')
}

/// Words with which a statement about a transaction begins.
const TRANSACTION: &[&str] = &[
    "ABORT",
    "BEGIN",
    "COMMIT",
    "END",
    "PREPARE",
    "RELEASE",
    "ROLLBACK",
    "SAVEPOINT",
    "START",
];

/// Whether a migration would end its own transaction. The body of a function stands in a quoted text, or behind `BEGIN ATOMIC`.
pub(super) fn ends_its_transaction(sql: &str) -> bool {
    let (mut begins, mut in_a_body) = (true, false);
    for piece in Pieces(sql) {
        match piece {
            Piece::Word(word) => {
                in_a_body |= is(word, &["ATOMIC"]);
                if begins && !in_a_body && is(word, TRANSACTION) {
                    return true;
                }
                begins = false;
            }
            Piece::Sign(sign) => begins = sign == ';',
            Piece::Other(_) => {}
        }
    }
    false
}

/// Functions that change a setting, a counter or a lock beyond the statement.
const FUNCTIONS: &[&str] = &[
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "set_config",
    "setval",
];

/// Whether a statement only reads and changes rows. `SELECT … INTO` makes a table.
pub(super) fn is_of_rows(sql: &str) -> bool {
    let Some(verb) = words(sql).next() else {
        return false;
    };
    if words(sql).any(|word| is(word, FUNCTIONS)) {
        return false;
    }
    if is(verb, &["DELETE", "INSERT", "MERGE", "UPDATE"]) {
        return true;
    }
    let mut before = "";
    let mut makes_a_table = false;
    for word in words(sql) {
        makes_a_table |= is(word, &["INTO"]) && !is(before, &["INSERT", "MERGE"]);
        before = word;
    }
    is(verb, &["SELECT", "TABLE", "VALUES", "WITH"]) && !makes_a_table
}

/// Whether a statement of rows changes none at its beginning. `WITH` may.
pub(super) fn begins_like_a_read(sql: &str) -> bool {
    words(sql).next().is_some_and(|verb| {
        ["SELECT", "TABLE", "VALUES", "WITH"]
            .iter()
            .any(|read| verb.eq_ignore_ascii_case(read))
    })
}

/// A migration that was written for SQLite, in PostgreSQL's types. A text is compared byte by byte, as in SQLite: so an order does
/// not change with the server's language.
pub(crate) fn tables(sql: &str) -> String {
    let mut written = Written(String::with_capacity(sql.len() + 64));
    let mut pieces = Pieces(sql).peekable();
    let mut before = "";
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Word(word) => {
                let upper = word.to_ascii_uppercase();
                // A type stands behind a column's name; otherwise the word is a name itself.
                let is_type = !before.is_empty() && !is(before, BEFORE_A_NAME);
                match upper.as_str() {
                    "INTEGER" if is_type => written.push("BIGINT"),
                    "BLOB" if is_type => written.push("BYTEA"),
                    "REAL" if is_type => written.push("DOUBLE PRECISION"),
                    "TEXT" if is_type => written.push("TEXT COLLATE \"C\""),
                    "AUTOINCREMENT" => written.push("GENERATED BY DEFAULT AS IDENTITY"),
                    "STRICT" => written.drop_comma(),
                    "WITHOUT" => {
                        let mut ahead = pieces.clone();
                        let next = ahead.by_ref().find(|piece| matches!(piece, Piece::Word(_)));
                        if matches!(next, Some(Piece::Word(next)) if next.eq_ignore_ascii_case("ROWID"))
                        {
                            pieces = ahead;
                            written.drop_comma();
                        } else {
                            written.push(word);
                        }
                    }
                    _ => written.push(word),
                }
                before = word;
            }
            Piece::Sign(sign) => {
                written.0.push(sign);
                before = "";
            }
            Piece::Other(text) => {
                written.push(text);
                if text.starts_with('"') {
                    before = text;
                }
            }
        }
    }
    written.0
}

/// Words behind which a name or an expression stands, and no column's type.
const BEFORE_A_NAME: &[&str] = &[
    "AND",
    "AS",
    "BY",
    "CASE",
    "COLUMN",
    "DISTINCT",
    "ELSE",
    "FROM",
    "INTO",
    "NOT",
    "ON",
    "OR",
    "RETURNING",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "TO",
    "UPDATE",
    "WHEN",
    "WHERE",
];

struct Written(String);

impl Written {
    fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// An option of a table that PostgreSQL does not have is gone with the comma before it.
    fn drop_comma(&mut self) {
        let kept = self.0.trim_end();
        let kept = kept.strip_suffix(',').unwrap_or(kept).len();
        self.0.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_is_a_value_and_in_a_text_it_is_none() {
        for (sql, right) in [
            (
                "SELECT a FROM t WHERE b = ? AND c = ?",
                "SELECT a FROM t WHERE b = $1 AND c = $2",
            ),
            ("SELECT ?2, ?1, ?2", "SELECT $2, $1, $2"),
            (
                "SELECT '?', \"?\", ? -- ?\n, ? /* ? */",
                "SELECT '?', \"?\", $1 -- ?\n, $2 /* ? */",
            ),
            ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"),
            (
                "SELECT $1, $$?$$, $a$?$$?$a$, ?",
                "SELECT $1, $$?$$, $a$?$$?$a$, $1",
            ),
            ("SELECT 'open ?", "SELECT 'open ?"),
            ("SELECT E'a\\'?', e'', ?", "SELECT E'a\\'?', e'', $1"),
            ("SELECT ?2, ?, ?3", "SELECT $2, $3, $3"),
            ("SELECT 'ü', ?", "SELECT 'ü', $1"),
            ("", ""),
        ] {
            assert_eq!(statement(sql), right, "{sql}");
        }
    }

    #[test]
    fn only_statements_of_rows_are_run() {
        for sql in [
            "SELECT 1",
            " -- a word\n select 1",
            "(SELECT 1) UNION (SELECT 2)",
            "WITH a AS (INSERT INTO t VALUES (1) RETURNING b) SELECT b FROM a",
            "INSERT INTO t VALUES ('DROP TABLE t')",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "VALUES (1)",
            "SELECT 'x' AS \"into\", 'into' FROM t",
        ] {
            assert!(is_of_rows(sql), "{sql}");
        }
        for sql in [
            "SELECT a INTO u FROM t",
            "WITH a AS (SELECT 1) SELECT * INTO u FROM a",
            "CREATE TABLE t (a TEXT)",
            "DROP TABLE t",
            "TRUNCATE t",
            "ALTER TABLE t ADD b TEXT",
            "SET statement_timeout = 0",
            "RESET ALL",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "COPY t TO STDOUT",
            "DO $$ BEGIN END $$",
            "CALL p()",
            "LOCK TABLE t",
            "GRANT ALL ON t TO public",
            "EXPLAIN ANALYZE DELETE FROM t",
            "SELECT set_config('default_transaction_read_only', 'off', false)",
            "SELECT setval('t_id_seq', 1)",
            "SELECT pg_advisory_lock(1)",
            "",
            "-- SELECT",
        ] {
            assert!(!is_of_rows(sql), "{sql}");
        }
    }

    #[test]
    fn two_statements_are_not_one() {
        for sql in [
            "SELECT 1",
            "SELECT 1;",
            "SELECT ';'; -- the end\n ",
            "SELECT 1 /* ; */",
        ] {
            assert!(is_single(sql), "{sql}");
        }
        for sql in [
            "SELECT 1; SELECT 2",
            "DELETE FROM a; DELETE FROM b;",
            "SELECT 1; ''",
        ] {
            assert!(!is_single(sql), "{sql}");
        }
    }

    #[test]
    fn a_migration_does_not_end_its_transaction() {
        for sql in [
            "CREATE TABLE a (b TEXT); COMMIT;",
            "end",
            "/* a */ ROLLBACK; CREATE TABLE a (b TEXT)",
        ] {
            assert!(ends_its_transaction(sql), "{sql}");
        }
        for sql in [
            "CREATE TABLE begin (commit TEXT)",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN; COMMIT; END $$;",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; CREATE TABLE a (b TEXT);",
            "",
        ] {
            assert!(!ends_its_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn a_table_of_sqlite_is_one_of_postgresql() {
        let sql = "CREATE TABLE t (
                id INTEGER PRIMARY KEY AUTOINCREMENT, -- INTEGER
                a TEXT NOT NULL DEFAULT 'TEXT' CHECK (length(a) <= 5),
                b BLOB, c REAL, \"TEXT\" integer, text TEXT
            ) STRICT;
            CREATE TABLE u (k TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
            CREATE TABLE v (k TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
            ALTER TABLE t ADD COLUMN d TEXT;
            INSERT INTO t (a) SELECT CAST(c AS TEXT) FROM t;";
        let right = "CREATE TABLE t (
                id BIGINT PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, -- INTEGER
                a TEXT COLLATE \"C\" NOT NULL DEFAULT 'TEXT' CHECK (length(a) <= 5),
                b BYTEA, c DOUBLE PRECISION, \"TEXT\" BIGINT, text TEXT COLLATE \"C\"
            );
            CREATE TABLE u (k TEXT COLLATE \"C\" PRIMARY KEY);
            CREATE TABLE v (k TEXT COLLATE \"C\" PRIMARY KEY);
            ALTER TABLE t ADD COLUMN d TEXT COLLATE \"C\";
            INSERT INTO t (a) SELECT CAST(c AS TEXT) FROM t;";
        assert_eq!(tables(sql), right);
    }
}
