//! Proves that a value delays the answer by as much as it says.

use std::time::Duration;

use super::Spot;
use crate::live::call::{Answer, Call};
use crate::live::engine::{Engine, Stop};

/// The times of 0, 1, 2, 0, 2, 1, 0 seconds asked for.
const PLAN: [u32; 7] = [1, 0, 2, 0, 2, 1, 0];

/// Sends a text that asks for seconds of delay; the slowest request if every answer took as long as it was asked to.
pub(super) async fn slope(
    engine: &mut Engine,
    spot: &Spot,
    text: impl Fn(u32) -> String,
) -> Result<Option<(Call, Answer)>, Stop> {
    let mut samples: Vec<(u32, Duration)> = Vec::new();
    let mut proof = None;
    for seconds in PLAN {
        let (call, answer) = spot.attack(engine, &text(seconds)).await?;
        samples.push((seconds, answer.took));
        if !is_slope(&samples) {
            return Ok(None);
        }
        if seconds == 2 {
            proof = Some((call, answer));
        }
    }
    Ok(proof)
}

/// Whether the times follow what was asked for: so far.
///
/// One unit may take longer than a second, because a statement may wait once for each row. A slow machine adds the same to
/// all; noise is not in order seven times.
fn is_slope(samples: &[(u32, Duration)]) -> bool {
    let millis = |wanted: u32| {
        samples
            .iter()
            .filter(move |(asked, _)| *asked == wanted)
            .map(|(_, took)| took.as_millis())
    };
    let Some(least_one) = millis(1).min() else {
        return true;
    };
    if least_one < 950 {
        return false;
    }
    let (Some(most_none), Some(most_one)) = (millis(0).max(), millis(1).max()) else {
        return true;
    };
    let unit = least_one.saturating_sub(most_none);
    if unit < 800 {
        return false;
    }
    let Some(least_two) = millis(2).min() else {
        return true;
    };
    least_two >= most_one + unit * 7 / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(times: &[(u32, u64)]) -> bool {
        let all: Vec<(u32, Duration)> = times
            .iter()
            .map(|(asked, took)| (*asked, Duration::from_millis(*took)))
            .collect();
        (1..=all.len()).all(|count| is_slope(&all[..count]))
    }

    #[test]
    fn only_a_delay_in_order_counts() {
        assert!(judged(&[
            (1, 1010),
            (0, 8),
            (2, 2015),
            (0, 9),
            (2, 2010),
            (1, 1015),
            (0, 7)
        ]));
        // Three rows: three seconds for each.
        assert!(judged(&[
            (1, 3030),
            (0, 20),
            (2, 6020),
            (0, 25),
            (2, 6100),
            (1, 3010),
            (0, 20)
        ]));
        // A slow machine.
        assert!(judged(&[
            (1, 1900),
            (0, 700),
            (2, 2950),
            (0, 900),
            (2, 2900),
            (1, 1850),
            (0, 800)
        ]));
        assert!(!judged(&[(1, 20)]));
        assert!(!judged(&[(1, 1500), (0, 1400)]));
        assert!(!judged(&[(1, 1500), (0, 100), (2, 1400)]));
        assert!(!judged(&[(1, 1200), (0, 100), (2, 2400), (0, 2000)]));
    }
}
