//! Where no escaping can be right, Dewar refuses the template with its file, its line and the fix.

use super::{findings, pairs, templates};

/// The one finding of a template, as `id: title`.
fn refused(source: &str) -> String {
    let found = findings(&[("page.html", source)]);
    match found.as_slice() {
        [(id, title)] => format!("{id}: {title}"),
        others => panic!("{source}: {others:?}"),
    }
}

#[test]
fn what_cannot_be_escaped_is_refused_with_its_line_and_its_fix() {
    let mut seen = 0;
    for (source, told) in pairs(include_str!("refused.txt")) {
        let refused = refused(&source);
        let (place, part) = told.split_once(": ").unwrap();
        let (line, id) = place.split_once(' ').unwrap();
        let start = format!("pages-template-{id}: template page.html, line {line}: ");
        assert!(
            refused.starts_with(&start) && refused.contains(part),
            "{source}: {refused}"
        );
        seen += 1;
    }
    assert!(seen >= 100, "{seen} cases were read");
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let sources = [
        (
            "a.html",
            "<p title={{ x }}>\n<p onclick=\"{{ x }}\">\n{{ x|safe }}",
        ),
        ("b.html", "{% if %}"),
        ("c.html", "<!-- {{ x }} -->"),
    ];
    let found = findings(&sources);
    let ids: Vec<&str> = found.iter().map(|(id, _)| *id).collect();
    assert_eq!(
        ids,
        [
            "pages-template-unquoted",
            "pages-template-handler",
            "pages-template-safe",
            "pages-template-broken",
            "pages-template-place",
        ]
    );
    for finding in templates(&sources).findings() {
        assert!(finding.refuses_launch && !finding.fix.is_empty() && !finding.why.is_empty());
    }
}

#[test]
fn a_refused_template_is_not_rendered_either() {
    let loaded = templates(&[("page.html", "<p title={{ x }}>")]);
    let error = loaded
        .render("page.html", minijinja::Value::from(()))
        .unwrap_err();
    assert!(error.to_string().contains("without quotes"), "{error}");
}
