use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, Value, from_args};
use minijinja::{Error, State};

/// The addresses of the route table. Before a handler links or redirects to a page that an application may leave out, it
/// can check it here; a template can with `{% if mounted("/sign-up") %}`.
///
/// Write an address as in the route table. The names in braces may differ.
///
/// ```
/// use dewar::pages::{Mounted, Redirect};
/// async fn done(mounted: Mounted) -> Redirect {
///     if mounted.page("/account") { Redirect::to("/account") } else { Redirect::to("/") }
/// }
/// # let mounted = Mounted::of([("GET", "/notes/{id}")]);
/// # assert!(mounted.page("/notes/{note}") && !mounted.page("/account"));
/// ```
#[derive(Clone, Default)]
pub struct Mounted(Arc<HashSet<String>>);

impl Mounted {
    /// The addresses of routes, each a method and a path.
    #[must_use]
    pub fn of<'a>(routes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let routes = routes.into_iter();
        Self(Arc::new(
            routes.map(|(method, path)| shape(method, path)).collect(),
        ))
    }

    /// Whether this path has a page, for a link or a redirect.
    #[must_use]
    pub fn page(&self, path: &str) -> bool {
        self.route("GET", path)
    }

    /// Whether this path has a route of this method.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> bool {
        self.0.contains(&shape(method, path))
    }

    /// The same without this path: no link leads to a page that the settings close.
    #[must_use]
    pub(crate) fn without(self, path: &str) -> Self {
        let closed = shape("", path);
        let open = |route: &&String| !route.ends_with(&closed);
        Self(Arc::new(self.0.iter().filter(open).cloned().collect()))
    }

    /// `mounted("/sign-up")` and `mounted("/sign-out", "POST")`, in a template.
    pub(super) fn to_value(&self) -> Value {
        Value::from_object(MountedFunction(self.clone()))
    }
}

/// A route without the names of its parameters.
fn shape(method: &str, path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let parameter = segment.starts_with('{') && segment.ends_with('}');
        if parameter { "{}" } else { segment }
    });
    let segments: Vec<&str> = segments.collect();
    format!("{method} {}", segments.join("/"))
}

impl fmt::Debug for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mounted({} routes)", self.0.len())
    }
}

#[derive(Debug)]
struct MountedFunction(Mounted);

impl Object for MountedFunction {
    fn call(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        values: &[Value],
    ) -> Result<Value, Error> {
        let (path, method): (&str, Option<&str>) = from_args(values)?;
        Ok(Value::from(self.0.route(method.unwrap_or("GET"), path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_known_by_method_and_shape() {
        let mounted = Mounted::of([("GET", "/reset/{token}"), ("POST", "/sign-out")]);
        assert!(mounted.page("/reset/{key}"));
        assert!(!mounted.page("/reset/abc/more") && !mounted.page("/reset"));
        assert!(mounted.route("POST", "/sign-out") && !mounted.page("/sign-out"));
        let routes = [
            ("GET", "/join"),
            ("POST", "/join"),
            ("GET", "/a/join"),
            ("GET", "/joint"),
        ];
        let closed = Mounted::of(routes).without("/join");
        assert!(!closed.page("/join") && !closed.route("POST", "/join"));
        assert!(closed.page("/a/join") && closed.page("/joint"));
    }
}
