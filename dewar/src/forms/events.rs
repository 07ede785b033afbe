//! The security events of forms (ASVS 16.3.3): they have names of fields, never typed values.

use super::error::FormRejection;
use super::problem::RefusedFile;
use super::{Problem, UntypedProblems};
use crate::audit::{Entry, Event};
use crate::pages::RequestContext;

/// Logs the problems of a form's values: a file, a value that was not offered, or another rule of a field.
pub(super) fn problems(context: &RequestContext, problems: &UntypedProblems) {
    for file in problems.iter().filter_map(|(_, problem)| problem.file()) {
        context.record(refused_file(file));
    }
    fields(
        context,
        Event::InputValidationDiscreteFail,
        problems,
        Problem::is_discrete,
    );
    fields(
        context,
        Event::InputValidationFail,
        problems,
        Problem::is_broken_rule,
    );
}

fn fields(
    context: &RequestContext,
    event: Event,
    problems: &UntypedProblems,
    concerns: fn(&Problem) -> bool,
) {
    let wrong = problems.iter().filter(|(_, problem)| concerns(problem));
    let mut names: Vec<&str> = wrong.map(|(field, _)| named(field)).collect();
    names.dedup();
    if !names.is_empty() {
        context.record(Entry::new(event).detail(names.join(", ")));
    }
}

fn named(field: &str) -> &str {
    if field.is_empty() {
        "the whole form"
    } else {
        field
    }
}

/// Logs a request whose sender lost their session or a role before its body arrived.
pub(super) fn came_too_late(context: &RequestContext) {
    let entry = Entry::new(Event::AuthzFail).detail("the session changed during the upload");
    let entry = match context.principal() {
        Some(person) => entry.subject(person.id()),
        None => entry,
    };
    context.record(entry);
}

/// Logs a form that was refused before its values were read.
pub(super) fn refused(context: &RequestContext, refused: &FormRejection) {
    let Some(event) = refused.event() else {
        return;
    };
    let entry = match refused {
        FormRejection::Token { refusal, .. } => Entry::new(event).detail(refusal),
        FormRejection::Altered(_)
        | FormRejection::Body(_)
        | FormRejection::ContentType
        | FormRejection::NotJson
        | FormRejection::Json(_)
        | FormRejection::Malformed(_)
        | FormRejection::Quarantine(_)
        | FormRejection::TooLarge(_)
        | FormRejection::TwiceSent(_)
        | FormRejection::UnknownField { .. } => Entry::new(event).detail(refused),
    };
    context.record(entry);
}

/// The same entry as `uploads` writes for a file that it refuses later.
fn refused_file(file: &RefusedFile) -> Entry {
    Entry::new(Event::UploadValidation)
        .subject(&file.name)
        .outcome("refused")
        .detail(file.why)
}
