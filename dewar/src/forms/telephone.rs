use std::borrow::Cow;
use std::fmt;

use super::invisible::is_invisible;
use super::{Field, Kind, Problem, Raw, Shown};
use crate::pages::Message;

/// A telephone number with its country, in the spelling of ITU-T E.164: `+` and 7 to 15 digits, the first not 0.
///
/// What people and their address books put between digits is taken out: spaces of every width, dots, hyphens and dashes,
/// slashes, round brackets, and marks that cannot be seen, such as those that keep a number from left to right. A 0 in
/// brackets behind the country, as in `+41 (0)44`, is dialled at home alone, and is taken out too; not in countries whose
/// numbers begin with 0 from abroad as well. That is all: whether the country has such numbers, and whether somebody
/// answers, is not checked.
///
/// ```
/// use dewar::forms::Telephone;
/// assert_eq!(Telephone::parse("+41 (44) 668-18.00").unwrap().as_str(), "+41446681800");
/// assert_eq!(Telephone::parse("+41 (0)44 668 18 00").unwrap().as_str(), "+41446681800");
/// assert!(Telephone::parse("044 668 18 00").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Telephone(String);

impl Telephone {
    /// Makes a number of a text.
    ///
    /// # Errors
    /// The text is no number with its country.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let typed: String = text.chars().filter(|c| !between(*c)).map(narrow).collect();
        if typed.is_empty() {
            return Err(Problem::missing());
        }
        let number: String = abroad(&typed)
            .chars()
            .filter(|c| !matches!(c, '(' | ')'))
            .collect();
        let is_number = number.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len())
                && !digits.starts_with('0')
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        is_number
            .then_some(Self(number))
            .ok_or_else(|| Problem::new(Message::new("forms-telephone")))
    }

    /// The number: `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The countries in which the first digit of a number is or may be a 0 from abroad too.
const KEEP_ZERO: [&str; 8] = ["39", "225", "226", "229", "241", "242", "378", "379"];

/// A number without the 0 in brackets that only callers of its own country dial.
fn abroad(typed: &str) -> Cow<'_, str> {
    match typed.split_once("(0") {
        Some((country, rest)) if country.len() > 1 => {
            let digits = country.strip_prefix('+').unwrap_or_default();
            if is_country(digits) && !KEEP_ZERO.contains(&digits) {
                Cow::Owned(format!("{country}{rest}"))
            } else {
                Cow::Borrowed(typed)
            }
        }
        _ => Cow::Borrowed(typed),
    }
}

/// Whether these digits are as many as a country has that begins so (ITU-T E.164, annex D): one in zones 1 and 7, two in the
/// countries of this list, else three.
fn is_country(digits: &str) -> bool {
    const TWO: [u8; 44] = [
        20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55,
        56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
    ];
    let two = digits.get(..2).and_then(|two| two.parse().ok());
    let length = match (digits.as_bytes().first(), two) {
        (Some(b'1' | b'7'), _) => 1,
        (_, Some(two)) if TWO.contains(&two) => 2,
        _ => 3,
    };
    digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands between digits and means nothing.
fn between(c: char) -> bool {
    let dashes = '\u{2010}'..='\u{2015}';
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{2000}'..='\u{200a}' | '\u{3000}' | '\t'
    ) || matches!(
        c,
        '.' | '-' | '/' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' | '\u{b7}'
    ) || dashes.contains(&c)
        || is_invisible(c)
}

/// A digit or a sign as a keyboard for East Asian writing sends it.
fn narrow(c: char) -> char {
    let wide = u32::from(c)
        .checked_sub(0xfee0)
        .filter(|_| ('\u{ff08}'..='\u{ff19}').contains(&c));
    wide.and_then(char::from_u32).unwrap_or(c)
}

impl Field for Telephone {
    const KIND: Kind = Kind::telephone();

    fn parse(raw: Raw<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> Shown {
        Shown::text(self)
    }
}

impl fmt::Display for Telephone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for Telephone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_as_people_and_address_books_write_it() {
        for (typed, kept) in [
            ("+41 (0)44 668 18 00", "+41446681800"),
            ("+41(0)446681800", "+41446681800"),
            ("+41 (044) 668 18 00", "+41446681800"),
            ("+49\u{a0}(\u{a0}0\u{a0})\u{a0}30 123456", "+4930123456"),
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("+1 (202) 555-0100", "+12025550100"),
            ("+81 3 (03) 1234", "+813031234"),
            ("+351 (0)21 123 4567", "+351211234567"),
            ("+7 (095) 123-45-67", "+7951234567"),
            ("+39 (0)6 6982 1234", "+390669821234"),
            ("+39 06 6982 1234", "+390669821234"),
            ("+225 (07) 12 34 56 78", "+2250712345678"),
            (
                "+41\u{2011}44\u{2011}668\u{2011}18\u{2011}00",
                "+41446681800",
            ),
            ("\u{202a}+41 44 668 18 00\u{202c}", "+41446681800"),
            (
                "\u{2066}+41\u{202f}44\u{2009}668\u{2009}18\u{2009}00\u{2069}",
                "+41446681800",
            ),
            ("+49 30/123\u{2013}456", "+4930123456"),
            (
                "\u{ff0b}\u{ff18}\u{ff11}\u{ff08}\u{ff13}\u{ff09}1234-5678",
                "+81312345678",
            ),
            ("\u{feff}+41 44 668\u{ad}1800", "+41446681800"),
        ] {
            let number =
                Telephone::parse(typed).unwrap_or_else(|problem| panic!("{typed}: {problem}"));
            assert_eq!(number.as_str(), kept, "{typed}");
            assert_eq!(Telephone::parse(kept).unwrap(), number);
        }
    }

    #[test]
    fn a_number_without_its_country_or_with_letters_is_refused() {
        for wrong in [
            "",
            "+",
            "+012345678",
            "+123456",
            "+1234567890123456",
            "0041446681800",
            "++41446681800",
            "+41 44 CALL ME",
            "+41446681800;ext=1",
            "+41 44 668 18 00 x2",
            "+41 44\u{2028}668 18 00",
            "+٤١446681800",
            "+41\n446681800",
        ] {
            assert!(Telephone::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
