//! The rows of a literal query.

use std::{ops::Range, sync::Arc};

use rusqlite::types::ValueRef;

use super::value::{DATE, MOMENT, TIME};
use super::{Error, Sealed, models::ColumnPlan};

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
///
/// A column can be read as a type of [`forms`](crate::forms). The rule of the type then holds for what is stored:
///
/// ```
/// use dewar::forms::{Choice, Choices, Line};
/// #[derive(Choices, Clone, Copy)]
/// enum Status { Open, Closed }
/// # async fn show(db: dewar::Db) -> dewar::Result {
/// for row in db.query("SELECT title, status FROM tickets", []).await? {
///     let (title, status): (Line<120>, Choice<Status>) = (row.get(0)?, row.get(1)?);
///     # let _ = (title, status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Row {
    cells: Box<[Cell]>,
    /// All texts of the row, in one piece.
    texts: Box<str>,
    /// All blobs of the row.
    blobs: Box<[u8]>,
    /// The columns' names, for errors.
    names: Arc<str>,
}

/// A cell of a row; a text or a blob as its place among the row's.
#[derive(Debug)]
enum Cell {
    Blob(Range<usize>),
    Integer(i64),
    Null,
    Real(f64),
    Text(Range<usize>),
}

/// A value as both engines store it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored<'a> {
    Blob(&'a [u8]),
    Integer(i64),
    Null,
    Real(f64),
    Text(&'a str),
}

impl Row {
    /// The value of the column at this position, counted from 0.
    ///
    /// # Errors
    /// [`Error::Value`] if the column does not exist, is null and not read as an `Option`, has another type, or breaks
    /// the rule of a type of `forms`; the error names the column. Nothing is converted silently.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, Error> {
        self.stored(index)
            .and_then(T::from_stored)
            .ok_or_else(|| Error::Value {
                column: name_of(&self.names, index),
                wanted: T::WANTED,
            })
    }

    fn stored(&self, index: usize) -> Option<Stored<'_>> {
        Some(match self.cells.get(index)? {
            Cell::Blob(place) => Stored::Blob(self.blobs.get(place.clone())?),
            Cell::Integer(value) => Stored::Integer(*value),
            Cell::Null => Stored::Null,
            Cell::Real(value) => Stored::Real(*value),
            Cell::Text(place) => Stored::Text(self.texts.get(place.clone())?),
        })
    }
}

/// The name of a column, or its position if it has none.
fn name_of(names: &str, index: usize) -> String {
    let name = names.split('\0').nth(index).unwrap_or_default();
    if name.is_empty() {
        index.to_string()
    } else {
        name.to_owned()
    }
}

/// The types that a column can be read as.
///
/// They are `i64`, `i32`, `u32`, `bool` (0 or 1), `f64`, `String`, `Vec<u8>`, `[u8; N]`, `Sealed`, the dates and times of the crate `time` without an offset, the value types of [`forms`](crate::forms) that a model
/// can have as a column (`Line<80>`, `Choice<E>`, `Int<0, 5>`), and an `Option` of each.
#[diagnostic::on_unimplemented(
    message = "a column cannot be read as `{Self}`",
    note = "read it as `i64`, `String` or a value type of `dewar::forms`, or as an `Option` of one"
)]
pub trait FromColumn: sealed::FromColumn {}

impl<T: sealed::FromColumn> FromColumn for T {}

pub(crate) mod sealed {
    use super::Stored;

    #[expect(unnameable_types, reason = "sealed")]
    pub trait FromColumn: Sized {
        const WANTED: &'static str;

