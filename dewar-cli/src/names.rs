use std::str::FromStr;

use crate::error::Error;

/// Words of Rust, and names that the generated code has already.
const TAKEN: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "front", "gen", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "schema", "self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "list", "new",
    "edit", "show", "delete", "form", "page", "user", "model", "account", "dewar", "option",
    "string", "result",
];

/// Words that SQLite or PostgreSQL has reserved, so that no table and no column has them for a name without quotes. Those that are
/// words of Rust too are in the list above.
const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "asc",
    "asymmetric",
    "authorization",
    "autoincrement",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "drop",
    "end",
    "escape",
    "except",
    "exists",
    "fetch",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "raise",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "window",
    "with",
];

/// The tables of the framework begin with it.
const FRAMEWORK: &str = "dewar_";

/// The spellings of a resource's name.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// `support_request`
    pub(crate) one: String,
    /// `support_requests`
    pub(crate) many: String,
}

impl FromStr for Names {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // The table has the plural: `order` makes `orders`.
        let one = word(text)?;
        let many = name(&plural(&one))?;
        Ok(Self { one, many })
    }
}

impl Names {
    pub(crate) fn with_plural(mut self, many: Option<String>) -> Result<Self, Error> {
        if let Some(many) = many {
            self.many = name(&many)?;
        }
        if self.many == self.one {
            return Err(Error::Name(self.many));
        }
        Ok(self)
    }

    /// `SupportRequest`
    pub(crate) fn camel(&self) -> String {
        self.one.split('_').map(capital).collect()
    }

    /// `support request`
    pub(crate) fn words(&self) -> String {
        self.one.replace('_', " ")
    }

    /// `Support requests`
    pub(crate) fn title(&self) -> String {
        capital(&self.many.replace('_', " "))
    }
}

/// A name that Rust, SQL and an address can have.
pub(crate) fn name(text: &str) -> Result<String, Error> {
    if RESERVED.contains(&text) {
        return Err(Error::Name(text.to_owned()));
    }
    word(text)
}

/// A name that Rust and an address can have, and that is not the framework's.
fn word(text: &str) -> Result<String, Error> {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let whole = text.chars().all(fits) && !text.contains("__") && !text.ends_with('_');
    let free = !TAKEN.contains(&text) && !text.starts_with(FRAMEWORK);
    if starts && whole && text.len() <= 40 && free {
        Ok(text.to_owned())
    } else {
        Err(Error::Name(text.to_owned()))
    }
}

pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The regular plural of English.
fn plural(one: &str) -> String {
    let vowel_before = |end: &str| {
        one.strip_suffix(end)
            .is_some_and(|rest| rest.ends_with(['a', 'e', 'i', 'o', 'u']))
    };
    match one {
        _ if one.ends_with('y') && !vowel_before("y") => {
            format!("{}ies", one.strip_suffix('y').unwrap_or(one))
        }
        _ if ["s", "x", "z", "ch", "sh"]
            .iter()
            .any(|end| one.ends_with(end)) =>
        {
            format!("{one}es")
        }
        _ => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_becomes_many() {
        let many = |one: &str| one.parse::<Names>().map(|names| names.many).unwrap();
        assert_eq!(many("ticket"), "tickets");
        assert_eq!(many("company"), "companies");
        assert_eq!(many("day"), "days");
        assert_eq!(many("box_file"), "box_files");
        assert_eq!(many("branch"), "branches");
    }

    #[test]
    fn a_name_that_rust_or_sql_cannot_have_is_refused() {
        for wrong in [
            "", "Ticket", "1st", "a b", "a;b", "type", "a__b", "a_", "../x", "é",
        ] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reserved_word_of_sql_is_no_column_and_no_table() {
        for wrong in [
            "from", "to", "order", "group", "index", "check", "values", "select", "default",
            "limit", "table", "column", "end", "left", "desc", "user", "when",
        ] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        let order: Names = "order".parse().unwrap();
        assert_eq!((&*order.one, &*order.many), ("order", "orders"));
        order.with_plural(Some("values".to_owned())).unwrap_err();
        for right in ["order_id", "key", "value", "position", "status", "date"] {
            assert_eq!(name(right).unwrap(), right);
        }
    }

    #[test]
    fn a_table_does_not_look_like_one_of_the_framework() {
        name("dewar_jobs").unwrap_err();
        "dewar_note".parse::<Names>().unwrap_err();
        assert_eq!(name("dewars").unwrap(), "dewars");
    }

    #[test]
    fn a_name_has_the_spellings_of_code_and_of_pages() {
        let names: Names = "support_request".parse().unwrap();
        assert_eq!(names.camel(), "SupportRequest");
        assert_eq!(names.words(), "support request");
        assert_eq!(names.title(), "Support requests");
    }
}
