//! Who reads a route: programs with a token, and connections that stay open.

use std::collections::HashSet;

use super::{RouteEntry, RouteTable};
use crate::audit::{Finding, Practice};
use crate::roles::Access;

impl RouteTable {
    /// The paths whose response stays open.
    pub(in crate::app) fn live(&self) -> HashSet<&'static str> {
        let live = self.own.iter().filter(|entry| entry.gives.stays_open());
        live.map(|entry| entry.path).collect()
    }
}

/// A route for programs cannot ask for a password.
pub(super) fn no_password(entry: &RouteEntry) -> Option<Finding> {
    let asks = entry.takes.recently && matches!(entry.access, Access::Api(_));
    asks.then(|| {
        let title = format!(
            "{} {} requires re-authentication under `api`",
            entry.method, entry.path
        );
        Finding::refuse(Practice::Accounts, "api-needs-password", title)
            .why("a program has no session and enters no password, so Dewar would refuse every request")
            .fix("give the route a scope of its own, or mount it under `signed_in`")
    })
}
