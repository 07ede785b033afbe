use std::io;
use std::path::Path;

use rust_embed::RustEmbed;

use crate::app::own_templates;
use crate::pages::{Bundle, Languages};

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

/// Finds the templates of a folder that no page uses: no string in the Rust sources below `sources` names the template, no other
/// template does, and Dewar has none of this name that it would replace.
///
/// The start cannot know it, because a handler names its template when it runs. So call this in a test.
///
/// ```
/// use dewar::testing::unused_templates;
/// #[derive(rust_embed::RustEmbed)]
/// #[folder = "tests/it/mailing_list"] // letters/news.txt and letters/news.html
/// struct Templates;
/// let unused = unused_templates::<Templates>(concat!(env!("CARGO_MANIFEST_DIR"), "/src/roles"));
/// assert_eq!(unused.unwrap(), ["letters/news.html", "letters/news.txt"]);
/// ```
///
/// # Errors
/// A file or folder cannot be read.
pub fn unused_templates<Folder: RustEmbed>(sources: impl AsRef<Path>) -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    read_sources(sources.as_ref(), &mut texts)?;
    let bundle = Bundle::of::<Folder>();
    let names = bundle.names();
    for name in &names {
        let text = bundle.read(name).unwrap_or_default();
        texts.push(String::from_utf8_lossy(&text).into_owned());
    }
    let provided = own_templates().names();
    let is_used = |name: &str| {
        // The program names a letter without the end of its file.
        let letter = name.strip_suffix(".html").or(name.strip_suffix(".txt"));
        let letter = letter.filter(|name| name.starts_with("letters/"));
        let named = |name: &str| {
            let in_quotes = [format!("\"{name}\""), format!("'{name}'")];
            texts
                .iter()
                .any(|text| in_quotes.iter().any(|name| text.contains(name)))
        };
        named(name) || letter.is_some_and(named) || provided.iter().any(|own| own == name)
    };
    let unused = names.iter().filter(|name| !is_used(name));
    let mut unused: Vec<String> = unused.map(ToString::to_string).collect();
    unused.sort();
    Ok(unused)
}

/// The texts of all Rust sources below a folder.
fn read_sources(folder: &Path, texts: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_sources(&path, texts)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            texts.push(std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
