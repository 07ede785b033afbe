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
//! 3. A name that a template asks for and nobody gave: an empty space is not shown in its stead.
//! 4. A redirect to a place outside the application: [`Redirect`] takes a local path (CWE-601).
//! 5. An error that tells a visitor how the program works: what they read and what the log keeps are two texts.
//! 6. A file of a name that the application did not ship: static files have hashed names and come from the program itself.
//!
//! *How to loosen it:* `{{ value | safe }}` prints a value as it is; what you then owe is that it came from
//! [`CleanHtml`](crate::forms::CleanHtml), which needs no `safe`.
//!
//! *What the audit asks:* does every template load; does one use `safe`.

mod answer;
mod assets;
mod bundle;
mod context;
mod error;
mod escape;
mod filters;
mod finish;
mod markup;
mod page;
mod redirect;
mod templates;
mod user;

pub use answer::{Answer, Json, Text};
pub use assets::Assets;
pub use bundle::Bundle;
pub use error::{Error, ErrorKind};
pub use page::{NeedsToken, Page};
pub use redirect::{LocalPath, NotLocal, Place, Redirect};
pub use templates::Templates;

pub(crate) use assets::PREFIX as STATIC_PREFIX;
pub(crate) use finish::{Prefers, Reader, finish};
pub(crate) use markup::{Attributes, Fragment, Markup};
pub(crate) use redirect::FlashToCome;
