//! List headers (RFC 9110, 5.6). Each element is parsed alone and as bytes, so an invalid one never changes the meaning
//! of its neighbours.

use http::header::{HeaderMap, HeaderName};

/// An element with its weight (RFC 9110, 12.4.2), such as `text/html;q=0.8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weighted<'a> {
    pub(crate) name: &'a str,
    /// In thousandths; zero refuses.
    pub(crate) weight: u16,
    /// Whether it has parameters besides the weight.
    pub(crate) has_parameters: bool,
}

/// The elements of a header, over all its lines, without surrounding white space. A comma inside quotes does not
/// separate.
pub(crate) fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    let elements = lines.flat_map(|line| Parts::of(line.as_bytes(), b','));
    elements.filter(|element| !element.is_empty())
}

/// The elements with their weights. An element that is not text or has an invalid weight is skipped.
pub(crate) fn weighted(
    headers: &HeaderMap,
    name: HeaderName,
) -> impl Iterator<Item = Weighted<'_>> {
    elements(headers, name).filter_map(|element| {
        let mut parts = Parts::of(element, b';');
        let name = std::str::from_utf8(parts.next()?).ok()?;
        let (mut weight, mut has_parameters) = (None, false);
        for part in parts {
            match parameter(part) {
                Some((key, value)) if key.eq_ignore_ascii_case("q") => {
                    if weight.replace(thousandths(value)?).is_some() {
                        return None;
                    }
                }
                _ => has_parameters = true,
            }
        }
        (!name.is_empty()).then_some(Weighted {
            name,
            weight: weight.unwrap_or(1_000),
            has_parameters,
        })
    })
}

/// The name and the value of a parameter; `None` if the name is not text or has no value.
pub(crate) fn parameter(part: &[u8]) -> Option<(&str, &[u8])> {
    let at = part.iter().position(|byte| *byte == b'=')?;
    let (key, value) = part.split_at(at);
    let key = std::str::from_utf8(key.trim_ascii()).ok()?;
    Some((key, value.get(1..)?.trim_ascii()))
}

/// `1`, `0`, `0.8` or `0.825`.
fn thousandths(text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = places.len() <= 3 && places.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" if are_digits && places.bytes().all(|byte| byte == b'0') => Some(1_000),
        "0" if are_digits => {
            let padded = places.bytes().chain(std::iter::repeat(b'0')).take(3);
            Some(padded.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        }
        _ => None,
    }
}

/// Splits at separators outside quotes, without surrounding white space.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(text: &'a [u8], separator: u8) -> Self {
        Self {
            rest: Some(text),
            separator,
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let mut at = 0;
        while let Some(byte) = rest.get(at) {
            if *byte == self.separator {
                let (part, after) = rest.split_at(at);
                self.rest = after.get(1..);
                return Some(part.trim_ascii());
            }
            at += match byte {
                b'"' => quoted(rest.get(at..).unwrap_or_default()),
                _ => 1,
            };
        }
        Some(rest.trim_ascii())
    }
}

/// The length of a quoted text, with its quotes. A quote without an end is an ordinary character: it must not swallow the
/// elements after it.
fn quoted(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::ACCEPT;
    use proptest::prelude::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let values = lines
            .iter()
            .map(|line| HeaderValue::from_bytes(line).unwrap());
        values.map(|value| (ACCEPT, value)).collect()
    }

    #[test]
    fn elements_stand_between_commas_outside_quotes() {
        for (lines, wanted) in [
            (&["a, b"][..], &["a", "b"][..]),
            (&["a", " b ,, c"], &["a", "b", "c"]),
            (&["\"x,y\";a, b"], &["\"x,y\";a", "b"]),
            (&["\"x\\\",y\", b"], &["\"x\\\",y\"", "b"]),
            (&["x=\"never closed, b"], &["x=\"never closed", "b"]),
            (&[""], &[]),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
            let headers = headers(&lines);
            let found: Vec<_> = elements(&headers, ACCEPT)
                .map(|element| std::str::from_utf8(element).unwrap())
                .collect();
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_weight_is_spelled_as_the_standard_spells_it() {
        let weight = |text: &str| {
            let headers = headers(&[text.as_bytes()]);
            weighted(&headers, ACCEPT).next().map(|found| found.weight)
        };
        for (text, wanted) in [
            ("a", Some(1_000)),
            ("a;q=1.000", Some(1_000)),
            ("a; Q = 0.05", Some(50)),
            ("a;level=1;q=0", Some(0)),
            ("a;q=0.", Some(0)),
            ("a;q=1.001", None),
            ("a;q=9", None),
            ("a;q=0.1234", None),
            ("a;q=0.1;q=0.2", None),
            ("a;q", Some(1_000)),
            (";q=1", None),
        ] {
            assert_eq!(weight(text), wanted, "{text}");
        }
    }

    /// Bytes that may stand in a header and separate nothing.
    fn foreign() -> impl Strategy<Value = Vec<u8>> {
        let byte = any::<u8>().prop_filter("parts nothing", |byte| {
            (*byte >= 0x20 || *byte == b'\t') && ![0x7f, b',', b'"'].contains(byte)
        });
        prop::collection::vec(byte, 0..40)
    }

    proptest! {
        /// ASVS: V1.5.3
        #[test]
        fn what_an_element_says_never_matters_to_its_neighbours(before in foreign(), after in foreign(), quote in any::<bool>()) {
            let before = if quote { [&b"\""[..], &before].concat() } else { before };
            let line = [&before, &b",text/html;q=0.7,"[..], &after].concat();
            for headers in [headers(&[&line]), headers(&[&before, b"text/html;q=0.7", &after])] {
                let found = weighted(&headers, ACCEPT).filter(|found| found.name == "text/html" && found.weight == 700);
                prop_assert!(found.count() >= 1);
            }
        }
    }
}
