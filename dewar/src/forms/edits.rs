//! Forms that change a record: what they show comes from it, and what they can change is what they show.

#[doc(hidden)]
pub use sea_orm::IntoActiveModel as Becomes;
use sea_orm::{ActiveValue, EntityTrait, ModelTrait, Value};

use super::{
    Choice, Choices, CleanHtml, Colour, Date, DateTime, Decimal, Email, Field, FormValue, FormView,
    Int, Line, Markdown, Model, Name, Schemes, Telephone, Text, Time, Url,
};

/// What SeaORM writes of this model.
pub type ActiveOf<R> = <<R as ModelTrait>::Entity as EntityTrait>::ActiveModel;

/// Sets a column; `#[derive(Form)]` calls this.
#[doc(hidden)]
pub fn set<C: Into<Value>>(value: C) -> ActiveValue<C> {
    ActiveValue::Set(value)
}

/// A form that changes a record of a SeaORM model: `#[form(edits = note::Model)]`.
///
/// It is shown filled with the record, and [`apply`](Self::apply) sets the columns that have the names of its fields and
/// no other: whatever is posted, a column without a field stays as it is (CWE-915, ASVS 15.3.3). A field that the model
/// does not have does not compile; one that is no column, such as a reason for the change, says so with
/// `#[field(apart)]` and is the handler's to use.
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
    /// The record.
    type Record: ModelTrait;

    /// The form, filled with a record.
    fn edit(record: &Self::Record) -> FormView;

    /// The record with what was entered: the columns of this form's fields are set, and no other is touched.
    fn apply(self, record: impl Becomes<ActiveOf<Self::Record>>) -> ActiveOf<Self::Record>;
}

/// What a field of a form is, kept in a column of type `C`.
///
/// Every value type is kept as itself, and as what it holds: words as `String`, an `Int` as `i64`, a `Date` as
/// `time::Date`. A [`Field`] of your own that is to be edited says how it is kept:
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
///     fn keep(self) -> String { self.0 }
///     fn shown(kept: &String) -> FormValue { FormValue::text(kept) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a column of type `{C}` does not hold a `{Self}`",
    label = "the model's column of this name is a `{C}`",
    note = "words are kept as `String`, `Int` and `Decimal` as `i64`, a `bool` as `bool`, an `Option` as `Option`; each value type also as itself",
    note = "a field that is no column of the record is marked with `#[field(apart)]`"
)]
pub trait IntoColumn<C>: Field {
    /// What the column gets.
    fn keep(self) -> C;

    /// What the form shows of what the column has.
    fn shown(kept: &C) -> FormValue;
}

macro_rules! kept {
    ($([$($generic:tt)*] $type:ty as $stored:ty, $to:expr, $show:expr;)*) => {$(
        impl<$($generic)*> IntoColumn<$stored> for $type {
            fn keep(self) -> $stored {
                let to: fn($type) -> $stored = $to;
                to(self)
            }

            fn shown(kept: &$stored) -> FormValue {
                let show: fn(&$stored) -> FormValue = $show;
                show(kept)
            }
        }

        impl<$($generic)*> IntoColumn<Self> for $type {
            fn keep(self) -> Self {
                self
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
    fn keep(self) -> Self {
        self
    }

    fn shown(kept: &Self) -> FormValue {
        kept.show()
    }
}

impl<C, F: IntoColumn<C>> IntoColumn<Option<C>> for Option<F> {
    fn keep(self) -> Option<C> {
        self.map(F::keep)
    }

    fn shown(kept: &Option<C>) -> FormValue {
        kept.as_ref().map_or(FormValue::Nothing, F::shown)
    }
}
