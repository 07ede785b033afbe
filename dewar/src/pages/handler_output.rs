use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;

use super::{Error, Outputs, Page, Redirect};

/// A value that a handler may return.
///
/// Its type determines the response: a page from a template, a redirect to a place in the application, JSON, plain text, a
/// download. Hand-made HTML is not among them.
///
/// ```
/// use dewar::pages::{HandlerOutput, Page, Text};
/// fn is_an_answer<A: HandlerOutput>(_: A) {}
/// is_an_answer(Page::new("index.html"));
/// is_an_answer(Text::new("42"));
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "this handler returns `{Self}`",
    note = "return `Page::new(\"template.html\")` for HTML: a template escapes its values, hand-made HTML does not",
    note = "for a response of your own: `DangerousOutput<It>`, with a reason that the audit reports",
    note = "or `Redirect`, `Json<T>`, `Csv`, `Text`, `Download`, `&'static str`, or a `dewar::Result` of one of these"
)]
pub trait HandlerOutput: IntoResponse {
    /// The weakenings that it brings.
    #[doc(hidden)]
    fn dangers(_: Sealed) -> Vec<Danger>;

    /// The origins of other sites that it may redirect to.
    #[doc(hidden)]
    fn redirects_to(_: Sealed) -> &'static [&'static str] {
        &[]
    }

    /// Its answers, for the route table.
    #[doc(hidden)]
    fn describe(outputs: &mut Outputs, _: Sealed);
}

/// A parameter type that only Dewar can name, so that only Dewar can implement a trait with a method that takes it.
mod sealed {
    #[derive(Debug, Clone, Copy)]
    #[expect(unnameable_types, reason = "other crates cannot implement this trait")]
    pub struct Sealed(pub(crate) ());
}

pub(crate) use sealed::Sealed;

/// Outputs that bring no weakening, each with its answers: a status, and the media type of the body.
macro_rules! output {
    ($($output:ty => [$($status:literal $media_type:expr),*]),* $(,)?) => {$(
        impl $crate::pages::HandlerOutput for $output {
            fn dangers(_: $crate::pages::Sealed) -> Vec<$crate::pages::Danger> {
                Vec::new()
            }

            fn describe(outputs: &mut $crate::pages::Outputs, _: $crate::pages::Sealed) {
                $(outputs.add($status, $media_type);)*
            }
        }
    )*};
}

pub(crate) use output;

output! {
    Page => [200 Some("text/html")],
    Redirect => [303 None],
    Text => [200 Some("text/plain")],
    &'static str => [200 Some("text/plain")],
}

impl HandlerOutput for Error {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.fallible = true;
    }
}

impl<A: HandlerOutput> HandlerOutput for Result<A, Error> {
    fn dangers(sealed: Sealed) -> Vec<Danger> {
        A::dangers(sealed)
    }

    fn redirects_to(sealed: Sealed) -> &'static [&'static str] {
        A::redirects_to(sealed)
    }

    fn describe(outputs: &mut Outputs, sealed: Sealed) {
        A::describe(outputs, sealed);
        outputs.fallible = true;
    }
}

/// A response of the application's own making, as the output of a handler.
///
/// Dewar does not escape or check it. Your type owes that no text of a visitor's is markup in it. The reason is part of the
/// route table, and a finding at start and in `check` reports it. Dewar still writes the security headers.
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use dewar::pages::{DangerousHandlerOutput, DangerousOutput};
/// struct Badge(&'static [u8]);
/// impl IntoResponse for Badge {
///     fn into_response(self) -> Response { ([("content-type", "image/png")], self.0).into_response() }
/// }
/// impl DangerousHandlerOutput for Badge {
///     const REASON: &'static str = "the picture is part of the program";
/// }
/// async fn badge() -> DangerousOutput<Badge> { DangerousOutput(Badge(b"...")) }
/// # let route: dewar::app::Route = dewar::get("/badge", badge);
/// # drop(route);
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a handler builds it")]
pub struct DangerousOutput<T>(pub T);

/// A response that goes into [`DangerousOutput`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not state why no visitor's text in it is markup",
    note = "`impl dewar::pages::DangerousHandlerOutput for {Self} {{ const REASON: &'static str = \"…\"; }}`"
)]
pub trait DangerousHandlerOutput: IntoResponse {
    /// The reason why it may be sent as it is. The audit reports it.
    const REASON: &'static str;
}

impl<T: DangerousHandlerOutput> HandlerOutput for DangerousOutput<T> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        vec![Danger::of::<T>("DangerousOutput", T::REASON)]
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add(200, Some("*/*"));
    }
}

impl<T: IntoResponse> IntoResponse for DangerousOutput<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// A weakening of a route, as data. The audit reports it with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Danger {
    /// The name of the weakening and the type that uses it, such as `DangerousInput<IsPreview>`.
    pub name: String,
    /// The application's reason.
    pub reason: &'static str,
}

impl Danger {
    /// A weakening by one of the application's types.
    pub(crate) fn of<T: ?Sized>(name: &str, reason: &'static str) -> Self {
        let path = std::any::type_name::<T>();
        let own = path.rsplit("::").next().unwrap_or(path);
        Self {
            name: format!("{name}<{own}>"),
            reason,
        }
    }

    /// A weakening by a function of the route.
    pub(crate) fn by(name: &str, reason: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            reason,
        }
    }
}

/// Plain text, `text/plain; charset=utf-8`.
///
/// A browser saves it as `text.txt`, whatever its path ends in (see [`Json`](super::Json)).
///
/// ```
/// use dewar::pages::Text;
/// async fn version() -> Text { Text::new(format!("version {}", 1)) }
/// ```
#[derive(Debug, Clone)]
pub struct Text(String);

impl Text {
    /// Takes the text as it is. A browser shows it as text only.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        named(self.0.into_response(), "inline; filename=\"text.txt\"")
    }
}

/// Sets the name under which a browser saves a response. Without a name the browser takes the end of the path, which the
/// author of a link chooses: `/search/setup.bat?q=…` would save the visitor's text as a program (reflected file download).
pub(super) fn named(mut response: Response, disposition: &'static str) -> Response {
    let disposition = HeaderValue::from_static(disposition);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}
