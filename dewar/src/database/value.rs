//! Conversion of SeaORM's values to SQLite, and of SQLite's values to a model's types.

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
pub(super) const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");
pub(super) const TIME: StaticFormatDescription =
    format_description!("[hour]:[minute]:[second].[subsecond digits:6]");
pub(super) const MOMENT: StaticFormatDescription =
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
        statement.raw_bind_parameter(index + 1, to_stored(value)?)?;
    }
    Ok(())
}

/// The SQLite type of a value. Never the value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match to_stored(value) {
        Ok(ToSqlOutput::Borrowed(value)) => name_of(value.data_type()),
        Ok(ToSqlOutput::Owned(value)) => name_of(value.data_type()),
        Ok(_) | Err(_) => "a type that Dewar does not store",
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

/// A value as one of the five types that both engines store.
pub(super) fn to_stored(value: &Value) -> Result<ToSqlOutput<'_>, Error> {
    #[expect(
        unreachable_patterns,
        reason = "an application may enable more types of SeaORM"
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
        // In UTC; otherwise the texts would not sort like the moments.
        Value::TimeDateTimeWithTimeZone(value) => {
            written(value.map(|value| value.to_offset(UtcOffset::UTC).format(MOMENT_AND_OFFSET)))?
        }
        _ => return Err(unfit("a type that Dewar can store")),
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
            .map_err(|_| unfit("a time that Dewar can write"))?,
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

/// The type that a model gives a column. SeaORM takes a value of exactly this variant from a row, and **reads any other
/// as null**: an `Option<i32>` would silently lose its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
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

impl ColumnKind {
    /// The kind of a column from SeaORM's derive; none if Dewar does not support it.
    pub(crate) fn of(column: &ColumnType) -> Option<Self> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "these types are behind disabled features"
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

    /// The stored value in the variant that the model requires.
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
            #[expect(clippy::cast_possible_truncation, reason = "the model needs an f32")]
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

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::StringLen;
    use time::macros::{date, datetime, time};

    use super::*;

    fn stored(value: &Value) -> Stored {
        let given = to_stored(value).unwrap();
        if let ToSqlOutput::Borrowed(value) = given {
            return value.try_into().unwrap();
        }
        let ToSqlOutput::Owned(value) = given else {
            panic!("neither borrowed nor owned: {given:?}")
        };
        value
    }

    /// Each column type with its kind, a value of it, and SQLite's form of that value.
    #[rustfmt::skip]
    fn kinds() -> Vec<(ColumnType, ColumnKind, Value, Stored)> {
        use Stored::{Blob, Integer, Real, Text};
        let text = |text: &str| Text(text.to_owned());
        let here = datetime!(2026-02-03 04:05:06.000007);
        let utc = here.assume_utc();
        vec![
            (ColumnType::BigInteger, ColumnKind::BigInt, i64::MIN.into(), Integer(i64::MIN)),
            (ColumnType::BigUnsigned, ColumnKind::BigUnsigned, 7_u64.into(), Integer(7)),
            (ColumnType::Boolean, ColumnKind::Bool, true.into(), Integer(1)),
            (ColumnType::Boolean, ColumnKind::Bool, false.into(), Integer(0)),
            (ColumnType::Blob, ColumnKind::Bytes, vec![0_u8, 255].into(), Blob(vec![0, 255])),
            (ColumnType::Binary(2), ColumnKind::Bytes, vec![1_u8].into(), Blob(vec![1])),
            (ColumnType::Date, ColumnKind::Date, date!(2026-02-03).into(), text("2026-02-03")),
            (ColumnType::Double, ColumnKind::Double, 0.1_f64.into(), Real(0.1)),
            (ColumnType::Float, ColumnKind::Float, 0.5_f32.into(), Real(0.5)),
            (ColumnType::Integer, ColumnKind::Int, (-8_i32).into(), Integer(-8)),
            (ColumnType::Json, ColumnKind::Json, serde_json::json!({"a": 1}).into(), text("{\"a\":1}")),
            (ColumnType::JsonBinary, ColumnKind::Json, serde_json::json!([]).into(), text("[]")),
            (ColumnType::DateTime, ColumnKind::Moment, here.into(), text("2026-02-03 04:05:06.000007")),
            (ColumnType::TimestampWithTimeZone, ColumnKind::MomentAndOffset, utc.into(), text("2026-02-03 04:05:06.000007 +00:00")),
            (ColumnType::SmallInteger, ColumnKind::SmallInt, (-9_i16).into(), Integer(-9)),
            (ColumnType::SmallUnsigned, ColumnKind::SmallUnsigned, 9_u16.into(), Integer(9)),
            (ColumnType::Char(None), ColumnKind::Text, "a".into(), text("a")),
            (ColumnType::String(StringLen::None), ColumnKind::Text, "b".into(), text("b")),
            (ColumnType::Text, ColumnKind::Text, "".into(), text("")),
            (ColumnType::Time, ColumnKind::Time, time!(04:05:06.000007).into(), text("04:05:06.000007")),
            (ColumnType::TinyInteger, ColumnKind::TinyInt, (-1_i8).into(), Integer(-1)),
            (ColumnType::TinyUnsigned, ColumnKind::TinyUnsigned, 255_u8.into(), Integer(255)),
            (ColumnType::Unsigned, ColumnKind::Unsigned, u32::MAX.into(), Integer(4_294_967_295)),
        ]
    }

