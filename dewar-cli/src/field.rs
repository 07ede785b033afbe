use std::str::FromStr;

use crate::error::Error;
use crate::names::{self, Names};

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
pub(crate) const KINDS: [Kind; 12] = [
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
    kind("choice", "Choice", "", "TEXT", 0, ""),
];

/// A field of a resource: `title:line`, `due:date?`, `status:choice(open,closed)`.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: &'static Kind,
    pub(crate) required: Required,
    /// The values of a choice, in their order.
    pub(crate) values: Vec<String>,
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
        let (kind, values) = match kind.split_once('(') {
            Some((kind, values)) => (
                kind,
                values_of(values).ok_or_else(|| Error::Choice(text.to_owned()))?,
            ),
            None => (kind, Vec::new()),
        };
        let known = KINDS.iter().find(|known| known.name == kind);
        if (kind == "choice") == values.is_empty() {
            return Err(Error::Choice(text.to_owned()));
        }
        Ok(Self {
            name: names::name(name)?,
            kind: known.ok_or_else(|| Error::Kind(kind.to_owned()))?,
            required,
            values,
        })
    }
}

/// The values of `open,closed)`: two or more, each once, and each the name of a variant and back. `Self` is no variant.
fn values_of(text: &str) -> Option<Vec<String>> {
    let values = text.strip_suffix(')')?.split(',');
    let values: Vec<String> = values.map(|value| value.trim().to_owned()).collect();
    let is_value = |value: &String| {
        let words = || value.split('_');
        let letters = value.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        letters && words().all(|word| !word.is_empty()) && value != "self"
    };
    let is_once = |value: &String| values.iter().filter(|other| *other == value).count() == 1;
    let fits = values.len() > 1 && values.iter().all(|value| is_value(value) && is_once(value));
    fits.then_some(values)
}

/// `InProgress`
fn camel(name: &str) -> String {
    name.split('_').map(names::capital).collect()
}

impl Field {
    /// `Option<Line<120>>`
    pub(crate) fn rust_type(&self, names: &Names) -> String {
        let whole = match self.enum_name(names) {
            Some(name) => format!("{}<{name}>", self.kind.form),
            None => format!("{}{}", self.kind.form, self.kind.parameters),
        };
        match self.required {
            Required::Yes => whole,
            Required::No => format!("Option<{whole}>"),
        }
    }

    /// The enum of a choice: `TicketStatus`.
    pub(crate) fn enum_name(&self, names: &Names) -> Option<String> {
        (!self.values.is_empty()).then(|| format!("{}{}", names.camel(), camel(&self.name)))
    }

    /// The enum of a choice, in Rust.
    pub(crate) fn enumeration(&self, names: &Names) -> Option<String> {
        let name = self.enum_name(names)?;
        let variants = self
            .values
            .iter()
            .map(|value| format!("    {},\n", camel(value)));
        let variants: String = variants.collect();
        Some(format!(
            "#[derive(Choices, Clone, Copy, Debug, PartialEq, Eq)]\npub enum {name} {{\n{variants}}}\n\n"
        ))
    }

    /// The rule of its column, for the table.
    pub(crate) fn rule(&self) -> String {
        if self.values.is_empty() {
            return match self.kind.most {
                0 => String::new(),
                most => format!(" CHECK (length({}) <= {most})", self.name),
            };
        }
        let values = self.values.iter().map(|value| format!("'{value}'"));
        let values: Vec<String> = values.collect();
        format!(" CHECK ({} IN ({}))", self.name, values.join(", "))
    }

    /// The call with which a test fills it in.
    pub(crate) fn fill(&self) -> String {
        match self.values.first() {
            Some(value) => format!(".choose({:?}, {value:?})", self.name),
            None => format!(".fill({:?}, {:?})", self.name, self.sample()),
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
