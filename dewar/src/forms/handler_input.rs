use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::Serialize;

use super::list::array;
use super::schema::{self, FormEncoding};
use super::{FieldSpec, Model};
use crate::https::{ContentSources, HttpsOrigin, PagePolicy};
use crate::pages::{AccountPage, CookieInfo, Danger, Sealed};

/// An input of a handler: an extractor that the route table knows.
///
/// axum's own extractors of a visitor's input (`axum::Form`, `Json`, `Query`, `Multipart`, `Bytes`, `String`) are none, so
/// a handler that takes unchecked input does not compile. Only Dewar implements this trait. An extractor of the
/// application's own goes into [`DangerousInput`], with the reason why it lets nothing unchecked in.
///
/// ```
/// use dewar::forms::HandlerInput;
/// fn is_an_input<I: HandlerInput>() {}
/// is_an_input::<dewar::CurrentUser>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler: it accepts unchecked input",
    label = "the route table does not know `{Self}`",
    note = "fields of a form: `Form<T>` with `#[derive(Form)] struct T {{ title: Line<80> }}`, which reads JSON as well; files with a field `Upload<Kind, MAX>`",
    note = "the query of a link or a search: `Query<T>` with the same derive; a part of the path: `Path<i64>`",
    note = "for an extractor of your own: `DangerousInput<It>`, with `impl dewar::forms::DangerousHandlerInput for It`; the audit reports its reason"
)]
pub trait HandlerInput {
    #[doc(hidden)]
    fn describe(route: &mut Described, _: Sealed);

    /// Whether it has a value only after the CSRF token is checked (CWE-352): true for [`Form`](super::Form) alone. Nobody
    /// else can name the parameter's type, so nobody else can write this method.
    #[doc(hidden)]
    fn token(_: proof::TokenQuestion) -> proof::TokenAnswer {
        proof::TokenAnswer::Unchecked
    }
}

/// An input from the head of a request. Only these inputs can also stand in an `Option` or a `Result`: a handler may go on
/// without them.
///
/// A form is none. A handler that went on with a refused form would go on without its token.
///
/// ```
/// use dewar::{CurrentUser, pages::Text};
/// async fn greet(person: Option<CurrentUser>) -> Text {
///     Text::new(person.map_or_else(|| "Hello".to_owned(), |person| format!("Hello, {}", person.name())))
/// }
/// # let route: dewar::app::Route = dewar::get("/", greet);
/// # drop(route);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler as an `Option` or a `Result`",
    label = "a handler could continue although `{Self}` was refused",
    note = "for a form: take `Form<T>`, and read it with `or_rerender`, `bind` or `result`; a request with an invalid CSRF token never reaches the handler",
    note = "for an extractor of your own: `Result<DangerousInput<It>, Error>`"
)]
pub trait FromParts: HandlerInput {}

/// An extractor of the application's own, as an input of a handler.
///
/// Dewar does not check its values. Your extractor owes that it lets in only what it has checked. The reason is part of the
/// route table, and a finding at start and in `check` reports it.
///
/// On a route that changes something, the guard has read the body for its CSRF token before: only [`Form`](struct@super::Form)
/// gets the body. Under a webhook it is in the [`VerifiedWebhook`](crate::csrf::VerifiedWebhook).
///
/// ```
/// use axum::extract::FromRequestParts;
/// use dewar::forms::{DangerousHandlerInput, DangerousInput};
/// use dewar::pages::{Error, Text};
/// use http::request::Parts;
/// struct IsPreview(bool);
/// impl<S: Sync> FromRequestParts<S> for IsPreview {
///     type Rejection = Error;
///     async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
///         Ok(Self(parts.uri.query() == Some("preview")))
///     }
/// }
/// impl DangerousHandlerInput for IsPreview {
///     const REASON: &'static str = "it compares the query with one word and keeps nothing of it";
/// }
/// async fn show(DangerousInput(IsPreview(preview)): DangerousInput<IsPreview>) -> Text {
///     Text::new(if preview { "a preview" } else { "the page" })
/// }
/// # let route: dewar::app::Route = dewar::get("/", show);
/// # drop(route);
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a handler destructures it")]
pub struct DangerousInput<T>(pub T);

