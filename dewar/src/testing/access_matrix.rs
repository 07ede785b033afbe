//! Every route, requested as every kind of user: whether the running application does what its route table says.

mod report;

pub use report::AccessReport;
use report::{Cell, Row};

use std::collections::BTreeSet;

use super::{Browser, Cookies, Site};
use crate::api::{TokenHolder, TokenRequest};
use crate::app::RouteEntry;
use crate::pages::AccountPage;
use crate::roles::Access;
use crate::sessions::UserId;

/// The methods that a server may know. `HEAD` goes with `GET`, and `OPTIONS` is for CORS.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];

/// Longer than the windows of the limits that count requests, and shorter than a password counts as recent.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(61);

/// Requests every route of the table as every kind of user: see [`Site::access_matrix`].
#[must_use = "nothing is requested before `run`"]
#[derive(Debug)]
pub struct AccessMatrix<'a> {
    site: &'a Site,
    values: Vec<Value>,
}

/// A value for a parameter, and the users who reach what it names.
#[derive(Debug)]
struct Value {
    /// The beginning of paths, up to the parameter.
    pattern: String,
    text: String,
    owners: Option<Vec<String>>,
}

/// A column of the matrix.
struct Person<'a> {
    name: String,
    browser: Browser,
    /// The address to sign in with again, after a route has ended the session.
    email: Option<String>,
    roles: Vec<&'a str>,
    signed_in: bool,
    /// Whether the password counts as recent. A change of roles ends that.
    recently: bool,
    /// The scope of an API token, and its text.
    token: Option<(&'a str, String)>,
    /// The CSRF token of the session.
    csrf: Option<String>,
}

/// The users who see the change of their account in an open session.
enum Change {
    Demoted,
    Disabled,
}

impl Site {
    /// Requests every route of the table as every kind of user, with every method, and compares the responses with the table: a
    /// visitor, a user without a role, one user for each role, one whose roles were taken away and one who was disabled while
    /// signed in, and a token for each scope of an API.
    ///
    /// Each request is complete, with the token of the sender's own session, so that only the heading can refuse it.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// use dewar::roles::Role;
    /// use dewar::testing::Site;
    /// use dewar::{App, accounts, get, post};
    ///
    /// #[derive(Role, Clone, Copy)]
    /// enum Staff { Editor, #[role(administrator)] Owner }
    ///
    /// async fn desk() -> &'static str { "The desk" }
    ///
    /// fn app(app: App) -> App {
    ///     app.public([get(accounts::SIGN_IN, accounts::sign_in_page), post(accounts::SIGN_IN, accounts::sign_in)])
    ///         .role(Staff::Editor, [get("/desk", desk)])
    /// }
    ///
    /// let site = Site::start(app).await;
    /// let report = site.access_matrix().run().await;
    /// assert_eq!(report.wrong(), [""; 0]);
    /// println!("{report}");
    /// # }
    /// ```
    pub fn access_matrix(&self) -> AccessMatrix<'_> {
        AccessMatrix {
            site: self,
            values: Vec::new(),
        }
    }
}

impl<'a> AccessMatrix<'a> {
    /// Gives a parameter a value, in every path that begins with this pattern. A parameter without a value is `1`.
    ///
    /// ```no_run
    /// # async fn example(site: dewar::testing::Site) {
    /// let report = site.access_matrix().value("/pages/{slug}", "welcome").run().await;
    /// # }
    /// ```
    pub fn value(mut self, pattern: &str, text: &str) -> Self {
        self.values.push(Value {
            pattern: pattern.to_owned(),
            text: text.to_owned(),
            owners: None,
        });
        self
    }

    /// Names a record and everyone who reaches it: users by the addresses that [`Site::add_user`] got, and roles by their names.
    /// Each of the users becomes a column. Everybody else gets 404 on each path that begins with this pattern.
    ///
    /// ```no_run
    /// # async fn example(site: dewar::testing::Site) {
    /// site.add_user("ada@example.org", &["member"]).await;
    /// // … Ada adds document 7 …
    /// let matrix = site.access_matrix().record("/documents/{id}", "7", &["ada@example.org"]);
    /// matrix.run().await.assert_matches("tests/access.txt");
    /// # }
    /// ```
    pub fn record(mut self, pattern: &str, text: &str, reached_by: &[&str]) -> Self {
        let owners = reached_by.iter().map(|email| (*email).to_owned()).collect();
        self.values.push(Value {
            pattern: pattern.to_owned(),
            text: text.to_owned(),
            owners: Some(owners),
        });
        self
    }

