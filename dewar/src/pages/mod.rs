//! **pages: what goes out is escaped for the place where it stands.**
//!
//! ```
//! use dewar::pages::Page;
//! async fn index() -> Page {
//!     Page::new("index.html").with("title", "Notes & <notices>") // shown as text, never as markup
//! }
//! ```
//!
//! What the room refuses
//! 1. A handler that returns hand-made HTML: what a handler returns is an [`Answer`], and `axum::response::Html` is none.
//! 2. A template that does not parse: every template is loaded at start, and all that are wrong are named at once.
//! 3. A value in a template where no escaping can be right: in an attribute without quotes, in an event handler, in the
//!    name of a tag or an attribute, in the middle of a script. Everywhere else it is escaped for the place where it
//!    stands: text, attribute, address, `srcset`, style, JSON in a script. An address from a value is relative, or of
//!    `http`, `https`, `mailto` or `tel`; what a page loads or posts to is of this application.
//! 4. Ways around escaping: the filter `safe`, `{% autoescape %}`, branches of a template that end in different places;
//!    and a text that the program calls safe (`Value::from_safe_string`) is a text like another.
//! 5. A name that a template asks for and nobody gave: an empty space is not shown in its stead.
//! 6. A redirect to a place outside the application: [`Redirect`] takes a local path (CWE-601).
//! 7. An error that tells a visitor how the program works: what they read and what the log keeps are two texts.
//! 8. A file of a name that the application did not ship: static files have hashed names and come from the program itself.
//!
//! *How to loosen it:* `{{ value | dangerous_html("why no visitor can write it") }}` prints a value as it is, in text.
//! What you then owe is that the reason is true. [`CleanHtml`](crate::forms::CleanHtml) needs no filter.
//!
//! *What the audit asks:* does every template load, with each value in a place where it can be escaped; where is HTML
//! printed as it is, and for what reason.

mod answer;
mod assets;
mod bundle;
mod calls;
mod context;
mod csv;
mod error;
mod escape;
mod filters;
mod finish;
mod foreign;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod languages;
mod markup;
mod missing_token;
mod misspelled;
mod mounted;
mod negotiation;
mod page;
mod paged;
mod redirect;
mod say;
#[cfg(feature = "testing")]
mod sources;
mod templates;
mod typed;
mod user;

pub use answer::{Answer, Json, Text};
pub use assets::Assets;
pub use bundle::Bundle;
pub use csv::{Cell, Csv};
pub use error::{Error, ErrorKind};
pub(crate) use languages::Facts;
pub use languages::{Language, Languages, Message, MessageValue, Words};
pub use mounted::Mounted;
pub use page::{NeedsToken, Page};
pub use paged::{Paged, Position};
pub use redirect::{LocalPath, NotLocal, Place, Redirect};
#[cfg(feature = "testing")]
pub(crate) use sources::wrong_templates;
pub use templates::Templates;

pub(crate) use assets::PREFIX as STATIC_PREFIX;
pub(crate) use error::{Slip, handle};
pub(crate) use finish::{Reader, finish};
pub(crate) use markup::{Attributes, Fragment, Markup, made, write_escaped};
pub(crate) use negotiation::Prefers;
pub(crate) use redirect::FlashToCome;
pub(crate) use typed::{Typed, TypedInForm};
