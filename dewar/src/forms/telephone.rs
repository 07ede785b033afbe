use std::fmt;

use super::{Field, Kind, Problem, Raw, Shown};
use crate::pages::Message;

/// A telephone number with its country, in the spelling of ITU-T E.164: `+` and 7 to 15 digits, the first not 0.
///
/// Spaces, dots, hyphens and round brackets between digits are taken out. That is all: whether the country has such
/// numbers, and whether somebody answers, is not checked.
///
/// ```
/// use dewar::forms::Telephone;
/// assert_eq!(Telephone::parse("+41 (44) 668-18.00").unwrap().as_str(), "+41446681800");
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
        let line = Raw::Text(text).line(32)?;
        let number: String = line
            .chars()
            .filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')'))
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
            "+4144668\u{202e}1800",
            "+٤١446681800",
            "+41\n446681800",
        ] {
            assert!(Telephone::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
