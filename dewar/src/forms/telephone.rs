use std::borrow::Cow;
use std::fmt;

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::audit::is_invisible;
use crate::pages::Message;

/// A telephone number with its country code, in the spelling of ITU-T E.164: `+` and 7 to 15 digits, the first not 0.
///
/// It removes the separators that people and their address books write: spaces of every width, dots, hyphens and dashes, slashes,
/// round brackets, and invisible characters, such as those that keep a number from left to right. It also removes a trunk prefix
/// in brackets after the country code, as in `+41 (0)44`, `+7 (8)495` or `+36 (06)1`, because only callers inside the country
/// dial it. It keeps a 0 in countries whose numbers begin with 0 from abroad as well. Without brackets a trunk prefix cannot be
/// told from the number, so it stays.
///
/// The country code is one that the ITU has assigned to a country, a territory or a network (E.164, annex D). Dewar does not
/// check the rest: the number may be too long for its country, or belong to nobody. To check the numbering plan of each country,
/// use a library; to check that somebody answers, call or send a text message.
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
    /// Parses a number.
    ///
    /// # Errors
    /// The text is no number with a country code.
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
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !is_number {
            return Err(Problem::new(Message::new("forms-telephone")));
        }
        let digits = number.trim_start_matches('+');
        let mut codes = (1..=3).filter_map(|length| digits.get(..length));
        if codes.any(is_country) {
            Ok(Self(number))
        } else {
            Err(Problem::new(Message::new("forms-telephone-country")))
        }
    }

    /// The number: `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The countries in which the first digit of a number is or may be a 0 from abroad too.
const KEEP_ZERO: [&str; 8] = ["39", "225", "226", "229", "241", "242", "378", "379"];

/// The countries whose trunk prefix is not a 0 alone.
const TRUNK_PREFIXES: [(&str, &str); 7] = [
    ("7", "8"),
    ("36", "06"),
    ("370", "8"),
    ("375", "8"),
    ("992", "8"),
    ("993", "8"),
    ("998", "8"),
];

/// The assigned country codes (ITU-T E.164, annex D), with those of satellites and of worldwide services. No code is the
/// beginning of another.
#[rustfmt::skip]
const CODES: [u16; 215] = [
    1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62,
    63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
    211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238,
    239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 260, 261, 262, 263,
    264, 265, 266, 267, 268, 269, 290, 291, 297, 298, 299,
    350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 380, 381, 382, 383,
    385, 386, 387, 389, 420, 421, 423,
    500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599,
    670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688, 689, 690, 691, 692,
    800, 808, 850, 852, 853, 855, 856, 870, 878, 880, 881, 882, 883, 886,
    960, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 979, 992, 993, 994, 995, 996, 998,
];

/// The number without a trunk prefix in brackets, which only callers inside the country dial.
fn abroad(typed: &str) -> Cow<'_, str> {
    let Some((country, rest)) = typed.split_once('(') else {
        return Cow::Borrowed(typed);
    };
    let digits = country.strip_prefix('+').unwrap_or_default();
    if !is_country(digits) {
        return Cow::Borrowed(typed);
    }
    let prefixes = TRUNK_PREFIXES.iter();
    let mut prefixes = prefixes.filter(|(country, _)| *country == digits);
    let alone = |(_, prefix): &(&str, &str)| {
        let rest = rest.strip_prefix(prefix)?.strip_prefix(')')?;
        Some(Cow::Owned(format!("{country}{rest}")))
    };
    if let Some(number) = prefixes.find_map(alone) {
        return number;
    }
    match rest.strip_prefix('0') {
        Some(rest) if !KEEP_ZERO.contains(&digits) => Cow::Owned(format!("{country}{rest}")),
        _ => Cow::Borrowed(typed),
    }
}

/// Whether these digits are the code of a country.
fn is_country(digits: &str) -> bool {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let code = digits.parse().ok().filter(|_| is_plain);
    !digits.starts_with('0') && code.is_some_and(|code| CODES.contains(&code))
}

/// A separator between digits.
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

/// The narrow form of a digit or a sign that an East Asian keyboard sends in full width.
fn narrow(c: char) -> char {
    let wide = u32::from(c)
        .checked_sub(0xfee0)
        .filter(|_| ('\u{ff08}'..='\u{ff19}').contains(&c));
    wide.and_then(char::from_u32).unwrap_or(c)
}

impl Field for Telephone {
    const KIND: FieldKind = FieldKind::telephone();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(self)
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
            ("+7 (8) 495 123-45-67", "+74951234567"),
            ("+7 (800) 555-35-35", "+78005553535"),
            ("+375 (8) 17 123-45-67", "+375171234567"),
            ("+36 (06) 1 234 5678", "+3612345678"),
            ("+36 (0) 1 234 5678", "+3612345678"),
            ("+43 (8) 123 4567", "+4381234567"),
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
    fn a_number_begins_with_the_code_of_a_country() {
        for wrong in [
            "+999 123 4567",
            "+210 123 4567",
            "+424 12345",
            "+969 123 4567",
            "+888 12345678",
        ] {
            let problem = Telephone::parse(wrong).unwrap_err();
            assert!(
                problem.to_string().contains("country code"),
                "{wrong}: {problem}"
            );
        }
        let mut codes = CODES.map(|code| code.to_string());
        for code in &codes {
            assert!(
                Telephone::parse(&format!("+{code}234567")).is_ok(),
                "{code}"
            );
        }
        // In sorted order, a code that is the beginning of another stands directly before it.
        codes.sort_unstable();
        for pair in codes.windows(2) {
            assert!(!pair[1].starts_with(&pair[0]), "{pair:?}");
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

    #[test]
    fn a_0_in_brackets_goes_behind_a_country_and_nowhere_else() {
        for (typed, kept) in [
            ("+41(0)44", "+41)44"),
            ("+1(0)44", "+1)44"),
            ("+(0)44", "+(0)44"),
            ("(0)44", "(0)44"),
            ("4(0)44", "4(0)44"),
            ("+39(0)44", "+39(0)44"),
            ("+4(0)44", "+4(0)44"),
            ("+41 44", "+41 44"),
        ] {
            assert_eq!(abroad(typed), kept, "{typed}");
        }
    }
}
