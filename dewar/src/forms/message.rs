//! A form that comes as a message of a WebSocket, as JSON.

use super::{Intake, Model, Received, events, json};
use crate::pages::{Error, RequestContext};

/// Why a message is not one of the form.
#[derive(Debug)]
pub(crate) enum MessageRejection {
    /// The program's own fault.
    Internal(Error),
    /// What is wrong, with names of fields and nothing that the client sent.
    Wrong(String),
}

/// Reads a message by the rules of the form. What is wrong becomes a security event, as with a form that is posted.
///
/// # Errors
/// The message breaks a rule.
pub(crate) fn read_message<T: Model>(
    context: &RequestContext,
    text: &str,
) -> Result<T, MessageRejection> {
    let intake = context.service::<Intake>();
    let config = intake.map_err(MessageRejection::Internal)?.config();
    let tokens = context.tokens().map_err(MessageRejection::Internal)?;
    let mut received = Received::form::<T>(tokens);
    let read = json::read(text.as_bytes(), config.fields, &mut received);
    let read = read.and_then(|()| received.read::<T>());
    let (model, received) = read.map_err(|rejection| {
        events::refused(context, &rejection);
        MessageRejection::Wrong("no message of the form".to_owned())
    })?;
    model.ok_or_else(|| {
        events::problems(context, &received.problems);
        let wrong = received.problems.iter().next();
        let field = wrong
            .map(|(field, _)| field)
            .filter(|field| !field.is_empty());
        MessageRejection::Wrong(field.map_or_else(
            || "the message breaks a rule".to_owned(),
            |field| format!("the field {field} breaks a rule"),
        ))
    })
}