/// An extractor that goes into [`DangerousInput`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not state why it accepts no unchecked input",
    note = "`impl dewar::forms::DangerousHandlerInput for {Self} {{ const REASON: &'static str = \"…\"; }}`"
)]
pub trait DangerousHandlerInput {
    /// The reason why it lets nothing unchecked in. The audit reports it.
    const REASON: &'static str;
}

impl<T: DangerousHandlerInput> HandlerInput for DangerousInput<T> {
    fn describe(route: &mut Described, _: Sealed) {
        route
            .dangers
            .push(Danger::of::<T>("DangerousInput", T::REASON));
    }
}

impl<T: DangerousHandlerInput> FromParts for DangerousInput<T> {}

impl<S: Send + Sync, T: FromRequestParts<S>> FromRequestParts<S> for DangerousInput<T> {
    type Rejection = T::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, T::Rejection> {
        T::from_request_parts(parts, state).await.map(Self)
    }
}

impl<S: Send + Sync, T: FromRequest<S>> FromRequest<S> for DangerousInput<T> {
    type Rejection = T::Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, T::Rejection> {
        T::from_request(request, state).await.map(Self)
    }
}

/// All inputs of a handler, as axum's `Handler` lists them.
///
/// ```
/// use dewar::forms::{HandlerInputs, Described, Path};
/// let mut described = Described::default();
/// <((), Path<i64>) as HandlerInputs>::describe(&mut described);
/// assert!(described.form.is_none());
/// ```
pub trait HandlerInputs {
    /// Adds the descriptions of all inputs to the route's entry.
    fn describe(route: &mut Described);

    /// Whether the last input, the only one that reads the body, checks the token.
    #[doc(hidden)]
    fn token(_: proof::TokenQuestion) -> proof::TokenAnswer {
        proof::TokenAnswer::Unchecked
    }
}

/// A question that only the framework can ask of an input, and that only the framework can answer. The types are public, so
/// that a public trait can use them, but nobody outside can name them.
pub(super) mod proof {
    /// The question.
    #[derive(Debug, Clone, Copy)]
    #[expect(unnameable_types, reason = "only this crate can write this method")]
    pub struct TokenQuestion(pub(in crate::forms) ());

    /// The answer.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[expect(unnameable_types, reason = "only this crate can see it")]
    pub enum TokenAnswer {
        /// It checks the token before it has a value.
        Checked,
        /// It does not check the token.
        Unchecked,
    }
}

/// Whether a handler with these inputs is called only after its CSRF token was checked.
pub(crate) fn checks_the_token<T: HandlerInputs>() -> bool {
    T::token(proof::TokenQuestion(())) == proof::TokenAnswer::Checked
}

