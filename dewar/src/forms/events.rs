//! What of all this belongs in the log of security events.

use std::fmt::Display;

use http::request::Parts;

use super::Problems;
use super::error::Refused;
use crate::audit::{Entry, Event, Log};
use crate::csrf::Refusal;
use crate::https::{ClientAddress, RequestId};
use crate::sessions::Session;

/// A value was sent that was not offered.
pub(super) fn discrete(parts: &Parts, problems: &Problems) {
    let wrong = problems.iter().filter(|(_, problem)| problem.is_discrete());
    let fields: Vec<&str> = wrong.map(|(field, _)| field).collect();
    record(parts, Event::InputValidationDiscreteFail, fields.join(", "));
}

/// A field was sent that no page of ours has, or twice.
pub(super) fn extraneous(parts: &Parts, refused: &Refused) {
    record(parts, Event::MaliciousExtraneous, refused);
}

/// The token was missing or somebody else's.
pub(super) fn token(parts: &Parts, refusal: Refusal) {
    record(parts, Event::MaliciousCsrf, refusal);
}

fn record(parts: &Parts, event: Event, detail: impl Display) {
    let path = parts.uri.path();
    tracing::warn!(event = event.name(), method = %parts.method, path, %detail);
    let Some(log) = parts.extensions.get::<Log>() else {
        return;
    };
    let mut entry = Entry::new(event)
        .request(&parts.method, path)
        .detail(detail);
    if let Some(ClientAddress(address)) = parts.extensions.get() {
        entry = entry.address(*address);
    }
    if let Some(id) = parts.extensions.get::<RequestId>() {
        entry = entry.request_id(id);
    }
    if let Some(principal) = parts
        .extensions
        .get::<Session>()
        .and_then(Session::principal)
    {
        entry = entry.actor(principal.id());
    }
    log.record(entry);
}
