use std::borrow::Cow;
use std::fmt;

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// An e-mail address, valid as far as its spelling shows.
///
/// 1. It has two parts: at most 64 characters in the first, and 254 in all (RFC 5321, 4.5.3.1).
/// 2. The first part consists of RFC 5321 atoms with single dots between them: `o'brien`, `a+b`. It has no double quotes,
///    brackets or spaces.
/// 3. The second part is a domain of at least two labels, and the last label is no number. It is stored in lower case, an
///    international domain as the DNS spells it (Punycode).
///
/// A browser's own check of an e-mail field is looser in three points: it also accepts dots at the ends and in a row, a domain of
/// one label, and one that ends in a number. This type refuses these with the same message as any other wrong spelling.
///
/// An apostrophe is no danger, because Dewar binds and escapes values. Only a message to the address proves that it belongs to
/// somebody. Sources: OWASP *Input Validation* and *Email Validation and Verification*, RFC 5321, HTML 4.10.5.1.5.
///
/// ```
/// use dewar::forms::Email;
/// let email = Email::parse(" Ada.Lovelace@Example.ORG ").unwrap();
/// assert_eq!(email.as_str(), "Ada.Lovelace@example.org");
/// assert_eq!(email.key(), "ada.lovelace@example.org"); // one account, however it is typed
/// ```
#[derive(Debug, Clone)]
pub struct Email {
    typed: String,
    /// The address in lower case, if it was typed in another way.
    key: Option<String>,
}

impl Email {
    /// Parses an address.
    ///
    /// # Errors
    /// The text is no address.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let line = RawValue::Text(text).borrowed_line(254)?;
        let wrong = || Problem::new(Message::new("forms-email"));
        let (local, domain) = line.rsplit_once('@').ok_or_else(wrong)?;
        let domain = domain_of(domain).ok_or_else(wrong)?;
        if !is_local(local) || local.len() + 1 + domain.len() > 254 {
            return Err(wrong());
        }
        let typed = [local, "@", &domain].concat();
        let key = has_upper(&typed).then(|| typed.to_ascii_lowercase());
        Ok(Self { typed, key })
    }

    /// The address as its owner spells it, for messages to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The address in lower case: the spelling that sign-up, sign-in and reset compare.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.typed)
    }
}

fn has_upper(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_local(local: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    (1..=64).contains(&local.len())
        && local
            .split('.')
            .all(|word| !word.is_empty() && word.bytes().all(plain))
}

fn domain_of(domain: &str) -> Option<Cow<'_, str>> {
    if !is_plain(domain) {
        return in_ascii(domain).map(Cow::Owned);
    }
    let ascii = if has_upper(domain) {
        Cow::Owned(domain.to_ascii_lowercase())
    } else {
        Cow::Borrowed(domain)
    };
    are_labels(&ascii).then_some(ascii)
}

/// Whether a domain has only letters, digits and hyphens, is not Punycode, and cannot be read as a number.
fn is_plain(domain: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let encoded = |label: &str| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.bytes().all(plain)
        && !domain.split('.').any(encoded)
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The domain in ASCII as the DNS spells it, by the rules of the URL standard.
fn in_ascii(domain: &str) -> Option<String> {
    let url::Host::Domain(ascii) = url::Host::parse(domain).ok()? else {
        return None;
    };
    let ascii = ascii.to_ascii_lowercase();
    // Percent-decoding must not make a domain of a text that is none.
    if domain.contains('%') {
        return None;
    }
    are_labels(&ascii).then_some(ascii)
}

fn are_labels(ascii: &str) -> bool {
    let last = ascii.rsplit('.').next().unwrap_or_default();
    ascii.len() <= 253
        && ascii.contains('.')
        && ascii.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl Field for Email {
    const KIND: FieldKind = FieldKind::email();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.typed)
    }
}

/// Addresses are equal if their lower-case spelling is.
impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.typed)
    }
}

impl std::str::FromStr for Email {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

impl serde::Serialize for Email {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_international_domain_is_kept_as_the_dns_spells_it() {
        assert_eq!(
            Email::parse("a@Bücher.example").unwrap().as_str(),
            "a@xn--bcher-kva.example"
        );
    }

    #[test]
    fn a_domain_that_looks_like_another_is_shown_as_what_it_is() {
        for domain in ["p\u{430}ypal.example", "\u{440}\u{430}\u{443}.example"] {
            let email = Email::parse(&format!("a@{domain}")).unwrap();
            let shown = email.to_string();
            assert!(shown.starts_with("a@xn--") && shown.is_ascii(), "{shown}");
        }
    }

    #[test]
    fn spellings_that_are_no_address_are_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let wrong = [
            "",
            "a",
            "@example.org",
            "a@",
            "a@localhost",
            "a@b..org",
            "a@-b.org",
            "a@b.org.",
            "a b@example.org",
            "\"a\"@example.org",
            ".a@example.org",
            "a.@example.org",
            "a..b@example.org",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@example.1",
            "a@exa_mple.org",
            "a@b@example.org",
            "a\0@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "ä@example.org",
            "a@ex%61mple.org",
            "<a@example.org>",
            &long,
        ];
        for text in wrong {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn real_addresses_pass() {
        for text in [
            "a@b.co",
            "first.last+tag@sub.example.co.uk",
            "x_y-z@example.museum",
            "1@2.example",
            "o'brien@example.com",
            "`a{b|c}d`@example.org",
            "!#$%&'*+-/=?^_`{|}~@example.org",
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_plain_domain_is_read_as_by_the_url_standard(domain in "[a-zA-Z0-9.-]{1,20}(\\.[a-z0-9]{1,4})?") {
            proptest::prop_assert_eq!(domain_of(&domain).map(Cow::into_owned), in_ascii(&domain));
        }
    }
}
