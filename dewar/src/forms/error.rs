use std::io;
use std::time::Duration;

use super::json_fault::JsonRejection;
use crate::audit::{Event, reads_plainly};
use crate::csrf;
use crate::https::BodyError;
use crate::pages::{self, ErrorKind, Message, Slip, TypedField};

/// When to retry if too many bodies are in progress.
const COME_BACK: Duration = Duration::from_secs(5);

/// Why Dewar refused a request before it looked at its fields.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormRejection {
    #[error("the sealed field {} was changed, or belongs to another page", loggable(.0))]
    Altered(String),
    #[error("the body cannot be read")]
    Body(#[source] axum::Error),
    #[error("the content type is not that of a form")]
    ContentType,
    /// The body is an array, and its media type is another than JSON.
    #[error("the body is not JSON")]
    NotJson,
    #[error("the JSON is wrong: {0}")]
    Json(JsonRejection),
    #[error("the body is malformed: {0}")]
    Malformed(&'static str),
    #[error("cannot write to the quarantine")]
    Quarantine(#[source] io::Error),
    #[error("the CSRF check failed: {refusal}")]
    Token {
        refusal: csrf::CsrfRejection,
        /// The typed values, for the error page.
        typed: Vec<TypedField>,
    },
    #[error("the request is above a limit: {0}")]
    TooLarge(Message),
    #[error("the request has the field {0} more than once")]
    TwiceSent(&'static str),
    #[error("the form has no field {}", loggable(name))]
    UnknownField {
        name: String,
        /// The field that the sender may have meant.
        near: Option<String>,
    },
}

impl FormRejection {
    pub(super) fn token(refusal: csrf::CsrfRejection) -> Self {
        Self::Token {
            refusal,
            typed: Vec::new(),
        }
    }

    /// Adds the typed values to a form that is refused for its CSRF token.
    pub(super) fn with(self, typed: Vec<TypedField>) -> Self {
        if let Self::Token { refusal, .. } = self {
            Self::Token { refusal, typed }
        } else {
            self
        }
    }

    /// Its security event; none if the visitor sent nothing wrong.
    pub(super) fn event(&self) -> Option<Event> {
        match self {
            // Only a program made for an attack sends this.
            Self::Altered(_) | Self::TwiceSent(_) | Self::UnknownField { .. } => {
                Some(Event::MaliciousExtraneous)
            }
            Self::Body(cause) => match BodyError::find(cause) {
                Some(BodyError::TooLarge { .. }) => Some(Event::InputValidationFail),
                Some(BodyError::Busy | BodyError::TooSlow | BodyError::Broken(_)) | None => None,
            },
            Self::ContentType
            | Self::NotJson
            | Self::Json(_)
            | Self::Malformed(_)
            | Self::TooLarge(_) => Some(Event::InputValidationFail),
            Self::Quarantine(_) => None,
            Self::Token { .. } => Some(Event::MaliciousCsrf),
        }
    }
}

/// The status and the visitor's message, in one place.
impl From<FormRejection> for pages::Error {
    fn from(mut refused: FormRejection) -> Self {
        match &mut refused {
            FormRejection::Altered(_) => {
                Self::bad_request(Message::new("forms-page-altered")).because(refused)
            }
            FormRejection::Body(cause) => match BodyError::find(cause) {
                Some(BodyError::TooLarge { .. }) => {
                    Self::too_large(Message::new("forms-body-too-large"))
                }
                Some(BodyError::Busy) => Self::busy(COME_BACK),
                Some(BodyError::TooSlow) => Self::new(ErrorKind::TooSlow),
                Some(BodyError::Broken(_)) | None => {
                    Self::bad_request(Message::new("forms-body-short"))
                }
            }
            .because(refused),
            FormRejection::ContentType | FormRejection::NotJson => {
                Self::unsupported_media_type(Message::new("forms-content-type")).because(refused)
            }
            FormRejection::Json(json) => json.error().because(refused),
            // The exact reason goes into the log only: a browser sends no such request.
            FormRejection::Malformed(_) => {
                Self::bad_request(Message::new("forms-malformed")).because(refused)
            }
            FormRejection::Quarantine(error) if error.kind() == io::ErrorKind::StorageFull => {
                Self::insufficient_storage().because(refused)
            }
            // The database, which counts the sender's files, is away for a moment.
            FormRejection::Quarantine(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                Self::busy(COME_BACK).because(refused)
            }
            FormRejection::Quarantine(_) => Self::internal(refused),
            FormRejection::Token { typed, refusal } => {
                let slip = (*refusal == csrf::CsrfRejection::NoToken).then_some(Slip::NoToken);
                Self::forbidden()
                    .public(Message::new("forms-token"))
                    .typed(std::mem::take(typed))
                    .slip(slip)
                    .because(refused)
            }
            FormRejection::TooLarge(text) => {
                let text = text.clone();
                Self::too_large(text).because(refused)
            }
            FormRejection::TwiceSent(name) => {
                let text = Message::new("forms-sent-twice").with("name", *name);
                Self::bad_request(text).because(refused)
            }
            FormRejection::UnknownField { name, near } => {
                let name = shortened(name);
                let text = match near {
                    Some(near) => Message::new("forms-unknown-field-near")
                        .with("name", name)
                        .with("near", near.clone()),
                    None => Message::new("forms-unknown-field").with("name", name),
                };
                Self::bad_request(text).because(refused)
            }
        }
    }
}

/// A field's name as the log may store it. If the body is one bare secret, the name is all of that secret.
fn loggable(name: &str) -> &str {
    let steps = name.split(['[', ']']);
    if steps.clone().count() <= 8 && steps.clone().all(reads_plainly) {
        name
    } else {
        "…"
    }
}

/// A name that a visitor sent, shortened and without invisible characters, so that a message can quote it.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The database that counts the sender's files is restarted: the visitor may try again.
    #[test]
    fn a_quarantine_that_is_busy_is_no_error_of_the_program() {
        for (kind, expected) in [
            (io::ErrorKind::ResourceBusy, ErrorKind::Busy),
            (io::ErrorKind::PermissionDenied, ErrorKind::Internal),
        ] {
            let error = pages::Error::from(FormRejection::Quarantine(kind.into()));
            assert_eq!(error.kind(), expected);
        }
    }
}
