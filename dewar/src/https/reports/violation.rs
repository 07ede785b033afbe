use crate::audit::LoggablePath;
use crate::audit::sanitize::bounded;
use serde_json::Value;
use url::Url;

/// The most characters of an address.
const LONGEST: usize = 200;
/// The most characters of a directive's name; the longest is `require-trusted-types-for`.
const LONGEST_WORD: usize = 40;

/// A kind of violation: two reports with the same content are one kind.
///
/// Of addresses it keeps only parts that cannot be secret: no query, no fragment, no long path segment, no name and
/// password before a host. It never keeps the sample, which may be a visitor's text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Violation {
    /// The path of the page.
    pub(super) page: String,
    /// The directive, what it blocked, and where in which script.
    pub(super) what: String,
}

impl Violation {
    /// Parses a violation in either format; `None` if the directive is no word.
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
        // An older browser sends the whole directive.
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

/// Lower-case letters and hyphens, as in the names of directives and keywords.
fn word(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let fits = !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(plain);
    fits.then_some(text)
}

/// An address without its possibly secret parts, or a keyword such as `inline`.
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

    /// A page's report may hold a visitor's text.
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
