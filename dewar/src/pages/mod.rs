//! **pages: output is escaped for the context in which it stands.**
//!
//! ```
//! use dewar::pages::Page;
//! async fn index() -> Page {
//!     Page::new("index.html").with("title", "Notes & <notices>") // shown as text, never as markup
//! }
//! ```
//!
//! # What it refuses
//!
//! 1. A handler that returns hand-made HTML. A handler returns an [`HandlerOutput`], and `axum::response::Html` is none.
//! 2. A template that does not parse. Dewar loads every template at start and names all mistakes at once.
//! 3. A value in a template where no escaping can be right: in an attribute without quotes, an event handler, the name of a tag or an
//!    attribute, or the middle of a script. Elsewhere Dewar escapes it for its context: text, attribute, address, `srcset`, style,
//!    JSON in a script. An address from a value is relative, or has the scheme `http`, `https`, `mailto` or `tel`. A page
//!    loads from and posts to this application alone.
//! 4. Ways around escaping: the filter `safe`, `{% autoescape %}`, and branches of a template that end in different contexts. A
//!    text that the program marks as safe (`Value::from_safe_string`) is escaped like any other.
//! 5. An undefined name in a template. Dewar does not show an empty space for it.
//! 6. A redirect out of the application: [`Redirect`] takes a local path, and [`ExternalRedirect`] an address of a site that its
//!    type lists (CWE-601).
//! 7. An error that tells a visitor how the program works. An error has two texts: one for the visitor, one for the log.
//! 8. A static file that the application did not ship. Static files have hashed names and are part of the program.
//!
//! # How to loosen it
//!
//! `{{ value | dangerous_html("why no visitor can write it") }}` prints a value as it is, in text. Make sure that the reason is
//! true. [`CleanHtml`](crate::forms::CleanHtml) needs no filter.
//!
//! # What the audit asks
//!
//! Does every template load, with each value where it can be escaped? Where is HTML printed as it is, and for what reason?

mod account_page;
mod admission;
mod assets;
mod bearer;
mod bundle;
mod calls;
mod context;
mod csv;
mod error;
mod escape;
mod external_redirect;
mod filters;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod handler_output;
mod json;
mod json_schema;
mod languages;
mod layout;
mod letter_html;
mod letter_templates;
mod letter_values;
mod markup;
mod missing_token;
mod mounted;
mod near_names;
mod negotiation;
mod outcome;
mod outputs;
mod own_cookie;
mod page;
mod page_check;
mod page_data;
mod paged;
mod problem_details;
pub(crate) mod ranges;
mod redirect;
mod render;
mod request_context;
mod response_headers;
mod resume;
mod shape;
#[cfg(feature = "testing")]
mod sources;
mod templates;
mod translate_function;
mod typed;
mod untrusted;
mod user;

pub use account_page::AccountPage;
pub(crate) use account_page::AccountPaths;
pub use assets::Assets;
pub use bundle::Bundle;
pub use csv::{Cell, Csv};
pub use dewar_macros::JsonSchema;
pub use error::{Error, ErrorKind};
pub use external_redirect::{ExternalHosts, ExternalRedirect};
pub use handler_output::{Danger, DangerousHandlerOutput, DangerousOutput, HandlerOutput, Text};
pub(crate) use handler_output::{Sealed, output};
pub use json::{Created, Json, NoContent, Untyped};
#[doc(hidden)]
pub use json_schema::described;
pub(crate) use json_schema::or_null;
pub use json_schema::{JsonSchema, Schemas};
pub(crate) use languages::SettingValues;
pub use languages::{Language, Languages, Message, MessageValue, Words};
pub use mounted::Mounted;
pub use outputs::{OutputSpec, Outputs};
pub(crate) use own_cookie::OwnCookies;
pub use own_cookie::{
    CookieInfo, CookieValue, DangerousScriptCookie, DangerousScriptValue, SameSite, SealedCookie,
};
pub use page::{NeedsToken, Page};
pub(crate) use page_data::PageType;
#[doc(hidden)]
pub use page_data::PageValues;
pub use page_data::{PageData, PageValue, TypedPage};
pub use paged::{Paged, Position};
pub use problem_details::ProblemDetails;
pub use redirect::{LocalPath, NotLocal, Redirect, RedirectTarget};
pub use request_context::RequestContext;
pub(crate) use response_headers::keep_from_shared_caches;
pub use response_headers::{LinkRelation, OwnHeader, PublicContent, WithHeaders};
#[doc(hidden)]
pub use serde_json::{Value as JsonValue, json};
#[doc(hidden)]
pub use shape::Shape;
#[cfg(feature = "testing")]
pub(crate) use sources::wrong_templates;
pub use templates::Templates;

pub(crate) use admission::{Admission, DoneAlready, RateCheck, RateRefusal};
pub(crate) use assets::PREFIX as STATIC_PREFIX;
pub(crate) use bearer::{BearerCaller, TokenRights};
pub(crate) use error::Slip;
pub(crate) use layout::{LayoutType, LayoutValues};
pub(crate) use letter_templates::{LetterFacts, LetterTemplates, RenderedLetter};
pub(crate) use markup::{Attributes, Fragment, Markup, trusted_html, write_escaped};
pub(crate) use negotiation::Prefers;
pub(crate) use outcome::Outcome;
pub(crate) use outputs::EVENT_STREAM;
pub(crate) use problem_details::FieldProblem;
pub(crate) use render::{render, render_part};
#[cfg(test)]
pub(crate) use request_context::Fixture;
pub(crate) use request_context::{Facts, Services};
pub(crate) use resume::{Resume, ResumeMode, SealedField};
pub(crate) use typed::{TypedField, TypedForm, TypedInForm};

/// Compiles the examples of the practice's page, like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/pages.md")]
struct PracticePage;
