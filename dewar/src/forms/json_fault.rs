//! What is wrong with a JSON body, and where. Nothing of the sender's text is in it: only the names of fields, which are the
//! program's own.

use std::fmt;

use super::{FieldKind, Widget};
use crate::pages::{Error, Message};

/// A body that cannot be read as the object of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonRejection {
    pub(super) fault: JsonFault,
    /// The line, from 1.
    pub(super) line: usize,
    /// The byte in the line.
    pub(super) column: usize,
    /// The name of the field, `items.0.title`; empty for the whole body.
    pub(super) pointer: String,
}

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonFault {
    /// Several values belong here.
    Array,
    Boolean,
    /// JSON has no files.
    File,
    /// The name of a member is longer than any field's.
    LongName,
    Number,
    /// A number that may also be quoted.
    NumberOrString,
    /// An object belongs here: the body, or a row.
    Object,
    /// Rows belong here.
    Rows,
    String,
    /// It is no JSON (RFC 8259), or not UTF-8.
    Syntax,
}

impl JsonFault {
    /// What a field of this kind takes in place of what was sent.
    pub(super) const fn of(kind: &FieldKind, in_array: bool) -> Self {
        if kind.is_file() {
            Self::File
        } else if !kind.items.is_empty() {
            Self::Rows
        } else if kind.repeated && !in_array {
            Self::Array
        } else if kind.may_be_quoted() {
            Self::NumberOrString
        } else if kind.is_number() {
            Self::Number
        } else if matches!(kind.widget, Widget::Checkbox) {
            Self::Boolean
        } else {
            Self::String
        }
    }

    /// What to send.
    fn message(self) -> Message {
        match self {
            Self::Array => Message::new("forms-json-array"),
            Self::Boolean => Message::new("forms-json-boolean"),
            Self::File => Message::new("forms-json-file"),
            Self::LongName => Message::new("forms-json-long-name"),
            Self::Number => Message::new("forms-json-number"),
            Self::NumberOrString => Message::new("forms-json-number-or-string"),
            Self::Object => Message::new("forms-json-object"),
            Self::Rows => Message::new("forms-json-rows"),
            Self::String => Message::new("forms-json-string"),
            Self::Syntax => Message::new("forms-json-syntax"),
        }
    }
}

impl JsonRejection {
    /// 400, with the place, and the field where there is one.
    pub(super) fn error(&self) -> Error {
        let place = Message::new("forms-json")
            .with("line", self.line)
            .with("column", self.column);
        let problem = std::iter::once((&*self.pointer, self.fault.message().into()));
        Error::bad_request(place)
            .fields(problem)
            .member("line", self.line)
            .member("column", self.column)
    }
}

/// For the log.
impl fmt::Display for JsonRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fault,
            line,
            column,
            pointer,
        } = self;
        write!(f, "{fault:?} at line {line}, column {column}")?;
        if pointer.is_empty() {
            return Ok(());
        }
        write!(f, ", field {pointer}")
    }
}
