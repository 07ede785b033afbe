use std::borrow::Cow;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Error, ErrorKind, Language, Message, Words};

/// An error that a handler describes for programs: problem details (RFC 9457), `application/problem+json`.
///
/// Dewar sends it like every other [`Error`]: to programs as problem details, to people as the error page. The title, the
/// detail and each field's text may be a [`Message`](super::Message), which each reader gets in their own language.
///
/// ```
/// use dewar::pages::{Json, ProblemDetails};
/// use http::StatusCode;
/// async fn reserve() -> dewar::Result<Json<i64>> {
///     let seats = 0;
///     if seats == 0 {
///         return Err(ProblemDetails::new(StatusCode::CONFLICT)
///             .type_("/problems/sold-out")
///             .title("This train is full.")
///             .field("train", "Choose another train.")
///             .member("waiting_list", true)
///             .into());
///     }
///     Ok(Json(seats))
/// }
/// # let route: dewar::app::Route = dewar::post("/reservations", reserve);
/// # drop(route);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a problem does nothing until a handler returns it as an `Error`"]
pub struct ProblemDetails {
    pub(super) status: StatusCode,
    pub(super) type_: Option<&'static str>,
    pub(super) title: Option<Words>,
    pub(super) detail: Option<Words>,
    pub(super) fields: Vec<FieldProblem>,
    pub(super) members: Map<String, Value>,
}

/// The problem of one field, for programs.
#[derive(Debug, Clone)]
pub(crate) struct FieldProblem {
    /// `items.0.title`; empty for the whole input.
    pub(crate) field: String,
    /// The word that a program compares.
    code: Option<Cow<'static, str>>,
    /// The name of the form, and the label of the field in the code.
    label: Option<(&'static str, String)>,
    pub(crate) words: Words,
}

impl FieldProblem {
    pub(crate) fn new(field: &str, words: Words) -> Self {
        Self {
            field: field.to_owned(),
            code: None,
            label: None,
            words,
        }
    }

    /// Adds the label that people read.
    pub(crate) fn labelled(mut self, form: &'static str, label: String) -> Self {
        self.label = Some((form, label)).filter(|(_, label)| !label.is_empty());
        self
    }

    /// The problem for people, in their locale: its field's label, and the text.
    pub(super) fn for_people(&self, language: &Language) -> (Option<String>, String) {
        let label = self.label.as_ref().map(|(form, label)| {
            let translated = language.label(form, &self.field, None);
            translated.unwrap_or_else(|| label.clone())
        });
        (label, language.translate(&self.words).into_owned())
    }

    /// The word for programs: the given one, or the id of the message. A text that is written out has none.
    pub(super) fn code(&self) -> Option<&str> {
        let of_message = || {
            let id = self.words.message_id()?;
            Some(id.strip_prefix("forms-").unwrap_or(id))
        };
        self.code.as_deref().or_else(of_message)
    }

    /// The field as a JSON Pointer in a URI fragment (RFC 6901, 6), as RFC 9457 writes it.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::from("#");
        for step in self.field.split('.').filter(|step| !step.is_empty()) {
            pointer.push('/');
            pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }
}

/// The members that RFC 9457 and Dewar give a meaning.
const RESERVED: [&str; 6] = ["type", "title", "status", "detail", "instance", "errors"];

impl ProblemDetails {
    /// A problem with this status. A status below 400 is no error: it becomes 500, with a line in the log.
    pub fn new(status: StatusCode) -> Self {
        let is_error = status.is_client_error() || status.is_server_error();
        if !is_error {
            tracing::error!(%status, "a problem needs a status from 400 on; Dewar sends 500");
        }
        Self {
            status: if is_error {
                status
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            },
            type_: None,
            title: None,
            detail: None,
            fields: Vec::new(),
            members: Map::new(),
        }
    }

    /// The kind of the problem, as a URI or a path of this application: the word that a program compares. It is best the
    /// address of a page that explains it. Without it, the type is `about:blank`: the status says it all.
    pub fn type_(mut self, uri: &'static str) -> Self {
        self.type_ = Some(uri);
        self
    }

    /// The kind of the problem in a short sentence, the same for every occurrence.
    pub fn title(mut self, words: impl Into<Words>) -> Self {
        self.title = Some(words.into());
        self
    }

    /// What went wrong this time, and what to do about it. It is for the client: no text of the program's own, such as a
    /// statement or a path of a file (CWE-209).
    pub fn detail(mut self, words: impl Into<Words>) -> Self {
        self.detail = Some(words.into());
        self
    }

    /// The problem of a field: `NewNote::TITLE` of a form, or a text such as `items.0.title`.
    pub fn field(mut self, field: impl AsRef<str>, words: impl Into<Words>) -> Self {
        self.fields
            .push(FieldProblem::new(field.as_ref(), words.into()));
        self
    }