    /// Requests everything.
    ///
    /// # Panics
    /// A user cannot be signed in, or no response comes.
    pub async fn run(self) -> AccessReport {
        let mut people = self.people().await;
        let mut entries: Vec<&RouteEntry> = self.site.table().entries().iter().collect();
        // Pages come first: they have the tokens for the forms.
        entries.sort_by_key(|entry| (entry.method != "GET", entry.path, entry.method.clone()));
        let mut report = AccessReport::new(people.iter().map(|person| person.name.clone()));
        for entry in &entries {
            let mut row = Row::new(entry);
            for person in &mut people {
                // A token counts nowhere but under `.api`, where nothing else does.
                if person.token.is_some() && !matches!(entry.access, Access::Api(_)) {
                    row.leave_out();
                    continue;
                }
                let seen = self.ask(person, entry).await;
                let expected = self.expected(person, entry);
                row.add(&person.name, expected, seen);
            }
            report.add(row);
        }
        let paths: BTreeSet<&str> = entries.iter().map(|entry| entry.path).collect();
        for path in paths {
            for method in METHODS {
                let mut entries = entries.iter();
                if entries.any(|entry| entry.path == path && entry.method == method) {
                    continue;
                }
                for person in people.iter_mut().filter(|person| person.token.is_none()) {
                    let seen = self.send(person, method, &self.target(path), false).await;
                    report.add_other(method, path, &person.name, seen.0);
                }
            }
        }
        report
    }

    /// The path with a value for each parameter.
    fn target(&self, path: &str) -> String {
        let mut target = path.to_owned();
        for value in &self.values {
            if let Some(rest) = target.strip_prefix(&*value.pattern) {
                let parameter = value.pattern.rfind('{').unwrap_or(value.pattern.len());
                let before = value.pattern.get(..parameter).unwrap_or_default();
                target = format!("{before}{}{rest}", value.text);
            }
        }
        let filled = target.split('/').map(|part| match part.strip_prefix('{') {
            Some(_) => "1",
            None => part,
        });
        filled.collect::<Vec<_>>().join("/")
    }

    /// The users who reach the record of this path, if one was named.
    fn owners(&self, entry: &RouteEntry) -> Option<&[String]> {
        let mut values = self.values.iter();
        values.find_map(|value| {
            let owners = value.owners.as_deref()?;
            entry.path.starts_with(&*value.pattern).then_some(owners)
        })
    }

    fn expected(&self, person: &Person<'_>, entry: &RouteEntry) -> Cell {
        let token = person.token.as_ref().map(|(scope, _)| *scope);
        let by_heading = match entry.access {
            Access::Public => Cell::In,
            Access::SignedIn | Access::Role(_) | Access::AnyRole(_) if !person.signed_in => {
                Cell::SignIn
            }
            Access::SignedIn => Cell::In,
            Access::Role(_) | Access::AnyRole(_)
                if entry
                    .access
                    .admits_role(|role| person.roles.contains(&role)) =>
            {
                Cell::In
            }
            Access::Role(_) | Access::AnyRole(_) => Cell::Forbidden,
            Access::Api(scope) => match token {
                Some(own) if own == scope => Cell::In,
                Some(_) => Cell::Forbidden,
                None => Cell::SignIn,
            },
            Access::Webhook(_) | Access::BrowserReports | Access::Unsubscribe => Cell::Refused,
        };
        let is_one = |owners: &[String]| owners.iter().any(|name| person.is(name));
        let foreign = self.owners(entry).is_some_and(|owners| !is_one(owners));
        let has_factor = person
            .email
            .as_deref()
            .is_some_and(|email| self.site.authenticator(email).is_some());
        let recently = entry.takes.recently || entry.takes.factor_recently && has_factor;
        if by_heading == Cell::In && recently && !person.recently {
            return Cell::Confirm;
        }
        if by_heading == Cell::In && foreign {
            return Cell::NotFound;
        }
        by_heading
    }

