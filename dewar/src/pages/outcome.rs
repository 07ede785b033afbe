use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

use super::{Error, Page, Resume, TypedInForm, Words};

/// The output of a handler before it is rendered: one value in the extensions of its response.
///
/// Dewar renders a page or an error after the handler has returned, when it knows the session and the token of the
/// response. It sends a response without an outcome, such as a download, as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(super) answer: Option<Answer>,
    /// The flash message that the next page shows.
    pub(crate) flash: Option<Words>,
    /// The texts of the form, for an error page.
    pub(super) typed: Option<TypedInForm>,
}

/// The part of an outcome that becomes the body.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Page(Arc<Page>),
    Error(Arc<Error>),
    /// A pending form goes through the router once more, and its response replaces this one.
    Resume(Box<Resume>),
}

impl Outcome {
    pub(super) fn page(page: Page) -> Response {
        Self::answer(page.status_code(), Answer::Page(Arc::new(page)))
    }

    pub(super) fn error(status: StatusCode, error: Error) -> Response {
        Self::answer(status, Answer::Error(Arc::new(error)))
    }

    /// The response of a handler that found a pending form.
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

    /// Adds the texts of the form to a response's outcome, if it has one.
    pub(crate) fn add_texts(response: &mut Response, typed: TypedInForm) {
        if let Some(outcome) = response.extensions_mut().get_mut::<Self>() {
            outcome.typed = Some(typed);
        }
    }

    /// The response with a flash message for the next page.
    pub(super) fn with_flash(mut response: Response, flash: Words) -> Response {
        let outcome = response.extensions_mut().get_or_insert_default::<Self>();
        outcome.flash = Some(flash);
        response
    }

    /// Takes the outcome out of a response.
    pub(crate) fn take(response: &mut Response) -> Self {
        response.extensions_mut().remove().unwrap_or_default()
    }

    /// Takes the pending form, if the handler found one.
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
