use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::pages::LocalPath;

/// Replaces a refused address. It leads nowhere, and is easy to find in a page's source.
pub(super) const REFUSED: &str = "about:invalid#refused";

const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// A whole address: relative, or of a known scheme. `//host` is allowed, as in Go's `html/template`.
pub(super) fn address(text: &str) -> String {
    checked(text).map_or_else(|| REFUSED.to_owned(), |text| normal(text, true))
}

/// A whole address for a place that cannot hold an entity.
pub(super) fn bare_address(text: &str) -> String {
    checked(text).map_or_else(|| REFUSED.to_owned(), |text| normal(text, false))
}

/// An address of this application: it is loaded into the page, or receives a form with its token.
pub(super) fn local_address(text: &str) -> String {
    let normal = normal(text, false);
    if LocalPath::parse(normal.clone()).is_ok() || is_beside(&normal) {
        normal.replace('&', "&amp;")
    } else {
        REFUSED.to_owned()
    }
}

/// Whether an address is relative to the page: it begins with neither a slash nor a scheme.
fn is_beside(text: &str) -> bool {
    !text.starts_with(['/', '\\']) && scheme(text).is_none()
}

/// The address without the surrounding spaces, which browsers drop too. Browsers also drop tabs and line ends inside, so
/// `java\nscript:` is a scheme. Every control character is therefore refused.
fn checked(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.contains(char::is_control) {
        return None;
    }
    match scheme(text) {
        Some(scheme)
            if !SCHEMES
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known)) =>
        {
            None
        }
        _ => Some(text),
    }
}

/// The text before the first colon, if it can be a scheme.
fn scheme(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(':')?;
    (!before.contains(['/', '?', '#'])).then_some(before)
}

/// A part of an address, which decides the characters that are not encoded.
#[derive(Clone, Copy, Debug)]
pub(super) enum UrlPart {
    Joined,
    Host,
    Path,
    Query,
    Opaque,
}

impl UrlPart {
    const fn encodes(self) -> &'static AsciiSet {
        match self {
            Self::Joined => &const { all_but(b"/@!$*+;=") },
            Self::Path => &const { all_but(b"/:@!$*+;=") },
            Self::Host => &const { all_but(b":") },
            Self::Opaque => &const { all_but(b"@+") },
            Self::Query => &const { all_but(b"") },
        }
    }

    /// Whether existing encodings stay.
    const fn takes_encoded(self) -> bool {
        matches!(self, Self::Joined | Self::Path)
    }
}

/// Encodes a value so that it stays in its part of an address.
pub(super) fn encoded(text: &str, keep: UrlPart) -> String {
    let mut out = String::with_capacity(text.len());
    if keep.takes_encoded() {
        encode_the_rest(text, keep.encodes(), &mut out);
    } else {
        out.extend(utf8_percent_encode(text, keep.encodes()));
    }
    out
}

/// A value after the first slash: a second slash there would begin a host.
pub(super) fn below_root(text: &str) -> String {
    let encoded = encoded(text, UrlPart::Path);
    let rest = encoded.trim_start_matches('/');
    let slashes = encoded.len() - rest.len();
    format!("{}{rest}", "%2F".repeat(slashes))
}

/// A whole address in which only characters of an address remain (RFC 3986).
fn normal(text: &str, in_html: bool) -> String {
    const ENCODED: AsciiSet = all_but(b"/:?#[]@!$&*+,;=");
    let mut out = String::with_capacity(text.len());
    encode_the_rest(text, &ENCODED, &mut out);
    if in_html && out.contains('&') {
        out.replace('&', "&amp;")
    } else {
        out
    }
}

/// The set of all characters except letters, digits, the unreserved ones of RFC 3986, and these.
const fn all_but(mut kept: &[u8]) -> AsciiSet {
    let mut set = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    while let [byte, rest @ ..] = kept {
        set = set.remove(*byte);
        kept = rest;
    }
    set
}

