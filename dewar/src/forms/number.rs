//! Numbers as HTML spells them (HTML, 2.3.4.3): `-1`, `1.50`, `.5`, `1e2`. A browser sends a valid number as it was typed, so
//! this reads every spelling of HTML, and exactly: nothing goes through binary floating point.

/// Why a text is not the expected number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It does not fit into 64 bits.
    Outside,
    /// It has more decimal places than allowed.
    Places,
    /// It is not spelled as a number.
    Spelling,
}

/// With more digits in the exponent, every digit is outside the range.
const EXPONENT_DIGITS: usize = 4;

/// Reads a number with so many decimal places, as a whole number of its smallest unit.
pub(super) fn units(text: &str, places: u32) -> Result<i64, Misfit> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = significant(mantissa)?;
    let exponent = exponent.map_or(Ok(0), power)?;
    // Zero is zero, whatever its exponent.
    if digits.text.is_empty() {
        return Ok(0);
    }
    let shift = digits.exponent + exponent + i64::from(places);
    let Ok(zeros) = usize::try_from(shift) else {
        return Err(Misfit::Places);
    };
    // 64 bits hold fewer digits; this never writes out so many zeros.
    if digits.text.len().saturating_add(zeros) > 19 {
        return Err(Misfit::Outside);
    }
    let sign = if negative { "-" } else { "" };
    let written = format!("{sign}{}{}", digits.text, "0".repeat(zeros));
    written.parse().map_err(|_| Misfit::Outside)
}

/// The digits from the first to the last that is not 0, as a whole number, and its power of ten.
struct Significant {
    text: String,
    exponent: i64,
}

fn significant(mantissa: &str) -> Result<Significant, Misfit> {
    let (whole, fraction) = match mantissa.split_once('.') {
        // HTML allows `.5`, but not `5.`.
        Some((_, "")) => return Err(Misfit::Spelling),
        Some((whole, fraction)) => (whole, fraction),
        None if mantissa.is_empty() => return Err(Misfit::Spelling),
        None => (mantissa, ""),
    };
    if !are_digits(whole) || !are_digits(fraction) {
        return Err(Misfit::Spelling);
    }
    let all = format!("{whole}{fraction}");
    let rest = all.trim_end_matches('0');
    let cut = all.len() - rest.len();
    let exponent = count(cut) - count(fraction.len());
    Ok(Significant {
        text: rest.trim_start_matches('0').to_owned(),
        exponent,
    })
}

/// The power of ten after `e`, with or without a sign.
fn power(text: &str) -> Result<i64, Misfit> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !are_digits(digits) {
        return Err(Misfit::Spelling);
    }
    let digits = digits.trim_start_matches('0');
    let size = match digits.len() {
        0 => 0,
        1..=EXPONENT_DIGITS => digits.parse().map_err(|_| Misfit::Spelling)?,
        _ => i64::from(u32::MAX),
    };
    Ok(if negative { -size } else { size })
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_html_is_read_exactly() {
        for (text, places, read) in [
            (".5", 1, Ok(5)),
            ("1.500", 2, Ok(150)),
            ("1e2", 2, Ok(10_000)),
            ("1E+2", 0, Ok(100)),
            ("5.0", 0, Ok(5)),
            ("500e-2", 0, Ok(5)),
            ("505e-2", 0, Err(Misfit::Places)),
            ("0e99999999999", 0, Ok(0)),
            ("-0", 0, Ok(0)),
            ("-.0e-9", 2, Ok(0)),
            ("1e-99999999999999999999", 9, Err(Misfit::Places)),
            ("1e99999999999999999999", 0, Err(Misfit::Outside)),
            ("-9223372036854775808", 0, Ok(i64::MIN)),
            ("9223372036854775808", 0, Err(Misfit::Outside)),
            ("92233720368547758.07", 2, Ok(i64::MAX)),
            ("0.001", 2, Err(Misfit::Places)),
        ] {
            assert_eq!(units(text, places), read, "{text}");
        }
        assert_eq!(units(&format!("1.5{}", "0".repeat(500)), 1), Ok(15));
        assert_eq!(units(&format!("{}7", "0".repeat(500)), 0), Ok(7));
    }

    #[test]
    fn what_html_calls_no_number_is_none() {
        for text in [
            "", "-", ".", "1.", "-.", "+1", "--1", "1.-5", "1e", "1e+", "e1", "1e1.5", "1e1e1",
            "0x1", "1_0", "1 0", "1,5", "NaN", "Infinity", "٥", "1.2.3",
        ] {
            assert_eq!(units(text, 2), Err(Misfit::Spelling), "{text:?}");
        }
    }

    proptest! {
        /// Zeros before or after it, and the place of the point, do not change the number.
        #[test]
        fn a_number_is_the_same_in_every_spelling(
            number in any::<i64>(), before in 0_usize..5, behind in 1_usize..5, move_by in 0_usize..12,
        ) {
            let (sign, digits) = (if number < 0 { "-" } else { "" }, number.unsigned_abs().to_string());
            let zeros = "0".repeat(before);
            prop_assert_eq!(units(&format!("{sign}{zeros}{digits}.{}", "0".repeat(behind)), 0), Ok(number));
            let long = format!("{digits:0>20}");
            let (whole, fraction) = long.split_at(long.len() - move_by.max(1));
            prop_assert_eq!(units(&format!("{sign}{whole}.{fraction}e{}", move_by.max(1)), 0), Ok(number));
            prop_assert_eq!(units(&format!("{sign}{digits}{zeros}E-0{before}"), 0), Ok(number));
        }
    }
}
