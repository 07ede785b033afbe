use std::fmt;
use std::num::NonZeroU8;
use std::panic::Location;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};

use super::{FieldProblem, Message, Outcome, Page, ProblemDetails, Redirect, TypedField, Words};
use crate::audit::{Finding, report};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error with two texts: one for the visitor, one for the log.
///
/// A handler returns it with `?`. Dewar renders it as a page for people and as `application/problem+json` (RFC 9457) for
/// programs. `dewar::Result` is a `Result` with it.
///
/// ```
/// use dewar::pages::{Error, ErrorKind};
/// let error = Error::not_found();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// The visitor's text beside the kind's own.
    public: Option<Words>,
    /// The text for the log.
    cause: Option<Cause>,
    /// The place where the program turned the cause into this error.
    place: Option<&'static Location<'static>>,
    retry_after: Option<Duration>,
    /// The value of `WWW-Authenticate`.
    challenge: Option<HeaderValue>,
    page: Option<Page>,
    /// The redirect that the browser gets instead of the error.
    redirect: Option<Redirect>,
    /// The problems, field by field.
    fields: Vec<FieldProblem>,
    /// Further members of the problem details.
    members: Map<String, Value>,
    /// The description of a handler's own.
    described: Option<ProblemDetails>,
    /// The header that names the accepted media types, and the types.
    accepts: Option<(HeaderName, &'static str)>,
    /// The texts of a form that Dewar could not accept, field by field.
    typed: Vec<TypedField>,
    slip: Option<Slip>,
    /// The exit status of a command.
    exit_status: Option<NonZeroU8>,
}

/// A developer's mistake that a page in development explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slip {
    /// A form was sent without a token.
    NoToken,
}

/// The kinds of error that a visitor can meet. Each has one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 400: the request cannot be understood.
    BadRequest,
    /// 401: nobody is signed in.
    Unauthenticated,
    /// 403: the signed-in person may not do this.
    Forbidden,
    /// 404: nothing that this visitor may see is here.
    NotFound,
    /// 405: this path does not accept this method.
    MethodNotAllowed,
    /// 408: the request came too slowly.
    TooSlow,
    /// 409: it was done already.
    Conflict,
    /// 411: a body came without its length.
    LengthRequired,
    /// 413: the request is over a size limit.
    TooLarge,
    /// 414: the path and query are too long.
    AddressTooLong,
    /// 415: this path does not accept this media type.
    UnsupportedMediaType,
    /// 417: the request has an `Expect` header with an unknown value.
    ExpectationFailed,
    /// 421: the host is not one of this application's.
    Misdirected,
    /// 431: the request has too many or too large headers.
    HeadersTooLarge,
    /// 422: a form has invalid fields. Usually the form's own page is the response.
    Unprocessable,
    /// 429: too many attempts.
    TooManyRequests,
    /// 500: the program's own fault.
    Internal,
    /// 501: a method that no path accepts.
    MethodUnknown,
    /// 503: no room now. The response has a `Retry-After`.
    Busy,
    /// 507: the disk is full (RFC 4918, 11.5). No program may repeat the request by itself, so there is no `Retry-After`.
    InsufficientStorage,
    /// No response to a visitor at all: the program does not start.
    Launch,
}

impl ErrorKind {
    #[expect(clippy::too_many_lines, reason = "a table")]
    /// The status and the message of each kind, in one place. The message is the title; its attribute `text` tells the
    /// visitor what to do.
    pub(super) const fn face(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (
                StatusCode::BAD_REQUEST,
                "error-bad-request",
                "error-bad-request.text",
            ),
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "error-unauthenticated",
                "error-unauthenticated.text",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "error-forbidden",
                "error-forbidden.text",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "error-not-found",
                "error-not-found.text",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "error-method",
                "error-method.text",
            ),
            Self::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "error-too-slow",
                "error-too-slow.text",
            ),
            Self::Conflict => (
                StatusCode::CONFLICT,
                "error-conflict",
                "error-conflict.text",
            ),
            Self::LengthRequired => (
                StatusCode::LENGTH_REQUIRED,
                "error-length",
                "error-length.text",
            ),
            Self::ExpectationFailed => (
                StatusCode::EXPECTATION_FAILED,
                "error-expectation",
                "error-expectation.text",
            ),
            Self::MethodUnknown => (
                StatusCode::NOT_IMPLEMENTED,
                "error-method-unknown",
                "error-method-unknown.text",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "error-too-large",
                "error-too-large.text",
            ),
            Self::AddressTooLong => (
                StatusCode::URI_TOO_LONG,
                "error-address-too-long",
                "error-address-too-long.text",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "error-media-type",
                "error-media-type.text",
            ),
            Self::Misdirected => (
                StatusCode::MISDIRECTED_REQUEST,
                "error-misdirected",
                "error-misdirected.text",
            ),
            Self::HeadersTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "error-headers-too-large",
                "error-headers-too-large.text",
            ),
            Self::Unprocessable => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "error-unprocessable",
                "error-unprocessable.text",
            ),
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "error-too-many",
                "error-too-many.text",
            ),
            Self::Internal | Self::Launch => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "error-internal",
                "error-internal.text",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "error-busy",
                "error-busy.text",
            ),
            Self::InsufficientStorage => (
                StatusCode::INSUFFICIENT_STORAGE,
                "error-storage",
                "error-storage.text",
            ),
        }
    }
}

