//! The media type of a `Content-Type` (RFC 9110, 8.3.1).

use std::borrow::Cow;

use http::HeaderValue;

use super::list::{Parts, parameter};

/// The media type of a body, with its parameters; each parameter is parsed alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaType<'a> {
    name: &'a [u8],
    parameters: &'a [u8],
}

impl<'a> MediaType<'a> {
    pub(crate) fn of(value: &'a HeaderValue) -> Self {
        let text = value.as_bytes();
        let end = text.iter().position(|byte| *byte == b';');
        let (name, parameters) = text.split_at(end.unwrap_or(text.len()));
        Self {
            name: name.trim_ascii(),
            parameters: parameters.get(1..).unwrap_or_default(),
        }
    }

    /// Whether it is this type, such as `application/json`, whatever its parameters.
    pub(crate) fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it is this type in UTF-8. A type without a charset counts as UTF-8.
    pub(crate) fn is_utf8(self, name: &str) -> bool {
        let encoding = self.parameter("charset");
        let utf8 = encoding.is_ok_and(|encoding| {
            encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case("utf-8"))
        });
        self.is(name) && utf8
    }

    /// The parameter of this name, without quotes.
    ///
    /// # Errors
    /// The parameter comes twice, or is not text: two readers could read it differently.
    pub(crate) fn parameter(self, name: &str) -> Result<Option<Cow<'a, str>>, Ambiguous> {
        let parts = Parts::of(self.parameters, b';');
        let mut named = parts
            .filter_map(parameter)
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let Some((_, value)) = named.next() else {
            return Ok(None);
        };
        if named.next().is_some() {
            return Err(Ambiguous);
        }
        let value = std::str::from_utf8(value).map_err(|_| Ambiguous)?;
        let Some(inside) = value.strip_prefix('"') else {
            return Ok(Some(Cow::Borrowed(value)));
        };
        let inside = inside.strip_suffix('"').ok_or(Ambiguous)?;
        Ok(Some(match inside.contains('\\') {
            true => Cow::Owned(unescaped(inside)),
            false => Cow::Borrowed(inside),
        }))
    }
}

/// A parameter with two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ambiguous;

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boundary(text: &str) -> Result<Option<String>, Ambiguous> {
        let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
        let found = MediaType::of(&value).parameter("boundary");
        found.map(|found| found.map(Cow::into_owned))
    }

    #[test]
    fn each_parameter_is_read_alone() {
        for (text, found) in [
            ("multipart/form-data", Ok(None)),
            ("multipart/form-data;", Ok(None)),
            ("multipart/form-data; boundary=a", Ok(Some("a"))),
            (
                "multipart/form-data;charset=utf-8;Boundary=\"a;b\"",
                Ok(Some("a;b")),
            ),
            (
                "multipart/form-data; x=\"boundary=b\"; boundary=a",
                Ok(Some("a")),
            ),
            ("multipart/form-data; x=ü; boundary=a", Ok(Some("a"))),
            ("multipart/form-data; boundary=\"a\\b\"", Ok(Some("ab"))),
            (
                "multipart/form-data; boundary=a; boundary=a",
                Err(Ambiguous),
            ),
            ("multipart/form-data; boundary=\"a", Err(Ambiguous)),
        ] {
            let found = found.map(|found| found.map(str::to_owned));
            assert_eq!(boundary(text), found, "{text}");
        }
    }

    #[test]
    fn a_text_is_in_utf8_or_says_otherwise() {
        for (text, taken) in [
            ("application/json", true),
            ("Application/JSON ; Charset=\"UTF-8\"", true),
            ("application/json; profile=ü; charset=utf-8", true),
            ("application/json; charset=latin1", false),
            ("application/json; charset=utf-8; charset=utf-8", false),
            ("application/jsonx", false),
            ("application/json, application/json", false),
        ] {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            let kind = MediaType::of(&value);
            assert_eq!(kind.is_utf8("application/json"), taken, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_foreign_parameter_never_matters(foreign in "[^;\"\\x00-\\x1f\\x7f]{0,20}") {
            prop_assume!(!foreign.to_ascii_lowercase().trim_start().starts_with("boundary"));
            for text in [
                format!("multipart/form-data; {foreign}; boundary=a"),
                format!("multipart/form-data; boundary=a; {foreign}"),
            ] {
                prop_assert_eq!(boundary(&text), Ok(Some("a".to_owned())));
            }
        }
    }
}
