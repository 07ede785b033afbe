use http::Uri;
use matchit::Router;

use super::RouteTable;
use crate::audit::RoutePattern;

/// Which route a path meets, for the log: known before the request is checked, and so whatever refuses it. Who may enter
/// is decided by the router alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(Router<RoutePattern>);

impl Patterns {
    pub(super) fn of_table(table: &RouteTable) -> Self {
        let mut router = Router::new();
        for entry in table.entries().iter().chain(table.provided()) {
            // An error means that it is there already, for another method, or that the table forbids the launch.
            drop(router.insert(entry.path, RoutePattern(entry.path)));
        }
        Self(router)
    }

    pub(super) fn of(&self, target: &Uri) -> Option<RoutePattern> {
        Some(*self.0.at(target.path()).ok()?.value)
    }
}
