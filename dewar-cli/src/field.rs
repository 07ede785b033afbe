use std::str::FromStr;

use crate::error::Error;
use crate::names;

/// A type that a field can have.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The type of `dewar::forms`, and its parameters.
    pub(crate) form: &'static str,
    parameters: &'static str,
    /// The column's type, as SQLite spells it.
    pub(crate) column: &'static str,
    /// The most characters, which the table demands too; 0 for none.
    pub(crate) most: usize,
    /// What a test types into it.
    pub(crate) sample: &'static str,
}

const fn kind(
    name: &'static str,
    form: &'static str,
    parameters: &'static str,
    column: &'static str,
    most: usize,
    sample: &'static str,
) -> Kind {
    Kind {
        name,
        form,
        parameters,
        column,
        most,
        sample,
    }
}

/// All of them.
pub(crate) const KINDS: [Kind; 11] = [
    kind("line", "Line", "<120>", "TEXT", 120, "A first line"),
    kind("text", "Text", "<4_000>", "TEXT", 4_000, "Some text."),
    kind(
        "clean_html",
        "CleanHtml",
        "<20_000>",
        "TEXT",
        0,
        "<p>Some text.</p>",
    ),
    kind("int", "Int", "<0, 1_000_000_000>", "INTEGER", 0, "7"),
    kind(
        "decimal",
        "Decimal",
        "<2, 0, 100_000_000_000>",
        "INTEGER",
        0,
        "7.50",
    ),
    kind("email", "Email", "", "TEXT", 254, "ada@example.org"),
    kind("url", "Url", "", "TEXT", 2_048, "https://example.org/"),
    kind("telephone", "Telephone", "", "TEXT", 16, "+49 30 1234567"),
    kind("date", "Date", "", "TEXT", 0, "2030-05-01"),
    kind("time", "Time", "", "TEXT", 0, "14:30"),
    kind("colour", "Colour", "", "TEXT", 7, "#336699"),
];

/// A field of a resource: `title:line`, `due:date?`.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: &'static Kind,
    pub(crate) required: Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    Yes,
    No,
}

impl FromStr for Field {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Field(text.to_owned());
        let (name, kind) = text.split_once(':').ok_or_else(malformed)?;
        let (kind, required) = match kind.strip_suffix('?') {
            Some(kind) => (kind, Required::No),
            None => (kind, Required::Yes),
        };
        let known = KINDS.iter().find(|known| known.name == kind);
        Ok(Self {
            name: names::name(name)?,
            kind: known.ok_or_else(|| Error::Kind(kind.to_owned()))?,
            required,
        })
    }
}

impl Field {
    /// `Option<Line<120>>`
    pub(crate) fn rust_type(&self) -> String {
        let whole = format!("{}{}", self.kind.form, self.kind.parameters);
        match self.required {
            Required::Yes => whole,
            Required::No => format!("Option<{whole}>"),
        }
    }

    /// The words on a page: `Due on`.
    pub(crate) fn label(&self) -> String {
        names::capital(&self.name.replace('_', " "))
    }

    /// What a test types into it.
    pub(crate) const fn sample(&self) -> &'static str {
        self.kind.sample
    }
}

/// Refuses what no table could have.
pub(crate) fn check(fields: &[Field]) -> Result<&Field, Error> {
    let mut seen = vec!["id", "owner_id", "created_at", "version"];
    for field in fields {
        if seen.contains(&field.name.as_str()) {
            return Err(Error::Twice(field.name.clone()));
        }
        seen.push(&field.name);
    }
    let first = fields.first().ok_or_else(|| Error::Field(String::new()))?;
    if first.kind.name == "line" && first.required == Required::Yes {
        Ok(first)
    } else {
        Err(Error::First(first.name.clone()))
    }
}