/// The visitor's input that a route takes, as data.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own in the route table"
)]
pub struct Described {
    /// The parameters of the path, in their order.
    pub parameters: Vec<Parameter>,
    /// The fields of the query.
    pub query: Option<FormSpec>,
    /// The fields of the body. A route that has some reads and checks its token with them.
    pub form: Option<FormSpec>,
    /// The page of accounts that the route is, or whose form it takes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "by_name")]
    pub account_page: Option<AccountPage>,
    /// The sections of the application's own settings that the handler reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<&'static str>,
    /// The origins of other sites that the handler may redirect to.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub redirects_to: &'static [&'static str],
    /// The cookies of the application's own that the handler reads or sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<CookieInfo>,
    /// What the route's pages may load from other sites, and who may frame them.
    #[serde(skip_serializing_if = "ContentSources::is_empty")]
    pub content: ContentSources,
    /// The ready-made headers of its pages, where they differ from the application's.
    #[serde(skip)]
    pub(crate) policy: Option<Arc<PagePolicy>>,
    /// Whether its pages may send files to the storage themselves.
    #[serde(skip)]
    pub(crate) direct_uploads: bool,
    /// The types of the shared values that the handler asks for.
    #[serde(skip)]
    shared: Vec<(TypeId, &'static str)>,
    /// The weakenings of the route, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dangers: Vec<Danger>,
    /// Whether the caller needs a recent password (re-authentication); the guard asks for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recently: bool,
    /// The same for users who have a second factor alone.
    #[serde(skip)]
    pub(crate) factor_recently: bool,
    /// Whether the handler of a safe method may change rows.
    #[serde(skip)]
    pub(crate) writes_on_get: bool,
    /// The types of `settings`, in the same order.
    #[serde(skip)]
    settings_types: Vec<TypeId>,
    /// Whether a router answers everything below the path.
    #[serde(skip)]
    pub(crate) mounts_router: bool,
    /// The kinds of a `Path`, before the path is known.
    #[serde(skip)]
    segments: Vec<&'static str>,
    /// The JSON schemas of the kinds, in the same order.
    #[serde(skip)]
    segment_schemas: Vec<serde_json::Value>,
    /// The names of the parameters of a `Path` that finds them by name, in the same order.
    #[serde(skip)]
    names: Option<&'static [&'static str]>,
    /// Whether a record is loaded by the parameter `{id}`.
    #[serde(skip)]
    loads: bool,
    /// The forms, each with the fields whose labels can be translated.
    #[serde(skip)]
    labelled: Vec<(&'static str, &'static [FieldSpec])>,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn by_name<S: serde::Serializer>(
    page: &Option<AccountPage>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    page.map(AccountPage::name).serialize(serializer)
}

fn under(before: &str, fields: &[FieldSpec], ids: &mut Vec<String>) {
    for field in fields {
        // A body that is an array has a list without a name.
        let id = match field.name {
            "" => before.to_owned(),
            name => format!("{before}-{name}"),
        };
        under(&id, field.kind.items, ids);
        if !field.name.is_empty() {
            ids.push(id);
        }
    }
}

fn enums(fields: &[FieldSpec], found: &mut Vec<(&'static str, Vec<&'static str>)>) {
    for field in fields {
        enums(field.kind.items, found);
        if !field.kind.choices.is_empty() {
            let values = field.kind.offers.iter().map(|offer| offer.value);
            found.push((field.kind.choices, values.collect()));
        }
    }
}

/// One parameter of a path, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name: `id` for `{id}`.
    pub name: String,
    /// The kind of its value: `integer`, `text`, `slug`, `uuid`, `choice`, or a word of the application's; `unread` where no argument of
    /// the handler reads it.
    pub takes: &'static str,
    /// The JSON schema of its value.
    #[serde(skip)]
    pub schema: serde_json::Value,
}

