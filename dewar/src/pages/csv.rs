use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use super::output;

/// A table as CSV (RFC 4180), sent as a file: `text/csv; charset=utf-8`.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before the formula (CSV injection: CWE-1236, ASVS
/// 1.2.10, OWASP *CSV Injection*). A formula begins with `=`, `+`, `-`, `@` or their full-width forms, a tab or a
/// carriage return. It may also begin after a character that another reader of the file takes for the end of a cell. A
/// number is written unchanged.
///
/// The table begins with the byte order mark of UTF-8. Without it, most spreadsheets read it in the encoding of the
/// system and show `Ã¼` for `ü`. For a program, send the table [without it](Self::without_bom).
///
/// ```
/// use dewar::pages::{Cell, Csv};
/// async fn prices() -> Csv {
///     Csv::new("prices.csv")
///         .row(["Article".into(), "Change".into()])
///         .row(["=HYPERLINK(\"https://evil.example\")".into(), Cell::from(-5)])
/// }
/// assert_eq!(
///     Csv::new("a.csv").row(["=1+1".into(), Cell::from(-5)]).as_str(),
///     "\"'=1+1\",-5\r\n",
/// );
/// ```
#[derive(Debug, Clone)]
#[must_use = "a table does nothing until a handler returns it"]
pub struct Csv {
    name: &'static str,
    text: String,
    bom: bool,
}

/// A cell of a [`Csv`].
///
/// ```
/// use dewar::pages::Cell;
/// assert_eq!(Cell::from(7), Cell::Number(7));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// A whole number.
    Number(i64),
    /// A text, in quotes.
    Text(Cow<'a, str>),
}

impl Csv {
    /// An empty table; the browser saves it under this name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            text: String::new(),
            bom: true,
        }
    }

    /// Leaves out the byte order mark, for a program: many programs read it as part of the first cell.
    ///
    /// ```
    /// use dewar::pages::Csv;
    /// async fn for_the_bookkeeping() -> Csv {
    ///     Csv::new("bookings.csv").without_bom().row(["Number".into()])
    /// }
    /// ```
    pub const fn without_bom(mut self) -> Self {
        self.bom = false;
        self
    }

    /// Adds a row.
    pub fn row<'a>(mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Self {
        for (number, cell) in cells.into_iter().enumerate() {
            if number > 0 {
                self.text.push(',');
            }
            match cell {
                Cell::Number(number) => self.text.push_str(&number.to_string()),
                Cell::Text(text) => quote(&mut self.text, &text),
            }
        }
        self.text.push_str("\r\n");
        self
    }

    /// Adds rows.
    pub fn rows<'a, Row: IntoIterator<Item = Cell<'a>>>(
        self,
        rows: impl IntoIterator<Item = Row>,
    ) -> Self {
        rows.into_iter().fold(self, Self::row)
    }

    /// The table as it is sent, without the byte order mark.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Writes a text in quotes, with no beginning of a formula for any reader.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    let mut begins = true;
    for c in text.chars() {
        match c {
            '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' if begins => {
                out.push('\'')
            }
            '\t' | '\r' if out.ends_with('"') && begins => out.push('\''),
            _ => {}
        }
        // Some reader ends a cell at these characters. A space or an invisible character does not end the beginning of a
        // cell.
        let ends = matches!(c, ',' | ';' | '|' | '\t' | '\r' | '\n' | '"' | '\'');
        begins = ends || (begins && (c.is_whitespace() || c.is_control()));
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let name: String = self.name.chars().filter(kept).collect();
        let mark = if self.bom { "\u{feff}" } else { "" };
        let mut response = format!("{mark}{}", self.text).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("text/csv; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Ok(place) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            headers.insert(header::CONTENT_DISPOSITION, place);
        }
        response
    }
}

output! { Csv => [200 Some("text/csv")] }

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(text: &str) -> String {
        let table = Csv::new("a.csv").row([text.into()]);
        table.as_str().trim_end().to_owned()
    }

    #[test]
    fn what_begins_a_formula_for_any_reader_is_made_harmless() {
        for (text, written) in [
            ("=1", "\"'=1\""),
            ("  @SUM(A1)", "\"  '@SUM(A1)\""),
            ("-5", "\"'-5\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("\t=1", "\"'\t'=1\""),
            ("\tb", "\"'\tb\""),
            ("a\tb\rc", "\"a\tb\rc\""),
            ("a\"\tb", "\"a\"\"'\tb\""),
            ("a;=1", "\"a;'=1\""),
            ("a\n+1", "\"a\n'+1\""),
            ("\"=1", "\"\"\"'=1\""),
            ("a,\",=1", "\"a,\"\",'=1\""),
            ("a = b - c", "\"a = b - c\""),
            ("ada@example.org", "\"ada@example.org\""),
            ("2027-05-31", "\"2027-05-31\""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }

    #[test]
    fn a_table_is_a_file_to_keep() {
        let table = Csv::new("pri\"ces.csv")
            .rows([["a".into(), Cell::from(1)], ["b".into(), Cell::from(-2)]]);
        assert_eq!(table.as_str(), "\"a\",1\r\n\"b\",-2\r\n");
        let response = table.into_response();
        assert_eq!(
            response.headers()["content-type"],
            "text/csv; charset=utf-8"
        );
        assert_eq!(
            response.headers()["content-disposition"],
            "attachment; filename=\"prices.csv\""
        );
    }

    #[tokio::test]
    async fn a_table_says_to_people_that_it_is_utf_8_and_to_programs_nothing() {
        for (table, first) in [
            (Csv::new("a.csv"), "\u{feff}\"M\u{fc}ller\""),
            (Csv::new("a.csv").without_bom(), "\"M\u{fc}ller\""),
        ] {
            let body = table
                .row(["M\u{fc}ller".into()])
                .into_response()
                .into_body();
            let bytes = axum::body::to_bytes(body, 100).await.unwrap();
            assert_eq!(&*bytes, format!("{first}\r\n").as_bytes());
        }
    }

    proptest! {
        #[test]
        fn no_piece_of_a_cell_begins_a_formula(text in "[ -~\t\r\n\u{ff1d}]{0,30}") {
            let written = cell(&text);
            let inside = written.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            for piece in inside.split([',', ';', '|', '\n', '\r', '\t', '"']) {
                let first = piece.trim_start().chars().next();
                let formula = first.is_some_and(|c| "=+-@\u{ff1d}".contains(c));
                prop_assert!(!formula, "{:?} in {:?}", piece, written);
            }
            prop_assert_eq!(inside.replace("\"\"", "").matches('"').count(), 0);
        }
    }
}
