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
    match not_additive(&migration.text(engine)) {
        None => Ok(()),
        Some(what) => Err(Error::refused(format!(
            "the migration `{name}` is marked `additive`, and {what}. If the program before it can work beside the new tables, \
             write `.compatible_from(\"its newest migration\")` instead"
        ))),
    }
}

/// Why a migration is more than an addition.
fn not_additive(sql: &str) -> Option<String> {
    statements(sql).find_map(|words| {
        let begins = |with: &[&str]| {
            words.len() >= with.len() && words.iter().zip(with).all(|(word, with)| word == with)
        };
        let adds_row = begins(&["INSERT", "INTO"]);
        let makes = begins(&["CREATE", "TABLE"])
            || begins(&["CREATE", "INDEX"])
            || begins(&["CREATE", "VIEW"]);
        if makes || adds_row {
            return None;
        }
        let has = |word: &str| words.iter().any(|other| other == word);
        if begins(&["ALTER", "TABLE"]) && has("ADD") && !has("CONSTRAINT") && !has("CHECK") {
            if has("DROP") || has("RENAME") || has("UNIQUE") {
                return Some("it changes a column".to_owned());
            }
            // The program before it inserts rows without a value.
            let needs_value = words.windows(2).any(|two| two == ["NOT", "NULL"]);
            return (needs_value && !has("DEFAULT"))
                .then(|| "it adds a column that is `NOT NULL` without a `DEFAULT`".to_owned());
        }
        let first: Vec<_> = words.iter().take(3).map(String::as_str).collect();
        Some(format!(
            "`{}` is none of CREATE TABLE, CREATE INDEX, CREATE VIEW, INSERT INTO, and ALTER TABLE … ADD of a column",
            first.join(" ")
        ))
    })
}

/// The words of each statement, in capitals, without comments, texts and quoted names.
fn statements(sql: &str) -> impl Iterator<Item = Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut word = String::new();
    let mut rest = sql;
    loop {
        let next = rest.chars().next();
        if let Some(c) = next.filter(|c| c.is_alphanumeric() || *c == '_') {
            word.extend(c.to_uppercase());
        } else if !word.is_empty()
            && let Some(words) = all.last_mut()
        {
            words.push(std::mem::take(&mut word));
        }
        let Some(c) = next else { break };
        if c == ';' {
            all.push(Vec::new());
        }
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let ends = match c {
            '\'' | '"' | '`' => after.split_once(c),
            '[' => after.split_once(']'),
            '-' if after.starts_with('-') => after.split_once('\n'),
            '/' if after.starts_with('*') => after.split_once("*/"),
            _ => Some(("", after)),
        };
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
            "/* DROP */ CREATE VIEW v AS SELECT 1",
            "",
        ] {
            assert_eq!(not_additive(adds), None, "{adds}");
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
            "CREATE TRIGGER t_added AFTER INSERT ON t BEGIN DELETE FROM t; END",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "''; DROP TABLE t",
        ] {
            assert!(not_additive(changes).is_some(), "{changes}");
        }
    }
}