        #[doc(hidden)]
        #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
        fn from_stored(stored: Stored<'_>) -> Option<Self>;
    }
}

macro_rules! columns {
    ($($type:ty, $wanted:literal, $pattern:pat => $value:expr;)*) => {$(
        impl sealed::FromColumn for $type {
            const WANTED: &'static str = $wanted;

            #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
            fn from_stored(stored: Stored<'_>) -> Option<Self> {
                if let $pattern = stored { $value } else { None }
            }
        }
    )*};
}

columns! {
    bool, "true or false", Stored::Integer(value @ 0..=1) => Some(value == 1);
    f64, "a number", Stored::Real(value) => Some(value);
    i32, "a 32-bit integer", Stored::Integer(value) => value.try_into().ok();
    i64, "an integer", Stored::Integer(value) => Some(value);
    u32, "a positive 32-bit integer", Stored::Integer(value) => value.try_into().ok();
    time::Date, "a day", Stored::Text(value) => time::Date::parse(value, DATE).ok();
    time::PrimitiveDateTime, "a day and a time", Stored::Text(value) => time::PrimitiveDateTime::parse(value, MOMENT).ok();
    time::Time, "a time", Stored::Text(value) => time::Time::parse(value, TIME).ok();
    String, "text", Stored::Text(value) => Some(value.to_owned());
    Vec<u8>, "bytes", Stored::Blob(value) => Some(value.to_owned());
    Sealed, "text", Stored::Text(value) => Some(Sealed::stored(value));
}

impl<const N: usize> sealed::FromColumn for [u8; N] {
    const WANTED: &'static str = "the right number of bytes";

    #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
    fn from_stored(stored: Stored<'_>) -> Option<Self> {
        if let Stored::Blob(value) = stored {
            value.try_into().ok()
        } else {
            None
        }
    }
}

impl<T: sealed::FromColumn> sealed::FromColumn for Option<T> {
    const WANTED: &'static str = T::WANTED;

    #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
    fn from_stored(stored: Stored<'_>) -> Option<Self> {
        if matches!(stored, Stored::Null) {
            Some(None)
        } else {
            T::from_stored(stored).map(Some)
        }
    }
}

/// A row as its engine gives it.
pub(crate) trait Cells {
    /// The number of columns.
    fn count(&self) -> usize;

    /// The value of a column.
    fn cell(&self, index: usize) -> Result<ValueRef<'_>, Error>;
}

/// The conversion of a row.
pub(crate) trait Decode: Sized + Send + 'static {
    /// Whether it needs the columns' types from the models.
    const MODELLED: bool;

    fn decode(plan: &ColumnPlan, row: &impl Cells) -> Result<Self, Error>;
}

impl Cells for rusqlite::Row<'_> {
    fn count(&self) -> usize {
        self.as_ref().column_count()
    }

    fn cell(&self, index: usize) -> Result<ValueRef<'_>, Error> {
        Ok(self.get_ref(index)?)
    }
}

impl Decode for Row {
    const MODELLED: bool = false;

    fn decode(plan: &ColumnPlan, row: &impl Cells) -> Result<Self, Error> {
        let count = row.count();
        let (mut cells, mut texts, mut blobs) =
            (Vec::with_capacity(count), String::new(), Vec::new());
        texts.reserve(text_bytes(row, count)?);
        for index in 0..count {
            cells.push(match row.cell(index)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(value) => Cell::Integer(value),
                ValueRef::Real(value) => Cell::Real(value),
                ValueRef::Text(text) => {
                    let text = str::from_utf8(text).map_err(|_| Error::Value {
                        column: name_of(plan.names(), index),
                        wanted: "UTF-8",
                    })?;
                    texts.push_str(text);
                    Cell::Text(texts.len() - text.len()..texts.len())
                }
                ValueRef::Blob(bytes) => {
                    blobs.extend_from_slice(bytes);
                    Cell::Blob(blobs.len() - bytes.len()..blobs.len())
                }
            });
        }
        Ok(Self {
            cells: cells.into(),
            texts: texts.into(),
            blobs: blobs.into(),
            names: Arc::clone(plan.names()),
        })
    }
}

fn text_bytes(row: &impl Cells, count: usize) -> Result<usize, Error> {
    (0..count).try_fold(0, |sum, index| {
        let value = row.cell(index)?;
        let text = if let ValueRef::Text(text) = value {
            text
        } else {
            &[]
        };
        Ok(sum + text.len())
    })
}
