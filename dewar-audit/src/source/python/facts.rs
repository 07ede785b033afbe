//! The libraries that the project uses, and the protections that it lacks.

use std::collections::HashSet;

use super::routes::Route;
use super::run::Run;
use super::value::Place;
use crate::source::checks;

/// The libraries and calls that the project uses.
#[derive(Debug, Default)]
pub(super) struct Facts {
    imports: HashSet<String>,
    calls: HashSet<String>,
    pub(super) queried: bool,
}

const FRAMEWORKS: &[&str] = &[
    "flask",
    "django",
    "fastapi",
    "starlette",
    "aiohttp",
    "quart",
    "bottle",
    "tornado",
    "sanic",
    "pyramid",
    "falcon",
    "rest_framework",
    "flask_restful",
    "cherrypy",
    "web",
    "http.server",
    "wsgiref",
    "litestar",
];

impl Facts {
    pub(super) fn imported(&mut self, name: &str) {
        self.imports.insert(name.to_owned());
        if let Some(root) = name.split('.').next() {
            self.imports.insert(root.to_owned());
        }
    }

    pub(super) fn called(&mut self, path: &str) {
        if !self.calls.contains(path) && self.calls.len() < 100_000 {
            self.calls.insert(path.to_owned());
        }
    }

    pub(super) fn uses(&self, name: &str) -> bool {
        self.imports.contains(name)
    }

    pub(super) fn is_web(&self) -> bool {
        FRAMEWORKS.iter().any(|name| self.uses(name))
    }
}

/// Words of a guard, in a decorator.
const GUARDS: &[&str] = &[
    "login",
    "auth",
    "admin",
    "permission",
    "role",
    "jwt",
    "token",
    "require",
    "protected",
    "signed_in",
    "user_passes",
    "fresh",
    "roles",
];

/// Words of a check inside a function.
const CHECKS: &[&str] = &[
    "session",
    "current_user",
    "g.user",
    "is_authenticated",
    "Authorization",
    "verify_jwt",
    "get_jwt",
    "abort(401",
    "abort(403",
    "request.user",
    "api_key",
    "authenticate(",
];

/// Words of a change in the database.
const WRITES: &[&str] = &[
    "UPDATE ",
    "DELETE ",
    "INSERT ",
    ".delete(",
    "session.add(",
    "db.add(",
];

/// Pages that everybody may open.
const OPEN: &[&str] = &[
    "login", "signin", "sign_in", "sign-in", "register", "signup", "sign_up", "sign-up", "logout",
    "forgot", "reset", "health", "ping", "static", "webhook", "callback", "oauth", "about",
    "favicon", "robots", "contact", "verify", "confirm", "public", "docs", "captcha", "password",
];

