mod account_pages;
mod direct;
mod framed;
mod readers;

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::{Serialize, Serializer};

pub(super) use direct::has_pages;
use framed::framed;
use readers::no_password;

use super::{RateLimit, rate_limit};
use crate::api::{Origins, of_cors};
use crate::audit::{Finding, Practice};
use crate::csrf::{SignatureScheme, WebhookAuth};
use crate::forms::Described;
use crate::https::{ContentSources, Directive, HttpsOrigin, not_an_origin};
use crate::live::of_route;
use crate::pages::{Mounted, Outputs, PageType};
use crate::roles::Access;

/// The route table: the path, the method and the access rule of every route. It is the application's access policy as data.
///
/// ```
/// use dewar::{App, get};
/// async fn hello() -> &'static str { "Hello" }
/// let app = App::in_directory(std::env::temp_dir())?.public([get("/", hello)]);
/// assert_eq!(app.route_table().entries()[0].path, "/");
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    own: Vec<RouteEntry>,
    provided: Vec<RouteEntry>,
    /// The types of the values that handlers share.
    shared: Vec<TypeId>,
    /// What every page may load from other sites.
    content: ContentSources,
    /// The rate limits of the whole application.
    rate_limits: Vec<RateLimit>,
}

/// One route.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RouteEntry {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// A second path with the same handler: everything below the first.
    #[serde(skip)]
    pub(super) also: Option<String>,
    /// The access rule: `public`, `signed_in`, `role:<name>`, `webhook:<sender>` or
    /// `webhook:<sender>:<scheme>`.
    pub access: Access,
    /// The origins whose scripts may read the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Origins>,
    /// Its own rate limits and those of its heading, such as `60/60s:token` and `30/60s:user@search`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimit>,
    /// The input of the route: `parameters` of the path, fields of the `query` and of the `form`.
    #[serde(flatten)]
    pub takes: Described,
    /// The answers of the handler.
    #[serde(skip_serializing_if = "Outputs::is_empty")]
    pub gives: Outputs,
}

/// A finding for each weakening of a route.
fn weakened(entry: &RouteEntry) -> impl Iterator<Item = Finding> {
    entry.takes.dangers.iter().map(|danger| {
        let title = format!(
            "{} {} is weakened by `{}`: {}",
            entry.method, entry.path, danger.name, danger.reason
        );
        Finding::warn(Practice::Audit, "audit-dangerous", title)
            .why("Dewar does not check it; the application gives this reason")
            .fix("check whether the reason is still true, or use the framework's own type")
    })
}

impl RouteEntry {
    /// The patterns of its paths, as the router has them.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path).chain(self.also.as_deref())
    }
}

impl RouteTable {
    pub(super) fn add(&mut self, entry: RouteEntry) {
        self.own.push(entry);
    }

    /// A route that the framework serves itself, before the application's.
    pub(super) fn provide(&mut self, method: &str, path: &'static str, access: Access) {
        self.provided.push(RouteEntry {
            method: method.to_owned(),
            path,
            also: None,
            access,
            cors: None,
            rate_limits: Vec::new(),
            takes: Described::default(),
            gives: Outputs::default(),
        });
    }

    /// The types of the values that the application shares.
    pub(super) fn share(&mut self, types: impl Iterator<Item = TypeId>) {
        self.shared.extend(types);
    }

    /// Adds what every page may load to each route. A form may lead to the sites that its handler redirects to: browsers
    /// judge the redirect by the policy of the page that has the form.
    pub(super) fn load_from(&mut self, content: &ContentSources) {
        self.content = content.clone();
        for entry in self.own.iter().filter(|entry| entry.method != "GET") {
            let origins = entry.takes.redirects_to.iter().copied();
            // The findings about a redirect are those of its route.
            let origins = origins.filter(|origin| HttpsOrigin::parse(origin).is_ok());
            self.content.add(Directive::Forms, "", origins);
        }
        for entry in &mut self.own {
            entry.takes.content = self.content.with(&entry.takes.content);
        }
    }

    /// Sets the rate limits of the whole application.
    pub(super) fn limit_all(&mut self, limits: &[RateLimit]) {
        self.rate_limits = limits.to_vec();
    }

    /// The rate limits of the whole application, which [`App::rate_limit`](crate::App::rate_limit) declares.
    #[must_use]
    pub fn rate_limits(&self) -> &[RateLimit] {
        &self.rate_limits
    }

