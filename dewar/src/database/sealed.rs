//! Columns that hold only sealed texts.

use std::fmt;

use sea_orm::DeriveValueType;

use crate::secrets::{Error, KeyRing, Purpose, Secret};

/// The value of a sealed column: an envelope of AES-256-GCM-SIV, prefixed with its key's id.
///
/// A model's field of this type cannot hold plain text, is not printed and does not serialize to JSON. To get the text,
/// open it with its [`SealedColumn`], the keys and the row.
///
/// ```
/// mod profile {
///     use dewar::database::Sealed;
///     use sea_orm::entity::prelude::*;
///     #[derive(Clone, Debug, DeriveEntityModel)]
///     #[sea_orm(table_name = "profiles")]
///     pub struct Model {
///         #[sea_orm(primary_key, auto_increment = false)]
///         pub user_id: i64,
///         pub telephone: Option<Sealed>,
///     }
///     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
///     pub enum Relation {}
///     impl ActiveModelBehavior for ActiveModel {}
/// }
/// # let tables = [dewar::database::Table::of::<profile::Entity>()];
/// # assert_eq!(tables[0].name(), "profiles");
/// ```
///
/// It does not serialize to JSON:
/// ```compile_fail
/// fn as_json(sealed: &dewar::database::Sealed) -> serde_json::Result<String> { serde_json::to_string(sealed) }
/// ```
///
/// Two envelopes of one text differ, so `==` shows whether a row was changed, and nothing about the texts.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Sealed(String);

impl Sealed {
    /// The value of a sealed column that a statement read.
    pub(crate) const fn of_column(text: String) -> Self {
        Self(text)
    }

    /// The id of the key that it was sealed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.0.split_once('.').map_or("", |(id, _)| id)
    }
}

impl Sealed {
    /// The value of a column.
    pub(super) fn stored(envelope: &str) -> Self {
        Self(envelope.to_owned())
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed([redacted])")
    }
}

/// A column of sealed texts. Each text is bound to its table, its column and its row: an envelope that is copied to
/// another row or column does not open.
///
/// ```
/// use dewar::database::SealedColumn;
/// use dewar::secrets::KeyRing;
///
/// const TELEPHONE: SealedColumn = SealedColumn::new("profiles", "telephone").bound_to("user_id");
///
/// let keys = KeyRing::ephemeral(); // a handler has the application's as its argument
/// let sealed = TELEPHONE.seal(&keys, 7, "+41446681800")?;
/// assert_eq!(TELEPHONE.open(&keys, 7, &sealed)?.expose(), "+41446681800");
/// assert!(TELEPHONE.open(&keys, 8, &sealed).is_err());
/// # Ok::<(), dewar::secrets::Error>(())
/// ```
///
/// Register it with [`App::sealed`](crate::App::sealed). You cannot search or sort by it, and it does not hide the
/// length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    table: &'static str,
    column: &'static str,
    bound_to: &'static str,
}

/// A sealed column that is not bound to a row's column yet.
///
/// ```
/// # use dewar::database::SealedColumn;
/// let telephone: SealedColumn = SealedColumn::new("profiles", "telephone").bound_to("user_id");
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a sealed column is bound to the column that names the row's owner"]
pub struct Unbound {
    table: &'static str,
    column: &'static str,
}

