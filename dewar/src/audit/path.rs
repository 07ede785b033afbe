use std::borrow::Cow;
use std::fmt;

/// Written in place of a segment that may be a secret.
const CUT: &str = "…";
/// The most characters of a path in a log.
const LONGEST: usize = 256;
/// The most characters of a segment that is logged.
const LONGEST_SEGMENT: usize = 24;
/// The most letters in a row that count as a word.
const LONGEST_WORD: usize = 16;
/// The most characters in a row where letters and digits are mixed: `v2`, `h264`.
const LONGEST_MIXED: usize = 4;
/// The most digits in a row; every `i64` has at most as many.
const LONGEST_NUMBER: usize = 19;

/// The path of a request in the form that a log may hold: without its query, and without possible secrets.
///
/// Links that open accounts have a token in their path, and a reader of the log could use it (ASVS 16.2.5, CWE-532). No
/// raw path fits into this type, and [`Entry::request`](super::Entry::request) takes nothing else:
///
/// ```compile_fail
/// use dewar::audit::{Entry, Event};
/// let entry = Entry::new(Event::AuthzFail).request("GET", "/reset/l5jYe_fkPwyPakgyPtXhyHenUBmnL8hYD4yoDQEC2Eg");
/// ```
///
/// If a route matches the request, the log gets the route's pattern and, of its parameters, only numbers (ids). If none
/// matches, the log gets each segment that reads like a word, a number or a file name.
///
/// ```
/// use dewar::audit::LoggablePath;
/// let path = |text| LoggablePath::new(text).to_string();
/// assert_eq!(path("/documents/7/comments?sort=new"), "/documents/7/comments");
/// assert_eq!(path("/reset/l5jYe_fkPwyPakgyPtXhyHenUBmnL8hYD4yoDQEC2Eg"), "/reset/…");
/// assert_eq!(path("/wp-login.php"), "/wp-login.php");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggablePath(Cow<'static, str>);

/// The route that matches a request, known before the request is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoutePattern(pub(crate) &'static str);

impl LoggablePath {
    /// From a path alone.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Self::joined(path.split('/').map(
            |segment| {
                if reads_plainly(segment) { segment } else { CUT }
            },
        ))
    }

    /// Of a request: by its route where it met one.
    pub(crate) fn on(route: Option<RoutePattern>, path: &str) -> Self {
        match route {
            Some(RoutePattern(pattern)) => Self::on_route(pattern, path),
            None => Self::new(path),
        }
    }

    /// The pattern, with the parameters that are numbers.
    pub(crate) fn on_route(pattern: &'static str, path: &str) -> Self {
        if !pattern.contains('{') {
            return Self(Cow::Borrowed(pattern));
        }
        let mut asked = path.split('/');
        Self::joined(pattern.split('/').map(|segment| {
            let value = asked.next().unwrap_or_default();
            let is_parameter = segment.starts_with('{') && segment.ends_with('}');
            if is_parameter && is_number(value) {
                value
            } else {
                segment
            }
        }))
    }

    fn joined<'a>(segments: impl Iterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for (number, segment) in segments.enumerate() {
            if number > 0 {
                text.push('/');
            }
            if text.len() + segment.len() > LONGEST {
                text.push_str(CUT);
                break;
            }
            text.push_str(segment);
        }
        Self(Cow::Owned(text))
    }
}

