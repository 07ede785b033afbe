use std::fmt;

use serde::Serialize;

use super::{FieldSpec, schema};

/// An argument of a handler that the route table knows.
///
/// axum's own extractors of what a visitor sends (`axum::Form`, `Json`, `Query`, `Multipart`, `Bytes`, `String`) are
/// none, so a handler that takes unchecked input does not compile. An extractor of your own implements it when all that
/// it lets in has been checked; most add nothing to the description.
///
/// ```
/// use dewar::forms::{Argument, Described};
/// struct Today(i64);
/// impl Argument for Today { fn describe(_route: &mut Described) {} }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler: it lets input in that nobody has checked",
    label = "the route table does not know `{Self}`",
    note = "fields of a form: `Form<T>` with `#[derive(Form)] struct T {{ title: Line<80> }}`, which reads JSON as well; files with a field `Upload<Kind, MAX>`",
    note = "the query of a link or a search: `Query<T>` with the same derive; a part of the path: `Path<i64>`",
    note = "an extractor of your own whose input is checked: `impl dewar::forms::Argument for It`"
)]
pub trait Argument {
    /// Adds what it takes to the route's entry.
    fn describe(route: &mut Described);
}

/// All arguments of a handler, as axum's `Handler` lists them.
///
/// ```
/// use dewar::forms::{Arguments, Described, Path};
/// let mut described = Described::default();
/// <((), Path<i64>) as Arguments>::describe(&mut described);
/// assert!(described.form.is_none());
/// ```
pub trait Arguments {
    /// Adds what they take to the route's entry.
    fn describe(route: &mut Described);
}

/// What a route takes of a visitor's, as data.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Described {
    /// The fields of the query.
    pub query: Option<FormSpec>,
    /// The fields of the body. A route that has some reads and checks its token with them.
    pub form: Option<FormSpec>,
    /// Whether the caller must have given their password a short time ago; the guard asks for it where they have not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recently: bool,
}

/// The fields of a form, as data.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FormSpec {
    /// The fields.
    pub fields: &'static [FieldSpec],
    /// Whether files are among them.
    pub multipart: bool,
}

impl FormSpec {
    /// The form of these fields.
    #[must_use]
    pub fn new(fields: &'static [FieldSpec]) -> Self {
        Self {
            fields,
            multipart: fields.iter().any(|field| field.kind.is_file()),
        }
    }

    /// The JSON schema (2020-12) of the object that is taken as `application/json`. Files are not in it: they are sent as
    /// `multipart/form-data`. It says what can be said; the types refuse more.
    ///
    /// ```
    /// use dewar::forms::{FormSpec, Line, Model};
    /// #[derive(dewar::Form)]
    /// struct NewNote { title: Line<80> }
    /// let schema = FormSpec::new(NewNote::FIELDS).schema();
    /// assert_eq!(schema["properties"]["title"]["maxLength"], 80);
    /// assert_eq!(schema["additionalProperties"], false);
    /// ```
    #[must_use]
    pub fn schema(&self) -> serde_json::Value {
        schema::of(self.fields)
    }
}

impl fmt::Display for FormSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, field) in self.fields.iter().enumerate() {
            let separator = if number > 0 { ", " } else { "" };
            write!(f, "{separator}{}", field.name)?;
        }
        Ok(())
    }
}

// No argument is a case of its own: axum writes its tuple as `((),)`.
impl Arguments for ((),) {
    fn describe(_route: &mut Described) {}
}

macro_rules! arguments {
    ($(($($argument:ident),*);)*) => {$(
        impl<M, $($argument: Argument),*> Arguments for (M, $($argument,)*) {
            fn describe(route: &mut Described) {
                $($argument::describe(route);)*
            }
        }
    )*};
}

arguments! {
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, F);
    (A, B, C, D, E, F, G);
    (A, B, C, D, E, F, G, H);
    (A, B, C, D, E, F, G, H, I);
    (A, B, C, D, E, F, G, H, I, J);
    (A, B, C, D, E, F, G, H, I, J, K);
    (A, B, C, D, E, F, G, H, I, J, K, L);
}

/// The application's own state.
impl<S> Argument for axum::extract::State<S> {
    fn describe(_route: &mut Described) {}
}

/// One of the methods under which the route is mounted.
impl Argument for http::Method {
    fn describe(_route: &mut Described) {}
}

/// Need not be there.
impl<A: Argument> Argument for Option<A> {
    fn describe(route: &mut Described) {
        A::describe(route);
    }
}

/// A handler that answers a refusal itself.
impl<A: Argument, E> Argument for Result<A, E> {
    fn describe(route: &mut Described) {
        A::describe(route);
    }
}