    /// One cell. A route that ended the session is followed by another sign-in.
    async fn ask(&self, person: &mut Person<'_>, entry: &RouteEntry) -> Cell {
        let target = self.target(entry.path);
        let is_api = matches!(entry.access, Access::Api(_));
        let before = person.browser.cookies();
        let (cell, status) = self.send(person, &entry.method, &target, is_api).await;
        let after = person.browser.cookies();
        if cell == Cell::In && entry.method != "GET" && before != after {
            person.come_back(self.site).await;
        }
        // Some public pages lead to the sign-in page.
        let leads = matches!(entry.access, Access::Public) && cell == Cell::SignIn && status == 303;
        let by_signature = matches!(
            entry.access,
            Access::Webhook(_) | Access::BrowserReports | Access::Unsubscribe
        );
        if leads {
            Cell::In
        } else if by_signature && (400..500).contains(&status) {
            Cell::Refused
        } else {
            cell
        }
    }

    async fn send(
        &self,
        person: &mut Person<'_>,
        method: &str,
        target: &str,
        is_api: bool,
    ) -> (Cell, u16) {
        loop {
            let mut request = person.browser.raw(method, target);
            request = request.header("sec-fetch-site", "same-origin");
            let accepted = if is_api {
                "application/json"
            } else {
                "text/html"
            };
            request = request.header("accept", accepted);
            if let Some((_, token)) = &person.token {
                let bearer = format!("Bearer {token}");
                request = request.header("authorization", bearer).cookies(Cookies::No);
            }
            if !matches!(method, "GET" | "TRACE") {
                request = if is_api {
                    request
                        .header("content-type", "application/json")
                        .body("{}")
                } else {
                    request.form(&person.token_field(self.site).await)
                };
            }
            let seen = request.events().await;
            let seen = seen.unwrap_or_else(|error| panic!("{method} {target}: {error}"));
            if seen.status() == 429 {
                self.site.clock().advance(PAUSE);
                continue;
            }
            let status = seen.status().as_u16();
            let place = seen.header("location").unwrap_or_default();
            let leads_to = |page| {
                let page = self.site.dewar().accounts().place(page);
                place.starts_with(&format!("{}?next=", page.as_str()))
            };
            let cell = match status {
                303 if leads_to(AccountPage::SignIn) => Cell::SignIn,
                303 if leads_to(AccountPage::Confirm) => Cell::Confirm,
                _ => Cell::of(status),
            };
            return (cell, status);
        }
    }

    async fn people(&self) -> Vec<Person<'a>> {
        let site = self.site;
        let roles = site.dewar().accounts().role_names();
        // Nobody signs in with the first account: forms that name user 1 may change it.
        site.add_user("matrix-target@example.org", &[]).await;
        let mut people = vec![Person::visitor(site)];
        let signs_in = site.table().entries().iter().any(|entry| {
            entry.takes.account_page == Some(AccountPage::SignIn) && entry.method == "POST"
        });
        if signs_in {
            people.push(Person::with(site, "no role", &[]).await.0);
            let mut last = UserId::new(0);
            for role in roles {
                let (person, id) = Person::with(site, role, &[role]).await;
                last = id;
                people.push(person);
            }
            for change in [Change::Demoted, Change::Disabled] {
                people.push(Person::changed(site, roles, &change, last).await);
            }
            let owners = self.values.iter().filter_map(|value| value.owners.as_ref());
            let owners = owners.flatten().filter(|name| name.contains('@'));
            let owners: BTreeSet<&String> = owners.collect();
            for email in owners {
                people.push(Person::known(site, email).await);
            }
        }
        let mut scopes = BTreeSet::new();
        for entry in site.table().entries() {
            if let Access::Api(scope) = entry.access {
                scopes.insert(scope);
            }
        }
        if !scopes.is_empty() {
            let program = site.add_user("matrix-program@example.org", roles).await;
            for scope in scopes {
                people.push(Person::token(site, program, scope).await);
            }
        }
        people
    }
}

