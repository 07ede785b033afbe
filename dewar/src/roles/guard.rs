use http::request::Parts;

use super::Access;
use crate::audit::{Entry, Event, Log};
use crate::https::about_request;
use crate::pages::{Error, handle};
use crate::sessions::Session;

/// The one guard of every route: does the caller get past the heading?
///
/// A webhook's proof is its signature, which is checked where its body is read.
pub(crate) fn admit(access: Access, parts: &Parts) -> Result<(), Error> {
    if matches!(access, Access::Public | Access::Webhook(_)) {
        return Ok(());
    }
    let session = handle::<Session>(parts, "Session")?;
    let Some(person) = session.principal() else {
        return Err(Error::unauthenticated());
    };
    match access {
        // No application's route stands under it.
        Access::BrowserReports => Err(Error::forbidden()),
        Access::Role(name) if !person.has_role_named(name) => {
            refused(parts, person.id(), name);
            Err(Error::forbidden())
        }
        Access::Public | Access::SignedIn | Access::Role(_) | Access::Webhook(_) => Ok(()),
    }
}

fn refused(parts: &Parts, person: crate::sessions::UserId, wanted: &str) {
    let Some(log) = parts.extensions.get::<Log>() else {
        return;
    };
    let entry = Entry::new(Event::AuthzFail)
        .actor(person)
        .detail(format_args!("role {wanted} is wanted"));
    log.record(about_request(entry, parts));
}
