//! **forms: input becomes a type that cannot hold a bad value, or is refused.**
//!
//! ```
//! use dewar::forms::{Line, Text};
//! use dewar::{Form, Redirect};
//! #[derive(Form)]
//! struct NewNote { title: Line<80>, body: Text<2_000> }
//! async fn create(form: Form<NewNote>) -> dewar::Result<Redirect> {
//!     let note = form.or_rerender("notes/new.html")?; // 422: the page again, with what was typed and what is wrong
//!     Ok(Redirect::to("/notes").flash(format!("“{}” is kept.", note.title)))
//! }
//! ```
//!
//! # What it refuses
//!
//! 1. A handler's argument that lets unchecked input in. Every argument is a [`HandlerInput`]; any other type does not compile.
//! 2. A form without a CSRF token of this session (CWE-352), before Dewar reads a field or writes a byte of a file.
//! 3. A field that the form does not have, and a field that comes twice (mass assignment: CWE-915, ASVS 15.3.3 and 15.3.7). A
//!    page ignores an unknown parameter of its query; [`StrictQuery`] refuses it.
//! 4. More bytes, fields or files, or longer names, than [`Config`] and the types allow, while Dewar reads them (CWE-770).
//! 5. Another content type, and percent signs, text or a multipart body that two parsers could read differently.
//! 6. Invisible characters (Unicode's `Default_Ignorable_Code_Point`), and those that change the direction of text. Dewar
//!    normalizes all text to NFC.
//! 7. A choice that was not offered, and a hidden value that was changed. Both are security events as well (OWASP *Input
//!    Validation*, CWE-472).
//! 8. A text without a limit as a field. `String` is no [`Field`].
//! 9. A change of a column that the form does not show. [`Edits`] sets only the columns of its fields.
//! 10. A row that breaks the rule of its type, if a model's column is a value type.
//!
//! # How to loosen it
//!
//! Write a [`Field`] of your own, in ten lines; it accepts what you decide. Give it a limit, and accept only what you describe.
//!
//! # What the audit asks
//!
//! Which routes take which fields? [`Described`] is part of the route table.

mod arriving;
mod button;
mod characters;
mod choice;
mod clean_html;
mod colour;
mod column;
mod composed;
mod concurrency;
mod config;
mod cursor;
mod decimal;
mod delivery;
mod disposition;
mod edits;
mod email;
mod error;
mod events;
mod fetched;
mod field;
mod field_path;
mod file_name;
mod form;
mod form_view;
mod fragment;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod handler_input;
mod hidden;
mod html;
mod incoming;
mod int;
mod invisible;
mod json;
mod json_fault;
mod kind;
mod line;
mod list;
mod literal;
mod many;
mod markdown;
mod message;
mod model;
mod moment;
mod multipart;
mod name;
mod number;
mod password;
mod patch;
mod path;
mod pick;
mod problem;
mod quarantine;
mod query;
mod reader;
mod received;
mod record_version;
mod rendered_field;
mod rows;
mod schema;
mod setting;
mod slow_body;
mod slug;
mod spec;
mod telephone;
mod text;
mod unread_form;
mod url;
mod urlencoded;
mod uuid;
mod view;
mod widget;
mod words;

#[cfg(test)]
mod tests;

/// The example on the practice's page is compiled and run like the examples in the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/forms.md")]
struct PracticePage;

pub(crate) use button::{button, passed_on};
pub use choice::{Choice, Choices};
pub use clean_html::CleanHtml;
pub use colour::Colour;
pub(crate) use concurrency::{MostUnderWay, RequestSender};
pub use config::{Config, Intake, Rates};
pub use cursor::{Cursor, Keyset, PageLinks};
pub use decimal::Decimal;
pub use dewar_macros::{Choices, Form, PathParams};
#[doc(hidden)]
pub use edits::{ActiveOf, Becomes, change};
pub use edits::{Edits, IntoColumn};
pub use email::Email;
pub(crate) use fetched::{Announced, FetchError};
pub use field::{Field, FormValue, RawValue};
pub use field_path::{AnyField, FieldPath, Picks};
pub(crate) use file_name::{CleanName, LONGEST_EXTENSION};
pub(crate) use form::NO_ROOM;
pub use form::{AsProblem, BoundForm, Form, Unavailable};
pub use form_view::FormView;
pub(crate) use handler_input::checks_the_token;
pub use handler_input::{
    DangerousHandlerInput, DangerousInput, Described, FormSpec, FromParts, HandlerInput,
    HandlerInputs, Parameter,
};
pub use hidden::Hidden;
pub use incoming::Incoming;
pub use int::Int;
pub use kind::FieldKind;
pub use line::Line;
pub use list::List;
pub use many::Many;
pub use markdown::Markdown;
pub(crate) use message::{MessageRejection, read_message};
pub use model::Model;
pub use moment::{Date, DateTime, Time};
pub use name::Name;
pub(crate) use name::{appearances, is_letter};
pub(crate) use password::{MIN_PASSWORD_LENGTH, MOST_BYTES};
pub use password::{NewPassword, Password};
pub use patch::Patch;
pub use path::{FromPathParam, FromPathParams, Path};
pub use pick::{Offered, Pick};
pub(crate) use problem::RefusedFile;
use problem::UntypedProblems;
pub use problem::{Problem, Problems};
pub(crate) use quarantine::{FileMark, QuarantinedFile};
pub use query::{Query, StrictQuery};
pub(crate) use reader::URLENCODED;
pub use received::Received;
pub use record_version::{Record, RecordChanged, RecordVersion};
pub(crate) use schema::FormEncoding;
pub use slug::Slug;
pub use spec::FieldSpec;
pub use telephone::Telephone;
pub use text::Text;
pub(crate) use unread_form::{UnreadForm, Unsent, unsent};
pub use url::{Schemes, SecureWeb, Url, Web};
pub(crate) use urlencoded::token_of;
pub use uuid::Uuid;
pub use widget::{Offer, Widget};

use view::UntypedView;
use words::words;
