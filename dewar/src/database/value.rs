//! SeaORM's values into SQLite, and SQLite's into the type that a model wants.

use rusqlite::{
    Statement,
    types::{ToSqlOutput, Type, Value as Stored, ValueRef},
};
use sea_orm::{ColumnType, Value, sea_query::OptionEnum};
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset,
    format_description::{StaticFormatDescription, well_known::Rfc3339},
    macros::format_description,
};

use super::Error;

// SeaORM's own formats, so that a database written by its drivers reads the same.
const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");
const TIME: StaticFormatDescription =
    format_description!("[hour]:[minute]:[second].[subsecond digits:6]");
const MOMENT: StaticFormatDescription =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
const MOMENT_AND_OFFSET: StaticFormatDescription = format_description!(
    "[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6] \
     [offset_hour sign:mandatory]:[offset_minute]"
);

/// Binds the values to the statement's `?`, in order; the numbers must agree.
pub(crate) fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), Error> {
    if statement.parameter_count() != values.len() {
        return Err(Error::refused(format!(
            "the statement has {} `?` and {} values",
            statement.parameter_count(),
            values.len()
        )));
    }
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, to_sqlite(value)?)?;
    }
    Ok(())
}

/// The type that SQLite gets a value as. Never the value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match to_sqlite(value) {
        Ok(ToSqlOutput::Borrowed(value)) => name_of(value.data_type()),
        Ok(ToSqlOutput::Owned(value)) => name_of(value.data_type()),
        Ok(_) | Err(_) => "a type that SQLite has not",
    }
}

const fn name_of(kind: Type) -> &'static str {
    match kind {
        Type::Blob => "BLOB",
        Type::Integer => "INTEGER",
        Type::Null => "NULL",
        Type::Real => "REAL",
        Type::Text => "TEXT",
    }
}

fn to_sqlite(value: &Value) -> Result<ToSqlOutput<'_>, Error> {
    #[expect(
        unreachable_patterns,
        reason = "an application may turn more of SeaORM's types on"
    )]
    Ok(match value {
        Value::Bool(value) => owned(*value),
        Value::TinyInt(value) => owned(*value),
        Value::SmallInt(value) => owned(*value),
        Value::Int(value) => owned(*value),
        Value::BigInt(value) => owned(*value),
        Value::TinyUnsigned(value) => owned(*value),
        Value::SmallUnsigned(value) => owned(*value),
        Value::Unsigned(value) => owned(*value),
        Value::BigUnsigned(value) => {
            let value = value.map(i64::try_from).transpose();
            owned(value.map_err(|_| unfit("an integer below 2^63"))?)
        }
        Value::Float(value) => real(value.map(f64::from))?,
        Value::Double(value) => real(*value)?,
        Value::String(value) => text(value.as_deref()),
        Value::Enum(OptionEnum::Some(value)) => text(Some(&value.value)),
        Value::Enum(OptionEnum::None(_)) => text(None),
        Value::Char(value) => owned(value.map(String::from)),
        Value::Bytes(value) => {
            ToSqlOutput::Borrowed(value.as_deref().map_or(ValueRef::Null, ValueRef::Blob))
        }
        Value::Json(value) => owned(value.as_ref().map(ToString::to_string)),
        Value::TimeDate(value) => written(value.map(|value| value.format(DATE)))?,
        Value::TimeTime(value) => written(value.map(|value| value.format(TIME)))?,
        Value::TimeDateTime(value) => written(value.map(|value| value.format(MOMENT)))?,
        // In UTC, or the texts would not sort as the moments do.
        Value::TimeDateTimeWithTimeZone(value) => {
            written(value.map(|value| value.to_offset(UtcOffset::UTC).format(MOMENT_AND_OFFSET)))?
        }
        _ => return Err(unfit("a type that SQLite can hold")),
    })
}

fn owned(value: Option<impl Into<Stored>>) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(value.map_or(Stored::Null, Into::into))
}

fn text(value: Option<&str>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(value.map_or(ValueRef::Null, ValueRef::from))
}

fn written(
    value: Option<Result<String, time::error::Format>>,
) -> Result<ToSqlOutput<'static>, Error> {
    Ok(owned(
        value
            .transpose()
            .map_err(|_| unfit("a time that can be written"))?,
    ))
}

/// SQLite stores NaN as null, silently.
fn real(value: Option<f64>) -> Result<ToSqlOutput<'static>, Error> {
    match value {
        Some(value) if value.is_nan() => Err(unfit("a number (it is NaN)")),
        value => Ok(owned(value)),
    }
}

fn unfit(wanted: &'static str) -> Error {
    Error::Value {
        column: "a bound value".to_owned(),
        wanted,
    }
}

/// The type a model gives a column. SeaORM takes a value of exactly this variant from a row, and
/// **reads any other as null**: an `Option<i32>` would lose its value without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BigInt,
    BigUnsigned,
    Bool,
    Bytes,
    Date,
    Double,
    Float,
    Int,
    Json,
    Moment,
    MomentAndOffset,
    SmallInt,
    SmallUnsigned,
    Text,
    Time,
    TinyInt,
    TinyUnsigned,
    Unsigned,
}