impl Described {
    /// Adds a `Path` of these kinds, in the order of the path or of their names.
    pub(super) fn take_segments(
        &mut self,
        kinds: Vec<&'static str>,
        names: Option<&'static [&'static str]>,
    ) {
        self.segments = kinds;
        self.names = names;
    }

    /// Adds the JSON schemas of the kinds.
    pub(super) fn take_segment_schemas(&mut self, schemas: Vec<serde_json::Value>) {
        self.segment_schemas = schemas;
    }

    /// The JSON schema of the parameter with this name, or at this place.
    fn schema_of(&self, name: &str, place: usize) -> serde_json::Value {
        let named = self
            .names
            .map(|names| names.iter().position(|known| *known == name));
        let schema = named
            .unwrap_or(Some(place))
            .and_then(|at| self.segment_schemas.get(at));
        schema.cloned().unwrap_or_else(|| {
            if self.loads && name == "id" {
                serde_json::json!({ "type": "integer", "format": "int64" })
            } else {
                serde_json::json!({ "type": "string" })
            }
        })
    }

    /// The kind of the parameter with this name, or of the next one.
    fn kind_of<'a>(
        &self,
        name: &str,
        mut next: impl Iterator<Item = &'a &'static str>,
    ) -> Option<&'static str> {
        let Some(names) = self.names else {
            return next.next().copied();
        };
        let place = names.iter().position(|known| *known == name)?;
        self.segments.get(place).copied()
    }

    /// Adds a section of the application's settings.
    pub(crate) fn take_settings(&mut self, section: &'static str, id: TypeId) {
        self.settings.push(section);
        self.settings_types.push(id);
    }

    /// The sections of settings that the handler reads, each with its type.
    pub(crate) fn settings_by_type(&self) -> impl Iterator<Item = (&'static str, TypeId)> {
        let sections = self.settings.iter().copied();
        sections.zip(self.settings_types.iter().copied())
    }

    /// Adds a form with this name and these fields.
    pub(super) fn label(&mut self, form: &'static str, fields: &'static [FieldSpec]) {
        self.labelled.push((form, fields));
    }

    /// The ids of all messages that can label its fields in another language, by form.
    pub(crate) fn label_ids(&self) -> Vec<(&'static str, Vec<String>)> {
        let forms = self.labelled.iter();
        forms
            .map(|(form, fields)| {
                let mut ids = Vec::new();
                under(form, fields, &mut ids);
                (*form, ids)
            })
            .collect()
    }

    /// The enums of its fields, each with its values.
    pub(crate) fn choices(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let mut found = Vec::new();
        for (_, fields) in &self.labelled {
            enums(fields, &mut found);
        }
        found
    }

    /// Adds a shared value that the handler asks for.
    pub(crate) fn need_shared(&mut self, of: TypeId, name: &'static str) {
        self.shared.push((of, name));
    }

    /// The shared values that the handler asks for.
    pub(crate) fn shared(&self) -> &[(TypeId, &'static str)] {
        &self.shared
    }

    /// Whether a page of it may show a field whose file a browser sends to the storage itself: it says so, or it takes the form
    /// and shows it again.
    pub(crate) fn sends_files(&self) -> bool {
        self.direct_uploads || self.direct_fields().next().is_some()
    }

    /// The fields of its form that take such a file.
    pub(crate) fn direct_fields(&self) -> impl Iterator<Item = &'static FieldSpec> + use<> {
        let fields = self.form.as_ref().map_or(&[][..], |form| form.fields);
        fields.iter().filter(|field| field.kind.direct)
    }

    /// Lets its pages send files to this place in a bucket, if they have to.
    pub(crate) fn upload_to(&mut self, bucket: Option<&HttpsOrigin>) {
        if let Some(bucket) = bucket.filter(|_| self.sends_files()) {
            self.content.send_to(bucket.clone());
        }
    }

    /// Makes the headers of the route's pages, where it adds to what every page may load.
    pub(crate) fn prepare_pages(&mut self, of_all: &ContentSources) {
        if !self.content.is_empty() {
            self.policy = Some(Arc::new(of_all.with(&self.content).page_policy()));
        }
    }

    /// Notes that a record is loaded by the parameter `{id}`.
    pub(crate) fn load_by_id(&mut self) {
        self.loads = true;
    }

    /// Gives the parameters their names, once the path of the handler is known.
    pub(crate) fn under(&mut self, path: &str) {
        let inside = |part| {
            let part: &str = part;
            part.strip_prefix('{')?.strip_suffix('}')
        };
        let names = path.split('/').filter_map(inside);
        let mut segments = self.segments.iter();
        self.parameters = names
            .map(|name| name.trim_start_matches('*'))
            .enumerate()
            .map(|(place, name)| Parameter {
                name: name.to_owned(),
                schema: self.schema_of(name, place),
                takes: match self.kind_of(name, &mut segments) {
                    Some(kind) => kind,
                    None if self.loads && name == "id" => "integer",
                    None => "unread",
                },
            })
            .collect();
    }

    /// Whether the handler requires parameters that its path does not have: its response would always be 404.
    pub(crate) fn waits_in_vain(&self) -> bool {
        let named_id = self
            .parameters
            .iter()
            .any(|parameter| parameter.name == "id");
        let has = |name: &&str| {
            self.parameters
                .iter()
                .any(|parameter| parameter.name == *name)
        };
        let misses = match self.names {
            Some(names) => !names.iter().all(has),
            None => !self.segments.is_empty() && self.segments.len() != self.parameters.len(),
        };
        misses || (self.loads && !named_id)
    }
}

