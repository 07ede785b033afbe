use dewar::audit::{Practice, Severity};

use super::pages::{encoded, with_each_value};
use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Data, HttpResponse, RouteAccess, Sources};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "database-injection",
        word: Practice::Database,
        severity: Severity::Critical,
        what: "quotes, comments and wildcards in an address are only values",
        why: "an attacker reads and writes every table",
        fix: "bind values: models, or `db.query(\"… ?1\", [value.into()])`",
        cwe: Some(89),
        asvs: &["1.2.4"],
        look: injection,
    },
    Check {
        id: "database-injection-form",
        word: Practice::Database,
        severity: Severity::Critical,
        what: "quotes, comments and wildcards in a form are only values",
        why: "an attacker reads and writes every table, or signs in as anyone",
        fix: "bind values: models, or `db.query(\"… ?1\", [value.into()])`",
        cwe: Some(89),
        asvs: &["1.2.4"],
        look: injection_form,
    },
    Check {
        id: "database-readable",
        word: Practice::Database,
        severity: Severity::High,
        what: "only the application's user can access the database's files",
        why: "every program on the machine reads addresses, password hashes and documents",
        fix: "`chmod 600` the files, and start the application with the umask 077",
        cwe: Some(732),
        asvs: &["13.3.2"],
        look: readable,
    },
];

const PAYLOADS: [&str; 9] = [
    "'",
    "\"",
    "' OR '1'='1",
    "1; DROP TABLE zq9 --",
    "%",
    "_%\\",
    "') UNION SELECT 1,2,3 --",
    "\u{0}'",
    "-9223372036854775809",
];

/// Error messages of databases when a value became a part of the statement (SQL injection).
const COMPLAINTS: [&str; 9] = [
    "syntax error",
    "unrecognized token",
    "no such column",
    "no such table",
    "SQLITE_ERROR",
    "unterminated quoted string",
    "You have an error in your SQL syntax",
    "sqlite3.OperationalError",
    "psycopg2",
];

fn injection(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let member = looks.member().await?;
        let stranger = looks.stranger();
        let mut seen = Vec::new();
        let pages =
            looks.routes.all().iter().filter(|route| {
                route.method == "GET" && !route.is_webhook() && !route.takes_token()
            });
        for route in pages.filter(|route| {
            route.query.is_some() || route.has_parameter() || route.access == RouteAccess::Public
        }) {
            // As a user that the route admits, if there is one: a request that the guard refuses proves nothing.
            let visitor = match &member {
                Some(member) if route.access != RouteAccess::Public => member,
                Some(_) | None => &stranger,
            };
            for payload in PAYLOADS {
                for target in with_each_value(route, &encoded(payload)) {
                    let answer = visitor.ask(Ask::get(target)).await?;
                    let place = format!("GET {}", route.path);
                    seen.extend(complaint(&answer).map(|what| Evidence::new(what, place)));
                }
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn injection_form(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        let mut asked = false;
        for route in looks.routes.public_forms() {
            let Some((visitor, hidden)) = looks.open_form(route).await? else {
                continue;
            };
            asked = true;
            for payload in PAYLOADS {
                let fields = route
                    .form
                    .iter()
                    .flat_map(|form| &form.fields)
                    .filter(|field| field.is_text() || field.is_password());
                let typed = fields.map(|field| (field.name.clone(), payload.to_owned()));
                let all: Vec<_> = hidden.iter().cloned().chain(typed).collect();
                let answer = visitor.submit(&route.target(), &all).await?;
                seen.extend(complaint(&answer).map(|what| Evidence::new(what, &answer.place)));
            }
        }
        let none =
            Outcome::Unasked("the route table has no public form, or no public page shows it");
        Ok(if asked { Outcome::Seen(seen) } else { none })
    })
}

fn complaint(answer: &HttpResponse) -> Option<String> {
    let text = answer.text();
    let said = COMPLAINTS
        .iter()
        .find(|complaint| text.contains(**complaint));
    match said {
        Some(said) => Some(format!("the response contains a database error (`{said}`)")),
        None if answer.is_failure() => Some(format!("a value is answered by {}", answer.status)),
        None => None,
    }
}

fn readable(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(root) = &looks.data else {
            return Ok(Outcome::Unasked("no data directory was given (--data DIR)"));
        };
        let data = Data::list(root)?;
        let open = data.files().filter(|found| {
            let name = found.path.to_string_lossy();
            let is_database = [".sqlite", ".sqlite3", ".db"]
                .iter()
                .any(|ending| name.contains(ending));
            is_database && found.is_open_to_others()
        });
        let seen = open.map(|found| {
            Evidence::new(
                "a file of the database is open to others",
                format!("{} ({})", found.path.display(), found.permissions()),
            )
        });
        Ok(Outcome::Seen(seen.collect()))
    })
}
