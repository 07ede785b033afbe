use super::random::{random, sha256};
use data_encoding::BASE64URL_NOPAD;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A random token of 256 bits, for a session or a link. Dewar stores only its hash, so a reader of the database gets no
/// token (ASVS 7.2.3 requires 128 bits).
///
/// ```
/// use dewar::secrets::Token;
/// let token = Token::new();
/// let sent = token.reveal();
/// assert_eq!(sent.len(), 43);
/// assert_eq!(Token::parse(&sent).map(|token| token.hash()), Some(token.hash()));
/// assert_eq!(format!("{token:?}"), "Token([redacted])");
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Token {
    bytes: [u8; 32],
}

impl Token {
    /// Makes a new token.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "code must create a secret explicitly, never by default"
    )]
    pub fn new() -> Self {
        Self { bytes: random() }
    }

    /// The text for the token's holder: 43 characters of base64url.
    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64URL_NOPAD.encode(&self.bytes)
    }

    /// Reads a visitor's text. Each token has only one spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        let mut decoded = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let bytes = decoded.as_slice().try_into().ok();
        decoded.zeroize();
        Some(Self { bytes: bytes? })
    }

    /// Its SHA-256, which is stored and looked up. A token cannot be guessed, so it needs no salt.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling() {
        let text = Token::new().reveal();
        assert!(Token::parse(&text).is_some());
        assert!(Token::parse(&format!("{text}=")).is_none());
        assert!(Token::parse(text.get(..42).unwrap()).is_none());
        assert!(Token::parse(&text.replacen(|_| true, "+", 1)).is_none());
        assert!(Token::parse("").is_none());
        // 43 characters hold two bits more than 32 bytes; a spelling that sets them is refused.
        let zero = "A".repeat(43);
        assert!(Token::parse(&zero).is_some());
        assert!(Token::parse(&format!("{}B", "A".repeat(42))).is_none());
    }

    #[test]
    fn two_tokens_differ() {
        assert_ne!(Token::new().hash(), Token::new().hash());
        assert_ne!(Token::new().reveal(), Token::new().reveal());
        assert_eq!(format!("{:?}", Token::new()), "Token([redacted])");
    }
}
