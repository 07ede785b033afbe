//! Cron expressions of five fields, as POSIX's crontab has them: numbers, `*`, ranges, lists and steps; in UTC.
//!
//! `croner` and `cron` compute with chrono, and bring 26 and 14 crates for these two functions.

use time::{Date, Duration, OffsetDateTime, Time, Weekday};

/// How many days are looked at: from any day on, a 29 February comes within nine years.
const DAYS: usize = 9 * 366;

/// A cron expression: each field is a set of numbers, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// From Sunday, 0, to Saturday, 6.
    weekdays: u64,
    /// Whether a day has to match both of its fields. If both are restricted, either is enough (POSIX).
    both_days: bool,
}

impl Cron {
    /// Each day at this time.
    pub(super) const fn daily(hour: u8, minute: u8) -> Self {
        Self {
            minutes: 1 << minute,
            hours: 1 << hour,
            days: u64::MAX,
            months: u64::MAX,
            weekdays: u64::MAX,
            both_days: true,
        }
    }

    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong, for the finding.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!("it has {} fields, and needs 5", fields.len()));
        };
        let weekdays = field(weekday, 0, 7)?;
        let cron = Self {
            minutes: field(minute, 0, 59)?,
            hours: field(hour, 0, 23)?,
            days: field(day, 1, 31)?,
            months: field(month, 1, 12)?,
            // 7 is Sunday too.
            weekdays: weekdays | (weekdays >> 7),
            both_days: day.starts_with('*') || weekday.starts_with('*'),
        };
        let longest = |month: u32| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let exists = (1..=12).any(|month| {
            has(cron.months, month) && (1..=longest(month)).any(|day| has(cron.days, day))
        });
        if cron.both_days && !exists {
            return Err("no month has such a day".to_owned());
        }
        Ok(cron)
    }

    fn has_day(&self, date: Date) -> bool {
        let weekday = match date.weekday() {
            Weekday::Sunday => 0,
            Weekday::Monday => 1,
            Weekday::Tuesday => 2,
            Weekday::Wednesday => 3,
            Weekday::Thursday => 4,
            Weekday::Friday => 5,
            Weekday::Saturday => 6,
        };
        let of_month = has(self.days, date.day().into());
        let of_week = has(self.weekdays, weekday);
        let matches = if self.both_days {
            of_month && of_week
        } else {
            of_month || of_week
        };
        matches && has(self.months, u8::from(date.month()).into())
    }

    /// The first matching minute after a time, in Unix seconds. A time that no calendar has gets none.
    pub(super) fn next_after(&self, now: i64) -> i64 {
        self.search(now).unwrap_or(i64::MAX)
    }

    fn search(&self, now: i64) -> Option<i64> {
        let from = OffsetDateTime::from_unix_timestamp(now.checked_add(60)?).ok()?;
        let (first, at) = (from.date(), (from.hour(), from.minute()));
        let mut date = first;
        for _ in 0..DAYS {
            if self.has_day(date) {
                let earliest = if date == first { at } else { (0, 0) };
                if let Some(time) = self.time_from(earliest) {
                    return Some(date.with_time(time).assume_utc().unix_timestamp());
                }
            }
            date = date.checked_add(Duration::days(1))?;
        }
        None
    }

    /// The first matching minute of a day, from a minute on.
    fn time_from(&self, (hour, minute): (u8, u8)) -> Option<Time> {
        let hours = (hour..24).filter(|hour| has(self.hours, (*hour).into()));
        let mut found = hours.filter_map(|each| {
            let first = if each == hour { minute } else { 0 };
            let mut minutes = (first..60).filter(|minute| has(self.minutes, (*minute).into()));
            Time::from_hms(each, minutes.next()?, 0).ok()
        });
        found.next()
    }
}

fn has(set: u64, number: u32) -> bool {
    set.checked_shr(number).is_some_and(|rest| rest & 1 == 1)
}

