use std::io;
use std::path::Path;

use crate::pages::Languages;

/// Finds wrong uses of a [`Message`](crate::pages::Message) in the Rust sources below a folder: an id that no language
/// has, a missing argument, or one that the message does not use.
///
/// Dewar checks templates for the same at start. It has no sources then, so call this in a test. It finds ids that are
/// literals in `Message::new`, and arguments in the same function.
///
/// ```
/// use dewar::pages::{Bundle, Languages};
/// use dewar::testing::wrong_messages;
/// #[derive(rust_embed::RustEmbed)]
/// #[folder = "tests/it/languages"]
/// struct Locales;
/// let languages = Languages::load("en", &Bundle::of::<Locales>());
/// let wrong = wrong_messages(&languages, concat!(env!("CARGO_MANIFEST_DIR"), "/src/roles"));
/// assert!(wrong.is_ok_and(|wrong| wrong.is_empty()));
/// ```
///
/// # Errors
/// A file or folder cannot be read.
pub fn wrong_messages(languages: &Languages, sources: impl AsRef<Path>) -> io::Result<Vec<String>> {
    languages.wrong_in_sources(sources.as_ref())
}
