use std::fmt;

use super::{Field, Kind, Problem, Raw, Shown};
use crate::pages::Message;

/// A whole number from `MIN` to `MAX`, both included.
///
/// ```
/// use dewar::forms::Int;
/// assert_eq!(Int::<1, 5>::parse("4").unwrap().get(), 4);
/// assert!(Int::<1, 5>::parse("6").is_err());
/// assert!(Int::<1, 5>::parse("4e0").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// Makes a number of digits, with a minus in front where it is below zero.
    ///
    /// # Errors
    /// Another character, or a number outside the range.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::new(Message::new("forms-whole-number")));
        }
        text.parse().ok().and_then(Self::new).ok_or_else(|| {
            Problem::new(
                Message::new("forms-range")
                    .with("min", MIN)
                    .with("max", MAX),
            )
        })
    }

    /// The number, if it is in the range.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> Field for Int<MIN, MAX> {
    const KIND: Kind = Kind::number(MIN, MAX);

    fn parse(raw: Raw<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> Shown {
        Shown::text(self.0)
    }
}

impl<const MIN: i64, const MAX: i64> fmt::Display for Int<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_in_its_range() {
        assert_eq!(Int::<-3, 3>::parse(" -3 ").unwrap().get(), -3);
        for wrong in [
            "",
            "-",
            "+1",
            "1.0",
            "0x1",
            "4",
            "99999999999999999999",
            "١",
        ] {
            assert!(Int::<-3, 3>::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
