use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::{Error, Outcome, Words};

/// A path of this application: it cannot name another host.
///
/// It starts with one `/`, and has no backslash, control character or second leading slash. Browsers read those as
/// another host (open redirect, CWE-601; OWASP cheat sheet *Unvalidated Redirects*).
///
/// ```
/// use dewar::pages::LocalPath;
/// assert!(LocalPath::parse("/documents?page=2").is_ok());
/// assert!(LocalPath::parse("//evil.example").is_err());
/// assert!(LocalPath::parse("https://evil.example").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(Cow<'static, str>);

/// The text is not a path of this application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a path of this application: it must start with one `/` and contain no `\\` or control character"
)]
pub struct NotLocal(String);

impl LocalPath {
    /// Parses a path, also one of a visitor's.
    ///
    /// # Errors
    /// [`NotLocal`] for every text that a browser could read as another place.
    pub fn parse(text: impl Into<Cow<'static, str>>) -> Result<Self, NotLocal> {
        let text = text.into();
        let bytes = text.as_bytes();
        let rooted = bytes.first() == Some(&b'/') && bytes.get(1) != Some(&b'/');
        let plain = bytes
            .iter()
            .all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'\\');
        if rooted && plain && text.len() <= 2048 {
            Ok(Self(text))
        } else {
            Err(NotLocal(text.into_owned()))
        }
    }

    /// The front page.
    pub(crate) const fn front() -> Self {
        Self(Cow::Borrowed("/"))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Redirects the browser to a place in this application, with `303 See Other`.
///
/// [`Redirect::to`] takes a path that the program wrote. A text that the program put together goes through
/// [`Redirect::to_path`], and a visitor's text through [`LocalPath::parse`] first.
///
/// ```
/// use dewar::pages::Redirect;
/// async fn done() -> Redirect { Redirect::to("/documents").flash("Saved.") }
/// ```
/// A visitor's text does not compile:
/// ```compile_fail
/// # use dewar::pages::Redirect;
/// fn back(next: String) -> Redirect { Redirect::to(next) }
/// ```
#[derive(Debug)]
#[must_use = "a redirect does nothing until a handler returns it"]
pub struct Redirect {
    target: LocalPath,
    flash: Option<Words>,
    forget: bool,
}

impl Redirect {
    /// Redirects to a path that is in the program's own text.
    pub fn to(path: impl RedirectTarget) -> Self {
        Self {
            target: path.place(),
            flash: None,
            forget: false,
        }
    }

    /// Redirects to a path that the program put together, such as `format!("/documents/{id}")`.
    ///
    /// # Errors
    /// An internal error if the text is not a [`LocalPath`].
    pub fn to_path(path: impl Into<Cow<'static, str>>) -> Result<Self, Error> {
        Ok(Self::to(LocalPath::parse(path).map_err(Error::internal)?))
    }

    /// Leaves a message that the next page shows once.
    pub fn flash(mut self, words: impl Into<Words>) -> Self {
        self.flash = Some(words.into());
        self
    }

    /// Makes the browser delete cached pages, storage and cookies: for a sign-out (ASVS 14.3.1).
    ///
    /// The response removes every cookie of the request by its name, and leaves no [`flash`](Self::flash). One cookie
    /// stays: the one by which `accounts` knows the browser, which opens nothing. `Clear-Site-Data: "cookies"` would remove
    /// that one too, and those of the site's other hosts.
    pub fn forget(mut self) -> Self {
        self.forget = true;
        self
    }
}

/// A target of [`Redirect::to`]: a path in the program's text, or a [`LocalPath`].
#[diagnostic::on_unimplemented(
    message = "a redirect to a `{Self}` could lead anywhere",
    label = "this text may come from a visitor",
    note = "a literal path is safe: `Redirect::to(\"/documents\")`",
    note = "for a path that the program builds: `Redirect::to_path(format!(\"/documents/{{id}}\"))?`",
    note = "for a visitor's text: `Redirect::to(LocalPath::parse(text)?)`, which refuses other hosts"
)]
pub trait RedirectTarget: Sized {
    #[doc(hidden)]
    fn place(self) -> LocalPath;
}

impl RedirectTarget for &'static str {
    fn place(self) -> LocalPath {
        // A literal that is no local path is a developer's mistake; the front page does no harm.
        LocalPath::parse(self).unwrap_or_else(|error| {
            tracing::error!(%error, "Dewar redirects to the front page instead");
            LocalPath(Cow::Borrowed("/"))
        })
    }
}

impl RedirectTarget for LocalPath {
    fn place(self) -> LocalPath {
        self
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let Ok(location) = HeaderValue::from_str(self.target.as_str()) else {
            return Error::internal(NotLocal(self.target.0.into_owned())).into_response();
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, location);
        if self.forget {
            let all = HeaderValue::from_static("\"cache\", \"storage\"");
            response.headers_mut().insert("clear-site-data", all);
        }
        match self.flash {
            Some(words) => Outcome::with_flash(response, words),
            None => response,
        }
    }
}
