//! Functions that SQLite lacks: comparing text in every language, and reading the words of HTML.

use rusqlite::{Connection, functions::FunctionFlags};
use unicode_normalization::UnicodeNormalization;

use super::html_text::words;

/// A text in the form for comparing and sorting, without regard to case and to different spellings of a letter.
///
/// `STRASSE` and `Straße` are equal, and so are `Ä` and `ä`, which sort between `a` and `b`.
///
/// In a statement it is the function `fold`: `WHERE instr(fold(name), ?)`, with a folded value.
///
/// ```
/// use dewar::database::fold;
/// assert_eq!(fold("Übergrößen"), fold("ÜBERGRÖSSEN"));
/// assert!(fold("Äpfel") < fold("Birnen"));
/// ```
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Through upper case, which is the same for `ß` and `ss`, and for both small sigmas; the capital `ẞ` has none.
    let small = text.nfkd().flat_map(char::to_lowercase);
    let capitals = small.flat_map(char::to_uppercase);
    let small: String = capitals.flat_map(char::to_lowercase).collect();
    small.nfkd().collect()
}

/// Adds both functions to a connection. A schema cannot use them: a file from elsewhere must not call our functions
/// (<https://sqlite.org/security.html>), and other programs read this file.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    give(connection, "fold", fold)?;
    give(connection, "words", words)
}

fn give(connection: &Connection, name: &str, function: fn(&str) -> String) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(name, 1, flags, move |context| {
        let text = context.get_raw(0).as_str_or_null()?;
        Ok(text.map(function))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_people_take_for_one_are_one() {
        for (one, other) in [
            ("ADA", "ada"),
            ("Jos\u{e9}", "JOSE\u{301}"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("ﬁle", "FILE"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        assert_ne!(fold("uber"), fold("über"));
        let mut sorted = ["Zebra", "ähnlich", "Apfel", "Ähre", "Azur"];
        sorted.sort_by_key(|word| fold(word));
        assert_eq!(sorted, ["Apfel", "Azur", "ähnlich", "Ähre", "Zebra"]);
    }

    #[test]
    fn folded_once_is_folded() {
        for text in ["İstanbul", "ǅ", "ŉ", "Ⅷ", "ẞ", "Ǆ \u{345}"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }

    #[test]
    fn a_statement_has_both() {
        let connection = Connection::open_in_memory().unwrap();
        install(&connection).unwrap();
        let sql = "SELECT fold('ÄÖ'), words('<p>x</p>'), fold(NULL) IS NULL";
        let row = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        assert_eq!(row.unwrap(), (fold("äö"), "x".to_owned(), true));
        let trigger = "CREATE TABLE t (a TEXT); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT fold('x'); END;
                       INSERT INTO t VALUES ('a')";
        assert!(
            connection.execute_batch(trigger).is_err(),
            "not for a schema"
        );
    }

    /// A view or a trigger in a file from elsewhere cannot call our functions.
    #[test]
    fn a_schema_cannot_call_them() {
        let connection = Connection::open_in_memory().unwrap();
        install(&connection).unwrap();
        let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
        assert_eq!(read("SELECT fold('ADA')").unwrap(), "ada");
        assert_eq!(read("SELECT words('<p>a</p>')").unwrap(), "a");
        for function in ["fold", "words"] {
            let view = format!("CREATE VIEW of_{function} AS SELECT {function}('a')");
            // SQLite decides whether it refuses to make the view or only to read it.
            drop(connection.execute_batch(&view));
            assert!(
                read(&format!("SELECT * FROM of_{function}")).is_err(),
                "{function}"
            );
        }
    }
}