impl Error {
    /// An error of a kind, with the kind's own text.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            public: None,
            cause: None,
            place: None,
            retry_after: None,
            challenge: None,
            page: None,
            redirect: None,
            fields: Vec::new(),
            members: Map::new(),
            described: None,
            accepts: None,
            typed: Vec::new(),
            slip: None,
            exit_status: None,
        }))
    }

    /// 400, with a reason for the visitor.
    pub fn bad_request(text: impl Into<Words>) -> Self {
        Self::new(ErrorKind::BadRequest).public(text)
    }

    /// 401. Dewar redirects people to the sign-in page.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ErrorKind::Unauthenticated)
    }

    /// 403.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(ErrorKind::Forbidden)
    }

    /// 404, also for a record that exists but is not this visitor's (CWE-639).
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound)
    }

    /// 413, with the limit, for the visitor to read.
    pub fn too_large(text: impl Into<Words>) -> Self {
        Self::new(ErrorKind::TooLarge).public(text)
    }

    /// 415, with the accepted types, for the visitor to read.
    pub fn unsupported_media_type(text: impl Into<Words>) -> Self {
        Self::new(ErrorKind::UnsupportedMediaType).public(text)
    }

    /// 429 with `Retry-After`.
    #[must_use]
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::new(ErrorKind::TooManyRequests).retry_after(retry_after)
    }

    /// 503 with `Retry-After`.
    #[must_use]
    pub fn busy(retry_after: Duration) -> Self {
        Self::new(ErrorKind::Busy).retry_after(retry_after)
    }

    /// 507: the disk is full.
    #[must_use]
    pub fn insufficient_storage() -> Self {
        Self::new(ErrorKind::InsufficientStorage)
    }

    /// 500. The visitor learns that something went wrong; the log gets the cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal).because(cause)
    }

    /// 500: a proof or the handle of a room is missing, because the handler runs outside an [`App`](crate::App).
    #[must_use]
    pub fn missing(what: &'static str) -> Self {
        Self::internal(format!(
            "`{what}` is missing: this handler was not mounted through `App`"
        ))
    }

    /// A page as an error, such as a form with its problems. The status is 422 unless the page has its own.
    #[must_use]
    pub fn page(page: Page) -> Self {
        let mut error = Self::new(ErrorKind::Unprocessable);
        error.0.page = Some(page);
        error
    }

    /// The work is done already. The browser is redirected to this place.
    #[must_use]
    pub(crate) fn redirect(redirect: Redirect) -> Self {
        let mut error = Self::new(ErrorKind::Conflict);
        error.0.redirect = Some(redirect);
        error
    }

    /// The program cannot start. The error lists every finding.
    #[must_use]
    pub fn launch(findings: &[Finding]) -> Self {
        // `main` puts "Error: " before it; the findings begin on a line of their own.
        let text = format!("Dewar refused to start\n\n{}", report(findings));
        Self::new(ErrorKind::Launch).because(text)
    }

    /// A command cannot be done. The reason is for the person who typed it.
    ///
    /// ```
    /// fn empty() -> dewar::Error { dewar::Error::command("the index is empty: run `reindex` first").exit_status(3) }
    /// # assert_eq!(empty().to_string(), "the index is empty: run `reindex` first");
    /// ```
    pub fn command(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Launch).because(why)
    }

    /// The exit status of the program, if a command of the application returns this error; 1 without it. 0 counts as 1: an error
    /// is no success.
    #[must_use]
    pub fn exit_status(mut self, status: u8) -> Self {
        self.0.exit_status = NonZeroU8::new(status);
        self
    }

    /// The exit status that the command chose.
    pub(crate) const fn own_status(&self) -> Option<u8> {
        match self.0.exit_status {
            Some(status) => Some(status.get()),
            None => None,
        }
    }

    /// The command has already printed its problem; only the exit status is left.
    pub(crate) fn quiet() -> Self {
        Self::new(ErrorKind::Launch).because("Dewar would refuse to start; the problems are above")
    }

    /// Adds the problems, field by field, for a program. A field is `items.0.title`, or empty for the whole form.
    #[must_use]
    pub(crate) fn fields<'a>(mut self, problems: impl Iterator<Item = (&'a str, Words)>) -> Self {
        let owned = problems.map(|(field, words)| FieldProblem::new(field, words));
        self.0.fields = owned.collect();
        self
    }

    /// Adds the problems of a form's fields.
    #[must_use]
    pub(crate) fn problems(mut self, problems: impl Iterator<Item = FieldProblem>) -> Self {
        self.0.fields = problems.collect();
        self
    }

    /// Adds a member to the problem details.
    #[must_use]
    pub(crate) fn member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Takes the status and the members of this description.
    #[must_use]
    pub(super) fn described(mut self, mut problem: ProblemDetails) -> Self {
        self.0.fields = std::mem::take(&mut problem.fields);
        self.0.members = std::mem::take(&mut problem.members);
        self.0.described = Some(problem);
        self
    }

    /// Names the media types that a request with this method may have: in `Accept-Post` (W3C *Linked Data Platform*),
    /// `Accept-Patch` (RFC 5789) or `Accept` (RFC 9110, 15.5.16).
    #[must_use]
    pub(crate) fn accepts(mut self, method: &Method, types: &'static str) -> Self {
        let name = match *method {
            Method::POST => HeaderName::from_static("accept-post"),
            Method::PATCH => HeaderName::from_static("accept-patch"),
            _ => header::ACCEPT,
        };
        self.0.accepts = Some((name, types));
        self
    }

    /// Adds the texts of a form that Dewar could not accept, so that they are not lost.
    #[must_use]
    pub(crate) fn typed(mut self, typed: Vec<TypedField>) -> Self {
        self.0.typed = typed;
        self
    }

    /// Adds an explanation that the page shows in development, where the cause looks like a developer's mistake.
    #[must_use]
    pub(crate) fn slip(mut self, slip: Option<Slip>) -> Self {
        self.0.slip = slip;
        self
    }

    pub(super) fn is_slip(&self) -> Option<Slip> {
        self.0.slip
    }

    /// The text for the visitor.
    #[must_use]
    pub fn public(mut self, text: impl Into<Words>) -> Self {
        self.0.public = Some(text.into());
        self
    }

    /// The text for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The time to wait before the next attempt.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// How the client can authenticate, for `WWW-Authenticate` (RFC 9110, 11.6.1).
    #[must_use]
    pub(crate) fn challenge(mut self, challenge: &str) -> Self {
        self.0.challenge = HeaderValue::from_str(challenge).ok();
        self
    }

    /// The kind, which is the status.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The texts of the form that Dewar could not accept.
    pub(super) fn what_was_typed(&self) -> &[TypedField] {
        &self.0.typed
    }

    pub(crate) fn field_problems(&self) -> &[FieldProblem] {
        &self.0.fields
    }

    /// The members of the problem details besides those of RFC 9457.
    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.0.members
    }

    /// The type of the problem (RFC 9457, 3.1.1).
    pub(super) fn problem_type(&self) -> &'static str {
        let described = self.0.described.as_ref();
        described
            .and_then(|problem| problem.type_)
            .unwrap_or("about:blank")
    }

    /// The status of the response.
    pub(super) fn status(&self) -> StatusCode {
        let described = self.0.described.as_ref();
        described.map_or(self.0.kind.face().0, |problem| problem.status)
    }

    /// The title of the error page and of the problem details.
    pub(super) fn title(&self) -> Words {
        let described = self.0.described.as_ref();
        described
            .and_then(|problem| problem.title.clone())
            .unwrap_or_else(|| Message::new(self.0.kind.face().1).into())
    }

    /// A text for the developer that the page shows only in development (CWE-209): the reason why an SQL statement is
    /// wrong, and the place of the `?` that returned it.
    pub(super) fn told(&self) -> Option<String> {
        let internal = self.0.kind == ErrorKind::Internal;
        let cause = self.0.cause.as_deref().filter(|_| internal)?;
        let error = cause.downcast_ref::<crate::database::Error>()?;
        let place = self
            .0
            .place
            .map_or_else(String::new, |place| format!("{place}: "));
        Some(format!("{place}{error}"))
    }

    /// The text for the visitor.
    pub(super) fn words(&self) -> Words {
        let public = self.0.public.clone();
        public.unwrap_or_else(|| Message::new(self.0.kind.face().2).into())
    }
}

