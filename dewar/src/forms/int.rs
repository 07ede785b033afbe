use std::fmt;

use super::number::{self, Misfit};
use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// A whole number from `MIN` to `MAX`, both included.
///
/// It accepts every spelling of a whole number that HTML allows, because a browser sends the typed text: `5`, `5.0`, `5e0`.
///
/// ```
/// use dewar::forms::Int;
/// assert_eq!(Int::<1, 5>::parse("4").unwrap().get(), 4);
/// assert_eq!(Int::<1, 500>::parse("1e2").unwrap().get(), 100);
/// assert!(Int::<1, 5>::parse("6").is_err());
/// assert!(Int::<1, 5>::parse("4.5").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// Parses a number, in any spelling that HTML allows.
    ///
    /// # Errors
    /// The text is no number, the number is not whole, or it is outside the range.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let outside = || {
            Problem::new(
                Message::new("forms-range")
                    .with("min", MIN)
                    .with("max", MAX),
            )
        };
        match number::units(text.trim(), 0) {
            Ok(whole) => Self::new(whole).ok_or_else(outside),
            Err(Misfit::Outside) => Err(outside()),
            Err(Misfit::Places | Misfit::Spelling) => {
                Err(Problem::new(Message::new("forms-whole-number")))
            }
        }
    }

    /// Makes one of a number, if it is in the range.
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
    const KIND: FieldKind = FieldKind::number(MIN, MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(self.0)
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
            "1.5",
            "1e",
            "1.",
            "1,0",
            "0x1",
            "4",
            "99999999999999999999",
            "١",
        ] {
            assert!(Int::<-3, 3>::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
