use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

use super::{Error, Page, Resume, TypedInForm, Words};

/// The answer of a handler before it is bytes: one value in the extensions of its response.
///
/// A page and an error are rendered after the handler has returned, when the session and the token of the answer are
/// known. A response without an outcome, such as a download, is sent as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(super) answer: Option<Answer>,
    /// The message that the next page shows.
    pub(crate) flash: Option<Words>,
    /// The texts of the form, for an error page.
    pub(super) typed: Option<TypedInForm>,
}

/// The part of an outcome that becomes the body.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Page(Arc<Page>),
    Error(Arc<Error>),
    /// The form that waited goes through the router once more, and its answer stands in the place of this one.
    Resume(Box<Resume>),
}

impl Outcome {
    pub(super) fn page(page: Page) -> Response {
        Self::answer(page.status_code(), Answer::Page(Arc::new(page)))
    }

    pub(super) fn error(status: StatusCode, error: Error) -> Response {
        Self::answer(status, Answer::Error(Arc::new(error)))
    }

    /// The answer of a handler that found a form which waited.
    pub(crate) fn resume(resume: Resume) -> Response {
        // Outside the stack nobody resumes it.
        Self::answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            Answer::Resume(Box::new(resume)),
        )
    }

    fn answer(status: StatusCode, answer: Answer) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let outcome = Self {
            answer: Some(answer),
            ..Self::default()
        };
        response.extensions_mut().insert(outcome);
        response
    }

    /// Adds the texts of the form to the outcome of a response, where it has one.
    pub(crate) fn add_texts(response: &mut Response, typed: TypedInForm) {
        if let Some(outcome) = response.extensions_mut().get_mut::<Self>() {
            outcome.typed = Some(typed);
        }
    }

    /// The response with a message that the next page shows.
    pub(super) fn with_flash(mut response: Response, flash: Words) -> Response {
        let outcome = response.extensions_mut().get_or_insert_default::<Self>();
        outcome.flash = Some(flash);
        response
    }

    /// The outcome that a response carries.
    pub(crate) fn take(response: &mut Response) -> Self {
        response.extensions_mut().remove().unwrap_or_default()
    }

    /// The form that waited, where the handler found one.
    pub(crate) fn take_resume(&mut self) -> Option<Resume> {
        match self.answer.take() {
            Some(Answer::Resume(resume)) => Some(*resume),
            other => {
                self.answer = other;
                None
            }
        }
    }
}