/// For the log and for `main`: the cause with its chain of sources. A visitor never sees it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.kind != ErrorKind::Launch {
            write!(f, "{:?}: ", self.0.kind)?;
        }
        let Some(cause) = &self.0.cause else {
            return self.words().fmt(f);
        };
        write!(f, "{cause}")?;
        let mut source = cause.source();
        while let Some(deeper) = source {
            write!(f, ": {deeper}")?;
            source = deeper.source();
        }
        match self.0.place {
            Some(place) => write!(f, " (at {place})"),
            None => Ok(()),
        }
    }
}

/// The text for the visitor; of a start or a command that failed, which no visitor caused, the reason.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.cause {
            Some(cause) if self.0.kind == ErrorKind::Launch => cause.fmt(f),
            _ => self.words().fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<crate::csrf::NotJson> for Error {
    fn from(error: crate::csrf::NotJson) -> Self {
        Self::bad_request(Message::new("webhook-not-json")).because(error)
    }
}

impl From<super::NotLocal> for Error {
    fn from(error: super::NotLocal) -> Self {
        Self::bad_request(Message::new("redirect-not-local")).because(error)
    }
}

impl From<crate::database::Error> for Error {
    /// The `?` of a handler records its own place, which leads to a wrong statement.
    #[track_caller]
    fn from(error: crate::database::Error) -> Self {
        use crate::database::Error as Database;
        if let Database::QuotaFull { most, .. } = error {
            let full = Message::new("forms-quota-full").with("most", most);
            return Self::new(ErrorKind::Conflict).public(full).because(error);
        }
        if error.is_for_a_moment() {
            Self::busy(Duration::from_secs(2)).because(error)
        } else if matches!(error, Database::DiskFull) {
            Self::insufficient_storage().because(error)
        } else {
            let mut internal = Self::internal(error);
            internal.0.place = Some(Location::caller());
            internal
        }
    }
}

