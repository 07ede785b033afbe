use axum::response::{IntoResponse, Response};
pub use dewar_macros::PageData;
use serde::Serialize;

use super::{Danger, HandlerOutput, JsonSchema, Outputs, Page, Schemas, Sealed, Shape};

/// The values of a page, as a struct: Dewar compares the page's template with them at start.
///
/// A template that uses a value or a part of a value that the struct does not have is a finding of the start and of `check`,
/// with its line and the nearest name. A handler returns [`TypedPage`]; a form that comes again takes the struct itself:
/// `form.bind(ShowNote { … })`.
///
/// ```
/// use dewar::forms::{FormView, Line};
/// use dewar::pages::{JsonSchema, PageData, TypedPage};
/// use dewar::{Form, get};
///
/// #[derive(serde::Serialize, JsonSchema)]
/// struct Note { title: String }
/// #[derive(Form)]
/// struct Rename { title: Line<80> }
///
/// #[derive(PageData)]
/// #[page(template = "notes/show.html")]
/// struct ShowNote {
///     note: Note,              // {{ note.title }}; {{ note.titel }} prevents the start
///     form: FormView<Rename>,  // {{ form.title.input }}
/// }
///
/// async fn show() -> TypedPage<ShowNote> {
///     TypedPage(ShowNote { note: Note { title: "Milk".into() }, form: Rename::view() })
/// }
/// # let route: dewar::app::Route = get("/note", show);
/// # drop(route);
/// assert_eq!(ShowNote::TEMPLATE, "notes/show.html");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no values for a template",
    note = "write `#[derive(PageData)]` and `#[page(template = \"notes/show.html\")]` on a struct, one field for each value"
)]
pub trait PageData {
    /// The name of the template.
    const TEMPLATE: &'static str;

    /// The name and the shape of each value.
    #[doc(hidden)]
    fn describe(page: &mut PageValues);

    /// The page.
    #[doc(hidden)]
    fn into_page(self) -> Page;
}

/// A value of a page whose form is known: what serde writes, with `#[derive(Serialize, JsonSchema)]`, or a form.
#[diagnostic::on_unimplemented(
    message = "the parts of `{Self}` are not known, so no template can be compared with it",
    note = "write `#[derive(serde::Serialize, dewar::pages::JsonSchema)]` on it",
    note = "mark a value of another crate's type with `#[page(untyped)]`: Dewar does not check what the template does with it"
)]
pub trait PageValue {
    /// The parts that a template finds.
    #[doc(hidden)]
    fn shape(schemas: &mut Schemas) -> Shape;

    /// Gives it to a page.
    #[doc(hidden)]
    fn give(self, page: Page, name: &'static str) -> Page;
}

impl<T: Serialize + JsonSchema> PageValue for T {
    fn shape(schemas: &mut Schemas) -> Shape {
        Shape::of_schema(&T::schema(schemas))
    }

    fn give(self, page: Page, name: &'static str) -> Page {
        page.with(name, self)
    }
}

/// The values of a page, by their names.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct PageValues {
    pub(super) values: Vec<(&'static str, Shape)>,
    pub(super) schemas: Schemas,
}

impl PageValues {
    /// A value of a known form.
    pub fn add<T: PageValue>(&mut self, name: &'static str) {
        let shape = T::shape(&mut self.schemas);
        self.values.push((name, shape));
    }

    /// A value of which nothing is known.
    pub fn add_untyped(&mut self, name: &'static str) {
        self.values.push((name, Shape::Any));
    }
}

/// A page with its values as a struct: the output of a handler.
///
/// ```
/// use dewar::pages::{PageData, TypedPage};
/// #[derive(PageData)]
/// #[page(template = "hello.html")]
/// struct Hello { name: String }
/// async fn hello() -> TypedPage<Hello> { TypedPage(Hello { name: "Ada".into() }) }
/// # let route: dewar::app::Route = dewar::get("/hello", hello);
/// # drop(route);
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a handler builds it")]
pub struct TypedPage<T>(pub T);

impl<T: PageData> IntoResponse for TypedPage<T> {
    fn into_response(self) -> Response {
        self.0.into_page().into_response()
    }
}

impl<T: PageData> HandlerOutput for TypedPage<T> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add(200, Some("text/html"));
        outputs.pages.push(PageType::of::<T>());
    }
}

/// The type of a page that a handler may return.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageType {
    pub(super) template: &'static str,
    /// The name of the struct.
    pub(super) name: &'static str,
    pub(super) describe: fn(&mut PageValues),
}

impl PageType {
    fn of<T: PageData>() -> Self {
        let path = std::any::type_name::<T>();
        let path = path.split('<').next().unwrap_or(path);
        Self {
            template: T::TEMPLATE,
            name: path.rsplit("::").next().unwrap_or(path),
            describe: T::describe,
        }
    }
}
