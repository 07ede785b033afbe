//! `Content-Disposition` (RFC 6266) for a name that a visitor chose.

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 8187 `attr-char`: the characters that `filename*` may hold unescaped.
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header that makes the browser save a response under a name, whatever characters the name has.
///
/// Old programs read the quoted ASCII text, all others `filename*`. Quoted are only letters, digits, `. _ - ( )` and
/// spaces, so nothing needs escaping and nothing can leave the quotes. `%` is replaced too, because some programs decode
/// it there (RFC 6266, Appendix D).
pub(crate) fn attachment(name: &str) -> HeaderValue {
    with_name("attachment", name)
}

/// The header for a picture that is shown in a page.
pub(crate) fn inline(name: &str) -> HeaderValue {
    with_name("inline", name)
}

fn with_name(what: &'static str, name: &str) -> HeaderValue {
    let ascii: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '(' | ')' | ' ' => c,
            _ => '_',
        })
        .collect();
    let encoded = utf8_percent_encode(name, ATTR_CHAR);
    let value = format!("{what}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    // Every character of `value` is visible ASCII or a space. If that ever fails, the response loses the name.
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_sent_twice() {
        assert_eq!(
            attachment("Bericht für März.pdf"),
            "attachment; filename=\"Bericht f_r M_rz.pdf\"; filename*=UTF-8''Bericht%20f%C3%BCr%20M%C3%A4rz.pdf"
        );
    }

    #[test]
    fn a_name_cannot_add_a_header_or_a_parameter() {
        let value = attachment("a\"\r\nSet-Cookie: s=1; filename=b.html");
        let text = value.to_str().unwrap();
        assert_eq!(text.matches('"').count(), 2);
        assert_eq!(text.matches(';').count(), 2);
        assert!(!text.contains(['\r', '\n']));
    }

    proptest! {
        #[test]
        fn any_name_gives_one_well_formed_value(name in any::<String>()) {
            let value = attachment(&name);
            let text = value.to_str().unwrap();
            prop_assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(text.matches('"').count(), 2);
            prop_assert_eq!(text.matches(';').count(), 2);
            let (_, encoded) = text.rsplit_once("''").unwrap();
            prop_assert_eq!(percent_decode_str(encoded).decode_utf8().unwrap(), name);
        }
    }
}
