use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::marker::PhantomData;

use minijinja::Value;

use super::view::FormMethod;
use super::{
    Field, FieldPath, FieldSpec, FormValue, Model, Offered, Picks, Problems, UntypedProblems,
    UntypedView,
};
use crate::csrf::CsrfTokens;
use crate::pages::{Language, NeedsToken, Page, PageValue, Schemas, Shape};

/// A form on a page.
///
/// In a template, `{{ form }}` is the token, the problems and all fields; `{{ form.attributes }}` belongs in the `<form>` tag.
/// For a layout of your own, use `{{ form.token }}`, `{{ form.errors }}`, `{{ form.title }}` (a field with its label, hint and
/// error), and the `input`, `label`, `hint`, `error`, `value`, `id` and `name` of a field. A list has `rows`; each row has its
/// fields by their names, and all of them as `fields`.
///
/// ```html
/// <form action="/notes" {{ form.attributes }}>{{ form }}<button>Publish</button></form>
/// ```
///
/// ```
/// use dewar::Form;
/// use dewar::forms::Line;
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
/// let blank = NewNote::view();
/// let filled = NewNote::view().fill(NewNote::TITLE, "Minutes");
/// # let _ = (blank, filled);
/// ```
pub struct FormView<T> {
    pub(super) untyped: UntypedView,
    form: PhantomData<fn() -> T>,
}

impl<T: Model> FormView<T> {
    /// An empty form.
    #[must_use]
    pub fn blank() -> Self {
        Self::showing(vec![FormValue::Nothing; T::FIELDS.len()])
    }

    /// A form filled with values.
    #[must_use]
    pub fn filled(values: &T) -> Self {
        Self::showing(values.show())
    }

    /// A form filled with a record; `#[derive(Form)]` calls this.
    #[doc(hidden)]
    #[must_use]
    pub fn showing(shown: Vec<FormValue>) -> Self {
        let untyped = UntypedView::again::<T>(shown, Vec::new(), UntypedProblems::default());
        Self::of(untyped)
    }

    pub(super) fn of(untyped: UntypedView) -> Self {
        Self {
            untyped,
            form: PhantomData,
        }
    }

    /// Fills a field with a text, as a person would type it: on a page that changes something, with the current value.
    /// Passwords and files stay empty. A field in a row fills the row, if the list can have so many.
    #[must_use]
    pub fn fill<F: Field>(mut self, field: FieldPath<T, F>, text: impl Display) -> Self {
        let text = FormValue::text(text);
        self.untyped.fill(&field.into_name(), text);
        self
    }

    /// Fills a field with a value of its type: a choice, a checkbox, several values or rows.
    ///
    /// ```
    /// use dewar::Form;
    /// use dewar::forms::{Choice, Choices, Line};
    /// #[derive(Choices, Clone, Copy)]
    /// enum Urgency { Low, High }
    /// #[derive(Form)]
    /// struct NewTicket { title: Line<80>, urgency: Choice<Urgency>, public: bool }
    /// let view = NewTicket::view()
    ///     .fill_value(NewTicket::URGENCY, &Choice::new(Urgency::High))
    ///     .fill_value(NewTicket::PUBLIC, &true);
    /// # let _ = view;
    /// ```
    #[must_use]
    pub fn fill_value<F: Field>(mut self, field: FieldPath<T, F>, value: &F) -> Self {
        self.untyped.fill(&field.into_name(), value.show());
        self
    }

    /// Offers records for a [`Pick`](super::Pick).
    #[must_use]
    pub fn offer<P, F: Picks<P>>(mut self, field: FieldPath<T, F>, offered: &Offered<P>) -> Self {
        self.untyped.offer(&field.into_name(), &offered.offers);
        self
    }