    /// What every page may load from other sites.
    pub(super) fn content(&self) -> &ContentSources {
        &self.content
    }

    /// The routes, in the order of the application's own page.
    #[must_use]
    pub fn entries(&self) -> &[RouteEntry] {
        &self.own
    }

    /// The routes that the framework serves itself, before the application's.
    #[must_use]
    pub fn provided(&self) -> &[RouteEntry] {
        &self.provided
    }

    fn all(&self) -> impl Iterator<Item = &RouteEntry> + Clone {
        self.own.iter().chain(&self.provided)
    }

    /// The JSON schemas of all input, by method and path: `form` for a JSON body, `query` for an address.
    ///
    /// ```
    /// use dewar::forms::Line;
    /// use dewar::{App, Form, Redirect, post};
    /// #[derive(Form)]
    /// struct NewNote { title: Line<80> }
    /// async fn create(form: Form<NewNote>) -> dewar::Result<Redirect> {
    ///     form.or_rerender("notes/new.html").map(|_| Redirect::to("/"))
    /// }
    /// let app = App::in_directory(std::env::temp_dir())?.public([post("/notes", create)]);
    /// let schemas = app.route_table().schemas();
    /// assert_eq!(schemas["POST /notes"]["form"]["properties"]["title"]["maxLength"], 80);
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[must_use]
    pub fn schemas(&self) -> serde_json::Value {
        let taking = self.own.iter().filter_map(|entry| {
            let parts = [("form", &entry.takes.form), ("query", &entry.takes.query)];
            let schemas: serde_json::Map<_, _> = parts
                .into_iter()
                .filter_map(|(name, spec)| Some((name.to_owned(), spec.as_ref()?.schema())))
                .collect();
            let place = format!("{} {}", entry.method, entry.path);
            (!schemas.is_empty()).then_some((place, serde_json::Value::Object(schemas)))
        });
        serde_json::Value::Object(taking.collect())
    }

