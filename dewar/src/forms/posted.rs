use axum::extract::{FromRequest, Request};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::argument::proof;
use super::error::Refused;
use super::reader::{Reader, is_kind};
use super::{
    Argument, Described, FormSpec, FormView, Intake, Model, Offered, Problem, Problems, events,
};
use crate::csrf::{CsrfChecked, Gate};
use crate::pages::{Error, ErrorKind, Page};

/// A form that a visitor sent, with a token of this session: the argument of a handler.
///
/// It is read from `application/x-www-form-urlencoded`, `multipart/form-data` or, for a script that has the token in the
/// header `x-csrf-token`, from `application/json`, within the bounds of its types and of
/// [`Config`](super::Config). A field that is unknown or comes twice, or bytes that cannot be decoded, end the request
/// (400). Fields that break their rules do not: the page is shown again with what was typed and all that is wrong.
///
/// ```
/// use dewar::forms::Line;
/// use dewar::{Form, Redirect};
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
///
/// async fn create(form: Form<NewNote>) -> dewar::Result<Redirect> {
///     let (note, sheet) = form.sheet("notes/new.html")?; // or the same page again, at 422
///     if note.title.as_str() == "Taken" {
///         return Err(sheet.refuse("title", "There is a note of this title.")); // what only the database knows
///     }
///     Ok(Redirect::to("/notes"))
/// }
/// ```
#[derive(Debug)]
#[must_use = "a form is read by `or_show`, `sheet` or `result`"]
pub struct Form<T: Model> {
    model: Option<T>,
    view: FormView,
    name: &'static str,
    reader: Reads,
    /// The request, where a value may still turn out not to have been offered.
    parts: Option<Box<Parts>>,
    /// Nothing is done with it; that it is here is the point.
    _checked: CsrfChecked,
}

impl<T: Model> Form<T> {
    /// What came in, or this page again at 422, with the form under the name `form`.
    ///
    /// # Errors
    /// The page, as an [`Error`].
    pub fn or_show(self, page: impl Into<Page>) -> Result<T, Error> {
        self.sheet(page).map(|(model, _)| model)
    }

    /// What came in, and the means to refuse it later, such as for a name that the database knows already.
    ///
    /// # Errors
    /// The page, as an [`Error`].
    pub fn sheet(self, page: impl Into<Page>) -> Result<(T, Sheet), Error> {
        let sheet = Sheet {
            view: self.view,
            reader: self.reader,
            name: self.name,
            page: page.into(),
        };
        match self.model {
            Some(model) => Ok((model, sheet)),
            None => Err(sheet.show()),
        }
    }

    /// What came in, or the form with all that is wrong, for a handler that answers in its own way.
    ///
    /// # Errors
    /// The form to show again.
    pub fn result(self) -> Result<T, FormView> {
        self.model.ok_or(self.view)
    }

    /// Offers these records for a [`Pick`](super::Pick): they are drawn where the page comes again, and a value that is
    /// none of them is refused and noted as a security event.
    pub fn offer<P>(mut self, field: &'static str, offered: &Offered<P>) -> Self {
        self.view = self.view.offer(field, offered);
        if self.view.picked_otherwise(field) {
            let problems = Problems::at(field, Problem::not_offered());
            if let Some(parts) = &self.parts {
                events::problems(parts, &problems);
            }
            self.view.add(problems);
            self.model = None;
        }
        self
    }

    /// Shows it under another name than `form`, on a page of several forms.
    pub fn shown_as(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

/// A form that came in whole, and the page that it came from.
#[derive(Debug)]
pub struct Sheet {
    view: FormView,
    reader: Reads,
    name: &'static str,
    page: Page,
}

impl Sheet {
    /// The page again at 422, with what was typed and this problem beside a field.
    #[must_use]
    pub fn refuse(self, field: &'static str, problem: impl Into<Problem>) -> Error {
        self.refuse_all(Problems::at(field, problem))
    }

    /// The page again at 422, with what was typed and these problems.
    #[must_use]
    pub fn refuse_all(mut self, problems: Problems) -> Error {
        self.view.add(problems);
        self.show()
    }

    fn show(self) -> Error {
        if self.reader == Reads::Problems {
            return Error::new(ErrorKind::Unprocessable).fields(
                self.view
                    .problems()
                    .iter()
                    .map(|(field, problem)| (field, problem.words().clone())),
            );
        }
        Error::page(
            self.page
                .form(self.name, self.view)
                .status(StatusCode::UNPROCESSABLE_ENTITY),
        )
    }
}

/// What the sender of a form can read, where the form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// The page, once more.
    Page,
    /// All problems as data (RFC 9457).
    Problems,
}

impl Reads {
    /// Browsers name `text/html`. What names JSON, or sent JSON and names nothing, is a script.
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let accepts = text(ACCEPT).unwrap_or("*/*");
        let sent_json = text(CONTENT_TYPE).is_some_and(|kind| is_kind(kind, "application/json"));
        if !accepts.contains("text/html") && (accepts.contains("json") || sent_json) {
            Self::Problems
        } else {
            Self::Page
        }
    }
}

impl<T: Model> Argument for Form<T> {
    fn describe(route: &mut Described) {
        route.form = Some(FormSpec::new(T::FIELDS));
    }

    fn token(_: proof::Asked) -> proof::Token {
        proof::Token::Checked
    }
}

impl<S: Send + Sync, T: Model> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let gate = parts
            .extensions
            .get::<Gate>()
            .ok_or_else(|| Error::missing("Gate"))?;
        let intake = parts
            .extensions
            .get::<Intake>()
            .ok_or_else(|| Error::missing("Intake"))?;
        let reader = Reader::new::<T>(gate, intake, &parts.headers);
        match reader.read(body).await {
            Ok((received, checked)) => {
                let (model, received) = received
                    .read::<T>()
                    .map_err(|refused| turn_away(&parts, refused))?;
                let view = received.into_view::<T>();
                events::problems(&parts, view.problems());
                let picks = T::FIELDS.iter().any(|field| field.kind.picked);
                Ok(Self {
                    model,
                    view,
                    name: "form",
                    reader: Reads::of(&parts.headers),
                    parts: picks.then(|| Box::new(parts)),
                    _checked: checked,
                })
            }
            Err(refused) => Err(turn_away(&parts, refused)),
        }
    }
}

/// A refusal as an answer and, where the visitor's input was refused, as a security event.
pub(super) fn turn_away(parts: &Parts, refused: Refused) -> Error {
    events::refused(parts, &refused);
    refused.into()
}
