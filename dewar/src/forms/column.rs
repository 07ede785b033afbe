//! Value types as columns: a SeaORM model may have `title: Line<80>`, and `row.get::<Line<80>>(0)` reads one from a literal query.
//! Each row that is read must obey the rule of the type.

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr};
use sea_orm::{
    ActiveValue, ColIdx, DbErr, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value,
};

use super::{
    Choice, Choices, CleanHtml, Colour, Date, DateTime, Decimal, Email, Field, Int, Line, Markdown,
    Name, RawValue, Schemes, Slug, Telephone, Text, Time, Url, Uuid,
};
use crate::database;
use crate::database::{ReadColumn, StoredCell};

/// A row that was written without the type's rule.
fn broken(index: impl ColIdx, wanted: &'static str) -> TryGetError {
    let column = index.as_str().map_or_else(
        || {
            index
                .as_usize()
                .map_or_else(String::new, ToString::to_string)
        },
        str::to_owned,
    );
    TryGetError::DbErr(DbErr::from(database::Error::Value { column, wanted }))
}

/// `[generics] type, stored type, column type, to the column, from the column`.
macro_rules! columns {
    ($([$($generic:tt)*] $type:ty, $name:literal, $stored:ty, $array:ident, $column:expr, $to:expr, $from:expr;)*) => {$(
        impl<$($generic)*> From<$type> for Value {
            fn from(value: $type) -> Self {
                let to: fn($type) -> $stored = $to;
                to(value).into()
            }
        }

        impl<$($generic)*> TryGetable for $type {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                let from: fn($stored) -> Option<$type> = $from;
                from(<$stored>::try_get_by(row, index)?)
                    .ok_or_else(|| broken(index, concat!("a valid value of `", $name, "`")))
            }
        }

        impl<$($generic)*> ReadColumn for $type {
            const WANTED: &'static str = concat!("a valid value of `", $name, "`");

            #[expect(private_interfaces, reason = "sealed: nobody else can name or call it")]
            fn from_stored(stored: StoredCell<'_>) -> Option<Self> {
                let from: fn($stored) -> Option<$type> = $from;
                from(<$stored as ReadColumn>::from_stored(stored)?)
            }
        }

        impl<$($generic)*> ValueType for $type {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                let from: fn($stored) -> Option<$type> = $from;
                from(<$stored as ValueType>::try_from(value)?).ok_or(ValueTypeErr)
            }

            fn type_name() -> String {
                $name.to_owned()
            }

            fn array_type() -> ArrayType {
                ArrayType::$array
            }

            fn column_type() -> ColumnType {
                $column
            }
        }

        impl<$($generic)*> Nullable for $type {
            fn null() -> Value {
                <$stored as Nullable>::null()
            }
        }

        impl<$($generic)*> IntoActiveValue<Self> for $type {
            fn into_active_value(self) -> ActiveValue<Self> {
                ActiveValue::Set(self)
            }
        }
    )*};
}

/// Text of at most so many characters.
fn words(most: usize) -> ColumnType {
    let most: Result<u32, _> = most.try_into();
    ColumnType::String(most.map_or(StringLen::None, StringLen::N))
}

columns! {
    [const MAX: usize] Line<MAX>, "Line", String, String, words(MAX), String::from, |text| Line::parse(&text).ok();
    [const MAX: usize] Markdown<MAX>, "Markdown", String, String, words(MAX), |text| text.as_str().to_owned(), |text| Markdown::parse(&text).ok();
    [const MAX: usize] Name<MAX>, "Name", String, String, words(MAX), String::from, |text| Name::parse(&text).ok();
    [const MAX: usize] Slug<MAX>, "Slug", String, String, words(MAX), String::from, |text| Slug::parse(&text).ok();
    [const MAX: usize] Text<MAX>, "Text", String, String, words(MAX), String::from, |text| Text::parse(&text).ok();
    // Clean markup may be longer than the typed text, so the limit holds for the form and not for the column.
    [const MAX: usize] CleanHtml<MAX>, "CleanHtml", String, String, ColumnType::Text, String::from,
        |text| Some(CleanHtml::whole(&text)).filter(|clean| clean.as_str() == text);
    [] Colour, "Colour", String, String, words(7), |colour| colour.to_string(), |text| Colour::parse(&text).ok();
    [] Email, "Email", String, String, words(254), |email| email.as_str().to_owned(), |text| Email::parse(&text).ok();
    [] Telephone, "Telephone", String, String, words(16), |number| number.as_str().to_owned(), |text| Telephone::parse(&text).ok();
    [] Uuid, "Uuid", String, String, words(36), |uuid| uuid.to_string(), |text| Uuid::parse(&text);
    [S: Schemes] Url<S>, "Url", String, String, words(2_048), |url| url.as_str().to_owned(), |text| Url::parse(&text).ok();
    [E: Choices] Choice<E>, "Choice", String, String, ColumnType::Text, |choice| choice.value().to_owned(),
        |text| Choice::parse(RawValue::Text(&text)).ok();
    [const MIN: i64, const MAX: i64] Int<MIN, MAX>, "Int", i64, BigInt, ColumnType::BigInteger, Int::get, Int::new;
    [const PLACES: u32, const MIN: i64, const MAX: i64] Decimal<PLACES, MIN, MAX>, "Decimal", i64, BigInt, ColumnType::BigInteger,
        Decimal::units, Decimal::from_units;
    [] Date, "Date", time::Date, TimeDate, ColumnType::Date, Date::get, Date::of;
    [] Time, "Time", time::Time, TimeTime, ColumnType::Time, Time::get, Time::of;
    [] DateTime, "DateTime", time::PrimitiveDateTime, TimeDateTime, ColumnType::DateTime, DateTime::get, DateTime::of;
}