    /// The findings about the table.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.content.findings().iter().cloned());
        for (number, entry) in self.own.iter().enumerate() {
            findings.extend(self.of_doors(entry));
            findings.extend(self.twice(number, entry));
            if entry.method == "GET" && entry.takes.form.is_some() {
                let title = format!("GET {} takes a form", entry.path);
                findings.push(
                    Finding::refuse(Practice::Csrf, "csrf-get-takes-form", title)
                        .why("Dewar does not check the origin of a GET, because a link may lead to it (CWE-352)")
                        .fix("mount it with `post`, or use a `Query<T>`")
                        .cwe(352),
                );
            }
            findings.extend(weakened(entry));
            if entry.takes.waits_in_vain() {
                let title = format!(
                    "{} {} needs parameters that its path does not have",
                    entry.method, entry.path
                );
                findings.push(
                    Finding::refuse(Practice::Forms, "forms-path-parameters", title)
                        .why("its handler would respond to every request with 404")
                        .fix("write as many `{…}` as its `Path` takes; a `Scoped` record is loaded by `{id}`"),
                );
            }
            if let Access::Webhook(by) = entry.access {
                findings.extend(self.unbound(number, entry, by));
            }
            if let Some(origins) = &entry.cors {
                let place = (&*entry.method, entry.path);
                findings.extend(of_cors(place, entry.access, origins));
            }
            findings.extend(framed(entry, &self.content));
            findings.extend(no_password(entry));
            findings.extend(rate_limit::of_entry(entry));
            let place = (&*entry.method, entry.path);
            findings.extend(of_route(place, entry.access, &entry.gives));
            let taken = |provided: &RouteEntry| provided.path == entry.path;
            if !entry.path.starts_with('/')
                || entry.path.starts_with(crate::pages::STATIC_PREFIX)
                || self.provided.iter().any(taken)
            {
                let title = format!("no request can reach {} {}", entry.method, entry.path);
                findings.push(
                    Finding::refuse(Practice::Roles, "roles-route-unreachable", title)
                        .why("a path starts with `/`; `/static/` is for static files, and the framework handles some paths itself")
                        .fix("give the route another path"),
                );
            }
        }
        findings.extend(rate_limit::of_all(&self.own, &self.rate_limits));
        findings.extend(self.unreadable_paths());
        findings.extend(self.of_account_pages());
        findings.extend(direct::findings(&self.own));
        findings
    }

    /// A finding, if the same method and path stands before this entry.
    fn twice(&self, number: usize, entry: &RouteEntry) -> Option<Finding> {
        let twin = |other: &RouteEntry| other.method == entry.method && other.path == entry.path;
        self.own.iter().take(number).any(twin).then(|| {
            let title = format!("{} {} is mounted twice", entry.method, entry.path);
            Finding::refuse(Practice::Roles, "roles-route-twice", title)
                .why("only one of the two headings could apply")
                .fix("keep one of the two lines in the route table")
        })
    }

    /// The findings about what a route sends beside its page, and about the values that it asks for.
    fn of_doors(&self, entry: &RouteEntry) -> Vec<Finding> {
        let place = format!("{} {}", entry.method, entry.path);
        let mut findings = Vec::new();
        for origin in entry.takes.redirects_to {
            if let Err(why) = HttpsOrigin::parse(origin) {
                findings.push(not_an_origin(
                    &format!("`ExternalHosts` of {place}"),
                    origin,
                    why,
                ));
            }
        }
        findings.extend(entry.takes.content.findings().iter().cloned());
        let all = || self.own.iter().flat_map(|entry| &entry.takes.cookies);
        let cookies = entry.takes.cookies.iter();
        findings.extend(cookies.flat_map(|cookie| cookie.findings(all())));
        for (of, name) in entry.takes.shared() {
            if !self.shared.contains(of) {
                findings.push(
                    Finding::refuse(
                        Practice::Forms,
                        "forms-shared-missing",
                        format!("{place} asks for `Shared<{name}>`, and nobody shares one"),
                    )
                    .why("its handler would respond to every request with 500")
                    .fix("add `.share(|_dewar| …)` with a value of that type to the application"),
                );
            }
        }
        if entry.takes.mounts_router {
            findings.extend(unfit_for_a_router(entry, &place));
        }
        findings
    }

    /// Paths that the router refuses: alone, or beside another one.
    fn unreadable_paths(&self) -> Vec<Finding> {
        let mut router = matchit::Router::new();
        let mut seen = HashSet::new();
        let mut findings = Vec::new();
        let paths = self.all().flat_map(RouteEntry::patterns);
        for path in paths.filter(|path| path.starts_with('/') && seen.insert(*path)) {
            let old = path.split('/').find(|part| part.starts_with([':', '*']));
            let (why, fix) = match (old, router.insert(path, ())) {
                (Some(part), _) => {
                    let name = part.trim_start_matches([':', '*']);
                    let star = if part.starts_with('*') { "*" } else { "" };
                    (
                        format!("`{part}` was a parameter in earlier versions of the router"),
                        format!("write `{{{star}{name}}}`"),
                    )
                }
                (None, Err(error)) => (
                    error.to_string(),
                    "write a parameter as `{id}`, and use the same parameter name at the same place in every path"
                        .to_owned(),
                ),
                (None, Ok(())) => continue,
            };
            let title = format!("cannot mount the path {path}");
            findings.push(
                Finding::refuse(Practice::Roles, "roles-route-path", title)
                    .why(why)
                    .fix(fix),
            );
        }
        findings
    }

    /// The findings about a webhook beside the others.
    fn unbound(&self, number: usize, entry: &RouteEntry, by: WebhookAuth) -> Vec<Finding> {
        let mut findings = Vec::new();
        let earlier = self.own.iter().take(number);
        let mut same_sender = earlier.filter_map(|other| match other.access {
            Access::Webhook(other) => (other.sender() == by.sender()).then_some(other),
            Access::AnyRole(_)
            | Access::Api(_)
            | Access::BrowserReports
            | Access::Public
            | Access::Role(_)
            | Access::SignedIn
            | Access::Unsubscribe => None,
        });
        if same_sender.any(|other| other.scheme() != SignatureScheme::Dewar || other != by) {
            let title = format!(
                "{} {}: another route has the sender `{by}`",
                entry.method, entry.path
            );
            findings.push(
                Finding::refuse(Practice::Csrf, "csrf-webhook-unbound", title)
                    .why("its signature does not name the route, so an attacker could send a request for one route to the other (CWE-345)")
                    .fix("give each route its own sender, with its own key")
                    .cwe(345)
                    .asvs(&["4.1.5"]),
            );
        }
        if entry.takes.form.is_some() {
            let title = format!(
                "{} {} takes a form under `webhook`",
                entry.method, entry.path
            );
            findings.push(
                Finding::refuse(Practice::Csrf, "csrf-webhook-takes-form", title)
                    .why("a program has no session and no CSRF token, so Dewar would refuse every webhook request")
                    .fix("take a `VerifiedWebhook`, and read it with `json`"),
            );
        }
        findings
    }

    /// The pages with typed values that its handlers may return.
    pub(super) fn page_types(&self) -> Vec<PageType> {
        let entries = self.own.iter();
        let types = entries.flat_map(|entry| &entry.gives.pages);
        types.copied().collect()
    }

    /// The ids of the messages that may label the fields of its forms, by form.
    pub(super) fn label_ids(&self) -> Vec<(&'static str, Vec<String>)> {
        let entries = self.own.iter();
        entries.flat_map(|entry| entry.takes.label_ids()).collect()
    }

    /// The enums of the fields of its forms, each once, with its values.
    pub(super) fn choices(&self) -> BTreeMap<&'static str, Vec<&'static str>> {
        let entries = self.own.iter();
        entries.flat_map(|entry| entry.takes.choices()).collect()
    }

    /// The mounted pages, for everything that links or redirects.
    pub(super) fn mounted(&self) -> Mounted {
        let all = self.all().map(|entry| (&*entry.method, entry.path));
        Mounted::of(all).with_accounts(self.account_paths())
    }
}