impl Kind {
    /// What SeaORM's derive says of a column, or nothing where we cannot read it.
    pub(crate) fn of(column: &ColumnType) -> Option<Self> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "types behind features that are off"
        )]
        Some(match column {
            ColumnType::BigInteger => Self::BigInt,
            ColumnType::BigUnsigned => Self::BigUnsigned,
            ColumnType::Boolean => Self::Bool,
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Self::Bytes,
            ColumnType::Date => Self::Date,
            ColumnType::Double => Self::Double,
            ColumnType::Float => Self::Float,
            ColumnType::Integer => Self::Int,
            ColumnType::Json | ColumnType::JsonBinary => Self::Json,
            ColumnType::DateTime | ColumnType::Timestamp => Self::Moment,
            ColumnType::TimestampWithTimeZone => Self::MomentAndOffset,
            ColumnType::SmallInteger => Self::SmallInt,
            ColumnType::SmallUnsigned => Self::SmallUnsigned,
            ColumnType::Char(_)
            | ColumnType::String(_)
            | ColumnType::Text
            | ColumnType::Enum { .. } => Self::Text,
            ColumnType::Time => Self::Time,
            ColumnType::TinyInteger => Self::TinyInt,
            ColumnType::TinyUnsigned => Self::TinyUnsigned,
            ColumnType::Unsigned => Self::Unsigned,
            _ => return None,
        })
    }

    /// The storage classes that hold it.
    pub(crate) const fn storage(self) -> &'static [&'static str] {
        match self {
            Self::BigInt
            | Self::BigUnsigned
            | Self::Bool
            | Self::Int
            | Self::SmallInt
            | Self::SmallUnsigned
            | Self::TinyInt
            | Self::TinyUnsigned
            | Self::Unsigned => &["INTEGER", "INT"],
            Self::Bytes => &["BLOB"],
            Self::Double | Self::Float => &["REAL"],
            Self::Date
            | Self::Json
            | Self::Moment
            | Self::MomentAndOffset
            | Self::Text
            | Self::Time => &["TEXT"],
        }
    }

    /// The stored value in the variant that the model will ask for.
    pub(crate) fn read(self, stored: ValueRef<'_>) -> Option<Value> {
        if let ValueRef::Null = stored {
            return Some(self.null());
        }
        Some(match self {
            Self::BigInt => integer::<i64>(stored)?.into(),
            Self::BigUnsigned => integer::<u64>(stored)?.into(),
            Self::Bool => match integer::<u8>(stored)? {
                0 => false.into(),
                1 => true.into(),
                _ => return None,
            },
            Self::Bytes => stored.as_blob().ok()?.to_owned().into(),
            Self::Date => time::Date::parse(stored.as_str().ok()?, DATE).ok()?.into(),
            Self::Double => number(stored)?.into(),
            #[expect(clippy::cast_possible_truncation, reason = "the model wants an f32")]
            Self::Float => (number(stored)? as f32).into(),
            Self::Int => integer::<i32>(stored)?.into(),
            Self::Json => serde_json::from_str::<serde_json::Value>(stored.as_str().ok()?)
                .ok()?
                .into(),
            Self::Moment => PrimitiveDateTime::parse(stored.as_str().ok()?, MOMENT)
                .ok()?
                .into(),
            Self::MomentAndOffset => moment(stored.as_str().ok()?)?.into(),
            Self::SmallInt => integer::<i16>(stored)?.into(),
            Self::SmallUnsigned => integer::<u16>(stored)?.into(),
            Self::Text => stored.as_str().ok()?.into(),
            Self::Time => time::Time::parse(stored.as_str().ok()?, TIME).ok()?.into(),
            Self::TinyInt => integer::<i8>(stored)?.into(),
            Self::TinyUnsigned => integer::<u8>(stored)?.into(),
            Self::Unsigned => integer::<u32>(stored)?.into(),
        })
    }

    const fn null(self) -> Value {
        match self {
            Self::BigInt => Value::BigInt(None),
            Self::BigUnsigned => Value::BigUnsigned(None),
            Self::Bool => Value::Bool(None),
            Self::Bytes => Value::Bytes(None),
            Self::Date => Value::TimeDate(None),
            Self::Double => Value::Double(None),
            Self::Float => Value::Float(None),
            Self::Int => Value::Int(None),
            Self::Json => Value::Json(None),
            Self::Moment => Value::TimeDateTime(None),
            Self::MomentAndOffset => Value::TimeDateTimeWithTimeZone(None),
            Self::SmallInt => Value::SmallInt(None),
            Self::SmallUnsigned => Value::SmallUnsigned(None),
            Self::Text => Value::String(None),
            Self::Time => Value::TimeTime(None),
            Self::TinyInt => Value::TinyInt(None),
            Self::TinyUnsigned => Value::TinyUnsigned(None),
            Self::Unsigned => Value::Unsigned(None),
        }
    }
}

/// The value of an expression, which has no column and so no model's type.
pub(crate) fn as_stored(stored: ValueRef<'_>) -> Option<Value> {
    Some(match stored {
        ValueRef::Null => Value::String(None),
        ValueRef::Integer(value) => value.into(),
        ValueRef::Real(value) => value.into(),
        ValueRef::Text(_) => stored.as_str().ok()?.into(),
        ValueRef::Blob(value) => value.to_owned().into(),
    })
}

fn integer<T: TryFrom<i64>>(stored: ValueRef<'_>) -> Option<T> {
    stored.as_i64().ok()?.try_into().ok()
}

fn number(stored: ValueRef<'_>) -> Option<f64> {
    stored.as_f64().ok()
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, MOMENT_AND_OFFSET)
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339))
        .ok()
}
