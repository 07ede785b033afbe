use super::Access;
use crate::audit::{Entry, Event};
use crate::pages::{Error, RequestContext};

/// The one guard of every route: does the caller get past the heading?
///
/// A webhook's proof is its signature, which is checked where its body is read.
pub(crate) fn admit(access: Access, context: &RequestContext) -> Result<(), Error> {
    if matches!(access, Access::Public | Access::Webhook(_)) {
        return Ok(());
    }
    let Some(person) = context.session()?.principal() else {
        return Err(Error::unauthenticated());
    };
    match access {
        // No application's route stands under it.
        Access::BrowserReports => Err(Error::forbidden()),
        Access::Role(name) if !person.has_role_named(name) => {
            let entry = Entry::new(Event::AuthzFail);
            context.record(entry.detail(format_args!("the route requires the role {name}")));
            Err(Error::forbidden())
        }
        Access::Public | Access::SignedIn | Access::Role(_) | Access::Webhook(_) => Ok(()),
    }
}
