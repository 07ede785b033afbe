//! Which programs can work beside a migration that they do not know.
//!
//! Nodes are replaced one after the other. The first new program migrates while older ones serve, and one of those may have to
//! start again before its turn.

use super::{Engine, Error, Migration};

/// The programs that can work beside a migration, of those that do not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compatible {
    /// Every one: the migration only adds.
    All,
    /// Those that know this earlier migration.
    From(&'static str),
    /// None.
    None,
}

impl Compatible {
    /// The spelling in `dewar_migrations`.
    pub(super) const fn recorded(self) -> Option<&'static str> {
        match self {
            Self::All => Some(""),
            Self::From(name) => Some(name),
            Self::None => None,
        }
    }
}

/// Whether a program with these migrations can work beside one that it does not know, by its record.
pub(super) fn is_tolerated(recorded: Option<&str>, known: impl Fn(&str) -> bool) -> bool {
    recorded.is_some_and(|from| from.is_empty() || known(from))
}

/// Refuses a migration that is marked as additive, and changes what is there.
pub(super) fn check_additive(migration: &Migration, engine: Engine) -> Result<(), Error> {
    if migration.compatible() != Compatible::All {
        return Ok(());
    }
    let name = migration.name();
    match not_additive(&migration.text(engine), engine) {
        None => Ok(()),
        Some(what) => Err(Error::refused(format!(
            "the migration `{name}` is marked `additive`, and {what}. If the program before it can work beside the new tables, \
             write `.compatible_from(\"its newest migration\")` instead"
        ))),
    }
}

/// The words with which a table's own constraint begins, and those that constrain a column by its other rows.
const CONSTRAINTS: [&str; 6] = [
    "CHECK",
    "CONSTRAINT",
    "EXCLUDE",
    "FOREIGN",
    "PRIMARY",
    "UNIQUE",
];

/// Why a migration is more than an addition.
fn not_additive(sql: &str, engine: Engine) -> Option<String> {
    let mut made: Vec<String> = Vec::new();
    statements(sql, engine).find_map(|statement| {
        let words: Vec<&str> = statement.iter().map(String::as_str).collect();
        let has = |word: &str| words.contains(&word);
        if has(ESCAPED) || has("$") {
            return Some(
                "it has a quote after a backslash, or a `$`, so Dewar does not know where its texts end"
                    .to_owned(),
            );
        }
        match words.as_slice() {
            ["CREATE", "TABLE", table, "(", ..] if *table != QUOTED => {
                made.push((*table).to_owned());
                None
            }
            ["CREATE", "TABLE" | "INDEX" | "VIEW", ..] => None,
            // Nobody has a row in a table that is new.
            ["CREATE", "UNIQUE", "INDEX", _, "ON", table, "(", ..]
                if made.iter().any(|made| made == table) =>
            {
                None
            }
            ["INSERT", "INTO", ..] => ["UPDATE", "DELETE", "MERGE"]
                .into_iter()
                .any(has)
                .then(|| "its INSERT changes rows that are there".to_owned()),
            ["ALTER", "TABLE", rest @ ..] => added_column(rest).err().map(str::to_owned),
            other => Some(format!(
                "`{}` is none of CREATE TABLE, CREATE INDEX, CREATE VIEW, INSERT INTO, and ALTER TABLE … ADD of a column",
                other.iter().take(3).copied().collect::<Vec<_>>().join(" ")
            )),
        }
    })
}

/// Accepts `t ADD COLUMN a …`, with one column that the program before it need not fill.
fn added_column(words: &[&str]) -> Result<(), &'static str> {
    let ([_, ".", _, "ADD", column @ ..] | [_, "ADD", column @ ..]) =
        skip(skip(words, &["IF", "EXISTS"]), &["ONLY"])
    else {
        return Err("it changes a table in another way than by a new column");
    };
    let column = skip(skip(column, &["COLUMN"]), &["IF", "NOT", "EXISTS"]);
    let mut depth = 0_u32;
    for word in column {
        match *word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                return Err("it does several things in one ALTER TABLE: write one for each column");
            }
            word if CONSTRAINTS.contains(&word) => return Err("it adds a constraint"),
            _ => {}
        }
    }
    // The program before it inserts rows without a value.
    let needs_value = column.windows(2).any(|two| two == ["NOT", "NULL"]);
    if needs_value && !column.contains(&"DEFAULT") {
        return Err("it adds a column that is `NOT NULL` without a `DEFAULT`");
    }
    Ok(())
}