/// The set of one field.
fn field(text: &str, least: u32, most: u32) -> Result<u64, String> {
    let mut set = 0;
    for part in text.split(',') {
        let wrong = || format!("`{part}` is not within {least}-{most}");
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                Some(number(step).filter(|step| *step > 0).ok_or_else(wrong)?),
            ),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((first, last)) => (
                number(first).ok_or_else(wrong)?,
                number(last).ok_or_else(wrong)?,
            ),
            None => {
                let only = number(range).ok_or_else(wrong)?;
                // As in every cron: `5/15` begins at 5 and goes on.
                (only, if step.is_some() { most } else { only })
            }
        };
        if first < least || last > most || first > last {
            return Err(wrong());
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        for number in (first..=last).step_by(step) {
            set |= 1 << number;
        }
    }
    Ok(set)
}

/// A number of at most two digits.
fn number(text: &str) -> Option<u32> {
    let is_digits =
        !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::format_description::well_known::Rfc3339;

    fn after(expression: &str, now: &str) -> String {
        let now = OffsetDateTime::parse(now, &Rfc3339)
            .unwrap()
            .unix_timestamp();
        let next = Cron::parse(expression).unwrap().next_after(now);
        let next = OffsetDateTime::from_unix_timestamp(next).unwrap();
        next.format(&Rfc3339).unwrap()
    }

    #[test]
    fn the_next_tick_is_the_first_that_matches() {
        for (expression, now, next) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            ("* * * * *", "2026-01-01T00:00:59Z", "2026-01-01T00:01:00Z"),
            ("0 3 * * *", "2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"),
            ("0 3 * * *", "2026-01-01T02:59:59Z", "2026-01-01T03:00:00Z"),
            // Mondays.
            ("0 3 * * 1", "2026-01-01T00:00:00Z", "2026-01-05T03:00:00Z"),
            ("0 3 * * 0", "2026-01-01T00:00:00Z", "2026-01-04T03:00:00Z"),
            ("0 3 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T03:00:00Z"),
            (
                "*/20 8-9 * * *",
                "2026-01-01T08:40:00Z",
                "2026-01-01T09:00:00Z",
            ),
            (
                "5/25 0 * * *",
                "2026-01-01T00:30:00Z",
                "2026-01-01T00:55:00Z",
            ),
            (
                "0 0 1,15 * *",
                "2026-01-01T00:00:00Z",
                "2026-01-15T00:00:00Z",
            ),
            (
                "59 23 31 12 *",
                "2026-12-31T23:58:00Z",
                "2026-12-31T23:59:00Z",
            ),
            (
                "59 23 31 12 *",
                "2026-12-31T23:59:00Z",
                "2027-12-31T23:59:00Z",
            ),
            ("0 0 29 2 *", "2097-01-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            // Either day is enough if both are restricted.
            ("0 0 13 * 5", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z"),
            ("0 0 13 * 5", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"),
        ] {
            assert_eq!(after(expression, now), next, "{expression} after {now}");
        }
        assert_eq!(Cron::daily(0, 0).next_after(i64::MAX), i64::MAX);
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for (wrong, part) in [
            ("", "0 fields"),
            ("* * * *", "4 fields"),
            ("* * * * * *", "6 fields"),
            ("60 * * * *", "`60`"),
            ("* 24 * * *", "`24`"),
            ("* * 0 * *", "`0`"),
            ("* * * 13 *", "`13`"),
            ("* * * * 8", "`8`"),
            ("5-1 * * * *", "`5-1`"),
            ("*/0 * * * *", "`*/0`"),
            ("1,,2 * * * *", "``"),
            ("+1 * * * *", "`+1`"),
            ("* * * jan *", "`jan`"),
            ("@daily", "1 fields"),
            ("0 0 30 2 *", "no month"),
            ("0 0 31 4,6,9,11 *", "no month"),
        ] {
            let problem = Cron::parse(wrong).unwrap_err();
            assert!(problem.contains(part), "{wrong}: {problem}");
        }
    }
}
