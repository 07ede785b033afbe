//! What of all this belongs in the log of security events (ASVS 16.3.3): names of fields, never what was typed.

use http::request::Parts;

use super::error::FormRejection;
use super::problem::RefusedFile;
use super::{Problem, Problems};
use crate::audit::{Entry, Event, Log};
use crate::https::about_request;
use crate::sessions::Session;

/// What was wrong with the values of a form: a file, a value that was not offered, or another rule of a field.
pub(super) fn problems(parts: &Parts, problems: &Problems) {
    for file in problems.iter().filter_map(|(_, problem)| problem.file()) {
        record(parts, refused_file(file));
    }
    fields(
        parts,
        Event::InputValidationDiscreteFail,
        problems,
        Problem::is_discrete,
    );
    fields(
        parts,
        Event::InputValidationFail,
        problems,
        Problem::is_broken_rule,
    );
}

fn fields(parts: &Parts, event: Event, problems: &Problems, concerns: fn(&Problem) -> bool) {
    let wrong = problems.iter().filter(|(_, problem)| concerns(problem));
    let mut names: Vec<&str> = wrong.map(|(field, _)| named(field)).collect();
    names.dedup();
    if !names.is_empty() {
        record(parts, Entry::new(event).detail(names.join(", ")));
    }
}

fn named(field: &str) -> &str {
    if field.is_empty() {
        "the form as a whole"
    } else {
        field
    }
}

/// A request whose sender lost their session or a role before its body was there.
pub(super) fn came_too_late(parts: &Parts) {
    let session = parts.extensions.get::<Session>();
    let entry =
        Entry::new(Event::AuthzFail).detail("the session changed while the request was sent");
    let entry = match session.and_then(Session::principal) {
        Some(person) => entry.subject(person.id()),
        None => entry,
    };
    record(parts, entry);
}

/// A form that was turned away before its values were looked at.
pub(super) fn refused(parts: &Parts, refused: &FormRejection) {
    let Some(event) = refused.event() else {
        return;
    };
    let entry = match refused {
        FormRejection::Token { refusal, .. } => Entry::new(event).detail(refusal),
        FormRejection::Altered(_)
        | FormRejection::Body(_)
        | FormRejection::ContentType
        | FormRejection::Malformed(_)
        | FormRejection::Quarantine(_)
        | FormRejection::TooLarge(_)
        | FormRejection::TwiceSent(_)
        | FormRejection::UnknownField(_) => Entry::new(event).detail(refused),
    };
    record(parts, entry);
}

/// As `uploads` notes a file that it refuses later.
fn refused_file(file: &RefusedFile) -> Entry {
    Entry::new(Event::UploadValidation)
        .subject(&file.name)
        .outcome("refused")
        .detail(file.why)
}

fn record(parts: &Parts, entry: Entry) {
    let Some(log) = parts.extensions.get::<Log>() else {
        return;
    };
    let mut entry = about_request(entry, parts);
    if let Some(principal) = parts
        .extensions
        .get::<Session>()
        .and_then(Session::principal)
    {
        entry = entry.actor(principal.id());
    }
    log.record(entry);
}
