use dewar::audit::{Practice, Severity};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{
    Ask, Error, HttpResponse, ListedRoute, MARKUP, Sources, taken_for_markup, try_to_sign_in_from,
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "pages-unescaped",
        word: Practice::Pages,
        severity: Severity::High,
        what: "a value in an address comes back escaped, or not at all",
        why: "an attacker's link runs a script in the visitor's session",
        fix: "leave escaping to the template, keep rich text as `CleanHtml`, and look at each `dangerous_html` that `check` names",
        cwe: Some(79),
        asvs: &["1.2.1", "1.2.2", "1.2.3"],
        look: unescaped,
    },
    Check {
        id: "pages-unescaped-form",
        word: Practice::Pages,
        severity: Severity::High,
        what: "a typed value in a form is shown again escaped",
        why: "a form that another site fills in runs a script in the visitor's session",
        fix: "let the form render itself: `{{ form }}`",
        cwe: Some(79),
        asvs: &["1.2.1", "1.2.2", "1.2.3"],
        look: unescaped_form,
    },
    Check {
        id: "pages-header-split",
        word: Practice::Pages,
        severity: Severity::High,
        what: "a line break in an address adds no header",
        why: "an attacker writes response headers: cookies, redirects, a second response",
        fix: "build headers from typed values, which cannot contain a line break",
        cwe: Some(113),
        asvs: &["1.3.11", "4.2.4"],
        look: header_split,
    },
    Check {
        id: "pages-errors-tell",
        word: Practice::Pages,
        severity: Severity::Medium,
        what: "an error page reveals nothing about the program",
        why: "paths, versions and statements help the next attack",
        fix: "one error page for a status; the cause goes to the log",
        cwe: Some(209),
        asvs: &["16.5.1", "13.4.2"],
        look: errors_tell,
    },
    Check {
        id: "pages-open-redirect",
        word: Practice::Pages,
        severity: Severity::Medium,
        what: "no redirect leads to a host from the address",
        why: "a link to the trusted host ends on the attacker's copy of the sign-in page",
        fix: "redirect to local paths: `Redirect::to`, `LocalPath::parse`",
        cwe: Some(601),
        asvs: &["3.7.2", "3.7.3"],
        look: open_redirect,
    },
];

fn unescaped(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let marker = encoded(MARKUP);
        let mut targets = vec![format!("/{marker}"), format!("/?{marker}={marker}")];
        for route in looks.routes.public_pages() {
            targets.extend(with_each_value(route, &marker));
        }
        let mut seen = Vec::new();
        for target in targets {
            let answer = looks.answers.ask(Ask::get(target)).await?;
            // The path contains the marker, which a report must not repeat.
            let place = answer.place.replace(&marker, "{…}");
            seen.extend(broken_out(&answer).map(|how| {
                Evidence::new(format!("a value in the address is markup {how}"), place)
            }));
        }
        Ok(Outcome::Seen(seen))
    })
}

fn unescaped_form(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for route in looks.routes.public_forms() {
            let Some((visitor, mut fields)) = looks.open_form(route).await? else {
                continue;
            };
            let typed: Vec<_> = route
                .form
                .iter()
                .flat_map(|form| &form.fields)
                .filter(|field| field.is_text())
                .collect();
            fields.extend(
                typed
                    .iter()
                    .map(|field| (field.name.clone(), MARKUP.to_owned())),
            );
            let answer = visitor.submit(&route.target(), &fields).await?;
            seen.extend(
                broken_out(&answer).map(|how| {
                    Evidence::new(format!("a typed value is markup {how}"), &answer.place)
                }),
            );
        }
        Ok(Outcome::Seen(seen))
    })
}

fn broken_out(answer: &HttpResponse) -> Option<&'static str> {
    answer
        .is_page()
        .then(|| taken_for_markup(&answer.text()))
        .flatten()
}

