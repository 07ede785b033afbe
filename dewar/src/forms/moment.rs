use std::borrow::Cow;
use std::fmt;

use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");
const TIME: StaticFormatDescription = format_description!("[hour]:[minute]");
const BOTH: StaticFormatDescription = format_description!("[year]-[month]-[day]T[hour]:[minute]");

/// A type of the crate `time`, in the spellings that browsers send.
macro_rules! moment {
    ($(#[$doc:meta])* $name:ident($inner:ty), $kind:expr, $format:ident, $length:literal, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// Parses a text as HTML spells it. It may have seconds if they are 0.
            ///
            /// # Errors
            /// The text has another spelling, or the day or time does not exist.
            pub fn parse(text: &str) -> Result<Self, Problem> {
                let line = RawValue::Text(text).borrowed_line(usize::MAX)?;
                let wrong = || Problem::new(Message::new($wrong));
                let spelled = spelled(&line, $length).ok_or_else(wrong)?;
                // A year has four digits and no sign.
                if !spelled.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err(wrong());
                }
                <$inner>::parse(&spelled, $format).map(Self).map_err(|_| wrong())
            }

            /// The value, if HTML can spell it: without seconds, and with a year of four digits.
            pub(super) fn of(value: $inner) -> Option<Self> {
                let spelled = Self::parse(&Self(value).0.format($format).ok()?).ok();
                spelled.filter(|read| read.0 == value)
            }

            /// The value as a type of the crate `time`.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl Field for $name {
            const KIND: FieldKind = $kind;

            fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
                Self::parse(raw.text()?)
            }

            fn show(&self) -> FormValue {
                FormValue::text(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0.format($format).map_err(|_| fmt::Error)?)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Problem;

            fn from_str(text: &str) -> Result<Self, Problem> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

moment! {
    /// A calendar day, from the year 0 to 9999, without a time zone (HTML, 2.3.5.2).
    ///
    /// ```
    /// use dewar::forms::Date;
    /// assert_eq!(Date::parse("2028-02-29").unwrap().to_string(), "2028-02-29");
    /// assert!(Date::parse("2027-02-29").is_err());
    /// ```
    Date(time::Date), FieldKind::date(), DATE, 10, "forms-date"
}

moment! {
    /// A time of day in hours and minutes, without a time zone (HTML, 2.3.5.4).
    ///
    /// ```
    /// use dewar::forms::Time;
    /// assert_eq!(Time::parse("09:30").unwrap().to_string(), "09:30");
    /// assert!(Time::parse("24:00").is_err());
    /// ```
    Time(time::Time), FieldKind::time(), TIME, 5, "forms-time"
}

moment! {
    /// A day and a time, without a time zone: what a clock on the wall shows (HTML, 2.3.5.5).
    ///
    /// It becomes a moment with the offset of the place where the clock hangs: [`at_offset`](Self::at_offset).
    ///
    /// ```
    /// use dewar::forms::DateTime;
    /// let typed = DateTime::parse("2027-05-31T09:30").unwrap();
    /// let moment = typed.at_offset(time::UtcOffset::from_hms(2, 0, 0).unwrap());
    /// assert_eq!(moment.unix_timestamp() % 86_400, 7 * 3_600 + 30 * 60);
    /// assert!(DateTime::parse("2027-05-31T09:30Z").is_err());
    /// ```
    DateTime(PrimitiveDateTime), FieldKind::date_time(), BOTH, 16, "forms-date-time"
}

/// The one spelling that the parser reads, made from those that HTML calls valid: a browser may send seconds of 0, or a blank for
/// the `T` between day and time (HTML, 2.3.5.4 and 2.3.5.5).
fn spelled(line: &str, length: usize) -> Option<Cow<'_, str>> {
    let (shown, rest) = line.split_at_checked(length)?;
    let is_nought = matches!(rest, ":00" | ":00.0" | ":00.00" | ":00.000");
    if !rest.is_empty() && (length == DAY || !is_nought) {
        return None;
    }
    match shown.split_once(' ') {
        Some((day, hour)) => Some(Cow::Owned(format!("{day}T{hour}"))),
        None => Some(Cow::Borrowed(shown)),
    }
}

/// The length of a day's spelling.
const DAY: usize = 10;

impl DateTime {
    /// The moment at which clocks with this offset from UTC show this time.
    #[must_use]
    pub const fn at_offset(self, offset: UtcOffset) -> OffsetDateTime {
        self.0.assume_offset(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_have_one_spelling() {
        for wrong in [
            "",
            "2027-13-01",
            "2027-02-29",
            "+027-01-01",
            "-027-01-01",
            "27-1-1",
            "2027-1-01",
            "2027/01/01",
            "2027-01-01T",
            "12027-01-01",
            "2027-01-01:00",
            "2027-01-0\u{202e}",
            "2027-01-0\0",
            "２０27-01-01",
        ] {
            assert!(Date::parse(wrong).is_err(), "{wrong:?}");
        }
        for wrong in [
            "",
            "24:00",
            "09:60",
            "9:30",
            "09:30:01",
            "09:30:00.5",
            "09:30:00.0000",
            "09:30:0",
            "09:30.0",
            "09:30:00.",
            "09 30",
            "+9:30",
            "09-30",
            "09:3\u{200b}",
        ] {
            assert!(Time::parse(wrong).is_err(), "{wrong:?}");
        }
        for wrong in [
            "",
            "2027-05-31",
            "2027-05-31  9:30",
            "2027-05-31T09:30 :00",
            "2027-05-31T24:00",
            "2027-05-31T09:30+02:00",
        ] {
            assert!(DateTime::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn seconds_of_nought_and_a_blank_for_the_t_are_valid_in_html_and_taken() {
        for typed in ["09:30:00", "09:30:00.0", "09:30:00.000"] {
            assert_eq!(Time::parse(typed).unwrap().to_string(), "09:30");
        }
        for typed in [
            "2027-05-31T09:30:00",
            "2027-05-31 09:30",
            "2027-05-31 09:30:00.0",
        ] {
            let both = DateTime::parse(typed).unwrap();
            assert_eq!(both.to_string(), "2027-05-31T09:30");
        }
    }

    /// If a user types 12/31/20255, a browser sends a year of five digits.
    #[test]
    fn a_day_of_the_year_20255_is_said_to_be_none() {
        let said = |problem: Problem| problem.words().clone();
        assert_eq!(
            said(Date::parse("20255-12-31").unwrap_err()),
            Message::new("forms-date").into()
        );
        assert_eq!(
            said(DateTime::parse("20255-12-31T09:30").unwrap_err()),
            Message::new("forms-date-time").into()
        );
        assert_eq!(
            said(Time::parse("09:30:59.999999").unwrap_err()),
            Message::new("forms-time").into()
        );
    }

    #[test]
    fn what_is_shown_is_read_back() {
        let date = Date::parse(" 0999-12-31 ").unwrap();
        assert_eq!(Date::parse(&date.to_string()), Ok(date));
        let both = DateTime::parse("2027-05-31T00:05").unwrap();
        assert_eq!(DateTime::parse(&both.to_string()), Ok(both));
    }
}