impl Run<'_> {
    /// Reports missing protections, after everything was read.
    pub(super) fn absences(&mut self) {
        let routes: Vec<Route> = self.routes.clone();
        let texts: Vec<String> = routes.iter().map(|route| self.route_text(route)).collect();
        let all: String = self
            .project
            .modules
            .iter()
            .map(|module| module.text)
            .collect::<Vec<_>>()
            .join("\n");
        self.csrf(&routes, &texts, &all);
        self.access(&routes, &texts);
        self.sign_in(&routes, &texts, &all);
        self.upload_limit(&routes, &texts, &all);
        self.owners(&routes, &texts);
    }

    /// The text of a route's function, without what it calls.
    fn route_text(&self, route: &Route) -> String {
        let text = self
            .source(route.at.module)
            .map_or("", |module| module.text);
        // The session of a database is no sign-in.
        text.get(route.at.offset as usize..route.end as usize)
            .unwrap_or_default()
            .replace("db.session", "db")
    }

    fn missing(&mut self, check: &'static crate::scan::ScanCheck, route: &Route, note: String) {
        self.route = self
            .routes
            .iter()
            .position(|one| one.function == route.function && one.path == route.path);
        self.report_at(check, route.at, route.at.offset, None, note, None);
        self.route = None;
    }

    fn csrf(&mut self, routes: &[Route], texts: &[String], all: &str) {
        let is_flask =
            self.facts.uses("flask") || self.facts.uses("quart") || self.facts.uses("bottle");
        let protected = [
            "CSRFProtect",
            "CsrfProtect",
            "SeaSurf",
            "csrf_token",
            "FlaskForm",
            "validate_csrf",
            "csrf_protect",
            "check_csrf",
        ];
        if !is_flask || protected.iter().any(|word| all.contains(word)) {
            return;
        }
        let cookies = [
            "session[",
            "session.",
            "login_user",
            "set_cookie",
            "current_user",
            ".cookies",
        ];
        if !cookies.iter().any(|word| all.contains(word)) {
            return;
        }
        for (route, text) in routes.iter().zip(texts) {
            let changes = route
                .methods
                .iter()
                .any(|method| matches!(&**method, "POST" | "PUT" | "PATCH" | "DELETE"));
            let is_form = [".form", ".values", ".files"]
                .iter()
                .any(|word| text.contains(word));
            let is_api = text.contains("json") && !is_form
                || text.contains("Authorization")
                || text.contains("X-API");
            if changes && !is_api && route.path != "*" {
                self.missing(&checks::CSRF, route, String::new());
            }
            let name = self
                .functions
                .get(route.function)
                .map_or("", |function| &function.name)
                .to_lowercase();
            let acts = ["delete", "remove", "disable", "deactivate", "transfer"]
                .iter()
                .any(|word| name.contains(word) || route.path.contains(word));
            let only_get = !changes && route.methods.iter().any(|method| method == "GET");
            if only_get
                && route.path != "*"
                && (acts || WRITES.iter().any(|word| text.contains(word)))
                && has_check(text, &route.decorators)
            {
                self.missing(&checks::CSRF_GET, route, String::new());
            }
        }
    }

    fn access(&mut self, routes: &[Route], texts: &[String]) {
        for (route, text) in routes.iter().zip(texts) {
            if is_guarded(route, text) || route.path == "*" || route.path == "/" {
                continue;
            }
            let name = self
                .functions
                .get(route.function)
                .map_or("", |function| &function.name)
                .to_lowercase();
            let is_open = OPEN
                .iter()
                .any(|word| route.path.to_lowercase().contains(word) || name.contains(word));
            let changes = route
                .methods
                .iter()
                .any(|method| matches!(&**method, "POST" | "PUT" | "PATCH" | "DELETE"));
            let siblings = routes.iter().zip(texts).filter(|(other, other_text)| {
                other.at.module == route.at.module
                    && other.function != route.function
                    && by_decorator(other) | is_guarded(other, other_text)
            });
            let prefix = prefix(&route.path);
            let (mut guarded, mut near) = (0_usize, false);
            for (other, _) in siblings {
                guarded = guarded.saturating_add(1);
                near |= !prefix.is_empty() && self::prefix(&other.path) == prefix;
            }
            let is_admin = route.path.contains("admin") || name.contains("admin");
            let needed = if is_admin { 1 } else { 2 };
            if guarded >= needed && !is_open && (changes || near || is_admin) {
                self.missing(
                    &checks::ACCESS,
                    route,
                    format!("{guarded} routes of the same file have one"),
                );
            }
        }
    }

    fn sign_in(&mut self, routes: &[Route], texts: &[String], all: &str) {
        let limits = [
            "Limiter",
            "limiter",
            "ratelimit",
            "rate_limit",
            "axes",
            "lockout",
            "attempts",
            "captcha",
            "throttle",
        ];
        if limits.iter().any(|word| all.contains(word)) {
            return;
        }
        for (route, text) in routes.iter().zip(texts) {
            let name = self
                .functions
                .get(route.function)
                .map_or("", |function| &function.name)
                .to_lowercase();
            let path = route.path.to_lowercase();
            let words = [
                "login",
                "signin",
                "sign_in",
                "sign-in",
                "authenticate",
                "token",
                "auth",
            ];
            let is_sign_in = words
                .iter()
                .any(|word| name.contains(word) || path.contains(word));
            let reads = ["password", "passwd", "pwd", "senha", "pass"]
                .iter()
                .any(|word| text.to_lowercase().contains(word));
            let asks = [".form", "json", ".values", ".args", "form.", "OAuth2"]
                .iter()
                .any(|word| text.contains(word));
            let creates = ["register", "signup", "create", "reset", "change"]
                .iter()
                .any(|word| name.contains(word));
            if is_sign_in && reads && asks && !creates {
                self.missing(&checks::BRUTE_FORCE, route, String::new());
            }
        }
    }

    fn upload_limit(&mut self, routes: &[Route], texts: &[String], all: &str) {
        if all.contains("MAX_CONTENT_LENGTH") || !self.facts.uses("flask") {
            return;
        }
        let first = routes
            .iter()
            .zip(texts)
            .find(|(_, text)| text.contains("request.files"));
        if let Some((route, _)) = first {
            self.missing(&checks::UPLOAD_LIMIT, route, String::new());
        }
    }

    /// A signed-in view that loads a record which has an owner, and does not look at the owner.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    fn owners(&mut self, routes: &[Route], texts: &[String]) {
        let owned: Vec<String> = self
            .classes
            .iter()
            .filter(|class| {
                class.members.keys().any(|name| {
                    let name = name.to_lowercase();
                    [
                        "user_id",
                        "owner",
                        "owner_id",
                        "author_id",
                        "author",
                        "created_by",
                        "user",
                        "account_id",
                        "customer_id",
                    ]
                    .contains(&&*name)
                })
            })
            .map(|class| class.node.name.to_string())
            .collect();
        for (route, text) in routes.iter().zip(texts) {
            let looks = [
                "current_user",
                "session",
                "g.user",
                "owner",
                "author",
                "request.user",
                "user_id",
                "get_jwt_identity",
            ];
            let takes_id = route.path.contains("id>")
                || route.path.contains("id}")
                || route.path.contains("<int:");
            let is_guarded = by_decorator(route) || text.contains("Authorization");
            if !is_guarded || looks.iter().any(|word| text.contains(word)) || !takes_id {
                continue;
            }
            if route.decorators.iter().any(|name| {
                name.contains("admin") || name.contains("role") || name.contains("permission")
            }) {
                continue;
            }
            let loads = owned.iter().find(|name| {
                [
                    ".query.get",
                    ".query.filter_by(id",
                    ".objects.get",
                    ".get_or_404",
                    ".query.filter(",
                ]
                .iter()
                .any(|call| text.contains(&format!("{name}{call}")))
                    || text.contains(&format!("session.get({name}"))
                    || text.contains(&format!("get_object_or_404({name}"))
            });
            if let Some(name) = loads {
                let at = text
                    .find(name.as_str())
                    .and_then(|at| u32::try_from(at).ok())
                    .unwrap_or(0);
                let at = Place {
                    module: route.at.module,
                    offset: route.at.offset.saturating_add(at),
                };
                self.route = self
                    .routes
                    .iter()
                    .position(|one| one.function == route.function);
                self.report_at(&checks::OWNER, at, at.offset, None, name.clone(), None);
                self.route = None;
            }
        }
    }
}

fn by_decorator(route: &Route) -> bool {
    route.decorators.iter().any(|name| {
        let name = name.to_lowercase();
        GUARDS.iter().any(|word| name.contains(word)) && !name.ends_with(".route")
    })
}

fn has_check(text: &str, decorators: &[String]) -> bool {
    CHECKS.iter().any(|word| text.contains(word))
        || decorators
            .iter()
            .any(|name| GUARDS.iter().any(|word| name.to_lowercase().contains(word)))
}

fn is_guarded(route: &Route, text: &str) -> bool {
    by_decorator(route) || CHECKS.iter().any(|word| text.contains(word))
}

/// The first fixed segment of a path.
fn prefix(path: &str) -> String {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments
        .next()
        .filter(|segment| !segment.starts_with(['<', '{']))
        .unwrap_or_default()
        .to_owned()
}
