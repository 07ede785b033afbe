use super::Access;
use crate::audit::{Entry, Event};
use crate::pages::{Error, Message, RequestContext};

/// The one guard of every route: does the caller get past the heading?
///
/// A webhook's proof is its signature, which is checked where its body is read.
pub(crate) fn admit(access: Access, context: &RequestContext) -> Result<(), Error> {
    if matches!(access, Access::Public | Access::Webhook(_)) {
        return Ok(());
    }
    if let Access::Api(scope) = access {
        return with_scope(scope, context);
    }
    let Some(person) = context.session()?.principal() else {
        return Err(Error::unauthenticated());
    };
    match access {
        // No application's route stands under it.
        Access::BrowserReports | Access::Unsubscribe => Err(Error::forbidden()),
        Access::Role(name) if !person.has_role_named(name) => {
            let entry = Entry::new(Event::AuthzFail);
            context.record(entry.detail(format_args!("the route requires the role {name}")));
            Err(Error::forbidden())
        }
        Access::AnyRole(names) if !access.admits_role(|name| person.has_role_named(name)) => {
            let entry = Entry::new(Event::AuthzFail);
            context.record(entry.detail(format_args!(
                "the route requires one of the roles {}",
                names.join(", ")
            )));
            Err(Error::forbidden())
        }
        Access::AnyRole(_)
        | Access::Api(_)
        | Access::Public
        | Access::SignedIn
        | Access::Role(_)
        | Access::Webhook(_) => Ok(()),
    }
}

/// Only the stack makes the caller of an API token, after it has found the token. Without one, nobody passes.
fn with_scope(scope: &'static str, context: &RequestContext) -> Result<(), Error> {
    let Some(caller) = context.bearer() else {
        return Err(Error::unauthenticated());
    };
    if caller.scopes.contains(&scope) {
        return Ok(());
    }
    let entry = Entry::new(Event::AuthzFail);
    context.record(entry.detail(format_args!("the route requires the scope {scope}")));
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    Err(Error::forbidden()
        .public(Message::new("api-insufficient-scope").with("scope", scope))
        .challenge(&challenge))
}