impl<'a> Person<'a> {
    fn visitor(site: &Site) -> Self {
        Self {
            name: "visitor".to_owned(),
            browser: site.visitor(),
            email: None,
            roles: Vec::new(),
            signed_in: false,
            recently: true,
            token: None,
            csrf: None,
        }
    }

    async fn with(site: &'a Site, name: &str, roles: &[&'a str]) -> (Self, UserId) {
        let email = format!("matrix-{}@example.org", name.replace([' ', '_'], "-"));
        let id = site.add_user(&email, roles).await;
        let person = Self {
            name: name.to_owned(),
            browser: site.sign_in(&email).await,
            email: Some(email),
            roles: roles.to_vec(),
            signed_in: true,
            ..Self::visitor(site)
        };
        (person, id)
    }

    /// A user with all roles whose account changes after the sign-in.
    async fn changed(site: &'a Site, roles: &[&'a str], change: &Change, by: UserId) -> Self {
        let name = match change {
            Change::Demoted => "demoted",
            Change::Disabled => "disabled",
        };
        let (mut person, id) = Self::with(site, name, roles).await;
        let accounts = site.dewar().accounts();
        let done = match change {
            Change::Demoted => accounts.set_roles(by, id, &[]).await,
            Change::Disabled => accounts.disable(None, id).await,
        };
        done.unwrap_or_else(|error| panic!("the account `{name}` cannot be changed: {error}"));
        person.roles.clear();
        person.recently = false;
        person.signed_in = matches!(change, Change::Demoted);
        person
    }

    async fn known(site: &'a Site, email: &str) -> Self {
        let accounts = site.dewar().accounts();
        let user = accounts.find_by_email(email).await.ok().flatten();
        let user = user.unwrap_or_else(|| panic!("add `{email}` with `Site::add_user` first"));
        let names = accounts.role_names().iter().copied();
        let roles = names.filter(|name| user.roles.iter().any(|role| role == name));
        Self {
            name: email.split('@').next().unwrap_or(email).to_owned(),
            browser: site.sign_in(email).await,
            email: Some(email.to_owned()),
            roles: roles.collect(),
            signed_in: true,
            ..Self::visitor(site)
        }
    }

    async fn token(site: &Site, of: UserId, scope: &'a str) -> Self {
        let request = TokenRequest {
            name: "access matrix",
            scopes: &[scope],
            days: 1,
        };
        let tokens = site.dewar().api_tokens();
        let made = tokens.create(None, TokenHolder::Person(of), request).await;
        let (text, _) = made.unwrap_or_else(|error| panic!("no token for `{scope}`: {error}"));
        Self {
            name: format!("token {scope}"),
            token: Some((scope, text.expose().clone())),
            ..Self::visitor(site)
        }
    }

    /// Whether this is the user of an address, or a holder of a role.
    fn is(&self, name: &str) -> bool {
        self.email.as_deref() == Some(name) || self.roles.contains(&name)
    }

    async fn come_back(&mut self, site: &Site) {
        self.recently = true;
        if let Some(email) = &self.email {
            if site.authenticator(email).is_some() {
                // For a code that was not used; the recovery codes may be new ones by now.
                site.clock().advance(PAUSE);
            }
            self.browser = site.sign_in(email).await;
        }
        self.csrf = None;
    }

    /// The body of a form without fields: the CSRF token of the session, from a page that the person may see.
    async fn token_field(&mut self, site: &Site) -> String {
        if self.csrf.is_none() && self.token.is_none() {
            let pages = site.table().entries().iter();
            let pages = pages.filter(|entry| entry.method == "GET" && !entry.path.contains('{'));
            for entry in pages.filter(|entry| !entry.gives.is_event_stream()) {
                let page = self.browser.get(entry.path).await;
                let field = format!("input[name={}]", crate::csrf::FIELD);
                if page.status() == 200
                    && let Some(token) = page.attribute(&field, "value")
                {
                    self.csrf = Some(token);
                    break;
                }
            }
        }
        let token = self.csrf.clone().unwrap_or_default();
        format!("{}={token}", crate::csrf::FIELD)
    }
}
