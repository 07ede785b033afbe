use std::path::Path;

use serde::Deserialize;

use super::Error;

/// The route table of an application: the output of `<application> routes --json`.
///
/// To audit an application that is not built on `dewar`, write such a file by hand.
///
/// ```
/// use dewar_audit::sources::{RouteAccess, RouteList};
/// let routes = RouteList::read(r#"[{"method": "GET", "path": "/notes/{id}", "access": "signed_in"}]"#)?;
/// assert_eq!(routes.all()[0].access, RouteAccess::SignedIn);
/// assert_eq!(routes.all()[0].target(), "/notes/1");
/// # Ok::<(), dewar_audit::sources::Error>(())
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct RouteList(Vec<ListedRoute>);

/// One route.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ListedRoute {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, with parameters in braces.
    pub path: String,
    /// The access rule.
    pub access: RouteAccess,
    /// The page of accounts that it is, or whose form it takes: `sign-in`, `sign-out`, … Without it, the auditor guesses by English
    /// words in the path.
    #[serde(default)]
    pub account_page: Option<String>,
    /// The fields of the query.
    #[serde(default)]
    pub query: Option<RouteFields>,
    /// The fields of the body.
    #[serde(default)]
    pub form: Option<RouteFields>,
}

/// The access rule of a route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[non_exhaustive]
pub enum RouteAccess {
    /// Users with at least one of these roles.
    AnyRole(Vec<String>),
    /// Programs with an API token that has this scope.
    Api(String),
    /// Browsers that send reports: no route of the application, and it needs no session or token.
    BrowserReports,
    /// Everyone.
    Public,
    /// Users with this role.
    Role(String),
    /// Signed-in users.
    SignedIn,
    /// Holders of a sealed link in a letter to many: no route of the application, and it needs no session or token.
    Unsubscribe,
    /// Programs that sign their requests: the sender, and the scheme of a known service (`code:github`).
    Webhook(String),
}

/// The fields of a query or of a form.
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct RouteFields {
    /// The fields.
    pub fields: Vec<RouteField>,
}

/// One field.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct RouteField {
    /// The name that a form sends.
    pub name: String,
    /// The input element: `line`, `password`, `file`, …
    #[serde(default)]
    pub widget: String,
    /// Whether it must have a value.
    #[serde(default)]
    pub required: bool,
    /// The most bytes of a file.
    #[serde(default)]
    pub max_bytes: Option<u64>,
}

impl TryFrom<String> for RouteAccess {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "public" => Ok(Self::Public),
            None if text == "browser_reports" => Ok(Self::BrowserReports),
            None if text == "signed_in" => Ok(Self::SignedIn),
            None if text == "unsubscribe" => Ok(Self::Unsubscribe),
            Some(("any_role", names)) => {
                Ok(Self::AnyRole(names.split(',').map(str::to_owned).collect()))
            }
            Some(("api", scope)) => Ok(Self::Api(scope.to_owned())),
            Some(("role", name)) => Ok(Self::Role(name.to_owned())),
            Some(("webhook", sender)) => Ok(Self::Webhook(sender.to_owned())),
            // Treating an unknown access rule as a harmless one would hide a route.
            None | Some(_) => Err(format!(
                "`{text}` is not an access rule: any_role:…, api:…, browser_reports, public, role:…, signed_in, unsubscribe or webhook:…"
            )),
        }
    }
}

impl RouteAccess {
    /// The roles of which a user needs one.
    pub(crate) fn roles(&self) -> Option<&[String]> {
        match self {
            Self::AnyRole(names) => Some(names),
            Self::Role(name) => Some(std::slice::from_ref(name)),
            Self::Api(_)
            | Self::BrowserReports
            | Self::Public
            | Self::SignedIn
            | Self::Unsubscribe
            | Self::Webhook(_) => None,
        }
    }
}

impl RouteList {
    /// Reads the JSON.
    ///
    /// # Errors
    /// If the text is not a route table.
    pub fn read(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::Routes(error.to_string()))
    }

    /// Reads a file with the JSON.
    ///
    /// # Errors
    /// If the file cannot be read or is not a route table.
    pub fn read_file(path: &Path) -> Result<Self, Error> {
        let json = std::fs::read_to_string(path).map_err(Error::file(path))?;
        Self::read(&json)
    }

    /// All routes.
    #[must_use]
    pub fn all(&self) -> &[ListedRoute] {
        &self.0
    }

    /// The public pages.
    pub fn public_pages(&self) -> impl Iterator<Item = &ListedRoute> {
        self.0
            .iter()
            .filter(|route| route.access == RouteAccess::Public && route.method == "GET")
    }

    /// The public routes that take a form.
    pub fn public_forms(&self) -> impl Iterator<Item = &ListedRoute> + Clone {
        self.0.iter().filter(|route| {
            route.access == RouteAccess::Public && route.is_unsafe() && route.form.is_some()
        })
    }

    /// Whether the table has this method at this path.
    #[must_use]
    pub fn has(&self, method: &str, path: &str) -> bool {
        self.0
            .iter()
            .any(|route| route.method == method && route.path == path)
    }

    /// The sign-in route: the public form of the page `sign-in`; in a table that does not name it, the one with a password and a
    /// path that suggests a sign-in.
    #[must_use]
    pub fn sign_in(&self) -> Option<&ListedRoute> {
        let mut forms = self.public_forms();
        if forms.clone().any(|route| route.is_page("sign-in")) {
            return forms.find(|route| route.is_page("sign-in"));
        }
        if let Some(page) = self.all().iter().find(|route| route.is_page("sign-in")) {
            return forms.find(|route| route.path == page.path);
        }
        forms.find(|route| {
            let takes_a_password = route
                .form
                .iter()
                .flat_map(|form| &form.fields)
                .any(RouteField::is_password);
            takes_a_password && is_one_of(&route.path, &["sign-in", "signin", "login", "log-in"])
        })
    }

    /// The path of the sign-in page: where the application sends visitors from a page that they may not see.
    #[must_use]
    pub fn sign_in_page(&self) -> Option<&str> {
        let mut pages = self.public_pages();
        let page = pages.find(|route| route.is_page("sign-in"));
        page.or_else(|| self.sign_in()).map(|route| &*route.path)
    }

    /// The sign-out route: the button `sign-out`, or in a table that does not name it, a path that suggests it.
    #[must_use]
    pub fn sign_out(&self) -> Option<&ListedRoute> {
        let mut routes = self.0.iter();
        if let Some(route) = routes.find(|route| route.is_page("sign-out")) {
            return Some(route);
        }
        self.0
            .iter()
            .find(|route| is_one_of(&route.path, &["sign-out", "signout", "logout", "log-out"]))
    }
}

