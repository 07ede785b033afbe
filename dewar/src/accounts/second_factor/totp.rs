//! Time-based one-time passwords (RFC 6238): six digits, SHA-1, 30 seconds, as every authenticator app makes them.
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secrets::{Secret, random, same};

/// How long a code is shown, in seconds.
pub(super) const PERIOD: i64 = 30;
/// How many steps before and after the present one are accepted: clocks differ, and people type slowly (RFC 6238, 5.2).
const WINDOW: i64 = 1;
/// The digits of a code.
pub(super) const DIGITS: usize = 6;
/// 160 bits, the length of the hash (RFC 4226, 4).
const BYTES: usize = 20;

/// The secret that an authenticator app and Dewar share.
#[derive(Debug)]
pub(crate) struct TotpSecret(Secret<[u8; BYTES]>);

impl TotpSecret {
    pub(super) fn new() -> Self {
        Self(Secret::new(random()))
    }

    /// Reads what [`text`](Self::text) made.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).ok()?);
        Some(Self(Secret::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The secret in base32, as people type it into an app.
    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.expose()))
    }

    /// The code of a step.
    pub(super) fn code(&self, step: i64) -> Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        // The dynamic truncation of RFC 4226, 5.3.
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let four = tag.get(offset..).and_then(|rest| rest.first_chunk());
        let number = four.copied().map_or(0, u32::from_be_bytes) & 0x7fff_ffff;
        let digits = number % 10_u32.pow(DIGITS as u32);
        Zeroizing::new(format!("{digits:0width$}", width = DIGITS))
    }

    /// The latest step around now that has this code. It compares all of them, so the time tells nothing.
    pub(super) fn step_of(&self, code: &str, now: i64) -> Option<i64> {
        let present = now.div_euclid(PERIOD);
        let mut found = None;
        for step in present - WINDOW..=present + WINDOW {
            if same(self.code(step).as_bytes(), code.as_bytes()) {
                found = Some(step);
            }
        }
        found
    }

    /// The link that an app reads from a QR picture.
    pub(super) fn link(&self, site: &str, account: &str) -> Zeroizing<String> {
        let [site, account] =
            [site, account].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
        let secret = self.text();
        Zeroizing::new(format!(
            "otpauth://totp/{site}:{account}?secret={}&issuer={site}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}",
            &*secret
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let secret = TotpSecret(Secret::new(*b"12345678901234567890"));
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000_i64, "353130"),
        ] {
            assert_eq!(&**secret.code(time / PERIOD), code, "{time}");
            assert_eq!(secret.step_of(code, time), Some(time / PERIOD));
        }
    }

    /// ASVS: V6.5.5
    #[test]
    fn one_step_before_and_after_is_accepted_and_no_more() {
        let secret = TotpSecret::new();
        let now = 1_700_000_010;
        for (late, is_accepted) in [
            (-60, false),
            (-30, true),
            (0, true),
            (30, true),
            (60, false),
        ] {
            let code = secret.code((now + late) / PERIOD);
            let others = (-1..=1).map(|step| secret.code(now / PERIOD + step));
            let is_theirs = others.into_iter().any(|other| *other == *code);
            assert_eq!(
                secret.step_of(&code, now).is_some(),
                is_accepted || is_theirs,
                "{late}"
            );
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_written_and_never_printed() {
        let secret = TotpSecret::new();
        let text = secret.text();
        assert_eq!(text.len(), 32);
        let again = TotpSecret::parse(&text).unwrap();
        assert_eq!(*again.text(), *text);
        assert!(!format!("{secret:?}").contains(&**text));
        let cut = text.get(1..).unwrap();
        for wrong in ["", "AAAA", "not base32", cut] {
            assert!(TotpSecret::parse(wrong).is_none(), "{wrong}");
        }
        let link = secret.link("A & B", "ada@example.org");
        assert!(
            link.starts_with("otpauth://totp/A%20%26%20B:ada%40example%2Eorg?secret="),
            "{}",
            &*link
        );
        assert!(link.ends_with("&issuer=A%20%26%20B&algorithm=SHA1&digits=6&period=30"));
    }
}
