//! Parses `application/x-www-form-urlencoded` strictly: it refuses text that it cannot decode and never guesses.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::Intake;
use super::config::NAME;
use super::error::FormRejection;
use super::form::turn_away;
use crate::csrf;
use crate::pages::{Error, Message, RequestContext};

/// A name and its value.
pub(super) type Pair<'a> = (Cow<'a, str>, Zeroizing<String>);

/// Few forms have more fields.
const USUAL: usize = 16;

const NOT_TEXT: FormRejection = FormRejection::Malformed("a text is not UTF-8");

/// The pairs of a text, up to `most`. Empty text between two `&`, or after the last, is no pair (WHATWG *URL*, 5.1).
pub(super) fn pairs(text: &[u8], most: usize) -> Result<Vec<Pair<'_>>, FormRejection> {
    let mut pairs = Vec::with_capacity(most.min(USUAL));
    for (name, value) in pieces(text)? {
        if pairs.len() == most {
            return Err(too_many(most));
        }
        let name = field_name(name)?;
        pairs.push((name, Zeroizing::new(decode(value)?.into_owned())));
    }
    Ok(pairs)
}

/// The CSRF token of a form that is not read yet.
///
/// # Errors
/// As for every form: 400 for text with two readings, 413 for too many fields.
pub(crate) fn token_of(
    text: &[u8],
    context: &RequestContext,
) -> Result<Option<Zeroizing<String>>, Error> {
    let most = context.service::<Intake>()?.config().fields;
    let pairs = pairs(text, most).map_err(|rejection| turn_away(context, rejection))?;
    let mut tokens = pairs.into_iter().filter(|(name, _)| name == csrf::FIELD);
    Ok(tokens.next().map(|(_, token)| token))
}

/// The pairs with a known name. It skips all others, whatever their bytes are.
pub(super) fn known_pairs(
    text: &[u8],
    most: usize,
    is_known: impl Fn(&str) -> bool,
) -> Result<Vec<Pair<'_>>, FormRejection> {
    let mut pairs = Vec::new();
    for (name, value) in pieces(text)? {
        let Some(name) = field_name(name).ok().filter(|name| is_known(name)) else {
            continue;
        };
        if pairs.len() == most {
            return Err(too_many(most));
        }
        pairs.push((name, Zeroizing::new(decode(value)?.into_owned())));
    }
    Ok(pairs)
}

/// Names and values, still encoded.
fn pieces(text: &[u8]) -> Result<impl Iterator<Item = (&str, &str)>, FormRejection> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_TEXT)?;
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    Ok(pieces.map(|piece| piece.split_once('=').unwrap_or((piece, ""))))
}

fn field_name(sent: &str) -> Result<Cow<'_, str>, FormRejection> {
    const TOO_LONG: FormRejection = FormRejection::Malformed("the name of a field is too long");
    if sent.len() > NAME * 3 {
        return Err(TOO_LONG);
    }
    let name = decode(sent)?;
    match name.len() {
        0 => Err(FormRejection::Malformed("a field has no name")),
        1..=NAME => Ok(name),
        _ => Err(TOO_LONG),
    }
}

fn too_many(most: usize) -> FormRejection {
    FormRejection::TooLarge(Message::new("forms-most-fields").with("max", most))
}

fn decode(text: &str) -> Result<Cow<'_, str>, FormRejection> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') && !bytes.contains(&b'+') {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = |byte: &u8| if *byte == b'+' { b' ' } else { *byte };
    // Reserves the whole length at once: a `Vec` that grows leaves copies that are not wiped.
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut pieces = bytes.split(|byte| *byte == b'%');
    decoded.extend(pieces.next().unwrap_or_default().iter().map(spaced));
    for piece in pieces {
        let [high, low, rest @ ..] = piece else {
            return Err(WRONG);
        };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            return Err(WRONG);
        };
        decoded.push(high << 4 | low);
        decoded.extend(rest.iter().map(spaced));
    }
    let decoded = String::from_utf8(decoded).map_err(|_| NOT_TEXT)?;
    Ok(Cow::Owned(decoded))
}

const WRONG: FormRejection =
    FormRejection::Malformed("a percent sign is not followed by two hexadecimal digits");

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        let pairs = pairs(text.as_bytes(), 5).ok()?;
        Some(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into_owned(), value.to_string()))
                .collect(),
        )
    }

    #[test]
    fn pairs_are_decoded_once() {
        let expected = vec![
            ("a b".to_owned(), "%41&=".to_owned()),
            ("c".to_owned(), String::new()),
        ];
        assert_eq!(read("a+b=%2541%26%3D&c=").unwrap(), expected);
        assert_eq!(read("").unwrap(), vec![]);
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%c3%28", "=b", "a=%+1"] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nothing_between_two_signs_is_no_field() {
        let both = read("a=1&b=2");
        assert!(both.is_some());
        for text in ["a=1&b=2&", "&a=1&&b=2", "&&&a=1&b=2&&&&&&&"] {
            assert_eq!(read(text), both, "{text}");
        }
        assert_eq!(read("&"), Some(vec![]));
    }

    #[test]
    fn fields_and_names_are_bounded() {
        assert!(read("a=1&b=2&c=3&d=4&e=5").is_some());
        assert!(read("a=1&b=2&c=3&d=4&e=5&f=6").is_none());
        let known = |text: &'static str| known_pairs(text.as_bytes(), 2, |name| name != "x");
        assert!(known("a=1&x=2&x=3&b=4").is_ok());
        assert!(known("a=1&x=2&b=3&c=4").is_err());
        assert!(read(&format!("{}=1", "n".repeat(64))).is_some());
        assert!(read(&format!("{}=1", "n".repeat(65))).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_never_grow(text in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(pairs) = pairs(&text, 5) {
                prop_assert!(pairs.len() <= 5);
                let total: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
                prop_assert!(total <= text.len());
            }
        }

        #[test]
        fn what_somebody_appends_to_a_query_never_matters(before in "[ -%'-~]{0,30}", after in "[ -%'-~]{0,30}") {
            prop_assume!([&before, &after].iter().all(|piece| !piece.starts_with("q=") && *piece != "q"));
            let text = format!("{before}&q=milk&{after}&");
            let found = known_pairs(text.as_bytes(), 5, |name| name == "q").unwrap();
            // `%71` is a `q` too.
            prop_assume!(found.len() == 1);
            prop_assert_eq!(&*found[0].1, "milk");
        }

        #[test]
        fn what_a_browser_writes_is_read_back(written in prop::collection::vec(("[a-z]{1,9}", any::<String>()), 0..5)) {
            let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&written).finish();
            prop_assert_eq!(read(&text).unwrap(), written);
        }
    }

    #[test]
    fn the_name_of_a_field_has_a_bound_before_and_after_it_is_decoded() {
        for (name, taken) in [
            ("a".repeat(NAME), true),
            ("a".repeat(NAME + 1), false),
            ("%41".repeat(NAME), true),
            ("%41".repeat(NAME) + "a", false),
            ("%41".repeat(NAME - 1) + "a", true),
            (String::new(), false),
        ] {
            assert_eq!(field_name(&name).is_ok(), taken, "{name}");
        }
    }
}
