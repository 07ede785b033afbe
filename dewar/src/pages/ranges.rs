//! Conditional requests and ranges (RFC 9110, 13 and 14): of static files, and of the files of users.

use std::num::NonZeroUsize;
use std::ops::Range;

use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{HeaderValue, Method};
use http_range_header::parse_range_header_with_max_ranges;

use crate::https::list::elements;

/// The part of a file that a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A range of which no byte is in the file: 416.
    Nothing,
    /// These bytes: 206.
    Part(Range<u64>),
    Whole,
}

/// Reads the range of a request. For several ranges, an invalid one, or a range of another version, Dewar sends the whole file,
/// as the standard allows.
pub(crate) fn wanted(method: &Method, request: &HeaderMap, tag: &str, length: u64) -> Wanted {
    let Some(text) = request
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
    else {
        return Wanted::Whole;
    };
    // A date names no version exactly, and Dewar sends none.
    let other = request
        .get(header::IF_RANGE)
        .is_some_and(|version| version.as_bytes() != tag.as_bytes());
    if other || *method != Method::GET {
        return Wanted::Whole;
    }
    part(text, length).unwrap_or(Wanted::Whole)
}

/// Parses `bytes=0-99`, `bytes=100-` or `bytes=-100` of `length` bytes; `None` for anything else, and for several ranges.
fn part(text: &str, length: u64) -> Option<Wanted> {
    let parsed = parse_range_header_with_max_ranges(text, NonZeroUsize::MIN).ok()?;
    let Ok(ranges) = parsed.validate(length) else {
        return Some(Wanted::Nothing);
    };
    let Some(range) = ranges.first() else {
        return Some(Wanted::Nothing);
    };
    Some(Wanted::Part(*range.start()..range.end().saturating_add(1)))
}

/// The bytes of a `Range` header, for `fuzz/`.
#[cfg(any(fuzzing, test))]
pub(in crate::pages) fn part_of(text: &str, length: u64) -> Option<Range<u64>> {
    match part(text, length)? {
        Wanted::Part(part) => Some(part),
        Wanted::Nothing | Wanted::Whole => None,
    }
}

/// Whether the browser has this version already (`If-None-Match`, compared weakly).
pub(crate) fn is_known(request: &HeaderMap, tag: &str) -> bool {
    elements(request, header::IF_NONE_MATCH)
        .any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes())
}

/// Whether the request is about another version (`If-Match`, compared strongly).
fn is_other(request: &HeaderMap, tag: &str) -> bool {
    request.contains_key(header::IF_MATCH)
        && !elements(request, header::IF_MATCH)
            .any(|known| known == b"*" || known == tag.as_bytes())
}

/// `bytes 0-99/680`, or `bytes */680` if no byte is sent.
pub(crate) fn content_range(part: Option<&Range<u64>>, length: u64) -> Option<HeaderValue> {
    let text = match part {
        Some(part) => format!(
            "bytes {}-{}/{length}",
            part.start,
            part.end.saturating_sub(1)
        ),
        None => format!("bytes */{length}"),
    };
    HeaderValue::from_str(&text).ok()
}

/// The headers of a request that decide which part of a file its response has.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileRequest {
    method: Method,
    headers: HeaderMap,
}

/// The parts of a response about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileAnswer {
    /// 412.
    AnotherVersion,
    /// 304.
    Known,
    /// 416.
    NoSuchPart,
    /// 206.
    Part(Range<u64>),
    /// 200.
    Whole,
}

impl FileRequest {
    /// The conditions of a request that reads. A request of any other method is answered with the whole file.
    pub(crate) fn of(parts: &Parts) -> Self {
        let mut headers = HeaderMap::new();
        if matches!(parts.method, Method::GET | Method::HEAD) {
            for name in [
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                header::IF_RANGE,
                header::RANGE,
            ] {
                for line in parts.headers.get_all(&name) {
                    headers.append(name.clone(), line.clone());
                }
            }
        }
        Self {
            method: parts.method.clone(),
            headers,
        }
    }

    /// Whether the response has no body.
    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Decides in the order of RFC 9110, 13.2.2.
    pub(crate) fn answer(&self, tag: &str, length: u64) -> FileAnswer {
        if is_other(&self.headers, tag) {
            return FileAnswer::AnotherVersion;
        }
        if is_known(&self.headers, tag) {
            return FileAnswer::Known;
        }
        match wanted(&self.method, &self.headers, tag, length) {
            Wanted::Nothing => FileAnswer::NoSuchPart,
            Wanted::Part(part) => FileAnswer::Part(part),
            Wanted::Whole => FileAnswer::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc\"";

    fn answer(method: Method, headers: &[(header::HeaderName, &str)]) -> FileAnswer {
        let mut request = http::Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        FileRequest::of(&parts).answer(TAG, 680)
    }

    #[test]
    fn conditions_are_looked_at_in_their_order() {
        let get = |headers: &[_]| answer(Method::GET, headers);
        let range = (header::RANGE, "bytes=0-3");
        assert_eq!(get(std::slice::from_ref(&range)), FileAnswer::Part(0..4));
        for (name, value, found) in [
            (header::IF_MATCH, "\"abc\"", FileAnswer::Part(0..4)),
            (header::IF_MATCH, "\"x\", \"abc\"", FileAnswer::Part(0..4)),
            (header::IF_MATCH, "*", FileAnswer::Part(0..4)),
            (header::IF_MATCH, "\"x\"", FileAnswer::AnotherVersion),
            // A weak tag is never the same version byte for byte.
            (header::IF_MATCH, "W/\"abc\"", FileAnswer::AnotherVersion),
            (header::IF_NONE_MATCH, "W/\"abc\"", FileAnswer::Known),
            (header::IF_NONE_MATCH, "\"x\"", FileAnswer::Part(0..4)),
            (header::IF_RANGE, "\"abc\"", FileAnswer::Part(0..4)),
            (header::IF_RANGE, "W/\"abc\"", FileAnswer::Whole),
            (
                header::IF_RANGE,
                "Sat, 29 Oct 1994 19:43:31 GMT",
                FileAnswer::Whole,
            ),
        ] {
            assert_eq!(
                get(&[range.clone(), (name.clone(), value)]),
                found,
                "{name}: {value}"
            );
        }
        let both = [(header::IF_MATCH, "\"x\""), (header::IF_NONE_MATCH, TAG)];
        assert_eq!(get(&both), FileAnswer::AnotherVersion);
    }

    #[test]
    fn a_range_is_of_a_get_and_conditions_are_of_a_request_that_reads() {
        let range = [(header::RANGE, "bytes=700-")];
        assert_eq!(answer(Method::GET, &range), FileAnswer::NoSuchPart);
        assert_eq!(answer(Method::HEAD, &range), FileAnswer::Whole);
        let known = [(header::IF_NONE_MATCH, TAG)];
        assert_eq!(answer(Method::HEAD, &known), FileAnswer::Known);
        assert_eq!(answer(Method::POST, &known), FileAnswer::Whole);
    }

    #[test]
    fn the_last_bytes_of_the_largest_file_are_a_part() {
        assert_eq!(part_of("bytes=-1", u64::MAX), Some(u64::MAX - 1..u64::MAX));
        assert_eq!(part_of("bytes=0-18446744073709551615", 4), Some(0..4));
        assert_eq!(part_of("bytes=0-", 0), None);
    }
}