/// The words, without those at their beginning.
fn skip<'a>(words: &'a [&'a str], first: &[&str]) -> &'a [&'a str] {
    if words.starts_with(first) {
        words.get(first.len()..).unwrap_or_default()
    } else {
        words
    }
}

/// Stands for a text or a quoted name.
const QUOTED: &str = "'";

/// Stands for a text before whose end there is a backslash: in `E'\\''` of PostgreSQL the quote does not end it.
const ESCAPED: &str = "\\'";

/// The words and signs of each statement, in capitals, without comments, texts and quoted names.
fn statements(sql: &str, engine: Engine) -> impl Iterator<Item = Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut word = String::new();
    let mut rest = sql;
    let push = |all: &mut Vec<Vec<String>>, text: String| {
        if let Some(words) = all.last_mut() {
            words.push(text);
        }
    };
    loop {
        let next = rest.chars().next();
        if let Some(c) = next.filter(|c| c.is_alphanumeric() || *c == '_') {
            word.extend(c.to_uppercase());
        } else if !word.is_empty() {
            push(&mut all, std::mem::take(&mut word));
        }
        let Some(c) = next else { break };
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let is_sqlite = engine == Engine::Sqlite;
        let ends = match c {
            '\'' | '"' => after.split_once(c),
            '`' if is_sqlite => after.split_once(c),
            '[' if is_sqlite => after.split_once(']'),
            '-' if after.starts_with('-') => after.split_once('\n'),
            '/' if after.starts_with('*') => after.split_once("*/"),
            _ => Some(("", after)),
        };
        match c {
            ';' => all.push(Vec::new()),
            '\'' if ends.is_some_and(|(text, _)| text.ends_with('\\')) => {
                push(&mut all, ESCAPED.to_owned());
            }
            '\'' | '"' | '`' | '[' => push(&mut all, QUOTED.to_owned()),
            '(' | ')' | ',' | '.' | '$' => push(&mut all, c.to_string()),
            _ => {}
        }
        rest = ends.map_or("", |(_, after)| after);
    }
    all.into_iter().filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_addition_is_told_from_a_change() {
        for adds in [
            "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY CHECK (id > 0)) STRICT;",
            "create index t_by_a on t (a); -- DROP TABLE t;\n",
            "ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT 'DROP; it'",
            "ALTER TABLE t ADD a TEXT; INSERT INTO t (a) VALUES ('x; DELETE FROM t')",
            "CREATE TABLE u (a TEXT); CREATE UNIQUE INDEX u_by_a ON u (a)",
            "/* DROP */ CREATE VIEW v AS SELECT 1",
            "ALTER TABLE IF EXISTS ONLY s.\"a table\" ADD COLUMN IF NOT EXISTS price NUMERIC(10, 2) NOT NULL DEFAULT 0",
            "ALTER TABLE t ADD b INTEGER REFERENCES u (id) ON DELETE SET NULL",
            "INSERT INTO t (a) VALUES ('it''s') ON CONFLICT (a) DO NOTHING",
            "",
        ] {
            for engine in [Engine::Sqlite, Engine::Postgres] {
                assert_eq!(not_additive(adds, engine), None, "{adds}");
            }
        }
        for changes in [
            "DROP TABLE t",
            "CREATE TABLE a (id INTEGER) STRICT; DROP TABLE t;",
            "ALTER TABLE t RENAME TO u",
            "ALTER TABLE t RENAME COLUMN a TO added",
            "ALTER TABLE t DROP COLUMN a",
            "ALTER TABLE t ADD COLUMN a TEXT NOT NULL",
            "ALTER TABLE t ADD COLUMN a TEXT, DROP COLUMN b",
            "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)",
            "ALTER TABLE t ADD CHECK (a > 0)",
            "ALTER TABLE t ADD UNIQUE (a)",
            "CREATE UNIQUE INDEX t_by_a ON t (a)",
            "CREATE TABLE IF NOT EXISTS t (a TEXT); CREATE UNIQUE INDEX t_by_a ON t (a)",
            "CREATE TABLE \"u\" (a TEXT); CREATE UNIQUE INDEX t_by_a ON \"t\" (a)",
            "CREATE TRIGGER t_added AFTER INSERT ON t BEGIN DELETE FROM t; END",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "''; DROP TABLE t",
            "ALTER TABLE t ADD COLUMN a TEXT, ALTER COLUMN b TYPE integer",
            "ALTER TABLE t ADD a TEXT NOT NULL DEFAULT '', ALTER COLUMN b SET NOT NULL",
            "ALTER TABLE t ADD a TEXT NOT NULL, ADD b TEXT DEFAULT ''",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id)",
            "ALTER TABLE t ADD PRIMARY KEY (a)",
            "ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&)",
            "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2",
            "INSERT INTO t WITH gone AS (DELETE FROM u RETURNING id) SELECT id FROM gone",
            "INSERT INTO t VALUES (E'\\''); DROP TABLE t; INSERT INTO t VALUES ('x')",
            "INSERT INTO t VALUES ($$'$$); DROP TABLE t; INSERT INTO t VALUES ($$'$$)",
        ] {
            for engine in [Engine::Sqlite, Engine::Postgres] {
                assert!(not_additive(changes, engine).is_some(), "{changes}");
            }
        }
    }

    #[test]
    fn a_bracket_quotes_a_name_on_sqlite_alone() {
        let hidden = "INSERT INTO t VALUES (ARRAY['a]']); DROP TABLE t; INSERT INTO t VALUES ('x')";
        assert!(not_additive(hidden, Engine::Postgres).is_some());
        let named = "ALTER TABLE [drop] ADD [a column; b] TEXT";
        assert_eq!(not_additive(named, Engine::Sqlite), None);
    }
}
