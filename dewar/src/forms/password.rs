use std::fmt;

use zeroize::Zeroizing;

use super::{Field, FieldKind, FormValue, Problem, RawValue, characters};
use crate::pages::Message;
use crate::secrets::same;

/// The fewest characters of a new password (NIST SP 800-63B-4, 3.1.1.2, for a password that is the only factor). A setting may
/// require more; pages and errors then show that number.
pub(crate) const MIN_PASSWORD_LENGTH: usize = 15;

/// The most bytes of any password: enough for every passphrase, and a limit because hashing is expensive.
pub(crate) const MOST_BYTES: usize = 1024;

/// A new password: at least 15 characters, at most 1,024 bytes, and every character counts.
///
/// `accounts.min_password_length` may require more characters: a form reads that setting, and the field's hint begins with the
/// number.
///
/// It is normalized to Unicode's NFC, so that it can be typed on another keyboard, and otherwise left alone: not trimmed, not
/// cut, without rules of composition (NIST SP 800-63B-4, 3.1.1.2). The room `accounts` checks whether it is common or contains
/// its owner's name. It is wiped when it is dropped and never printed.
///
/// ```
/// use dewar::forms::{Field, NewPassword, RawValue};
/// let password = NewPassword::parse(RawValue::Text("correct horse battery")).unwrap();
/// assert_eq!(format!("{password:?}"), "NewPassword([redacted])");
/// assert!(NewPassword::parse(RawValue::Text("short")).is_err());
/// ```
pub struct NewPassword(Zeroizing<String>);

/// A password for a sign-in: 1 to 1,024 bytes, with no other rule.
///
/// ```
/// use dewar::forms::{Field, Password, RawValue};
/// assert!(Password::parse(RawValue::Text("old")).is_ok());
/// ```
pub struct Password(Zeroizing<String>);

impl NewPassword {
    /// The password itself, for the hash.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether two passwords are the same, compared in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        same(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Password {
    /// The password itself, for the comparison with a hash.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn typed(raw: RawValue<'_>) -> Result<Zeroizing<String>, Problem> {
    let text = raw.text()?;
    let normal = if text.len() <= MOST_BYTES {
        Zeroizing::new(characters::nfc(text))
    } else {
        Zeroizing::default()
    };
    if normal.is_empty() || normal.len() > MOST_BYTES {
        return Err(Problem::new(
            Message::new("forms-password-bytes").with("max", MOST_BYTES),
        ));
    }
    Ok(normal)
}

/// Whether a password is too short, counted as it is hashed.
pub(super) fn is_short(typed: &str, least: usize) -> bool {
    Zeroizing::new(characters::nfc(typed)).chars().count() < least
}

pub(super) fn too_short(least: usize) -> Problem {
    Problem::new(Message::new("forms-password-short").with("min", least))
}

impl Field for NewPassword {
    const KIND: FieldKind =
        FieldKind::password(MIN_PASSWORD_LENGTH, MOST_BYTES).autocomplete("new-password");

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let normal = typed(raw)?;
        if is_short(&normal, MIN_PASSWORD_LENGTH) {
            Err(too_short(MIN_PASSWORD_LENGTH))
        } else {
            Ok(Self(normal))
        }
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

impl Field for Password {
    const KIND: FieldKind = FieldKind::password(1, MOST_BYTES).autocomplete("current-password");

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        typed(raw).map(Self)
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword([redacted])")
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<NewPassword, Problem> {
        NewPassword::parse(RawValue::Text(text))
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert!(new(&"ü".repeat(15)).is_ok());
        assert!(new(&"ü".repeat(14)).is_err());
        assert!(new(&"x".repeat(1024)).is_ok());
        assert!(new(&"x".repeat(1025)).is_err());
    }

    #[test]
    fn nothing_is_trimmed_and_spelling_is_unified() {
        assert_eq!(
            new("  spaces at both ends  ").unwrap().expose(),
            "  spaces at both ends  "
        );
        let (composed, decomposed) = (
            new("caf\u{e9} caf\u{e9} caf\u{e9} !"),
            new("cafe\u{301} cafe\u{301} cafe\u{301} !"),
        );
        assert!(composed.unwrap().is_same(&decomposed.unwrap()));
    }

    #[test]
    fn a_password_shows_nothing() {
        assert_eq!(
            new("correct horse battery").unwrap().show(),
            FormValue::Nothing
        );
        let password = Password::parse(RawValue::Text("hunter")).unwrap();
        assert_eq!(format!("{password:?}"), "Password([redacted])");
        let password = new("correct horse battery").unwrap();
        assert_eq!(format!("{password:?}"), "NewPassword([redacted])");
    }
}