    /// The problem of a field, with a word that a program can compare.
    ///
    /// ```
    /// use dewar::pages::ProblemDetails;
    /// let taken = ProblemDetails::new(http::StatusCode::UNPROCESSABLE_ENTITY)
    ///     .field_with_code("title", "taken", "There is a note of this title.");
    /// # drop(taken);
    /// ```
    pub fn field_with_code(
        mut self,
        field: impl AsRef<str>,
        code: impl Into<Cow<'static, str>>,
        words: impl Into<Words>,
    ) -> Self {
        self.fields.push(FieldProblem {
            code: Some(code.into()),
            ..FieldProblem::new(field.as_ref(), words.into())
        });
        self
    }

    /// A member of the application's own (RFC 9457, 3.2). Dewar ignores one with a name that has a meaning already, and one
    /// that cannot be JSON, and logs an error.
    pub fn member(mut self, name: &'static str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) if !RESERVED.contains(&name) => {
                self.members.insert(name.to_owned(), value);
            }
            Ok(_) => tracing::error!(name, "this member of a problem has another meaning"),
            Err(error) => tracing::error!(name, %error, "this member of a problem is no JSON"),
        }
        self
    }

    /// 422 with the problem of one field.
    ///
    /// ```
    /// use dewar::pages::ProblemDetails;
    /// fn in_stock(pieces: i64) -> dewar::Result<()> {
    ///     match pieces {
    ///         0 => Err(ProblemDetails::unprocessable("pieces", "There are none left.").into()),
    ///         _ => Ok(()),
    ///     }
    /// }
    /// # assert!(in_stock(0).is_err());
    /// ```
    pub fn unprocessable(field: impl AsRef<str>, words: impl Into<Words>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY).field(field, words)
    }

    /// The nearest kind. It has the text of the error page, and decides whether the log gets an error.
    pub(super) fn kind(&self) -> ErrorKind {
        match self.status {
            StatusCode::UNAUTHORIZED => ErrorKind::Unauthenticated,
            StatusCode::FORBIDDEN => ErrorKind::Forbidden,
            StatusCode::NOT_FOUND | StatusCode::GONE => ErrorKind::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ErrorKind::MethodNotAllowed,
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => ErrorKind::Conflict,
            StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorKind::UnsupportedMediaType,
            StatusCode::UNPROCESSABLE_ENTITY => ErrorKind::Unprocessable,
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::TooManyRequests,
            StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Busy,
            StatusCode::INSUFFICIENT_STORAGE => ErrorKind::InsufficientStorage,
            other if other.is_server_error() => ErrorKind::Internal,
            _ => ErrorKind::BadRequest,
        }
    }
}

impl From<ProblemDetails> for Error {
    fn from(problem: ProblemDetails) -> Self {
        let kind = problem.kind();
        let text = match (&problem.detail, problem.fields.as_slice()) {
            (Some(detail), _) => detail.clone(),
            (None, [only]) => only.words.clone(),
            (None, _) => Message::new(kind.face().2).into(),
        };
        Self::new(kind).public(text).described(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_an_error_of_its_status() {
        for (status, kind, sent) in [
            (StatusCode::CONFLICT, ErrorKind::Conflict, 409),
            (StatusCode::GONE, ErrorKind::NotFound, 410),
            (StatusCode::LOCKED, ErrorKind::BadRequest, 423),
            (StatusCode::BAD_GATEWAY, ErrorKind::Internal, 502),
            (StatusCode::OK, ErrorKind::Internal, 500),
            (StatusCode::SEE_OTHER, ErrorKind::Internal, 500),
        ] {
            let error = Error::from(ProblemDetails::new(status));
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.status().as_u16(), sent, "{status}");
        }
    }

    #[test]
    fn a_member_with_a_meaning_of_its_own_is_not_overwritten() {
        let problem = ProblemDetails::new(StatusCode::CONFLICT)
            .member("status", 200)
            .member("balance", 30);
        assert_eq!(problem.members.len(), 1);
        assert_eq!(problem.members["balance"], 30);
    }

    #[test]
    fn a_field_is_a_pointer_and_its_message_a_code() {
        let field = |field, words: Words| FieldProblem::new(field, words);
        let missing = field("items.0.title", Message::new("forms-missing").into());
        assert_eq!(missing.pointer(), "#/items/0/title");
        assert_eq!(missing.code(), Some("missing"));
        let told = field("", "No.".into());
        assert_eq!((told.pointer(), told.code()), ("#".to_owned(), None));
        assert_eq!(field("a/b~c", "No.".into()).pointer(), "#/a~1b~0c");
    }
}
