use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::{Field, List, Many, Model, Patch, Pick};

/// A field of a form, by its name in the program: `NewNote::TITLE` for the field `title` of `NewNote`.
///
/// `#[derive(Form)]` writes one constant for each field, in capital letters. Every function that fills a field, refuses one or
/// asks about one takes it, so a misspelled field and a field of another form do not compile.
///
/// ```
/// use dewar::Form;
/// use dewar::forms::{Int, Line, List};
/// #[derive(Form)]
/// struct Item { title: Line<80>, count: Int<1, 99> }
/// #[derive(Form)]
/// struct Order { reference: Line<20>, items: List<Item, 1, 20> }
///
/// let view = Order::view().fill(Order::REFERENCE, "2026-7");
/// let view = view.fill(Order::ITEMS.row(1).field(Item::TITLE), "Milk"); // in the second row
/// assert_eq!(Order::ITEMS.row(1).field(Item::TITLE).name(), "items.1.title");
/// # let _ = view;
/// ```
///
/// A field that the form does not have does not compile:
/// ```compile_fail
/// # use dewar::{Form, forms::Line};
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
/// let view = NewNote::view().fill(NewNote::TITEL, "Milk");
/// ```
pub struct FieldPath<T, F> {
    name: Cow<'static, str>,
    /// The form and the type of the field.
    of: PhantomData<fn(T) -> F>,
}

impl<T, F> FieldPath<T, F> {
    /// `#[derive(Form)]` calls this for each field of the form.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self::named(Cow::Borrowed(name))
    }

    const fn named(name: Cow<'static, str>) -> Self {
        Self {
            name,
            of: PhantomData,
        }
    }

    /// The name that the form sends.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn into_name(self) -> Cow<'static, str> {
        self.name
    }

    /// The same field without its type, where a program chooses between fields of different types.
    ///
    /// ```
    /// use dewar::Form;
    /// use dewar::forms::{AnyField, Date, FieldPath, Line};
    /// #[derive(Form)]
    /// struct Trip { place: Line<80>, starts: Date }
    /// fn wrong(is_over: bool) -> FieldPath<Trip, AnyField> {
    ///     if is_over { Trip::STARTS.any() } else { Trip::PLACE.any() }
    /// }
    /// assert_eq!(wrong(true).name(), "starts");
    /// ```
    #[must_use]
    pub fn any(self) -> FieldPath<T, AnyField> {
        FieldPath::named(self.name)
    }
}

impl<T, R: Model, const MIN: usize, const MAX: usize> FieldPath<T, List<R, MIN, MAX>> {
    /// A row of a list, counted from 0; [`field`](Self::field) is a field of the row.
    #[must_use]
    pub fn row(self, number: usize) -> FieldPath<T, R> {
        FieldPath::named(Cow::Owned(format!("{}.{number}", self.name)))
    }
}

impl<T, R: Model> FieldPath<T, R> {
    /// A field of this row.
    #[must_use]
    pub fn field<F>(self, field: FieldPath<R, F>) -> FieldPath<T, F> {
        let FieldPath { name, .. } = field;
        FieldPath::named(Cow::Owned(format!("{}.{name}", self.name)))
    }
}

/// A field of any type: see [`FieldPath::any`].
///
/// ```
/// use dewar::Form;
/// use dewar::forms::{AnyField, FieldPath, Line};
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
/// let field: FieldPath<NewNote, AnyField> = NewNote::TITLE.any();
/// assert_eq!(field.name(), "title");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum AnyField {}

impl<T, F> Clone for FieldPath<T, F> {
    fn clone(&self) -> Self {
        Self::named(self.name.clone())
    }
}

impl<T, F> fmt::Debug for FieldPath<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldPath({})", self.name)
    }
}

impl<T, F> AsRef<str> for FieldPath<T, F> {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

/// A field for which a handler offers records of type `P`.
#[diagnostic::on_unimplemented(
    message = "records of type `{P}` cannot be offered for a field of type `{Self}`",
    label = "the field is a `{Self}`",
    note = "offer them for a field of type `Pick<{P}>`, or of an `Option`, a `Vec` or a `Many` of it"
)]
pub trait Picks<P>: Field {}

impl<P: 'static> Picks<P> for Pick<P> {}

impl<P, F: Picks<P>> Picks<P> for Option<F> {}

impl<P, F: Picks<P>> Picks<P> for Vec<F> {}

impl<P, F: Picks<P>> Picks<P> for Patch<F> {}

impl<P, F: Picks<P> + PartialEq, const MIN: usize, const MAX: usize> Picks<P>
    for Many<F, MIN, MAX>
{
}
