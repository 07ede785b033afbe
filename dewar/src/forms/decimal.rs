use std::fmt;

use super::number::{self, Misfit};
use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// An exact decimal number with `PLACES` decimal places, from `MIN` to `MAX` (whole numbers, both included): money, hours,
/// weights.
///
/// It is stored as a whole number of its smallest unit, so nothing is rounded: a number with more places is refused, unless they
/// are all 0. It accepts every spelling that HTML allows, because a browser sends the typed text: `12.5`, `.5`, `1.500`, `1e2`.
///
/// ```
/// use dewar::forms::Decimal;
/// type Price = Decimal<2, 0, 100_000>;
/// let price = Price::parse("12.5").unwrap();
/// assert_eq!((price.to_string().as_str(), price.units()), ("12.50", 1_250));
/// assert!(Price::parse("0.001").is_err());
/// assert!(Price::parse("-0.01").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const PLACES: u32, const MIN: i64, const MAX: i64>(i64);

impl<const PLACES: u32, const MIN: i64, const MAX: i64> Decimal<PLACES, MIN, MAX> {
    /// The number of smallest units in one.
    const ONE: i64 = {
        assert!(
            PLACES >= 1 && PLACES <= 9,
            "a `Decimal` has 1 to 9 places; without any it is an `Int`"
        );
        10_i64.pow(PLACES)
    };
    const LOWEST: i64 = Self::bound(MIN);
    const HIGHEST: i64 = {
        assert!(MIN <= MAX, "the bounds of a `Decimal` allow no value");
        Self::bound(MAX)
    };

    const fn bound(whole: i64) -> i64 {
        let units = whole.checked_mul(Self::ONE);
        assert!(
            units.is_some(),
            "a bound of a `Decimal` with so many places does not fit into 64 bits"
        );
        whole * Self::ONE
    }

    /// Parses a number, in any spelling that HTML allows.
    ///
    /// # Errors
    /// The text is no number, has more places, or is outside the range.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let outside = || {
            Problem::new(
                Message::new("forms-range")
                    .with("min", MIN)
                    .with("max", MAX),
            )
        };
        match number::units(text.trim(), PLACES) {
            Ok(units) => Self::from_units(units).ok_or_else(outside),
            Err(Misfit::Outside) => Err(outside()),
            Err(Misfit::Places | Misfit::Spelling) => Err(Problem::new(
                Message::new("forms-decimal").with("places", PLACES),
            )),
        }
    }

    /// A number from its smallest units, if it is in the range.
    #[must_use]
    pub fn from_units(units: i64) -> Option<Self> {
        (Self::LOWEST..=Self::HIGHEST)
            .contains(&units)
            .then_some(Self(units))
    }

    /// The number in its smallest units: cents, for money with two places.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }
}

impl<const PLACES: u32, const MIN: i64, const MAX: i64> Field for Decimal<PLACES, MIN, MAX> {
    const KIND: FieldKind = {
        let _ = (Self::LOWEST, Self::HIGHEST);
        FieldKind::decimal(PLACES, MIN, MAX)
    };

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(self)
    }
}

impl<const PLACES: u32, const MIN: i64, const MAX: i64> fmt::Display for Decimal<PLACES, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, one) = (self.0.unsigned_abs(), Self::ONE.unsigned_abs());
        let width = usize::try_from(PLACES).unwrap_or(0);
        f.pad(&format!("{sign}{}.{:0width$}", units / one, units % one))
    }
}

/// Serializes as a text: most programs read a JSON number as binary, and then it is no longer exact.
impl<const PLACES: u32, const MIN: i64, const MAX: i64> serde::Serialize
    for Decimal<PLACES, MIN, MAX>
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Price = Decimal<2, -10, 10>;

    #[test]
    fn a_number_is_digits_with_so_many_places_in_its_range() {
        for (typed, units) in [
            ("0", 0),
            ("-0.5", -50),
            (" 9.99 ", 999),
            ("10.00", 1_000),
            ("-10", -1_000),
            ("007", 700),
            (".5", 50),
            ("1.500", 150),
            ("1e1", 1_000),
            ("-25e-2", -25),
        ] {
            assert_eq!(Price::parse(typed).unwrap().units(), units, "{typed}");
        }
        for wrong in [
            "",
            ".",
            "1.",
            "-",
            "--1",
            "+1",
            "1,5",
            "1.234",
            "1e2",
            "1e",
            "0x1",
            "10.01",
            "-10.01",
            "1.-5",
            "NaN",
            "inf",
            "1 0",
            "99999999999999999999999",
            "١",
        ] {
            assert!(Price::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_bounds_may_be_as_wide_as_64_bits() {
        type Wide = Decimal<1, { i64::MIN / 10 }, { i64::MAX / 10 }>;
        assert_eq!(
            Wide::parse("-922337203685477580.0").unwrap().units(),
            -9_223_372_036_854_775_800
        );
        assert!(Wide::parse("922337203685477580.8").is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(units in -1_000_i64..=1_000) {
            let price = Price::from_units(units).unwrap();
            prop_assert_eq!(Price::parse(&price.to_string()).unwrap(), price);
        }
    }
}