impl From<crate::outgoing::Error> for Error {
    /// The visitor does not learn why: the reason tells which addresses exist inside.
    #[track_caller]
    fn from(error: crate::outgoing::Error) -> Self {
        use crate::outgoing::Error as Outgoing;
        if matches!(error, Outgoing::Busy | Outgoing::TimedOut) {
            Self::busy(Duration::from_secs(5)).because(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<crate::sessions::Error> for Error {
    fn from(error: crate::sessions::Error) -> Self {
        use crate::sessions::Error as Sessions;
        match error {
            Sessions::Database(error) => error.into(),
            Sessions::Unreachable(_) | Sessions::Contended => {
                Self::busy(Duration::from_secs(2)).because(error)
            }
            Sessions::Ended | Sessions::Visitor => Self::unauthenticated().because(error),
            Sessions::Collision
            | Sessions::Strange(_)
            | Sessions::TooLarge { .. }
            | Sessions::TooMany(_)
            | Sessions::Unwritable(_) => Self::internal(error),
        }
    }
}

impl From<sea_orm::DbErr> for Error {
    #[track_caller]
    fn from(error: sea_orm::DbErr) -> Self {
        crate::database::Error::from(error).into()
    }
}

/// Adds `Retry-After`, where the delay is known.
fn wait(delay: Option<Duration>, response: &mut Response) {
    if let Some(delay) = delay {
        let seconds = HeaderValue::from(delay.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
}

impl IntoResponse for Error {
    fn into_response(mut self) -> Response {
        if let Some(page) = self.0.page.take() {
            let mut response = page.into_response();
            // A page that has an error status of its own keeps it.
            if response.status().is_success() {
                *response.status_mut() = self.0.kind.face().0;
            }
            wait(self.0.retry_after, &mut response);
            return response;
        }
        if let Some(redirect) = self.0.redirect.take() {
            return redirect.into_response();
        }
        let retry_after = self.0.retry_after;
        let challenge = self.0.challenge.take();
        let accepts = self.0.accepts.take();
        let mut response = Outcome::error(self.status(), self);
        wait(retry_after, &mut response);
        let headers = response.headers_mut();
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some((name, types)) = accepts {
            headers.insert(name, HeaderValue::from_static(types));
        }
        response
    }
}