/// Encodes the parts that are not encoded already.
fn encode_the_rest(text: &str, encoded: &'static AsciiSet, out: &mut String) {
    let mut parts = text.split('%');
    out.extend(utf8_percent_encode(
        parts.next().unwrap_or_default(),
        encoded,
    ));
    for part in parts {
        let is_code =
            matches!(part.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
        out.push_str(if is_code { "%" } else { "%25" });
        out.extend(utf8_percent_encode(part, encoded));
    }
}

/// The candidates of a `srcset`, each with an address and at most one width or density.
pub(super) fn srcset(text: &str) -> String {
    let candidates: Vec<String> = text.split(',').map(candidate).collect();
    candidates.join(", ")
}

fn candidate(text: &str) -> String {
    let mut parts = text.split_ascii_whitespace();
    let address = parts.next().map(address).unwrap_or_default();
    let size = |part: &str| {
        part.ends_with(['w', 'x', 'h'])
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    match (parts.next(), parts.next()) {
        (None, _) => address,
        (Some(width), None) if size(width) => format!("{address} {width}"),
        _ => REFUSED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_relative_or_of_a_known_scheme() {
        for (text, shown) in [
            ("/a?b=1&c=2#d", "/a?b=1&amp;c=2#d"),
            ("HTTPS://example.org/ä b", "HTTPS://example.org/%C3%A4%20b"),
            ("mailto:a@b.example", "mailto:a@b.example"),
            ("tel:+49", "tel:+49"),
            ("//example.org", "//example.org"),
            (" /a ", "/a"),
            ("a/b:c", "a/b:c"),
            ("%2F%zz", "%2F%25zz"),
            ("\"onclick='x'", "%22onclick=%27x%27"),
            ("/\\evil", "/%5Cevil"),
        ] {
            assert_eq!(address(text), shown, "{text}");
        }
        for text in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:x",
            "file:///etc/passwd",
            "javascript&colon;:x",
        ] {
            assert_eq!(address(text), REFUSED, "{text:?}");
        }
    }

    #[test]
    fn what_a_page_loads_is_of_this_application() {
        for (text, shown) in [
            ("/static/a.js", "/static/a.js"),
            ("a.js?b&c", "a.js?b&amp;c"),
            ("?page=2", "?page=2"),
            ("", ""),
        ] {
            assert_eq!(local_address(text), shown);
        }
        for text in [
            "//evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:x",
        ] {
            assert_eq!(local_address(text), REFUSED, "{text}");
        }
        // Browsers read a backslash as a slash, but not an encoded one.
        assert_eq!(local_address("/\\evil.example"), "/%5Cevil.example");
        assert_eq!(local_address("/\t/evil.example"), "/%09/evil.example");
    }

    #[test]
    fn a_value_stays_in_its_part_of_the_address() {
        assert_eq!(
            encoded("a/b?c#d&e:%41", UrlPart::Path),
            "a/b%3Fc%23d%26e:%41"
        );
        assert_eq!(encoded("a/b?c#d&e", UrlPart::Query), "a%2Fb%3Fc%23d%26e");
        assert_eq!(encoded("javascript:x", UrlPart::Joined), "javascript%3Ax");
        assert_eq!(encoded("a@b/c", UrlPart::Host), "a%40b%2Fc");
        assert_eq!(encoded("a@b?cc=c", UrlPart::Opaque), "a@b%3Fcc%3Dc");
        assert_eq!(below_root("//evil/x"), "%2F%2Fevil/x");
    }

    #[test]
    fn each_candidate_of_a_srcset_is_an_address() {
        assert_eq!(srcset("/a.png 1x, /b.png 2.5x"), "/a.png 1x, /b.png 2.5x");
        assert_eq!(
            srcset("/a.png 1x, javascript:x 2x"),
            "/a.png 1x, about:invalid#refused 2x"
        );
        assert_eq!(srcset("/a.png 1x onerror=x"), REFUSED);
    }
}
