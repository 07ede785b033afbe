use crate::audit::LoggablePath;
use crate::audit::sanitize::bounded;
use serde_json::Value;
use url::Url;

/// The most characters of an address.
const LONGEST: usize = 200;
/// The most characters of a directive's name; the longest is `require-trusted-types-for`.
const LONGEST_WORD: usize = 40;

/// A kind of violation: two reports that say the same are one kind.
///
/// Of addresses only what cannot be a secret is kept: no query, no fragment, no long segment of a path, no name and
/// password before a host; never the sample, which is what a visitor may have typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Violation {
    /// The path of the page.
    pub(super) page: String,
    /// Which directive forbade what, and where in which script.
    pub(super) what: String,
}

impl Violation {
    /// Reads one in either spelling; none where the directive is no word.
    pub(super) fn of(body: &Value) -> Option<Self> {
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| body.get(name).and_then(Value::as_str))
        };
        let directive = text(&[
            "effectiveDirective",
            "effective-directive",
            "violated-directive",
        ])?;
        // An older browser says the whole directive.
        let directive = word(directive.split(' ').next()?)?;
        let blocked = address(text(&["blockedURL", "blocked-uri"]).unwrap_or_default());
        let page = text(&["documentURL", "document-uri"]).unwrap_or_default();
        let page = Url::parse(page).map_or_else(
            |_| "unknown".to_owned(),
            |url| bounded(&LoggablePath::new(url.path()), LONGEST),
        );
        let source = text(&["sourceFile", "source-file"]).map(address);
        let line = ["lineNumber", "line-number"]
            .iter()
            .find_map(|name| body.get(name).and_then(Value::as_u64));
        let place = match (source, line) {
            (Some(source), Some(line)) => format!(", from line {line} of {source}"),
            (Some(source), None) => format!(", from {source}"),
            (None, _) => String::new(),
        };
        Some(Self {
            page,
            what: format!("{directive} forbids {blocked}{place}"),
        })
    }
}

/// Small letters and hyphens, as the names of directives and keywords are.
fn word(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let fits = !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(plain);
    fits.then_some(text)
}

/// An address without what may be secret in it, or a keyword such as `inline`.
fn address(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "ws" | "wss") => {
            let origin = url.origin().ascii_serialization();
            bounded(
                &format_args!("{origin}{}", LoggablePath::new(url.path())),
                LONGEST,
            )
        }
        Ok(url) => bounded(&format_args!("{}:", url.scheme()), LONGEST_WORD),
        Err(_) => word(text).unwrap_or("something unknown").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a page reports may hold what a visitor typed.
    #[test]
    fn of_an_address_only_what_is_no_secret_is_kept() {
        for (sent, kept) in [
            ("https://a.example/b?secret#c", "https://a.example/b"),
            ("http://ada:secret@a.example/b", "http://a.example/b"),
            ("wss://a.example:8443/", "wss://a.example:8443/"),
            ("ws://a.example/b", "ws://a.example/b"),
            ("data:text/html,secret", "data:"),
            ("ftp://a.example/secret", "ftp:"),
            ("blob:https://a.example/secret", "blob:"),
            ("about", "about"),
            ("inline", "inline"),
            ("wasm-eval", "wasm-eval"),
            ("Not a word", "something unknown"),
            ("", "something unknown"),
        ] {
            assert_eq!(address(sent), kept, "{sent}");
        }
        let longest = "a".repeat(LONGEST_WORD);
        assert_eq!(word(&longest), Some(&*longest));
        for no_word in ["", "Script", "a b", "a1", &"a".repeat(LONGEST_WORD + 1)] {
            assert_eq!(word(no_word), None, "{no_word}");
        }
    }
}
