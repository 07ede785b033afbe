use std::fmt;

use data_encoding::HEXLOWER;

use crate::secrets::random;

/// The lengths of the groups between the hyphens.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// A universally unique identifier (RFC 9562), in its one spelling: 32 small hexadecimal digits in five groups.
///
/// As a parameter of a path it hides how many records there are. It does not replace access control: addresses are in
/// histories, logs and letters. Dewar stores it as text.
///
/// ```
/// use dewar::forms::{Path, Uuid};
/// use dewar::pages::Text;
/// let id = Uuid::random();
/// assert_eq!(Uuid::parse(&id.to_string()), Some(id));
/// assert_eq!(Uuid::parse("67E55044-10B1-426F-9247-BB680E5FE0C8"), None);
/// async fn show(Path(id): Path<Uuid>) -> Text { Text::new(id.to_string()) }
/// # let route: dewar::app::Route = dewar::get("/orders/{id}", show);
/// # drop(route);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// A new identifier of 122 random bits (version 4).
    #[must_use]
    pub fn random() -> Self {
        let random = u128::from_be_bytes(random());
        let version = 0x4_u128 << 76;
        let variant = 0b10_u128 << 62;
        let cleared = random & !(0xf_u128 << 76) & !(0b11_u128 << 62);
        Self((cleared | version | variant).to_be_bytes())
    }

    /// Parses the canonical spelling, of any version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let groups = text.split('-');
        let lengths = groups.clone().map(str::len);
        if text.len() != 36 || !lengths.eq(GROUPS) {
            return None;
        }
        let digits: String = groups.collect();
        let bytes = HEXLOWER.decode(digits.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = HEXLOWER.encode(&self.0);
        let mut rest = digits.as_str();
        for (number, length) in GROUPS.into_iter().enumerate() {
            let Some((group, after)) = rest.split_at_checked(length) else {
                return Err(fmt::Error);
            };
            let separator = if number > 0 { "-" } else { "" };
            write!(f, "{separator}{group}")?;
            rest = after;
        }
        Ok(())
    }
}

impl serde::Serialize for Uuid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_one_has_its_version_and_its_variant() {
        for _ in 0..100 {
            let text = Uuid::random().to_string();
            assert_eq!(text.as_bytes()[14], b'4', "{text}");
            assert!(b"89ab".contains(&text.as_bytes()[19]), "{text}");
            assert_eq!(Uuid::parse(&text).unwrap().to_string(), text);
        }
        assert_ne!(Uuid::random(), Uuid::random());
    }
}
