//! What of all this belongs in the log of security events.

use std::fmt::Display;

use http::request::Parts;

use super::Problems;
use super::error::Refused;
use crate::csrf::Refusal;

/// A value was sent that was not offered.
pub(super) fn discrete(parts: &Parts, problems: &Problems) {
    let fields: Vec<&str> = problems.iter().filter(|(_, problem)| problem.is_discrete()).map(|(field, _)| field).collect();
    record(parts, "input_validation_discrete_fail", fields.join(", "));
}

/// A field was sent that no page of ours has, or twice.
pub(super) fn extraneous(parts: &Parts, refused: &Refused) {
    record(parts, "malicious_extraneous", refused);
}

/// The token was missing or somebody else's.
pub(super) fn token(parts: &Parts, refusal: Refusal) {
    record(parts, "malicious_csrf", refusal);
}

fn record(parts: &Parts, event: &'static str, detail: impl Display) {
    tracing::warn!(event, method = %parts.method, path = parts.uri.path(), %detail);
}
