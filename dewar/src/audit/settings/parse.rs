//! Texts of settings to values: `30m`, `10MiB`.

use std::time::Duration;

use crate::audit::UNITS;

const DURATIONS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// `45s`, `30m`, `8h`, `7d`, `2w`, `250ms`. A number without a unit is refused: seconds or minutes?
pub(crate) fn duration(text: &str) -> Option<Duration> {
    Some(Duration::from_millis(scaled(text, &DURATIONS)?))
}

/// `512KiB`, `10MiB`, `1GiB`, `800B`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    scaled(text, &UNITS)
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

/// A duration as a setting writes it, in the largest unit that fits.
pub(super) fn show_duration(duration: Duration) -> String {
    if duration == Duration::MAX {
        return "any".to_owned();
    }
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    show(milliseconds, &DURATIONS, "0s")
}

/// A size as a setting writes it, in the largest unit that fits.
pub(super) fn show_bytes(bytes: u64) -> String {
    show(bytes, &UNITS, "0B")
}

fn show(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    let fitting = units
        .iter()
        .filter(|(_, scale)| value.is_multiple_of(*scale));
    match fitting.max_by_key(|(_, scale)| *scale) {
        Some((unit, scale)) if value != 0 => format!("{}{unit}", value / scale),
        Some(_) | None => zero.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        assert_eq!(duration("30m"), Some(Duration::from_secs(1_800)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for wrong in [
            "30",
            "m",
            "",
            "-1s",
            "1.5h",
            "30 m",
            "30M",
            "99999999999999999999s",
            "1h30m",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_size_has_a_number_and_a_unit() {
        assert_eq!(bytes("10MiB"), Some(10 << 20));
        for wrong in ["10", "10MB", "10mib", "18446744073709551615KiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for seconds in [1, 45, 60, 90, 3_600, 86_400, 604_800] {
            let given = Duration::from_secs(seconds);
            assert_eq!(duration(&show_duration(given)), Some(given));
        }
        assert_eq!(show_bytes(10 << 20), "10MiB");
        assert_eq!(show_bytes(0), "0B");
    }
}
