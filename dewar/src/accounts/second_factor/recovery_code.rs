//! Recovery codes: for a user whose device is lost. Each works once.
use zeroize::Zeroizing;

use crate::secrets::{Secret, random, sha256_of};
use crate::sessions::UserId;

/// How many a user has.
pub(super) const CODES: usize = 10;
/// 35 digits are 116 bits. From 112 bits on a plain hash is enough, because nobody can try them all (ASVS 6.5.2). Digits, so that
/// the field for a code has one keyboard.
pub(super) const DIGITS: usize = 35;
/// Digits that stand together on the page.
const GROUP: usize = 5;

/// A recovery code, as its digits.
#[derive(Debug)]
pub(crate) struct RecoveryCode(Secret<[u8; DIGITS]>);

impl RecoveryCode {
    pub(super) fn new() -> Self {
        let mut digits = [0; DIGITS];
        for digit in &mut digits {
            *digit = b'0' + any_digit();
        }
        Self(Secret::new(digits))
    }

    /// Reads the digits of a typed code.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        let digits: [u8; DIGITS] = digits.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| Self(Secret::new(digits)))
    }

    /// The code in groups, as people read it.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(DIGITS + DIGITS / GROUP));
        for (at, digit) in self.0.expose().iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push(' ');
            }
            text.push(char::from(*digit));
        }
        text
    }

    /// Its hash for this user. Two users with one code have two hashes.
    pub(super) fn hash(&self, user: UserId) -> [u8; 32] {
        let user = user.get().to_be_bytes();
        sha256_of(&[b"dewar recovery code\0", &user, self.0.expose()])
    }
}

/// Each of the ten digits as often: a byte from 250 on would make the small ones more frequent.
fn any_digit() -> u8 {
    loop {
        let [byte] = random::<1>();
        if byte < 250 {
            return byte % 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS: V6.5.2, V6.5.4
    #[test]
    fn a_code_is_read_as_it_was_printed_and_hashed_for_its_owner() {
        let code = RecoveryCode::new();
        let text = code.text();
        assert_eq!(text.split(' ').map(str::len).collect::<Vec<_>>(), [5; 7]);
        let again = RecoveryCode::parse(&text.replace(' ', "")).unwrap();
        let (ada, eve) = (UserId::new(1), UserId::new(2));
        assert_eq!(again.hash(ada), code.hash(ada));
        assert_ne!(again.hash(ada), code.hash(eve));
        assert_ne!(RecoveryCode::new().hash(ada), code.hash(ada));
        assert!(!format!("{code:?}").contains(text.split(' ').next().unwrap()));
        for wrong in ["", "123456", &"x".repeat(DIGITS), &"1".repeat(DIGITS + 1)] {
            assert!(RecoveryCode::parse(wrong).is_none(), "{wrong}");
        }
    }
}
