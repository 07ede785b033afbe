//! Renders a form as HTML: the one place that writes markup by hand, all of it through [`Html`].

mod field;
mod input;
mod list;

use std::fmt::{self, Display, Write as _};

use crate::pages::write_escaped;

pub(super) use field::{errors, field, fields, hint, label};
pub(super) use input::input;
pub(super) use list::row;

/// The markup so far. It escapes text and attribute values; only names that stand in the program are not escaped.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Adds trusted markup of the program.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing to a `String` cannot fail.
        let _ = write!(Escaping(&mut self.0), "{text}");
        self
    }

    /// ` name="value"`.
    pub(super) fn attribute(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    pub(super) fn attribute_if(
        &mut self,
        name: &'static str,
        value: Option<impl Display>,
    ) -> &mut Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// ` name`, if `holds`.
    pub(super) fn flag(&mut self, name: &'static str, holds: bool) -> &mut Self {
        if holds { self.raw(" ").raw(name) } else { self }
    }
}

/// Escapes everything that is written through it, for text and for attributes in double quotes.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_escaped(self.0, text)
    }
}
