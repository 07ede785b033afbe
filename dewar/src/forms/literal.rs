//! Checks of the program's texts at compile time: tokens of `autocomplete`, days, schemes.
#![expect(
    clippy::indexing_slicing,
    reason = "a constant cannot use iterators, and an index out of bounds does not compile"
)]

use super::Widget;

/// Whether two texts are the same, ignoring case.
pub(super) const fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut place = 0;
    while place < left.len() {
        if !left[place].eq_ignore_ascii_case(&right[place]) {
            return false;
        }
        place += 1;
    }
    true
}

/// Whether one of these texts is in the other list.
pub(super) const fn share(list: &[&str], others: &[&str]) -> bool {
    let mut place = 0;
    while place < list.len() {
        if is_one_of(list[place].as_bytes(), others) {
            return true;
        }
        place += 1;
    }
    false
}

const fn is_one_of(word: &[u8], list: &[&str]) -> bool {
    let mut place = 0;
    while place < list.len() {
        if same(word, list[place].as_bytes()) {
            return true;
        }
        place += 1;
    }
    false
}

/// Fields about a person, an account or a payment (HTML, 4.10.18.7.1).
const FIELDS: &[&str] = &[
    "name",
    "honorific-prefix",
    "given-name",
    "additional-name",
    "family-name",
    "honorific-suffix",
    "nickname",
    "username",
    "new-password",
    "current-password",
    "one-time-code",
    "organization-title",
    "organization",
    "street-address",
    "address-line1",
    "address-line2",
    "address-line3",
    "address-level4",
    "address-level3",
    "address-level2",
    "address-level1",
    "country",
    "country-name",
    "postal-code",
    "cc-name",
    "cc-given-name",
    "cc-additional-name",
    "cc-family-name",
    "cc-number",
    "cc-exp",
    "cc-exp-month",
    "cc-exp-year",
    "cc-csc",
    "cc-type",
    "transaction-currency",
    "transaction-amount",
    "language",
    "bday",
    "bday-day",
    "bday-month",
    "bday-year",
    "sex",
    "url",
    "photo",
];

/// Ways to contact somebody; one of [`PLACES`] may stand before them.
const CONTACTS: &[&str] = &[
    "tel",
    "tel-country-code",
    "tel-national",
    "tel-area-code",
    "tel-local",
    "tel-local-prefix",
    "tel-local-suffix",
    "tel-extension",
    "email",
    "impp",
];

const PLACES: &[&str] = &["home", "work", "mobile", "fax", "pager"];

/// Whether a text is a valid `autocomplete`: `on`, `off`, or a field with the tokens that may stand around it.
pub(super) const fn is_autocomplete(text: &str) -> bool {
    if is_one_of(text.as_bytes(), &["on", "off"]) {
        return true;
    }
    if let [.., b' '] = text.as_bytes() {
        return false;
    }
    let (mut word, mut rest) = first_word(text.as_bytes());
    if word.len() > 8 && same(word.split_at(8).0, b"section-") {
        (word, rest) = first_word(rest);
    }
    if is_one_of(word, &["shipping", "billing"]) {
        (word, rest) = first_word(rest);
    }
    let in_place = is_one_of(word, PLACES);
    if in_place {
        (word, rest) = first_word(rest);
    }
    let known = is_one_of(word, CONTACTS) || (!in_place && is_one_of(word, FIELDS));
    known && (rest.is_empty() || same(rest, b"webauthn"))
}

/// The text up to the first space, and the text after it.
const fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    while end < text.len() && text[end] != b' ' {
        end += 1;
    }
    let (word, rest) = text.split_at(end);
    match rest {
        [b' ', after @ ..] => (word, after),
        _ => (word, rest),
    }
}

/// Whether a text has the format in which this widget sends its values, with a digit for each `0`.
pub(super) const fn is_moment(text: &str, widget: Widget) -> bool {
    let shape: &[u8] = if matches!(widget, Widget::Date) {
        b"0000-00-00"
    } else if matches!(widget, Widget::Time) {
        b"00:00"
    } else if matches!(widget, Widget::DateTime) {
        b"0000-00-00T00:00"
    } else {
        return false;
    };
    let text = text.as_bytes();
    if text.len() != shape.len() {
        return false;
    }
    let mut place = 0;
    while place < shape.len() {
        let fits = match shape[place] {
            b'0' => text[place].is_ascii_digit(),
            other => text[place] == other,
        };
        if !fits {
            return false;
        }
        place += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_of_htmls_with_what_may_stand_around_it() {
        for token in [
            "on",
            "off",
            "email",
            "new-password",
            "username webauthn",
            "work tel-extension",
            "section-gift shipping home email",
            "billing postal-code",
        ] {
            assert!(is_autocomplete(token), "{token}");
        }
        for wrong in [
            "",
            " ",
            "e-mail",
            "password",
            "nope",
            "off email",
            "home postal-code",
            "shipping",
            "section-",
            "email ",
            "email  webauthn",
            "email tel",
            "webauthn",
            "email shipping",
        ] {
            assert!(!is_autocomplete(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_bound_is_spelled_as_its_widget_sends_it() {
        assert!(is_moment("2027-05-31", Widget::Date) && is_moment("09:30", Widget::Time));
        assert!(is_moment("2027-05-31T09:30", Widget::DateTime));
        assert!(!is_moment("2027-5-31", Widget::Date) && !is_moment("2027-05-31", Widget::Line));
    }
}
