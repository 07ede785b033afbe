//! When a job runs by itself. All times are UTC.

use std::time::Duration;

use data_encoding::HEXLOWER;

use super::cron::Cron;
use crate::audit::{Finding, Practice};
use crate::secrets::sha256;

/// The longest interval.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// When the ticks of a schedule are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Cron(Cron, &'static str),
    Every(i64),
}

impl Plan {
    /// A tick at each multiple of an interval since 1970, so that all nodes have the same ones.
    pub(crate) fn every(interval: Duration) -> Result<Self, Finding> {
        if interval < Duration::from_secs(1) || interval > LONGEST || interval.subsec_nanos() > 0 {
            return Err(wrong(
                format!("a job cannot run every {interval:?}"),
                "use whole seconds, from 1 to 366 days",
            ));
        }
        let seconds = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX);
        Ok(Self::Every(seconds))
    }

    /// A tick each day at `hh:mm`.
    pub(crate) fn daily_at(time: &'static str) -> Result<Self, Finding> {
        let read = |text: &str, most: u8| {
            let is_two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number: u8 = text.parse().ok().filter(|_| is_two)?;
            (number <= most).then_some(number)
        };
        let parts = time.split_once(':');
        let read = parts.and_then(|(hour, minute)| Some((read(hour, 23)?, read(minute, 59)?)));
        let daily = read.map(|(hour, minute)| Self::Cron(Cron::daily(hour, minute), time));
        daily.ok_or_else(|| {
            wrong(
                format!("`{time}` is no time of day"),
                "write hours and minutes, in UTC: `03:30`",
            )
        })
    }

    /// The ticks of a cron expression.
    pub(crate) fn cron(expression: &'static str) -> Result<Self, Finding> {
        let parsed = Cron::parse(expression).map_err(|problem| {
            wrong(
                format!("the cron expression `{expression}` is wrong: {problem}"),
                "write minute, hour, day of the month, month and day of the week: `0 3 * * 1`",
            )
        })?;
        Ok(Self::Cron(parsed, expression))
    }

    /// The first tick after a time.
    pub(crate) fn next_after(&self, now: i64) -> i64 {
        match self {
            Self::Cron(cron, _) => cron.next_after(now),
            Self::Every(seconds) => (now.div_euclid(*seconds) + 1).saturating_mul(*seconds),
        }
    }

    /// How it was written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Cron(_, text) => (*text).to_owned(),
            Self::Every(seconds) => format!("every {seconds} s"),
        }
    }
}

fn wrong(title: String, fix: &'static str) -> Finding {
    Finding::refuse(Practice::Audit, "jobs-schedule", title)
        .why("its job would never run")
        .fix(fix)
}

/// A job that runs by itself.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Distinguishes it from all others: the job, the plan and the payload.
    pub(super) id: String,
    pub(super) job: &'static str,
    pub(super) plan: Plan,
    pub(super) payload: String,
}

impl Schedule {
    pub(super) fn new(job: &'static str, plan: Plan, payload: String) -> Self {
        let digest = HEXLOWER.encode(sha256(payload.as_bytes()).get(..8).unwrap_or_default());
        Self {
            id: format!("{job} {} {digest}", plan.text()),
            job,
            plan,
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    #[test]
    fn an_interval_has_the_same_ticks_on_every_node() {
        let plan = Plan::every(Duration::from_secs(600)).unwrap();
        assert_eq!(
            [0, 1, 599, 600].map(|now| plan.next_after(now)),
            [600, 600, 600, 1_200]
        );
        for wrong in [Duration::ZERO, Duration::from_millis(1_500), LONGEST * 2] {
            assert_eq!(
                Plan::every(wrong).unwrap_err().id,
                "jobs-schedule",
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_time_of_day_is_two_numbers() {
        let plan = Plan::daily_at("03:30").unwrap();
        assert_eq!(plan.next_after(0), 3 * 3_600 + 30 * 60);
        assert_eq!(
            plan.next_after(3 * 3_600 + 30 * 60),
            DAY + 3 * 3_600 + 30 * 60
        );
        for wrong in [
            "", "3:30", "24:00", "03:60", "03:30:00", "+3:30", "aa:bb", "03-30",
        ] {
            assert_eq!(
                Plan::daily_at(wrong).unwrap_err().id,
                "jobs-schedule",
                "{wrong}"
            );
        }
    }

    #[test]
    fn two_payloads_are_two_schedules() {
        let plan = || Plan::every(Duration::from_secs(60)).unwrap();
        let one = Schedule::new("report", plan(), "1".to_owned());
        let other = Schedule::new("report", plan(), "2".to_owned());
        assert_ne!(one.id, other.id);
        assert_eq!(one.id, Schedule::new("report", plan(), "1".to_owned()).id);
    }
}
