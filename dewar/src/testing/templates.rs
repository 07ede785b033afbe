use std::io;
use std::path::Path;

use crate::app::own_templates;
use crate::pages::{Bundle, wrong_templates as wrong};

/// Finds wrong uses of templates in the Rust sources below a folder: names of templates that do not exist, and values
/// that a template uses and no source gives.
///
/// A value in a condition counts too: on a page, `{% if unknown %}` is simply false. A mistake inside a template prevents
/// the start; but only the source shows which template a handler renders, and with which values.
///
/// It does not look inside a value. `{{ note.titel }}` fails when the page is rendered, and in development the page names
/// the template, the line and the nearest name. So let a test render each page once with every value.
///
/// It reads names that are literals: `Page::new("…")`, `.or_rerender("…")`, `.bind("…")`, a constant of type `&str`;
/// `.with("…")`, `.with_value("…")` and `.form("…")`.
///
/// ```
/// use dewar::pages::Bundle;
/// use dewar::testing::wrong_templates;
/// # use rust_embed::RustEmbed;
/// #[derive(RustEmbed)]
/// #[folder = "tests/it/templates"]
/// struct Templates;
/// let templates = [Bundle::of::<Templates>()];
/// let wrong = wrong_templates(&templates, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it"))?;
/// # let wrong: Vec<_> = wrong.iter().filter(|wrong| wrong.contains("note.html")).collect();
/// assert!(wrong.is_empty(), "{wrong:?}");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// A source cannot be read.
pub fn wrong_templates(templates: &[Bundle], sources: impl AsRef<Path>) -> io::Result<Vec<String>> {
    wrong(&own_templates(), templates, sources.as_ref())
}