fn header_split(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let marker = "zq9%0d%0ax-zq9:%20set";
        let mut targets = vec![format!("/{marker}")];
        for route in looks.routes.public_pages() {
            targets.extend(with_each_value(route, marker));
        }
        let mut seen = Vec::new();
        for target in targets {
            let answer = looks.answers.ask(Ask::get(target)).await?;
            if answer.headers.contains_key("x-zq9") {
                seen.push(Evidence::new(
                    "a line break in the address adds a header",
                    answer.place.replace(marker, "{…}"),
                ));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

/// The route's addresses with this value: in each declared parameter of path and query, one at a time, and in one undeclared
/// parameter.
pub(super) fn with_each_value(route: &ListedRoute, value: &str) -> Vec<String> {
    let mut targets = vec![format!("{}?zq9={value}", route.target())];
    for field in route.query.iter().flat_map(|query| &query.fields) {
        targets.push(format!("{}?{}={value}", route.target(), field.name));
    }
    if route.has_parameter() {
        targets.push(route.target_with(value));
    }
    targets
}

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Texts of programs when they fail.
const TELLS: [&str; 14] = [
    "panicked at",
    "stack backtrace",
    "RUST_BACKTRACE",
    "Traceback (most recent call last)",
    "Werkzeug",
    "DJANGO_SETTINGS",
    "Exception in thread",
    "at Object.<anonymous>",
    "/home/",
    "/usr/",
    ".rs:",
    "rusqlite",
    "SQLITE_",
    "no such table",
];

fn errors_tell(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        let mut judge =
            |answer: &HttpResponse| {
                let text = answer.text();
                let told = TELLS
                    .iter()
                    .filter(|tell| answer.status >= 400 && text.contains(**tell));
                seen.extend(told.map(|tell| {
                    Evidence::new(format!("an error page says `{tell}`"), &answer.place)
                }));
            };
        looks.walk().await?.iter().for_each(&mut judge);
        for ask in odd_requests(looks) {
            judge(&looks.answers.ask(ask).await?);
        }
        Ok(Outcome::Seen(seen))
    })
}

/// Unusual requests to the pages that take input.
fn odd_requests(looks: &Sources) -> Vec<Ask> {
    let takes = looks
        .routes
        .public_pages()
        .filter(|route| route.has_parameter() || route.query.is_some());
    let targets = takes.flat_map(|route| with_each_value(route, "%27%22%00%ff-1"));
    let long = format!("/?{}", "a".repeat(9_000));
    targets.chain([long]).map(Ask::get).collect()
}

fn open_redirect(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for elsewhere in [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
        ] {
            let value = encoded(elsewhere);
            for route in looks.routes.public_pages() {
                let declared = route
                    .query
                    .iter()
                    .flat_map(|query| &query.fields)
                    .map(|field| field.name.as_str());
                for name in declared.chain(["next"]) {
                    let answer = looks
                        .answers
                        .ask(Ask::get(format!("{}?{name}={value}", route.target())))
                        .await?;
                    seen.extend(leads_away(&answer, name, elsewhere));
                }
            }
            seen.extend(after_sign_in(looks, elsewhere).await?);
        }
        Ok(Outcome::Seen(seen))
    })
}

async fn after_sign_in(looks: &Sources, elsewhere: &str) -> Result<Option<Evidence>, Error> {
    let (Some(person), Some(at)) = (&looks.person, looks.routes.sign_in()) else {
        return Ok(None);
    };
    let page = format!("{}?next={}", at.path, encoded(elsewhere));
    let visitor = looks.stranger();
    let answer =
        try_to_sign_in_from(&visitor, at, &page, person.email(), person.password()).await?;
    Ok(leads_away(&answer, "next", elsewhere))
}

fn leads_away(answer: &HttpResponse, name: &str, elsewhere: &str) -> Option<Evidence> {
    let to = answer.header("location");
    let away = answer.is_redirect()
        && ["https://evil.example", "//evil.example", "/\\evil.example"]
            .iter()
            .any(|start| to.starts_with(start));
    away.then(|| Evidence::new(format!("`{name}={elsewhere}` leads there"), &answer.place))
}