impl fmt::Display for LoggablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a visitor's text, a path segment or a field's name, reads like a word and not like a token.
pub(crate) fn reads_plainly(text: &str) -> bool {
    text.len() <= LONGEST_SEGMENT && text.split(['-', '_', '.']).all(is_plain)
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NUMBER
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A word, a number, or a short mix of both. A token mixes letters with digits, or small letters with capitals.
fn is_plain(piece: &str) -> bool {
    let bytes = piece.as_bytes();
    let letters = bytes.iter().all(u8::is_ascii_alphabetic);
    let mixed = bytes.iter().all(u8::is_ascii_alphanumeric);
    let turns = bytes
        .array_windows()
        .filter(|[one, next]| one.is_ascii_lowercase() && next.is_ascii_uppercase())
        .count();
    piece.is_empty()
        || is_number(piece)
        || (letters && bytes.len() <= LONGEST_WORD && turns <= 2)
        || (mixed && bytes.len() <= LONGEST_MIXED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "l5jYe_fkPwyPakgyPtXhyHenUBmnL8hYD4yoDQEC2Eg";

    fn logged(path: &str) -> String {
        LoggablePath::new(path).to_string()
    }

    /// ASVS: V16.2.5
    #[test]
    fn a_logged_path_holds_no_query_and_no_token() {
        assert_eq!(logged(&format!("/reset/{TOKEN}?a=b")), "/reset/…");
        assert_eq!(logged(&format!("/a/{TOKEN}/b#c")), "/a/…/b");
        for secret in [
            "0190d5a4-8f7e-7b1c-9d2e-3f4a5b6c7d8e",
            "9f86d081884c7d65",
            "JBSWY3DPEHPK3PXP",
            "ghp_16C7e42F292c69",
            "aGVsbG8gd29y",
            "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN",
            "ada@example.org",
            "a%0d%0ab",
            "correcthorsebatterystaple",
        ] {
            assert_eq!(logged(&format!("/x/{secret}")), "/x/…", "{secret}");
        }
        for same in [
            "/",
            "",
            "/documents/7/comments",
            "/wp-login.php",
            "/.git/config",
            "/phpMyAdmin/index.php",
            "/api/v2/users/9223372036854775807",
            "/admin//users",
        ] {
            assert_eq!(logged(same), same);
        }
    }

    /// Words in a row can be a pass phrase, and a token may be spelled as words: each piece is plain, but the whole is
    /// not logged.
    ///
    /// ASVS: V16.2.5
    #[test]
    fn a_long_segment_is_not_written_however_plain_its_pieces_are() {
        for secret in [
            "correct-horse-battery-staple",
            "1234-5678-9012-3456-7890-1",
            "a.b.c.d.e.f.g.h.i.j.k.l.m",
            "lorem_ipsum_dolor_sit_ame",
        ] {
            assert!(secret.len() > LONGEST_SEGMENT);
            assert_eq!(logged(&format!("/x/{secret}/y")), "/x/…/y", "{secret}");
            assert!(!reads_plainly(secret), "{secret}");
        }
        let longest = "lorem_ipsum_dolor_sit_am";
        assert_eq!(longest.len(), LONGEST_SEGMENT);
        assert_eq!(logged(&format!("/x/{longest}")), format!("/x/{longest}"));
    }

    #[test]
    fn a_long_path_is_cut_wherever_its_segments_end() {
        for length in 1..=9 {
            let path = format!("/{}", "a".repeat(length)).repeat(1_000);
            let written = logged(&path);
            assert!(
                written.len() <= LONGEST + CUT.len() + 1,
                "{length}: {written}"
            );
            assert!(written.len() > LONGEST - length, "{length}: {written}");
            assert!(written.ends_with(CUT), "{length}: {written}");
        }
    }

    /// ASVS: V16.2.5
    #[test]
    fn on_a_route_only_numbers_are_written_in_place_of_parameters() {
        let on = |pattern, path: &str| {
            let uri: http::Uri = path.parse().unwrap();
            LoggablePath::on(Some(RoutePattern(pattern)), uri.path()).to_string()
        };
        let reset = format!("/reset/{TOKEN}?next=%2F");
        assert_eq!(on("/reset/{token}", &reset), "/reset/{token}");
        assert_eq!(on("/reset/{token}", "/reset/word"), "/reset/{token}");
        assert_eq!(on("/a/{id}/b", "/a/17/b"), "/a/17/b");
        assert_eq!(on("/a/{id}.json", "/a/17.json"), "/a/{id}.json");
        assert_eq!(on("/f/{*rest}", "/f/secret/17"), "/f/{*rest}");
        assert_eq!(on("/sign-in", "/sign-in?next=x"), "/sign-in");
        let long = format!("/a/{}/b", "1".repeat(20));
        assert_eq!(on("/a/{id}/b", &long), "/a/{id}/b");
    }

    #[test]
    fn a_logged_path_is_bounded() {
        assert!(logged(&"/a".repeat(100_000)).len() <= LONGEST + 4);
    }
}
