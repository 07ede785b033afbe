//! The id of a stored file: random, and enough to find the file.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use crate::secrets;

/// The id of a stored file: 128 random bits.
///
/// It is no permission: decide who may have the file before you serve it.
///
/// ```
/// use dewar::uploads::FileId;
///
/// let id: FileId = "0123456789abcdef0123456789abcdef".parse()?;
/// assert_eq!(id.as_str(), "0123456789abcdef0123456789abcdef");
/// assert!("../../etc/passwd".parse::<FileId>().is_err());
/// # Ok::<(), dewar::uploads::NotAFileId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct FileId(String);

impl FileId {
    pub(crate) fn random() -> Self {
        Self(HEXLOWER.encode(&secrets::random::<16>()))
    }

    /// 32 digits, `0`-`9` and `a`-`f`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path below the directory of stored files: `01/23456789abcdef…`, so that no directory grows without bound.
    pub(crate) fn path(&self) -> PathBuf {
        // The string has 32 ASCII digits, so the second part always exists.
        let (directory, file) = self.0.split_at_checked(2).unwrap_or(("00", &self.0));
        PathBuf::from(directory).join(file)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&FileId> for sea_orm::Value {
    fn from(id: &FileId) -> Self {
        id.0.as_str().into()
    }
}

impl From<FileId> for sea_orm::Value {
    fn from(id: FileId) -> Self {
        id.0.into()
    }
}

/// A column may hold no file: `Option<FileId>`.
impl sea_orm::sea_query::Nullable for FileId {
    fn null() -> sea_orm::Value {
        <String as sea_orm::sea_query::Nullable>::null()
    }
}

impl From<FileId> for String {
    fn from(id: FileId) -> Self {
        id.0
    }
}

/// The text is not the id of a stored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a file")]
#[non_exhaustive]
pub struct NotAFileId;

impl FromStr for FileId {
    type Err = NotAFileId;

    fn from_str(text: &str) -> Result<Self, NotAFileId> {
        let is_id =
            text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_id {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAFileId)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_and_stay_below_their_directory() {
        let (one, other) = (FileId::random(), FileId::random());
        assert_ne!(one, other);
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
        assert_eq!(one.path().components().count(), 2);
        assert_eq!(String::from(one.clone()), one.as_str());
    }

    #[test]
    fn a_column_may_be_without_a_file() {
        use sea_orm::Value;
        let id = FileId::random();
        assert_eq!(Value::from(Some(id.clone())), Value::from(id.as_str()));
        assert_eq!(Value::from(None::<FileId>), Value::String(None));
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in [
            "",
            "0123",
            "../../../../../../../etc/passwd0",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcdé",
        ] {
            assert_eq!(text.parse::<FileId>(), Err(NotAFileId), "{text}");
        }
    }
}
