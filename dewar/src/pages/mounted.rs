use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AccountPage, AccountPaths};

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
pub struct Mounted {
    routes: Arc<HashSet<String>>,
    accounts: Arc<AccountPaths>,
}

/// A value in a path, as `encodeURIComponent` writes it.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

impl Mounted {
    /// The addresses of routes, each a method and a path.
    #[must_use]
    pub fn of<'a>(routes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let routes = routes.into_iter();
        let routes = routes.map(|(method, path)| shape(method, path));
        Self {
            routes: Arc::new(routes.collect()),
            accounts: Arc::default(),
        }
    }

    /// The same with the paths of the pages of accounts.
    pub(crate) fn with_accounts(self, accounts: AccountPaths) -> Self {
        let accounts = Arc::new(accounts);
        Self { accounts, ..self }
    }

    /// The path of a page of accounts, as in the route table. None if it is not mounted, or if the settings close it. A
    /// template writes `{{ account_page("sign-in") }}`.
    ///
    /// ```
    /// use dewar::pages::{AccountPage, Mounted, Text};
    /// async fn where_to(mounted: Mounted) -> Text {
    ///     Text::new(mounted.account_page(AccountPage::SignUp).unwrap_or("sign-up is closed").to_owned())
    /// }
    /// # let _: dewar::app::Route = dewar::get("/where", where_to);
    /// ```
    #[must_use]
    pub fn account_page(&self, page: AccountPage) -> Option<&str> {
        self.accounts.pattern(page)
    }

    /// The paths of the pages of accounts.
    pub(crate) fn accounts(&self) -> &AccountPaths {
        &self.accounts
    }

    /// Whether this path has a page, for a link or a redirect.
    #[must_use]
    pub fn page(&self, path: &str) -> bool {
        self.route("GET", path)
    }

    /// Whether this path has a route of this method.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> bool {
        self.routes.contains(&shape(method, path))
    }

    /// The same without this page: no link leads to a page that the settings close.
    #[must_use]
    pub(crate) fn without(mut self, page: AccountPage) -> Self {
        let closed = shape("", self.accounts.path(page));
        let open = |route: &&String| !route.ends_with(&closed);
        self.routes = Arc::new(self.routes.iter().filter(open).cloned().collect());
        Arc::make_mut(&mut self.accounts).remove(page);
        self
    }

    /// `mounted("/sign-up")` and `mounted("/sign-out", "POST")`, in a template.
    pub(super) fn to_value(&self) -> Value {
        Value::from_object(MountedFunction(self.clone()))
    }

    /// `account_page("sign-in")` and `account_page("end-session", session.id)`, in a template.
    pub(super) fn account_page_function(&self) -> Value {
        Value::from_object(AccountPageFunction(self.clone()))
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
        write!(f, "Mounted({} routes)", self.routes.len())
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

#[derive(Debug)]
struct AccountPageFunction(Mounted);

impl Object for AccountPageFunction {
    fn call(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        values: &[Value],
    ) -> Result<Value, Error> {
        let (name, value): (&str, Option<Value>) = from_args(values)?;
        let wrong = |why: String| Error::new(ErrorKind::InvalidOperation, why);
        let mut all = AccountPage::ALL.into_iter();
        let Some(page) = all.find(|page| page.name() == name) else {
            return Err(wrong(format!("there is no page of accounts {name:?}")));
        };
        let paths = self.0.accounts();
        let Some(pattern) = paths.pattern(page) else {
            return Ok(Value::from(()));
        };
        match value.filter(|value| !value.is_none() && !value.is_undefined()) {
            None if page.has_parameter() => Err(wrong(format!(
                "the page of accounts {name:?} needs a value for its path {pattern}"
            ))),
            None => Ok(Value::from(pattern)),
            Some(value) => {
                let value = value.to_string();
                let value = utf8_percent_encode(&value, IN_A_PATH).to_string();
                Ok(Value::from(paths.with(page, &value)))
            }
        }
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
        let mut paths = AccountPaths::default();
        paths.set(AccountPage::SignUp, "/join");
        let mounted = Mounted::of(routes).with_accounts(paths);
        assert_eq!(mounted.account_page(AccountPage::SignUp), Some("/join"));
        let closed = mounted.without(AccountPage::SignUp);
        assert_eq!(closed.account_page(AccountPage::SignUp), None);
        assert!(!closed.page("/join") && !closed.route("POST", "/join"));
        assert!(closed.page("/a/join") && closed.page("/joint"));
    }
}