    /// If a kind, its written form or its read form belonged to another one, a model would lose its value as null.
    #[test]
    fn each_type_is_written_and_read_as_itself() {
        for (column, kind, value, expected) in kinds() {
            assert_eq!(ColumnKind::of(&column), Some(kind), "{column:?}");
            let written = stored(&value);
            assert_eq!(written, expected, "{kind:?}");
            assert_eq!(kind.read((&written).into()), Some(value), "{kind:?}");
            let class = name_of(written.data_type());
            assert!(kind.storage().contains(&class), "{kind:?} in {class}");
            let null = kind.null();
            assert_eq!(stored(&null), Stored::Null, "{kind:?}");
            assert_eq!(kind.read(ValueRef::Null), Some(null), "{kind:?}");
        }
        assert_eq!(ColumnKind::of(&ColumnType::Uuid), None);
    }

    #[test]
    fn what_does_not_fit_a_type_is_not_read_as_one() {
        let integers = [
            (ColumnKind::Bool, 2),
            (ColumnKind::Bool, -1),
            (ColumnKind::TinyInt, 128),
            (ColumnKind::TinyUnsigned, 256),
            (ColumnKind::TinyUnsigned, -1),
            (ColumnKind::SmallInt, 32_768),
            (ColumnKind::SmallUnsigned, 65_536),
            (ColumnKind::Int, 2_147_483_648),
            (ColumnKind::Unsigned, 4_294_967_296),
            (ColumnKind::BigUnsigned, -1),
        ];
        for (kind, value) in integers {
            assert_eq!(kind.read(ValueRef::Integer(value)), None, "{kind:?}");
        }
        for (_, kind, value, _) in kinds() {
            let other = match stored(&value) {
                Stored::Integer(_) | Stored::Real(_) => ValueRef::Text(b"x"),
                Stored::Blob(_) | Stored::Null | Stored::Text(_) => ValueRef::Integer(7),
            };
            assert_eq!(kind.read(other), None, "{kind:?}");
            if matches!(
                kind,
                ColumnKind::Date | ColumnKind::Json | ColumnKind::Moment | ColumnKind::Time
            ) {
                assert_eq!(kind.read(ValueRef::Text(b"no")), None, "{kind:?}");
            }
        }
    }

    #[test]
    fn what_sqlite_cannot_hold_is_refused_and_not_changed() {
        for value in [
            f64::NAN.into(),
            f32::NAN.into(),
            (i64::MAX as u64 + 1).into(),
        ] {
            assert!(to_stored(&value).is_err(), "{value:?}");
        }
        assert_eq!(stored(&(i64::MAX as u64).into()), Stored::Integer(i64::MAX));
        assert_eq!(stored(&f64::INFINITY.into()), Stored::Real(f64::INFINITY));
    }

    /// Moments are compared as texts, so all of them are in UTC.
    #[test]
    fn a_moment_is_written_in_utc_and_read_in_both_spellings() {
        let there = datetime!(2026-02-03 06:05:06 +2);
        let written = "2026-02-03 04:05:06.000000 +00:00";
        assert_eq!(stored(&there.into()), Stored::Text(written.to_owned()));
        assert_eq!(moment(written), Some(there));
        assert_eq!(moment("2026-02-03T06:05:06+02:00"), Some(there));
        assert_eq!(moment("2026-02-03"), None);
    }

    #[test]
    fn an_expression_gives_what_is_stored() {
        let cases = [
            (ValueRef::Null, Value::String(None)),
            (ValueRef::Integer(7), 7_i64.into()),
            (ValueRef::Real(0.5), 0.5_f64.into()),
            (ValueRef::Text(b"a"), "a".into()),
            (ValueRef::Blob(b"a"), b"a".to_vec().into()),
        ];
        for (stored, expected) in cases {
            assert_eq!(as_stored(stored), Some(expected));
        }
        assert_eq!(as_stored(ValueRef::Text(&[0xff])), None);
    }

    #[test]
    fn a_refusal_names_the_type_and_never_the_value() {
        let names = [
            (Value::from(7), "INTEGER"),
            ("a secret".into(), "TEXT"),
            (vec![7_u8].into(), "BLOB"),
            (0.5_f64.into(), "REAL"),
            ('a'.into(), "TEXT"),
            (Value::Char(None), "NULL"),
            (Value::Enum(OptionEnum::None("colour".into())), "NULL"),
            (Value::Int(None), "NULL"),
            (f64::NAN.into(), "a type that Dewar does not store"),
        ];
        for (value, name) in names {
            assert_eq!(type_of(&value), name);
        }
    }
}