/// A router has a prefix of its own, and no sender signs what it takes.
fn unfit_for_a_router(entry: &RouteEntry, place: &str) -> Option<Finding> {
    let (why, fix) = match entry.access {
        Access::Webhook(_) => (
            "a webhook's body is read for its signature, so the router would get none",
            "mount each webhook with `post` and take a `VerifiedWebhook`",
        ),
        Access::Api(_) => (
            "a program with an API token has no CSRF token, and Dewar does not know what the router takes from it",
            "mount each route of the API with `get`, `post` and the others",
        ),
        Access::AnyRole(_)
        | Access::BrowserReports
        | Access::Public
        | Access::Role(_)
        | Access::SignedIn
        | Access::Unsubscribe => {
            let is_plain = entry.path.len() > 1 && !entry.path.ends_with('/');
            if is_plain && !entry.path.contains('{') {
                return None;
            }
            (
                "a router takes everything below a prefix",
                "write a prefix without parameters and without a slash at its end, such as `/wiki`",
            )
        }
    };
    let title = format!("{place}: a router cannot be mounted there");
    Some(
        Finding::refuse(Practice::Roles, "roles-router", title)
            .why(why)
            .fix(fix),
    )
}

/// Prints what a route sends beside its page.
fn write_doors(
    f: &mut fmt::Formatter<'_>,
    takes: &Described,
    of_all: &ContentSources,
) -> fmt::Result {
    for origin in takes.redirects_to {
        write!(f, " -> {origin}")?;
    }
    for cookie in &takes.cookies {
        write!(f, " cookie:{}", cookie.name)?;
    }
    let content = takes.content.without(of_all);
    if !content.is_empty() {
        write!(f, " ({content})")?;
    }
    Ok(())
}

impl Serialize for RouteTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all())
    }
}

