use std::cell::RefCell;
use std::fmt::Write;

use fluent_bundle::{FluentArgs, FluentValue};
use time::OffsetDateTime;

use super::{Language, Locale, english};
use crate::audit::UNITS;

/// The formats of a language for days, moments and sizes, read once from its messages.
#[derive(Debug)]
pub(super) struct DateFormat {
    months: Vec<String>,
    /// With `DAY`, `MONTH` and `YEAR` in their places.
    date: String,
    /// With `DAY` for the date, and `TIME`.
    moment: String,
    /// The sign before the tenths.
    point: String,
}

/// Marks that no message contains: control characters.
const DAY: char = '\u{1}';
const MONTH: char = '\u{2}';
const YEAR: char = '\u{3}';
const TIME: char = '\u{4}';

impl DateFormat {
    pub(super) fn of(say: impl Fn(&str, &FluentArgs<'_>) -> Option<String>) -> Option<Self> {
        let marks = |names: &[(&'static str, char)]| -> FluentArgs<'static> {
            names
                .iter()
                .map(|(name, mark)| (*name, FluentValue::from(mark.to_string())))
                .collect()
        };
        let months = say("date-months", &FluentArgs::new())?;
        let months: Vec<String> = months.split(", ").map(str::to_owned).collect();
        (months.len() == 12).then_some(())?;
        Some(Self {
            months,
            date: say(
                "date-day",
                &marks(&[("day", DAY), ("month", MONTH), ("year", YEAR)]),
            )?,
            moment: say("date-moment", &marks(&[("date", DAY), ("time", TIME)]))?,
            point: say("number-point", &FluentArgs::new())?,
        })
    }

    /// Digits, if no language has formats; the framework's English always has.
    pub(super) fn plain() -> Self {
        Self {
            months: (1..=12).map(|month| month.to_string()).collect(),
            date: format!("{YEAR}-{MONTH}-{DAY}"),
            moment: format!("{DAY} {TIME}"),
            point: ".".to_owned(),
        }
    }

    fn date(&self, at: OffsetDateTime) -> String {
        let month = usize::from(u8::from(at.month())) - 1;
        let month = self.months.get(month).map_or("", String::as_str);
        let mut text = String::with_capacity(self.date.len() + 16);
        for c in self.date.chars() {
            // Writing to a `String` cannot fail.
            let _written = match c {
                DAY => write!(text, "{}", at.day()),
                MONTH => text.write_str(month),
                YEAR => write!(text, "{}", at.year()),
                c => text.write_char(c),
            };
        }
        text
    }
}

thread_local! {
    /// The reader of the page that is being rendered. A filter in a macro has no access to the page, and a page is
    /// rendered on one thread.
    static READER: RefCell<Option<Language>> = const { RefCell::new(None) };
}

/// Sets the reader for rendering until it is dropped.
#[derive(Debug)]
#[must_use]
pub(in super::super) struct RenderScope {
    before: Option<Language>,
}

impl RenderScope {
    pub(in super::super) fn begin(language: &Language) -> Self {
        let before = READER.replace(Some(language.clone()));
        Self { before }
    }
}

impl Drop for RenderScope {
    fn drop(&mut self) {
        READER.set(self.before.take());
    }
}

fn spoken<T>(say: impl Fn(&Locale) -> T) -> T {
    READER.with_borrow(|reader| {
        let locale = reader.as_ref().and_then(Language::locale);
        say(locale.unwrap_or_else(|| english()))
    })
}

/// A day: `31 May 2027`.
pub(in super::super) fn date(at: OffsetDateTime) -> String {
    spoken(|locale| locale.manner().date(at))
}

/// A moment, to the minute: `31 May 2027, 09:30 UTC`.
pub(in super::super) fn moment(at: OffsetDateTime) -> String {
    spoken(|locale| {
        let manner = locale.manner();
        let time = format!("{:02}:{:02}", at.hour(), at.minute());
        manner
            .moment
            .replace(DAY, &manner.date(at))
            .replace(TIME, &time)
    })
}

/// A number of bytes as people read it: `1.4 MiB` is 1.4 times 1,048,576 bytes.
pub(in super::super) fn file_size(bytes: u64) -> String {
    let unit = UNITS.iter().rfind(|(_, scale)| bytes >= *scale);
    let (name, scale) = unit.copied().unwrap_or(("B", 1));
    let (whole, tenth) = (bytes / scale, bytes % scale * 10 / scale);
    spoken(|locale| match scale {
        1 => {
            let count = FluentArgs::from_iter([("count", whole)]);
            let said = locale.say("size-bytes", &count);
            said.or_else(|| english().say("size-bytes", &count))
                .unwrap_or_else(|| whole.to_string())
        }
        _ if whole >= 100 => format!("{whole} {name}"),
        _ => format!("{whole}{}{tenth} {name}", locale.manner().point),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::filters::{DateStyle, written};
    use super::super::Languages;
    use super::*;

    /// Midnight of 31 May 2027.
    const AT: i64 = 1_811_721_600;

    #[test]
    fn each_language_writes_days_moments_and_sizes_in_its_manner() {
        let german = Languages::german();
        for (language, day, moment, sizes) in [
            (
                Languages::english().first(),
                "31 May 2027",
                "31 May 2027, 00:00 UTC",
                ["one byte", "999 bytes", "1.4 MiB", "232 GiB"],
            ),
            (
                german.first(),
                "31. Mai 2027",
                "31. Mai 2027, 00:00 UTC",
                ["ein Byte", "999 Bytes", "1,4 MiB", "232 GiB"],
            ),
        ] {
            let _drawing = RenderScope::begin(&language);
            assert_eq!(written(AT, DateStyle::Date).unwrap(), day);
            assert_eq!(written(AT, DateStyle::DateAndTime).unwrap(), moment);
            let said = [1, 999, 1_500_000, 250_000_000_000].map(file_size);
            assert_eq!(said, sizes);
        }
        assert_eq!(file_size(1), "one byte", "nobody is drawn for");
    }
}
