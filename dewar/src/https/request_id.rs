use crate::secrets::pooled;
use data_encoding::HEXLOWER;
use std::fmt;

/// The id of one request, in the log and on the error page, so that a visitor's report leads to its log line.
///
/// It never comes from the visitor: a chosen id would let one request hide behind another (CWE-117).
///
/// ```
/// use dewar::https::RequestId;
/// assert_eq!(RequestId::new().as_str().len(), 16);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A fresh id: 64 random bits as hexadecimal digits.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a random default would be misleading"
    )]
    pub fn new() -> Self {
        let mut text = [0; 16];
        HEXLOWER.encode_mut(&pooled::<8>(), &mut text);
        Self(text)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn a_request_id_is_sixteen_hexadecimal_digits_and_fresh() {
        let id = RequestId::new();
        assert!(id.as_str().chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(id.as_str().len(), 16);
        assert_ne!(id, RequestId::new());
        assert_eq!(id.to_string(), id.as_str());
        assert_eq!(format!("{id:?}"), format!("RequestId({id})"));
    }
}