fn is_one_of(path: &str, names: &[&str]) -> bool {
    path.split(['/', '_']).any(|part| names.contains(&part))
}

impl ListedRoute {
    /// The path with a value for each parameter that probably exists.
    #[must_use]
    pub fn target(&self) -> String {
        self.target_with("1")
    }

    /// The path with this value, percent-encoded by the caller, for each parameter.
    #[must_use]
    pub fn target_with(&self, value: &str) -> String {
        let parts = self
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { value } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    /// Whether the path has a parameter.
    #[must_use]
    pub fn has_parameter(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether the method may change something (RFC 9110, 9.2.1).
    #[must_use]
    pub fn is_unsafe(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// Whether the route table names it as this page of accounts.
    fn is_page(&self, name: &str) -> bool {
        self.account_page.as_deref() == Some(name)
    }

    /// Whether a request changes only a count in the log, whoever sends it.
    #[must_use]
    pub const fn is_for_reports(&self) -> bool {
        matches!(self.access, RouteAccess::BrowserReports)
    }

    /// Whether the address itself is the proof: a sealed link that leaves a mailing list (RFC 8058).
    #[must_use]
    pub const fn is_unsubscribe(&self) -> bool {
        matches!(self.access, RouteAccess::Unsubscribe)
    }

    /// Whether an API token authenticates a request, and no cookie.
    #[must_use]
    pub const fn takes_token(&self) -> bool {
        matches!(self.access, RouteAccess::Api(_))
    }

    /// Whether a signature authenticates a request.
    #[must_use]
    pub const fn is_webhook(&self) -> bool {
        matches!(self.access, RouteAccess::Webhook(_))
    }
}

impl RouteField {
    /// Whether it is a password field.
    #[must_use]
    pub fn is_password(&self) -> bool {
        self.widget == "password"
    }

    /// Whether it accepts any text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.widget.as_str(), "line" | "text" | "email" | "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_that_is_not_understood_is_an_error() {
        for access in ["", "publik", "role", "anyone:all"] {
            let json = format!(r#"[{{"method": "GET", "path": "/", "access": "{access}"}}]"#);
            assert!(RouteList::read(&json).is_err(), "{access}");
        }
    }

    #[test]
    fn the_route_table_names_the_pages_in_any_language() {
        let form = r#""form": {"fields": [{"name": "p", "widget": "password"}]}"#;
        let json = |page: &str, form_of: &str| {
            format!(
                r#"[
                {{"method": "POST", "path": "/old/login", "access": "public", {form}}},
                {{"method": "GET", "path": "/anmelden", "access": "public"{page}}},
                {{"method": "POST", "path": "/anmelden", "access": "public"{form_of}, {form}}},
                {{"method": "POST", "path": "/old/logout", "access": "public"}},
                {{"method": "POST", "path": "/abmelden", "access": "signed_in", "account_page": "sign-out"}}]"#
            )
        };
        let named = r#", "account_page": "sign-in""#;
        for (page, form_of, path) in [
            (named, named, "/anmelden"),
            ("", named, "/anmelden"),
            (named, "", "/anmelden"),
            ("", "", "/old/login"),
        ] {
            let routes = RouteList::read(&json(page, form_of)).unwrap();
            let at = routes.sign_in().unwrap();
            assert_eq!((&*at.method, &*at.path), ("POST", path));
            assert_eq!(routes.sign_in_page(), Some(path));
            assert_eq!(routes.sign_out().unwrap().path, "/abmelden");
        }
    }

    #[test]
    fn the_sign_in_form_is_found_by_its_path_and_password() {
        let json = r#"[
            {"method": "POST", "path": "/sign-up", "access": "public", "form": {"fields": [{"name": "p", "widget": "password"}]}},
            {"method": "POST", "path": "/sign-in", "access": "public", "form": {"fields": [{"name": "p", "widget": "password"}]}},
            {"method": "POST", "path": "/sign-out", "access": "public"}]"#;
        let routes = RouteList::read(json).unwrap();
        assert_eq!(routes.sign_in().unwrap().path, "/sign-in");
        assert_eq!(routes.sign_out().unwrap().path, "/sign-out");
    }
}
