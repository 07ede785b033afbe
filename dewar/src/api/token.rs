use data_encoding::{Encoding, Specification};
use std::fmt;
use std::sync::LazyLock;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secrets::{random, sha256};

/// The characters of the random part: 256 bits.
const BODY: usize = 52;
/// The characters of the checksum: 32 bits.
const CHECKSUM: usize = 7;
/// The most characters of a prefix.
pub(super) const LONGEST_PREFIX: usize = 20;

/// Small letters and digits without `0`, `1`, `8` and `9` (RFC 4648, 6): a double click selects the whole token, and nobody
/// reads one character for another.
static BASE32: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().ok()
});

/// The random part of an API token.
///
/// As text it is `<prefix>_<52 characters><7 characters>`. The last seven are a checksum, the first four bytes of the SHA-256
/// of everything before them, so that a scanner and this program recognise a token without looking it up.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct TokenSecret([u8; 32]);

impl TokenSecret {
    pub(super) fn new() -> Self {
        Self(random())
    }

    /// The text for its holder.
    pub(super) fn reveal(&self, prefix: &str) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("{prefix}_{}", encode(&self.0)));
        let checksum = checksum(&text);
        text.push_str(&checksum);
        text
    }

    /// Reads the text of a request. A token of a former prefix stays one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (claimed, checksum_of) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
        let (prefix, body) = claimed.rsplit_once('_')?;
        let is_plain = is_prefix(prefix) && body.len() == BODY;
        if !is_plain || checksum(claimed) != checksum_of {
            return None;
        }
        let mut decoded = BASE32.as_ref()?.decode(body.as_bytes()).ok()?;
        let bytes = decoded.as_slice().try_into().ok();
        decoded.zeroize();
        Some(Self(bytes?))
    }

    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whether a text may be the prefix of tokens.
pub(super) fn is_prefix(text: &str) -> bool {
    (2..=LONGEST_PREFIX).contains(&text.len())
        && text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn checksum(text: &str) -> String {
    let [a, b, c, d, ..] = sha256(text.as_bytes());
    encode(&[a, b, c, d])
}

/// The text of bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE32
        .as_ref()
        .map_or_else(String::new, |base| base.encode(bytes))
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_shown() {
        let secret = TokenSecret::new();
        for prefix in ["dewar", "paper_house", "a1"] {
            let text = secret.reveal(prefix);
            assert_eq!(text.len(), prefix.len() + 1 + BODY + CHECKSUM);
            assert!(text.starts_with(prefix) && !text.contains(char::is_uppercase));
            assert_eq!(TokenSecret::parse(&text).unwrap().bytes(), secret.bytes());
        }
        assert_eq!(format!("{secret:?}"), "TokenSecret([redacted])");
    }

    /// Every changed, missing or additional character is noticed, without a query.
    #[test]
    fn a_typing_mistake_is_no_token() {
        let text = TokenSecret::new().reveal("dewar");
        for place in 0..text.len() {
            let mut typed = text.as_bytes().to_vec();
            typed[place] = if typed[place] == b'a' { b'b' } else { b'a' };
            let typed = String::from_utf8(typed).unwrap();
            assert!(TokenSecret::parse(&typed).is_none(), "{typed}");
            let mut shorter = text.to_string();
            shorter.remove(place);
            assert!(TokenSecret::parse(&shorter).is_none(), "{shorter}");
        }
        for typed in [
            String::new(),
            "_".to_owned(),
            "é".repeat(40),
            text.to_uppercase(),
            format!("{}a", &*text),
            format!(" {}", &*text),
            "a".repeat(59),
        ] {
            assert!(TokenSecret::parse(&typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn a_prefix_is_a_word_of_small_letters() {
        for prefix in ["dewar", "ab", "paper_house", "a2c"] {
            assert!(is_prefix(prefix), "{prefix}");
        }
        for wrong in ["", "a", "Dewar", "a-b", "1a", "_a", "a b", &"a".repeat(21)] {
            assert!(!is_prefix(wrong), "{wrong}");
        }
    }
}
