//! Values on their way to PostgreSQL and back, as the five types that both engines store.

use std::{error::Error as StdError, fmt};

use bytes::{BufMut, BytesMut};
use rusqlite::types::{ToSqlOutput, ValueRef};
use sea_orm::Value;
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::database::{Error, value::to_stored};

type Failure = Box<dyn StdError + Sync + Send>;

/// A value that does not fit a type.
#[derive(Debug)]
pub(super) struct Unfit(pub(super) &'static str);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Unfit {}

/// A value to bind. The driver prints it when it logs a statement.
pub(super) struct Bound<'a>(ToSqlOutput<'a>);

/// The values of a statement, in order; the numbers must agree.
pub(super) fn bind<'a>(kinds: &[Type], values: &'a [Value]) -> Result<Vec<Bound<'a>>, Error> {
    if kinds.len() != values.len() {
        return Err(Error::refused(format!(
            "the statement has {} `?` and {} values",
            kinds.len(),
            values.len()
        )));
    }
    values
        .iter()
        .map(|value| to_stored(value).map(Bound))
        .collect()
}

/// The type of a value, for a statement in which nothing else tells it.
pub(super) fn kind_of(value: &Value) -> Result<Type, Error> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are stored as text"
    )]
    let kind = match value {
        Value::Bool(_)
        | Value::TinyInt(_)
        | Value::SmallInt(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::TinyUnsigned(_)
        | Value::SmallUnsigned(_)
        | Value::Unsigned(_)
        | Value::BigUnsigned(_) => Type::INT8,
        Value::Float(_) | Value::Double(_) => Type::FLOAT8,
        Value::Bytes(_) => Type::BYTEA,
        _ => Type::TEXT,
    };
    // The error for a type that neither engine stores.
    to_stored(value).map(|_| kind)
}

impl fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bound")
    }
}

impl Bound<'_> {
    fn value(&self) -> Option<ValueRef<'_>> {
        if let ToSqlOutput::Borrowed(value) = &self.0 {
            return Some(*value);
        }
        if let ToSqlOutput::Owned(value) = &self.0 {
            return Some(value.into());
        }
        None
    }
}

fn is_text(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN
    ) || kind.name() == "citext"
        || matches!(kind.kind(), Kind::Enum(_))
}

/// Whether a value of this type travels in PostgreSQL's binary form; all others are written as text, which the server reads.
fn is_binary(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::BYTEA
    ) || is_text(kind)
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self
            .value()
            .ok_or(Unfit("a type that PostgreSQL can store"))?
        {
            ValueRef::Null => return Ok(IsNull::Yes),
            ValueRef::Integer(value) => integer(value, kind, out)?,
            ValueRef::Real(value) => real(value, kind, out)?,
            ValueRef::Text(text) if is_text(kind) || !is_binary(kind) => out.put_slice(text),
            ValueRef::Blob(bytes) if *kind == Type::BYTEA => out.put_slice(bytes),
            ValueRef::Text(_) => return Err(Unfit("the type of its column: it is a text").into()),
            ValueRef::Blob(_) => return Err(Unfit("the type of its column: it is bytes").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, kind: &Type) -> Format {
        if is_binary(kind) {
            Format::Binary
        } else {
            Format::Text
        }
    }

    to_sql_checked!();
}

fn integer(value: i64, kind: &Type, out: &mut BytesMut) -> Result<(), Failure> {
    let fits = "the type of its column: the integer is too large";
    match *kind {
        Type::BOOL if value == 0 || value == 1 => out.put_i8(i8::from(value == 1)),
        Type::INT2 => out.put_i16(value.try_into().map_err(|_| Unfit(fits))?),
        Type::INT4 => out.put_i32(value.try_into().map_err(|_| Unfit(fits))?),
        Type::INT8 => out.put_i64(value),
        #[expect(clippy::cast_precision_loss, reason = "SQLite does the same")]
        Type::FLOAT4 | Type::FLOAT8 => real(value as f64, kind, out)?,
        _ if is_binary(kind) && !is_text(kind) => {
            return Err(Unfit("the type of its column: it is an integer").into());
        }
        // A text takes a number as its digits, as in SQLite.
        _ => out.put_slice(value.to_string().as_bytes()),
    }
    Ok(())
}

fn real(value: f64, kind: &Type, out: &mut BytesMut) -> Result<(), Failure> {
    match *kind {
        #[expect(clippy::cast_possible_truncation, reason = "the column is an f32")]
        Type::FLOAT4 => out.put_f32(value as f32),
        Type::FLOAT8 => out.put_f64(value),
        _ if is_binary(kind) && !is_text(kind) => {
            return Err(Unfit("the type of its column: it is a number").into());
        }
        _ => out.put_slice(value.to_string().as_bytes()),
    }
    Ok(())
}

