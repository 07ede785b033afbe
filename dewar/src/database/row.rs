//! The rows of a literal query.

use super::{Error, connection::Decode, models::ColumnPlan};

/// One row of a literal query.
///
/// ```
/// # async fn show(db: dewar::database::Db) -> Result<(), dewar::database::Error> {
/// for row in db.query("SELECT id, title FROM notes WHERE author = ?", [7_i64.into()]).await? {
///     let (id, title): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
///     # let _ = (id, title);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Row {
    values: Box<[Stored]>,
}

/// A value as SQLite stores it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stored {
    Blob(Vec<u8>),
    Integer(i64),
    Null,
    Real(f64),
    Text(String),
}

impl Row {
    /// The value of the column at this position, counted from 0.
    ///
    /// # Errors
    /// [`Error::Value`] if the column does not exist, is null and not read as an `Option`, or has another type: nothing
    /// is converted silently.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, Error> {
        self.values
            .get(index)
            .and_then(T::from_stored)
            .ok_or_else(|| Error::Value {
                column: index.to_string(),
                wanted: T::WANTED,
            })
    }
}

/// The types that a column can be read as: `i64`, `i32`, `u32`, `bool` (0 or 1), `f64`, `String`, `Vec<u8>`, `[u8; N]`,
/// and an `Option` of each.
pub trait FromColumn: sealed::FromColumn {}

impl<T: sealed::FromColumn> FromColumn for T {}

mod sealed {
    use super::Stored;

    #[expect(unnameable_types, reason = "sealed")]
    pub trait FromColumn: Sized {
        const WANTED: &'static str;

        #[doc(hidden)]
        #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
        fn from_stored(stored: &Stored) -> Option<Self>;
    }
}

macro_rules! columns {
    ($($type:ty, $wanted:literal, $pattern:pat => $value:expr;)*) => {$(
        impl sealed::FromColumn for $type {
            const WANTED: &'static str = $wanted;

            #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
            fn from_stored(stored: &Stored) -> Option<Self> {
                if let $pattern = stored { $value } else { None }
            }
        }
    )*};
}

columns! {
    bool, "true or false", Stored::Integer(value @ 0..=1) => Some(*value == 1);
    f64, "a number", Stored::Real(value) => Some(*value);
    i32, "a 32-bit integer", Stored::Integer(value) => (*value).try_into().ok();
    i64, "an integer", Stored::Integer(value) => Some(*value);
    u32, "a positive 32-bit integer", Stored::Integer(value) => (*value).try_into().ok();
    String, "text", Stored::Text(value) => Some(value.clone());
    Vec<u8>, "bytes", Stored::Blob(value) => Some(value.clone());
}

impl<const N: usize> sealed::FromColumn for [u8; N] {
    const WANTED: &'static str = "bytes of the right number";

    #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
    fn from_stored(stored: &Stored) -> Option<Self> {
        if let Stored::Blob(value) = stored {
            value.as_slice().try_into().ok()
        } else {
            None
        }
    }
}

impl<T: sealed::FromColumn> sealed::FromColumn for Option<T> {
    const WANTED: &'static str = T::WANTED;

    #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
    fn from_stored(stored: &Stored) -> Option<Self> {
        if matches!(stored, Stored::Null) {
            Some(None)
        } else {
            T::from_stored(stored).map(Some)
        }
    }
}

impl Decode for Row {
    const MODELLED: bool = false;

    fn decode(_: &ColumnPlan, row: &rusqlite::Row<'_>) -> Result<Self, Error> {
        let count = row.as_ref().column_count();
        let mut values = Vec::with_capacity(count);
        for index in 0..count {
            values.push(Stored::read(row.get_ref(index)?, index)?);
        }
        Ok(Self {
            values: values.into(),
        })
    }
}

impl Stored {
    fn read(value: rusqlite::types::ValueRef<'_>, index: usize) -> Result<Self, Error> {
        use rusqlite::types::ValueRef;

        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(text) => Self::Text(
                str::from_utf8(text)
                    .map_err(|_| Error::Value {
                        column: index.to_string(),
                        wanted: "UTF-8",
                    })?
                    .to_owned(),
            ),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_owned()),
        })
    }
}
