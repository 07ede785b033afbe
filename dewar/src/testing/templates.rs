use std::io;
use std::path::Path;

use crate::app::own_templates;
use crate::pages::{Bundle, wrong_templates as wrong};

/// Tells which templates the Rust sources below a folder name that do not exist, and which values the templates take that
/// no source gives.
///
/// A value in a condition counts, too: `{% if unknown %}` is simply false on a page. What is wrong inside a template
/// refuses the launch; which template a handler shows, and with what, its source alone knows.
///
/// It does not look inside a value: `{{ note.titel }}` is found when the page is shown, and in development the page names the
/// template, the line and the name that was meant. So let a test show each page once with everything in it.
///
/// It reads names where they stand as literals: `Page::new("…")`, `.or_rerender("…")`, `.bind("…")`, a constant of type
/// `&str`; `.with("…")`, `.with_value("…")` and `.form("…")`.
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
