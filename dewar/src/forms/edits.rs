//! Forms that edit a record: they show the record, and can change only the fields that they show.

#[doc(hidden)]
pub use sea_orm::IntoActiveModel as Becomes;
use sea_orm::{ActiveValue, EntityTrait, ModelTrait, Value};

use super::{
    Choice, Choices, CleanHtml, Colour, Date, DateTime, Decimal, Email, Field, FormValue, FormView,
    Int, Line, Markdown, Model, Name, Schemes, Telephone, Text, Time, Url,
};

/// The active model of this SeaORM model.
pub type ActiveOf<R> = <<R as ModelTrait>::Entity as EntityTrait>::ActiveModel;

/// Sets a column, if the field changes it; `#[derive(Form)]` calls this.
#[doc(hidden)]
pub fn change<C: Into<Value>>(column: &mut ActiveValue<C>, value: Option<C>) {
    if let Some(value) = value {
        *column = ActiveValue::Set(value);
    }
}

/// A form that edits a record of a SeaORM model: `#[form(edits = note::Model)]`.
///
/// The page shows the form filled with the record, and [`apply`](Self::apply) sets only the columns that have the names of its
/// fields. Whatever is posted, a column without a field stays the same (mass assignment; CWE-915, ASVS 15.3.3). A field that the
/// model does not have does not compile. A field that is no column, such as a reason for the change, is marked with
/// `#[field(apart)]`; the handler uses it.
///
/// ```
/// mod note {
///     use sea_orm::entity::prelude::*;
///     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
///     #[sea_orm(table_name = "notes")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i64,
///         pub owner_id: i64,
///         pub title: String,
///     }
///     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
///     pub enum Relation {}
///     impl ActiveModelBehavior for ActiveModel {}
/// }
/// use dewar::Form;
/// use dewar::forms::{Edits, Line, RawValue, Field};
/// use sea_orm::ActiveValue::{Set, Unchanged};
///
/// #[derive(Form)]
/// #[form(edits = note::Model)]
/// struct EditNote { title: Line<80> }
///
/// # fn main() -> Result<(), dewar::forms::Problem> {
/// let record = note::Model { id: 1, owner_id: 7, title: "Milk".to_owned() };
/// let page = EditNote::edit(&record); // filled with “Milk”
/// let sent = EditNote { title: Line::parse("Tea")? }; // in a handler: `form.or_rerender("notes/edit.html")?`
/// let changed = sent.apply(record);
/// assert_eq!(changed.title, Set("Tea".to_owned()));
/// assert_eq!(changed.owner_id, Unchanged(7));
/// # let _ = page;
/// # Ok(()) }
/// ```
pub trait Edits: Model {
    /// The model of the record.
    type Record: ModelTrait;

    /// The form, filled with a record.
    fn edit(record: &Self::Record) -> FormView<Self>;

    /// The record with the entered values. It sets the columns of this form's fields and no other.
    fn apply(self, record: impl Becomes<ActiveOf<Self::Record>>) -> ActiveOf<Self::Record>;
}

/// How a field is stored in a column of type `C`.
///
/// Every value type can be stored as itself, and as the type that it holds: text as `String`, an `Int` as `i64`, a `Date` as
/// `time::Date`. If a [`Field`] of your own is in a form that edits a record, implement this for it:
///
/// ```
/// use dewar::forms::{Field, IntoColumn, FieldKind, Problem, RawValue, FormValue};
/// struct Postcode(String);
/// # impl Field for Postcode {
/// #     const KIND: FieldKind = FieldKind::line(8);
/// #     fn parse(raw: RawValue<'_>) -> Result<Self, Problem> { raw.line(8).map(Self) }
/// #     fn show(&self) -> FormValue { FormValue::text(&self.0) }
/// # }
/// impl IntoColumn<String> for Postcode {
///     fn keep(self) -> Option<String> { Some(self.0) }
///     fn shown(kept: &String) -> FormValue { FormValue::text(kept) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a column of type `{C}` cannot store a `{Self}`",
    label = "the model's column of this name is a `{C}`",
    note = "text is stored as `String`, `Int` and `Decimal` as `i64`, a `bool` as `bool`, an `Option` as `Option`; a column can also have the value type itself",
    note = "mark a field that is not a column of the record with `#[field(apart)]`"
)]
pub trait IntoColumn<C>: Field {
    /// The value for the column; none leaves the column as it is.
    fn keep(self) -> Option<C>;

    /// The value that the form shows for the column's value.
    fn shown(kept: &C) -> FormValue;
}

macro_rules! kept {
    ($([$($generic:tt)*] $type:ty as $stored:ty, $to:expr, $show:expr;)*) => {$(
        impl<$($generic)*> IntoColumn<$stored> for $type {
            fn keep(self) -> Option<$stored> {
                let to: fn($type) -> $stored = $to;
                Some(to(self))
            }

            fn shown(kept: &$stored) -> FormValue {
                let show: fn(&$stored) -> FormValue = $show;
                show(kept)
            }
        }

        impl<$($generic)*> IntoColumn<Self> for $type {
            fn keep(self) -> Option<Self> {
                Some(self)
            }

            fn shown(kept: &Self) -> FormValue {
                kept.show()
            }
        }
    )*};
}

kept! {
    [const MAX: usize] Line<MAX> as String, String::from, |text| FormValue::text(text);
    [const MAX: usize] Text<MAX> as String, String::from, |text| FormValue::text(text);
    [const MAX: usize] Name<MAX> as String, String::from, |text| FormValue::text(text);
    [const MAX: usize] Markdown<MAX> as String, |text| text.as_str().to_owned(), |text| FormValue::text(text);
    [const MAX: usize] CleanHtml<MAX> as String, String::from, |text| FormValue::text(text);
    [] Colour as String, |colour| colour.to_string(), |text| FormValue::text(text);
    [] Email as String, |email| email.as_str().to_owned(), |text| FormValue::text(text);
    [] Telephone as String, |number| number.as_str().to_owned(), |text| FormValue::text(text);
    [S: Schemes] Url<S> as String, |url| url.as_str().to_owned(), |text| FormValue::text(text);
    [E: Choices] Choice<E> as E, Choice::get, |value| Choice::new(*value).show();
    [const MIN: i64, const MAX: i64] Int<MIN, MAX> as i64, Int::get, |number| FormValue::text(number);
    [const PLACES: u32, const MIN: i64, const MAX: i64] Decimal<PLACES, MIN, MAX> as i64, Decimal::units,
        |units| Decimal::<PLACES, MIN, MAX>::from_units(*units).map_or(FormValue::Nothing, |number| number.show());
    [] Date as time::Date, Date::get, |day| Date::of(*day).map_or(FormValue::Nothing, |day| day.show());
    [] Time as time::Time, Time::get, |time| Time::of(*time).map_or(FormValue::Nothing, |time| time.show());
    [] DateTime as time::PrimitiveDateTime, DateTime::get,
        |moment| DateTime::of(*moment).map_or(FormValue::Nothing, |moment| moment.show());
}

impl IntoColumn<Self> for bool {
    fn keep(self) -> Option<Self> {
        Some(self)
    }

    fn shown(kept: &Self) -> FormValue {
        kept.show()
    }
}

impl<C, F: IntoColumn<C>> IntoColumn<Option<C>> for Option<F> {
    fn keep(self) -> Option<Option<C>> {
        match self {
            Some(field) => field.keep().map(Some),
            None => Some(None),
        }
    }

    fn shown(kept: &Option<C>) -> FormValue {
        kept.as_ref().map_or(FormValue::Nothing, F::shown)
    }
}
