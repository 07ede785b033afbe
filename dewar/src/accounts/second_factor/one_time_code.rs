use std::fmt;

use zeroize::Zeroizing;

use super::recovery_code;
use crate::forms::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// The most characters that somebody types, with a blank or hyphen between any two digits.
const MOST: usize = 2 * recovery_code::DIGITS;

/// A code of an authenticator app, or a recovery code, as somebody types it: digits, with blanks and hyphens anywhere.
///
/// The page never shows it again, and it is not printed.
///
/// ```
/// use dewar::accounts::OneTimeCode;
/// use dewar::forms::{Field, RawValue};
/// let code = OneTimeCode::parse(RawValue::Text(" 123 456 ")).unwrap();
/// assert_eq!(format!("{code:?}"), "OneTimeCode([redacted])");
/// assert!(OneTimeCode::parse(RawValue::Text("12345a")).is_err());
/// ```
pub struct OneTimeCode(Zeroizing<String>);

impl OneTimeCode {
    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Field for OneTimeCode {
    const KIND: FieldKind = FieldKind::line(MOST)
        .autocomplete("one-time-code")
        .inputmode("numeric")
        .never_shown();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let text = Zeroizing::new(raw.line(MOST)?);
        let typed = text.chars().filter(|typed| !matches!(typed, ' ' | '-'));
        let digits = Zeroizing::new(typed.collect::<String>());
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::new(Message::new("accounts-code-digits")));
        }
        Ok(Self(digits))
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode([redacted])")
    }
}