/// The fields of a form, as data.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FormSpec {
    /// The fields.
    pub fields: &'static [FieldSpec],
    /// Whether files are among them.
    pub multipart: bool,
    /// The name of the form in the code.
    #[serde(skip)]
    pub(crate) name: &'static str,
}

impl FormSpec {
    /// Describes the form of these fields.
    #[must_use]
    pub fn new(fields: &'static [FieldSpec]) -> Self {
        Self {
            fields,
            multipart: fields.iter().any(|field| field.kind.is_file()),
            name: "",
        }
    }

    pub(crate) fn of<T: Model>() -> Self {
        Self {
            name: T::NAME,
            ..Self::new(T::FIELDS)
        }
    }

    /// The JSON schema (2020-12) of the object that is accepted as `application/json`. It has no files: send those as
    /// `multipart/form-data`. The types refuse more than a schema can express.
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

    /// Whether a body is an array, which JSON alone can be.
    pub(crate) const fn is_array(&self) -> bool {
        array(self.fields).is_some()
    }

    /// The schema of a body in this encoding, for OpenAPI.
    pub(crate) fn body(&self, encoding: FormEncoding) -> serde_json::Value {
        schema::body(self.fields, encoding)
    }

    /// The schema of one field, as a text of its own.
    pub(crate) fn text(field: &FieldSpec) -> serde_json::Value {
        schema::part(field)
    }
}

fn write_names(f: &mut fmt::Formatter<'_>, fields: &[FieldSpec]) -> fmt::Result {
    for (number, field) in fields.iter().enumerate() {
        let separator = if number > 0 { ", " } else { "" };
        write!(f, "{separator}{}", field.name)?;
    }
    Ok(())
}

impl fmt::Display for FormSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(list) = array(self.fields) {
            write!(f, "[")?;
            write_names(f, list.kind.items)?;
            return write!(f, "]");
        }
        write_names(f, self.fields)
    }
}

// Handlers without arguments are a case of their own: axum writes their tuple as `((),)`.
impl HandlerInputs for ((),) {
    fn describe(_route: &mut Described) {}
}

macro_rules! arguments {
    ($(($($argument:ident),*);)*) => {$(
        impl<M, $($argument: HandlerInput),*> HandlerInputs for (M, $($argument,)*) {
            fn describe(route: &mut Described) {
                $($argument::describe(route, Sealed(()));)*
            }

            fn token(asked: proof::TokenQuestion) -> proof::TokenAnswer {
                let tokens = [$($argument::token(asked)),*];
                tokens.last().copied().unwrap_or(proof::TokenAnswer::Unchecked)
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
impl<S> HandlerInput for axum::extract::State<S> {
    fn describe(_route: &mut Described, _: Sealed) {}
}

/// One of the methods under which the route is mounted.
impl HandlerInput for http::Method {
    fn describe(_route: &mut Described, _: Sealed) {}
}

impl<S> FromParts for axum::extract::State<S> {}
impl FromParts for http::Method {}

/// An optional input.
impl<A: FromParts> HandlerInput for Option<A> {
    fn describe(route: &mut Described, sealed: Sealed) {
        A::describe(route, sealed);
    }
}

/// An input whose rejection the handler answers itself.
impl<A: FromParts, E> HandlerInput for Result<A, E> {
    fn describe(route: &mut Described, sealed: Sealed) {
        A::describe(route, sealed);
    }
}