impl fmt::Display for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.all().map(|entry| entry.path.len()).max().unwrap_or(0);
        for entry in self.all() {
            let (method, path, access) = (&entry.method, entry.path, entry.access.to_string());
            write!(f, "{method:<6} {path:<longest$}  {access:<20}")?;
            if entry.takes.recently {
                write!(f, " recently")?;
            }
            for limit in &entry.rate_limits {
                write!(f, " rate:{limit}")?;
            }
            if let Some(origins) = &entry.cors {
                write!(f, " cors:{origins}")?;
            }
            if let Some(form) = &entry.takes.form {
                write!(f, " {form}")?;
            }
            entry.gives.write_web_socket(f)?;
            write_doors(f, &entry.takes, &self.content)?;
            if let Some(reason) = entry.access.exemption() {
                write!(f, " ({reason})")?;
            }
            for danger in entry
                .takes
                .dangers
                .iter()
                .filter(|_| entry.takes.mounts_router)
            {
                write!(f, " {}: {}", danger.name, danger.reason)?;
            }
            writeln!(f)?;
        }
        if !self.content.is_empty() {
            writeln!(f, "every page: {}", self.content)?;
        }
        for limit in &self.rate_limits {
            writeln!(f, "every route: rate:{limit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{CONFIRM, FORGOT, SIGN_IN, SIGN_OUT, SIGN_UP};
    use crate::forms::{Form, HandlerInputs, Line, Path};

    #[derive(crate::forms::Form, Debug)]
    struct NewNote {
        title: Line<20>,
    }

    const BILLING: Access = Access::Webhook(WebhookAuth::hmac("billing"));
    const CODE: Access =
        Access::Webhook(WebhookAuth::hmac("code").with_scheme(SignatureScheme::GitHub));

    fn entry(method: &str, path: &'static str, access: Access) -> RouteEntry {
        let mut takes = Described::default();
        takes.under(path);
        RouteEntry {
            method: method.to_owned(),
            path,
            also: None,
            access,
            cors: None,
            rate_limits: Vec::new(),
            takes,
            gives: Outputs::default(),
        }
    }

    fn taking<T: HandlerInputs>(mut entry: RouteEntry) -> RouteEntry {
        T::describe(&mut entry.takes);
        entry.takes.under(entry.path);
        entry
    }

    fn recently(mut entry: RouteEntry) -> RouteEntry {
        entry.takes.recently = true;
        entry
    }

    /// The table of these routes, with the pages that others lead to and one that the framework serves.
    fn table(entries: impl IntoIterator<Item = RouteEntry>) -> RouteTable {
        let mut table = RouteTable::default();
        table.provide("GET", "/healthz", Access::Public);
        for path in ["/", SIGN_IN, "/reset/{token}"] {
            table.add(entry("GET", path, Access::Public));
        }
        for entry in entries {
            table.add(entry);
        }
        table
    }

    fn ids(entries: Vec<RouteEntry>) -> Vec<&'static str> {
        let found = table(entries).findings();
        found.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn what_could_not_hold_is_found_in_the_table() {
        use Access::{Public, Role, SignedIn};
        let get = |path| entry("GET", path, Public);
        let post = |path| entry("POST", path, SignedIn);
        for (entries, wanted) in [
            (vec![post("/notes")], &[][..]),
            (
                vec![get("/a"), entry("GET", "/a", SignedIn)],
                &["roles-route-twice"],
            ),
            (vec![get("/a"), post("/a")], &[]),
            (vec![get("/a"), get("/b")], &[]),
            (vec![get("a")], &["roles-route-unreachable"]),
            (vec![get("/x/:id")], &["roles-route-path"]),
            (vec![get("/x/*rest")], &["roles-route-path"]),
            (vec![get("/x/{id")], &["roles-route-path"]),
            (
                vec![get("/x/{id}/y"), get("/x/{name}/y")],
                &["roles-route-path"],
            ),
            (
                vec![
                    get("/x/{id}"),
                    post("/x/{id}"),
                    get("/x/new"),
                    get("/{*rest}"),
                ],
                &[],
            ),
            (vec![get("/static/a")], &["roles-route-unreachable"]),
            (
                vec![entry("GET", "/healthz", Role("reviewer"))],
                &["roles-route-unreachable"],
            ),
            (vec![recently(post("/a"))], &["accounts-no-confirm-page"]),
            (
                vec![recently(post("/a")), entry("GET", CONFIRM, SignedIn)],
                &["accounts-no-confirm-page"],
            ),
            (
                vec![recently(post("/a")), post(CONFIRM)],
                &["accounts-no-confirm-page"],
            ),
            (
                vec![
                    recently(post("/a")),
                    entry("GET", CONFIRM, SignedIn),
                    post(CONFIRM),
                ],
                &[],
            ),
        ] {
            assert_eq!(ids(entries), wanted);
        }
    }

    #[test]
    fn what_a_handler_takes_is_there_to_be_taken() {
        let get = |path| entry("GET", path, Access::Public);
        let post = |path| entry("POST", path, Access::Public);
        for (entry, wanted) in [
            (
                taking::<((), Form<NewNote>)>(get("/a")),
                &["csrf-get-takes-form"][..],
            ),
            (taking::<((), Form<NewNote>)>(post("/a")), &[]),
            (
                taking::<((), Path<i64>)>(get("/a")),
                &["forms-path-parameters"],
            ),
            (taking::<((), Path<i64>)>(get("/a/{id}")), &[]),
            (
                taking::<((), Path<i64>)>(get("/{a}/{b}")),
                &["forms-path-parameters"],
            ),
        ] {
            assert_eq!(ids(vec![entry]), wanted);
        }
    }

    /// If a signature does not cover the route, somebody could send a request for one route to another.
    #[test]
    fn a_sender_whose_signature_names_no_route_has_one() {
        for (entries, wanted) in [
            (
                vec![entry("POST", "/a", BILLING), entry("POST", "/b", BILLING)],
                &[][..],
            ),
            (
                vec![entry("POST", "/a", CODE), entry("POST", "/b", BILLING)],
                &[],
            ),
            (
                vec![entry("POST", "/a", CODE), entry("POST", "/b", CODE)],
                &["csrf-webhook-unbound"],
            ),
            (
                vec![
                    entry("POST", "/a", Access::Webhook(WebhookAuth::hmac("code"))),
                    entry("POST", "/b", CODE),
                ],
                &["csrf-webhook-unbound"],
            ),
            (
                vec![
                    entry("POST", "/a", CODE),
                    entry("POST", "/b", Access::Webhook(WebhookAuth::hmac("code"))),
                ],
                &["csrf-webhook-unbound"],
            ),
            (
                vec![taking::<((), Form<NewNote>)>(entry("POST", "/a", BILLING))],
                &["csrf-webhook-takes-form"],
            ),
        ] {
            assert_eq!(ids(entries), wanted);
        }
    }

    /// Each page that others lead to is reported if it is not mounted, and only because of the routes that lead there.
    #[test]
    fn a_page_that_nobody_mounted_is_missed_by_what_leads_to_it() {
        let led = |entry: RouteEntry| {
            let mut table = RouteTable::default();
            table.add(entry);
            let found = table.findings();
            let led = found.iter().filter(|found| found.id == "roles-led-nowhere");
            led.count()
        };
        use Access::{Public, Role, SignedIn};
        for (method, path, access, missing) in [
            ("GET", "/a", Public, 0),
            ("POST", "/a", BILLING, 0),
            ("GET", "/a", SignedIn, 1),
            ("GET", "/a", Role("reviewer"), 1),
            ("GET", SIGN_UP, Public, 0),
            ("POST", SIGN_UP, Public, 2),
            ("GET", FORGOT, Public, 0),
            ("POST", FORGOT, Public, 2),
            ("GET", SIGN_OUT, Public, 0),
            ("POST", SIGN_IN, Public, 1),
            ("POST", SIGN_OUT, Public, 1),
            ("POST", SIGN_OUT, SignedIn, 2),
        ] {
            assert_eq!(led(entry(method, path, access)), missing, "{method} {path}");
        }
    }

    /// The table as text and as data has every route, with everything that an auditor needs.
    #[test]
    fn the_table_is_told_whole() {
        let table = table([
            recently(entry("POST", "/notes", Access::SignedIn)),
            taking::<((), Form<NewNote>)>(entry("POST", "/a", Access::Role("reviewer"))),
        ]);
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6, "{text}");
        for (line, parts) in [
            (3, &["POST", "/notes", "signed_in", "recently"][..]),
            (4, &["POST", "/a", "role:reviewer", "title"]),
            (5, &["GET", "/healthz", "public"]),
        ] {
            for part in parts {
                assert!(lines[line].contains(part), "{part}: {}", lines[line]);
            }
        }
        let data = serde_json::to_value(&table).unwrap();
        assert_eq!(data.as_array().unwrap().len(), 6);
        assert_eq!(data[3]["recently"], true);
        assert_eq!(data[4]["access"], "role:reviewer");
        assert_eq!(data[5]["path"], "/healthz");
        assert_eq!(table.entries().len(), 5);
        assert_eq!(table.provided().len(), 1);
        let schemas = table.schemas();
        assert_eq!(schemas.as_object().unwrap().len(), 1, "{schemas}");
        assert!(schemas["POST /a"]["form"].is_object(), "{schemas}");
        let labels = table.label_ids();
        assert_eq!(labels, [("new-note", vec!["new-note-title".to_owned()])]);
        assert!(table.mounted().page(SIGN_IN) && !table.mounted().page("/c"));
    }
}