    /// Adds an invisible input with the user name to a form that has a password and no name, so that a password manager stores
    /// the password under that name.
    ///
    /// The browser does not send it. If a user is signed in, every form has it already.
    ///
    /// ```
    /// use dewar::Form;
    /// use dewar::forms::NewPassword;
    /// #[derive(Form)]
    /// struct Reset { password: NewPassword }
    /// let form = Reset::view().username("ada@example.org");
    /// # let _ = form;
    /// ```
    #[must_use]
    pub fn username(mut self, name: impl Display) -> Self {
        self.untyped.set_username(name.to_string());
        self
    }

    /// Makes it a `GET` form: a search, without a token, with no field marked as optional.
    #[must_use]
    pub fn searching(mut self) -> Self {
        self.untyped.set_method(FormMethod::Get);
        self
    }

    /// Opens the page with the cursor in the first field: for a page that only shows this form. A form that comes back always
    /// opens with the cursor in its first wrong field.
    #[must_use]
    pub fn focused(mut self) -> Self {
        self.untyped.focus_first();
        self
    }

    /// The problems.
    #[must_use]
    pub fn problems(&self) -> Problems<T> {
        Problems::of_any(self.untyped.problems.clone())
    }
}

impl<T> Clone for FormView<T> {
    fn clone(&self) -> Self {
        Self {
            untyped: self.untyped.clone(),
            form: PhantomData,
        }
    }
}

impl<T> fmt::Debug for FormView<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.untyped, f)
    }
}

impl<T: 'static> NeedsToken for FormView<T> {
    fn value(&self, token: &str) -> Value {
        self.untyped.value(token)
    }

    fn value_at(&self, gate: &CsrfTokens, language: &Language, person: Option<&str>) -> Value {
        self.untyped.value_at(gate, language, person)
    }

    fn names(&self) -> Vec<&'static str> {
        self.untyped.names()
    }
}

impl<T: Model> PageValue for FormView<T> {
    fn shape(_: &mut Schemas) -> Shape {
        of_form(T::FIELDS)
    }

    fn give(self, page: Page, name: &'static str) -> Page {
        page.form(name, self)
    }
}

/// A form that only some readers of a page see.
impl<T: Model> PageValue for Option<FormView<T>> {
    fn shape(schemas: &mut Schemas) -> Shape {
        FormView::<T>::shape(schemas)
    }

    fn give(self, page: Page, name: &'static str) -> Page {
        match self {
            Some(form) => page.form(name, form),
            None => page,
        }
    }
}

/// The forms of a list, by the ids of its records: `{{ forms[note.id] }}`.
impl<T: Model> PageValue for BTreeMap<i64, FormView<T>> {
    fn shape(schemas: &mut Schemas) -> Shape {
        Shape::Map(FormView::<T>::shape(schemas).into())
    }

    fn give(self, page: Page, name: &'static str) -> Page {
        page.form(name, self)
    }
}

/// The parts of a form, as [`Fragment`](crate::pages::Fragment) gives them.
fn of_form(fields: &'static [FieldSpec]) -> Shape {
    let own = ["attributes", "errors", "token"].map(|name| (name, Shape::Leaf));
    let all = ("fields", Shape::list(Shape::Any));
    Shape::parts(own.into_iter().chain([all]).chain(of_fields(fields)))
}

fn of_fields(fields: &'static [FieldSpec]) -> impl Iterator<Item = (&'static str, Shape)> {
    fields.iter().map(|spec| (spec.name, of_field(spec)))
}

fn of_field(spec: &'static FieldSpec) -> Shape {
    let own = ["error", "hint", "id", "input", "label", "name", "value"];
    let own = own.into_iter().map(|name| (name, Shape::Leaf));
    let items = spec.kind.items;
    let rows = (!items.is_empty()).then(|| {
        let own = ["error", "id"].map(|name| (name, Shape::Leaf));
        let all = ("fields", Shape::list(Shape::Any));
        let row = own.into_iter().chain([all]).chain(of_fields(items));
        ("rows", Shape::list(Shape::parts(row)))
    });
    Shape::parts(own.chain(rows))
}
