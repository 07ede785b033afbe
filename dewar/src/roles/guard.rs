use http::request::Parts;

use super::Access;
use crate::audit::{Entry, Event, Log};
use crate::https::ClientAddress;
use crate::pages::Error;
use crate::sessions::Session;

/// The one guard of every route: does the caller get past the heading?
///
/// A webhook's proof is its signature, which is checked where its body is read.
pub(crate) fn admit(access: Access, parts: &Parts) -> Result<(), Error> {
    if matches!(access, Access::Public | Access::Webhook(_)) {
        return Ok(());
    }
    let session = parts
        .extensions
        .get::<Session>()
        .ok_or_else(|| Error::missing("Session"))?;
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
    let mut entry = Entry::new(Event::AuthzFail)
        .actor(person)
        .request(parts.method.as_str(), parts.uri.path())
        .detail(format_args!("role {wanted} is wanted"));
    if let Some(ClientAddress(address)) = parts.extensions.get() {
        entry = entry.address(*address);
    }
    log.record(entry);
}
