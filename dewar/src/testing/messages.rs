use std::io;
use std::path::Path;

use crate::pages::Languages;

/// What the Rust sources below a folder say by a [`Message`](crate::pages::Message) that no language has, or that needs
/// an argument which it is not given, or is given one that it says nothing about.
///
/// Templates are asked the same at start. Sources are not there then; a test of the application asks them. It sees ids
/// that stand as text in `Message::new`, and arguments in the same function.
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
