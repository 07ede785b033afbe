use crate::secrets::pooled;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;

const BYTES: usize = 18;
const CHARACTERS: usize = 24;

/// The nonce of the scripts that this one response allows: `<script nonce="…">`.
///
/// It has 144 random bits, fresh for every response (CSP Level 3 asks for 128), and is in the `script-src` of the
/// `Content-Security-Policy` header. Its characters are `A-Z a-z 0-9 - _`, so it needs no escaping.
///
/// ```
/// use dewar::https::Nonce;
/// let nonce = Nonce::new();
/// assert_eq!(nonce.as_str().len(), 24);
/// assert_ne!(nonce.as_str(), Nonce::new().as_str());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; CHARACTERS]);

impl Nonce {
    /// A fresh nonce.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a random default would be misleading"
    )]
    pub fn new() -> Self {
        let mut text = [0; CHARACTERS];
        BASE64URL_NOPAD.encode_mut(&pooled::<BYTES>(), &mut text);
        Self(text)
    }

    /// The text that goes into the `nonce` attribute.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Nonce {
    // An attacker could replay a nonce from a log into a page that is still open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::Nonce;

    #[test]
    fn a_nonce_needs_no_escaping() {
        for _ in 0..200 {
            let nonce = Nonce::new();
            let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            assert_eq!(nonce.as_str().len(), 24);
            assert!(nonce.as_str().chars().all(safe), "{nonce}");
        }
    }

    #[test]
    fn a_nonce_is_not_logged() {
        assert_eq!(format!("{:?}", Nonce::new()), "Nonce([redacted])");
    }
}