impl SealedColumn {
    /// The column of a table. Then call [`bound_to`](Unbound::bound_to).
    ///
    /// # Panics
    /// If a name has other characters than small letters, digits and underscores; in a `const`, while it is compiled.
    #[expect(
        clippy::new_ret_no_self,
        reason = "an unbound envelope could be moved to another row"
    )]
    pub const fn new(table: &'static str, column: &'static str) -> Unbound {
        assert!(is_name(table), "a table's name has only a-z, 0-9 and _");
        assert!(is_name(column), "a column's name has only a-z, 0-9 and _");
        Unbound { table, column }
    }

    /// Seals a text for a row.
    ///
    /// # Errors
    /// [`Error::Sealing`] if the text is larger than the cipher allows.
    pub fn seal(
        &self,
        keys: &KeyRing,
        row: impl fmt::Display,
        text: &str,
    ) -> Result<Sealed, Error> {
        let context = self.context(&row.to_string());
        keys.seal(Purpose::Column, &context, text.as_bytes())
            .map(Sealed)
    }

    /// Opens a text that was sealed for this row.
    ///
    /// # Errors
    /// The envelope was changed, comes from another row, column or table, or its key is not in use.
    pub fn open(
        &self,
        keys: &KeyRing,
        row: impl fmt::Display,
        sealed: &Sealed,
    ) -> Result<Secret<String>, Error> {
        let context = self.context(&row.to_string());
        let bytes = keys.open(Purpose::Column, &context, &sealed.0)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Malformed)?;
        Ok(Secret::new(text.to_owned()))
    }

    /// Seals the envelope's text again, with the key that seals now.
    pub(super) fn reencrypt(&self, keys: &KeyRing, row: &str, old: &str) -> Result<String, Error> {
        let context = self.context(row);
        let text = keys.open(Purpose::Column, &context, old)?;
        keys.seal(Purpose::Column, &context, &text)
    }

    pub(super) const fn names(&self) -> [&'static str; 3] {
        [self.table, self.column, self.bound_to]
    }

    /// The context of a text: each part with its length, so that two places never have the same one.
    fn context(&self, row: &str) -> Vec<u8> {
        let mut context = Vec::new();
        for part in [self.table, self.column, self.bound_to, row] {
            context.extend_from_slice(&(part.len() as u64).to_be_bytes());
            context.extend_from_slice(part.as_bytes());
        }
        context
    }
}

impl fmt::Display for SealedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

impl Unbound {
    /// Binds it to the column that identifies the row's owner: the owner's id, or the row's own. That value must not
    /// change or be null, and should be a key or have an index.
    ///
    /// # Panics
    /// If the name has other characters than small letters, digits and underscores; in a `const`, while it is compiled.
    #[must_use]
    pub const fn bound_to(self, column: &'static str) -> SealedColumn {
        assert!(is_name(column), "a column's name has only a-z, 0-9 and _");
        SealedColumn {
            table: self.table,
            column: self.column,
            bound_to: column,
        }
    }
}

/// Names go into SQL unchanged, so they must not contain anything that SQL could read as more than a name.
pub(super) const fn is_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    if rest.is_empty() || rest.len() > 63 {
        return false;
    }
    while let [byte, after @ ..] = rest {
        if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SealedColumn = SealedColumn::new("people", "telephone").bound_to("id");

    #[test]
    fn an_envelope_opens_in_its_place_and_nowhere_else() {
        let keys = KeyRing::ephemeral();
        let sealed = HERE.seal(&keys, 7, "+41446681800").unwrap();
        assert_eq!(
            HERE.open(&keys, 7, &sealed).unwrap().expose(),
            "+41446681800"
        );
        assert!(HERE.open(&keys, 8, &sealed).is_err());
        for elsewhere in [
            SealedColumn::new("people", "fax").bound_to("id"),
            SealedColumn::new("firms", "telephone").bound_to("id"),
            SealedColumn::new("people", "telephone").bound_to("owner"),
            SealedColumn::new("peopletele", "phone").bound_to("id"),
        ] {
            assert_eq!(
                elsewhere.open(&keys, 7, &sealed).err(),
                Some(Error::Tampered),
                "{elsewhere}"
            );
        }
        // A text that was sealed for a form does not open either.
        let form = keys
            .seal(Purpose::Hidden, &HERE.context("7"), b"x")
            .unwrap();
        assert!(HERE.open(&keys, 7, &Sealed(form)).is_err());
    }

    #[test]
    fn neither_the_text_nor_the_envelope_is_printed() {
        let keys = KeyRing::ephemeral();
        let sealed = HERE.seal(&keys, 7, "+41446681800").unwrap();
        assert_eq!(format!("{sealed:?}"), "Sealed([redacted])");
        assert_eq!(sealed.key_id(), keys.signing_id());
        let opened = HERE.open(&keys, 7, &sealed).unwrap();
        assert_eq!(format!("{opened:?}"), "[redacted]");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "Users", "a b", "a\"b", "a;b", "é", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("dewar_users_2"));
    }
}