/// Whether Dewar reads a column of this type.
pub(super) fn is_read(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::BYTEA
            | Type::VOID
    ) || is_text(kind)
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a>(pub(super) ValueRef<'a>);

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        let wrong = || Unfit("a value of its type");
        let value = match *kind {
            Type::BOOL => ValueRef::Integer(i64::from(raw == [1])),
            Type::INT2 => ValueRef::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::FLOAT4 => ValueRef::Real(f32::from_be_bytes(raw.try_into()?).into()),
            Type::FLOAT8 => ValueRef::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::NUMERIC => numeric(raw).ok_or_else(wrong)?,
            Type::BYTEA => ValueRef::Blob(raw),
            // Of a function that returns nothing.
            Type::VOID => ValueRef::Null,
            _ if is_text(kind) => ValueRef::Text(raw),
            _ => {
                return Err(Unfit(
                    "a type that Dewar reads: write `CAST(… AS TEXT)` in the statement",
                )
                .into());
            }
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The sum of integers is a `NUMERIC`: an integer if it is whole and fits, as in SQLite.
fn numeric(raw: &[u8]) -> Option<ValueRef<'static>> {
    let (head, digits) = raw.split_at_checked(8)?;
    let word = |at: usize| Some(i16::from_be_bytes(head.get(at..at + 2)?.try_into().ok()?));
    let (weight, sign) = (i32::from(word(2)?), word(4)?.cast_unsigned());
    let negative = match sign {
        0 => false,
        0x4000 => true,
        _ => return None,
    };
    // An average has decimals, also where they are zeros.
    let (mut whole, mut value) = (Some(0_i64).filter(|_| word(6) == Some(0)), 0.0_f64);
    let mut place = weight;
    for digit in digits.chunks_exact(2) {
        let digit = i64::from(i16::from_be_bytes(digit.try_into().ok()?));
        value += f64::from(i32::try_from(digit).ok()?) * 10_000_f64.powi(place);
        let signed = if negative { -digit } else { digit };
        whole = if place < 0 {
            whole.filter(|_| digit == 0)
        } else {
            whole.and_then(|whole| whole.checked_mul(10_000)?.checked_add(signed))
        };
        place -= 1;
    }
    // Zeros at the end are not sent.
    while place >= 0 && whole.is_some_and(|whole| whole != 0) {
        whole = whole.and_then(|whole| whole.checked_mul(10_000));
        place -= 1;
    }
    let value = if negative { -value } else { value };
    Some(whole.map_or(ValueRef::Real(value), ValueRef::Integer))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a `NUMERIC`: how many digits to the base 10,000, the place of the first, the sign, the decimals, the digits.
    fn sent(weight: i16, sign: u16, digits: &[i16]) -> Vec<u8> {
        let count = i16::try_from(digits.len()).unwrap();
        let head = [count, weight, sign.cast_signed(), 0];
        let all = head.iter().chain(digits);
        all.flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_sum_of_integers_is_an_integer() {
        for (raw, right) in [
            (sent(0, 0, &[]), ValueRef::Integer(0)),
            (sent(0, 0, &[7]), ValueRef::Integer(7)),
            (sent(0, 0x4000, &[7]), ValueRef::Integer(-7)),
            (sent(1, 0, &[1]), ValueRef::Integer(10_000)),
            (sent(1, 0, &[12, 3456]), ValueRef::Integer(123_456)),
            (sent(0, 0, &[1, 5000]), ValueRef::Real(1.5)),
            (sent(-1, 0x4000, &[5000]), ValueRef::Real(-0.5)),
            (
                sent(4, 0, &[922, 3372, 368, 5477, 5807]),
                ValueRef::Integer(i64::MAX),
            ),
            (
                sent(4, 0x4000, &[922, 3372, 368, 5477, 5808]),
                ValueRef::Integer(i64::MIN),
            ),
        ] {
            assert_eq!(numeric(&raw), Some(right), "{raw:?}");
        }
        let mut average = sent(0, 0, &[2]);
        average[7] = 16;
        assert_eq!(numeric(&average), Some(ValueRef::Real(2.0)));
        let large = numeric(&sent(4, 0, &[922, 3372, 368, 5477, 5808]));
        assert!(matches!(large, Some(ValueRef::Real(value)) if value > 9.2e18));
        for raw in [
            sent(0, 0xC000, &[]),
            sent(0, 0xD000, &[]),
            vec![0; 7],
            Vec::new(),
        ] {
            assert_eq!(numeric(&raw), None, "{raw:?}");
        }
    }

    fn written(value: &Value, kind: &Type) -> Result<Vec<u8>, String> {
        let value = Bound(to_stored(value).unwrap());
        let mut out = BytesMut::new();
        let done = value.to_sql(kind, &mut out);
        done.map(|_| out.to_vec())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_fits_its_column_or_is_refused() {
        assert_eq!(written(&7.into(), &Type::TEXT), Ok(b"7".into()));
        assert_eq!(
            written(&true.into(), &Type::INT8),
            Ok(1_i64.to_be_bytes().into())
        );
        assert_eq!(written(&true.into(), &Type::BOOL), Ok(vec![1]));
        assert_eq!(
            written(&7.into(), &Type::FLOAT8),
            Ok(7_f64.to_be_bytes().into())
        );
        assert_eq!(written(&7.into(), &Type::NUMERIC), Ok(b"7".into()));
        assert_eq!(written(&"a".into(), &Type::TIMESTAMPTZ), Ok(b"a".into()));
        assert_eq!(written(&Value::String(None), &Type::INT8), Ok(Vec::new()));
        for (value, kind) in [
            (70_000.into(), Type::INT2),
            (2.into(), Type::BOOL),
            (0.5.into(), Type::INT8),
            ("7".into(), Type::INT8),
            (vec![7_u8].into(), Type::TEXT),
        ] {
            let refused = written(&value, &kind).unwrap_err();
            assert!(
                refused.starts_with("the type of its column"),
                "{kind}: {refused}"
            );
        }
    }
}
