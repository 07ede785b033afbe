//! Links of the application's own templates that lead to no route: a visitor would get 404.

use std::collections::BTreeSet;

use matchit::Router;

use super::{RouteTable, templates};
use crate::audit::{Finding, Practice, Severity};
use crate::pages::{Bundle, STATIC_PREFIX};

/// A link or the address of a form in a template.
#[derive(Debug, PartialEq, Eq)]
struct WrittenLink<'a> {
    line: usize,
    address: &'a str,
}

/// The findings about links that lead to no route. Only an address that stands in the template is judged: one that begins with a
/// value can lead anywhere.
pub(super) fn findings(bundles: &[Bundle], table: &RouteTable) -> Vec<Finding> {
    let router = router(table);
    let provided = templates::bundled();
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    // A template of a later bundle replaces one of the same name.
    for bundle in bundles.iter().rev() {
        for name in bundle.names().iter().filter(|name| name.ends_with(".html")) {
            let Some(text) = bundle.read(name) else {
                continue;
            };
            let is_provided = provided.read(name).is_some_and(|own| own == text);
            let is_letter = name.starts_with("letters/");
            if is_letter || !seen.insert(name.to_string()) || is_provided {
                continue;
            }
            let text = String::from_utf8_lossy(&text);
            let found = links(&text).filter(|link| leads_nowhere(link.address, &text, &router));
            findings.extend(found.map(|link| finding(name, &link)));
        }
    }
    findings.sort_by(|one, other| one.title.cmp(&other.title));
    findings
}

/// All paths, of every method: a link of a page to download and the address of a form both lead to a path.
fn router(table: &RouteTable) -> Router<()> {
    let mut router = Router::new();
    let all = table.entries().iter().chain(table.provided());
    for pattern in all.flat_map(super::RouteEntry::patterns) {
        // An error means that the path exists already, or that the table forbids the launch.
        drop(router.insert(pattern, ()));
    }
    router
}

/// The addresses that begin with a slash, in `href`, `action` and `formaction`.
fn links(text: &str) -> impl Iterator<Item = WrittenLink<'_>> {
    ["href=", "action="].into_iter().flat_map(move |attribute| {
        text.match_indices(attribute).filter_map(move |(at, _)| {
            let (before, rest) = text.split_at_checked(at)?;
            let rest = rest.strip_prefix(attribute)?;
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let address = rest.strip_prefix(quote)?.split(quote).next()?;
            let is_local = address.starts_with('/') && !address.starts_with("//");
            is_local.then(|| WrittenLink {
                line: before.matches('\n').count() + 1,
                address,
            })
        })
    })
}

/// The path of an address, with a word in the place of each value. None if a value or a condition can change its shape.
fn path_of(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    if path.contains("{%") || path.contains("{#") {
        return None;
    }
    let mut shape = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        let (_, after) = after.split_once("}}")?;
        shape.push_str(before);
        shape.push('0');
        rest = after;
    }
    shape.push_str(rest);
    Some(shape)
}

fn leads_nowhere(address: &str, text: &str, router: &Router<()>) -> bool {
    let Some(path) = path_of(address) else {
        return false;
    };
    let is_of_the_framework =
        path.starts_with(STATIC_PREFIX) || path == "/dewar" || path.starts_with("/dewar/");
    // The template asks itself whether the page is there.
    let asks = |quote: char| text.contains(&format!("mounted({quote}{path}{quote}"));
    let has_route = |path: &str| router.at(path).is_ok();
    let path = path.as_str();
    let without_slash = path.strip_suffix('/').filter(|path| !path.is_empty());
    !is_of_the_framework
        && !asks('"')
        && !asks('\'')
        && !has_route(path)
        && !without_slash.is_some_and(has_route)
}

fn finding(name: &str, link: &WrittenLink<'_>) -> Finding {
    let title = format!(
        "template {name}, line {}: the link {:?} leads to no route",
        link.line, link.address
    );
    Finding::warn(Practice::Pages, "pages-link-nowhere", title)
        .severity(Severity::Low)
        .why("Whoever follows it gets 404.")
        .fix("mount a route at this path, correct the link, or put `{% if mounted(\"/path\") %}` around it")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::{App, get, post};
    use super::*;

    async fn hello() -> &'static str {
        "Hello"
    }

    const PAGE: &str = "<a href=\"/notes\">All</a>\n<a href=\"/notes/{{ note.id }}?page=2#top\">One</a>\n\
        <a href=\"/note/{{ note.id }}\">Wrong</a>\n<form method=\"post\" action=\"/notes/{{ note.id }}/delete\">\n\
        <a href=\"/static/a.css\">Style</a> <a href=\"{{ link }}\">Any</a> <a href=\"https://example.org/x\">Away</a>\n\
        {% if mounted(\"/sign-up\") %}<a href=\"/sign-up\">Join</a>{% endif %}\n<a href='/notes/new'>New</a>\n\
        <a href=\"/notes/{% if a %}x{% endif %}/y/z\">?</a> <a href=\"//example.org\">Away</a> <a href=\"/lost#x\">Lost</a>";

    #[test]
    fn a_link_to_no_route_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::in_directory(&folder).unwrap();
        let app = app.public([
            get("/notes", hello),
            get("/notes/{id}", hello),
            post("/notes/{id}/delete", hello),
        ]);
        let bundle = Bundle::inside(
            |name| (name == "notes/list.html").then_some(Cow::Borrowed(PAGE.as_bytes())),
            || vec![Cow::Borrowed("notes/list.html")],
        );
        let found = findings(&[templates::bundled(), bundle], &app.route_table());
        let told: Vec<_> = found.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(
            told,
            [
                "template notes/list.html, line 3: the link \"/note/{{ note.id }}\" leads to no route",
                "template notes/list.html, line 8: the link \"/lost#x\" leads to no route",
            ]
        );
        assert!(found.iter().all(|found| !found.refuses_launch));
    }
}
