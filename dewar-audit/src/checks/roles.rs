use dewar::audit::{Practice, Severity};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Error, HttpResponse, ListedRoute, RouteAccess, Sources};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "roles-stranger",
        word: Practice::Roles,
        severity: Severity::Critical,
        what: "only a public route lets a stranger in",
        why: "anyone who knows the address reads or does what is meant for others",
        fix: "mount it under `.signed_in` or `.role`, and check nowhere else",
        cwe: Some(862),
        asvs: &["8.2.1", "8.3.1"],
        look: stranger,
    },
    Check {
        id: "roles-too-low",
        word: Practice::Roles,
        severity: Severity::Critical,
        what: "a route for a role refuses users with another role",
        why: "every member does what is meant for administrators",
        fix: "mount it under `.role(Role::…, …)`",
        cwe: Some(863),
        asvs: &["8.2.1", "8.3.1"],
        look: too_low,
    },
    Check {
        id: "roles-methods",
        word: Practice::Roles,
        severity: Severity::Medium,
        what: "no path answers a method that the route table does not have",
        why: "another method bypasses a guard for one method; TRACE shows cookies to scripts",
        fix: "answer other methods with 405",
        cwe: Some(650),
        asvs: &["4.1.4", "13.4.4"],
        look: methods,
    },
    Check {
        id: "roles-unlisted",
        word: Practice::Roles,
        severity: Severity::Medium,
        what: "addresses that reveal how an application runs do not exist, or are in the route table",
        why: "metrics, consoles and documentation made for developers are found by guessing",
        fix: "mount them under a role, or leave them out",
        cwe: Some(489),
        asvs: &["13.4.2", "13.4.5"],
        look: unlisted,
    },
];

/// Requests every route that is not public, in every spelling that a router may read as the same path.
fn stranger(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let guarded: Vec<&ListedRoute> = guarded(looks).collect();
        if guarded.is_empty() {
            return Ok(Outcome::Unasked("every route of the table is public"));
        }
        let mut seen = Vec::new();
        for route in guarded {
            let answer = looks.answers.ask(own_request(looks, route)).await?;
            if !is_turned_away(looks, &answer) {
                seen.push(Evidence::new(
                    format!("a stranger is answered by {}", answer.status),
                    &answer.place,
                ));
            }
            for target in disguised(&route.target()) {
                let answer = looks.answers.ask(Ask::new(&route.method, target)).await?;
                if answer.is_success() {
                    seen.push(Evidence::new(
                        "a stranger gets in by another spelling",
                        &answer.place,
                    ));
                }
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

/// Spellings that a router may read as the path and a guard as another path.
fn disguised(target: &str) -> Vec<String> {
    let path = target.trim_start_matches('/');
    vec![
        format!("//{path}"),
        format!("/./{path}"),
        format!("/{path}/"),
        format!("/{path};zq9"),
        format!("/{}", path.to_ascii_uppercase()),
    ]
}

fn too_low(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(member) = looks.member().await? else {
            return Ok(Outcome::Unasked(
                "no account was given (--as EMAIL --password-stdin), or there is no sign-in form",
            ));
        };
        let mut seen = Vec::new();
        for route in guarded(looks) {
            let Some(roles) = route.access.roles() else {
                continue;
            };
            let person = looks.person.as_ref();
            if person.is_some_and(|person| roles.iter().any(|role| person.has(role))) {
                continue;
            }
            let answer = member.ask(own_request(looks, route)).await?;
            if answer.status != 403 && answer.status != 404 {
                let what = format!(
                    "a user without the role `{}` is answered by {}",
                    roles.join("` or `"),
                    answer.status
                );
                seen.push(Evidence::new(what, &answer.place));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn guarded(looks: &Sources) -> impl Iterator<Item = &ListedRoute> {
    looks.routes.all().iter().filter(|route| {
        matches!(
            route.access,
            RouteAccess::AnyRole(_)
                | RouteAccess::Api(_)
                | RouteAccess::SignedIn
                | RouteAccess::Role(_)
        )
    })
}

fn own_request(looks: &Sources, route: &ListedRoute) -> Ask {
    let ask = Ask::new(&route.method, route.target());
    if route.is_unsafe() {
        ask.form([("zq9", "1")])
            .by_own_page(&looks.answers.origin())
    } else {
        ask
    }
}

fn is_turned_away(looks: &Sources, answer: &HttpResponse) -> bool {
    let to_sign_in = answer.local_location(&looks.answers.origin()) == Some(looks.sign_in_path());
    matches!(answer.status, 401 | 403) || (answer.is_redirect() && to_sign_in)
}

fn methods(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        let mut paths: Vec<&ListedRoute> = Vec::new();
        for route in looks.routes.all() {
            if !paths.iter().any(|known| known.path == route.path) {
                paths.push(route);
            }
        }
        for route in paths {
            for method in ["PUT", "PATCH", "DELETE", "TRACE", "ZQ9"] {
                if looks.routes.has(method, &route.path) {
                    continue;
                }
                let ask = Ask::new(method, route.target()).by_own_page(&looks.answers.origin());
                let answer = looks.answers.ask(ask).await?;
                if !(400..500).contains(&answer.status)
                    && answer.status != 501
                    && !is_turned_away(looks, &answer)
                {
                    seen.push(Evidence::new(
                        format!("{method} is answered by {}", answer.status),
                        &route.path,
                    ));
                }
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

const UNLISTED: [&str; 12] = [
    "/admin",
    "/debug",
    "/console",
    "/metrics",
    "/actuator",
    "/server-status",
    "/swagger",
    "/openapi.json",
    "/docs",
    "/graphql",
    "/phpinfo.php",
    "/debug/pprof/",
];

fn unlisted(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for path in UNLISTED
            .into_iter()
            .filter(|path| !looks.routes.has("GET", path))
        {
            let answer = looks.answers.ask(Ask::get(path)).await?;
            if answer.is_success() {
                seen.push(Evidence::new(
                    "an address exists that is not in the route table",
                    &answer.place,
                ));
            }
        }
        Ok::<_, Error>(Outcome::Seen(seen))
    })
}
