//! One address, one account.
use unicode_normalization::UnicodeNormalization;

use crate::secrets;

/// An address in the form that identifies accounts: NFC, lower case.
///
/// RFC 5321 lets `Ada@` and `ada@` be two mailboxes. No provider does that, and two accounts that people confuse are the greater
/// danger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmailKey(String);

impl EmailKey {
    pub(crate) fn new(email: &str) -> Self {
        Self(
            email
                .trim()
                .nfc()
                .flat_map(char::to_lowercase)
                .nfc()
                .collect(),
        )
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A hash, for places where nobody may read the address.
    pub(crate) fn hash(&self) -> [u8; 32] {
        secrets::sha256(self.0.as_bytes())
    }

    /// For the audit log: attempts on one address can be recognized, and a password typed into the wrong field is not logged
    /// (CWE-532).
    pub(crate) fn mark(&self) -> String {
        let hash = self.hash();
        let start = hash.get(..8).unwrap_or_default();
        format!("address {}", data_encoding::HEXLOWER.encode(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_people_take_for_one_are_one() {
        let key = EmailKey::new("Ada@Example.org");
        assert_eq!(key, EmailKey::new(" ada@example.ORG"));
        assert_eq!(
            EmailKey::new("Jos\u{e9}@example.org"),
            EmailKey::new("JOSE\u{301}@example.org")
        );
        assert_ne!(key, EmailKey::new("ada+1@example.org"));
    }

    #[test]
    fn the_log_tells_addresses_apart_and_does_not_name_them() {
        let mark = EmailKey::new("Ada@Example.org").mark();
        assert_eq!(mark, EmailKey::new(" ada@example.ORG").mark());
        assert_ne!(mark, EmailKey::new("ben@example.org").mark());
        assert_eq!(mark.len(), "address ".len() + 16, "{mark}");
        assert!(!mark.contains("ada"), "{mark}");
    }
}
