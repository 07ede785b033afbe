use http::Uri;
use matchit::Router;

use super::RouteTable;
use crate::audit::RoutePattern;

/// The route pattern of each path, for the log. Dewar looks it up before it checks the request, so the log has it for
/// refused requests too. Only the router decides who may enter.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    router: Router<RoutePattern>,
    /// The paths that the framework serves itself.
    provided: Vec<&'static str>,
}

impl Patterns {
    pub(super) fn of_table(table: &RouteTable) -> Self {
        let mut router = Router::new();
        for entry in table.entries().iter().chain(table.provided()) {
            // An error means that the path exists already, for another method, or that the table forbids the launch.
            for pattern in entry.patterns() {
                drop(router.insert(pattern, RoutePattern(entry.path)));
            }
        }
        let provided = table.provided().iter().map(|entry| entry.path);
        Self {
            router,
            provided: provided.collect(),
        }
    }

    /// Whether the framework serves this path itself.
    pub(super) fn provides(&self, path: &str) -> bool {
        self.provided.contains(&path)
    }

    pub(super) fn of(&self, target: &Uri) -> Option<RoutePattern> {
        Some(*self.router.at(target.path()).ok()?.value)
    }
}
