//! Random templates that nobody would write: if Dewar accepts one, its values stay in their places too.

use proptest::prelude::*;
use scraper::Html;

use super::corpus::{VALUES, render, skeleton};
use super::templates;

/// The beginning and the end of a construct.
const WRAPS: [(&str, &str); 21] = [
    ("<p title=\"", "\">"),
    ("<p class=a title='", "' id=b>"),
    ("<p ", ">"),
    ("<p", ">"),
    ("<a href=\"", "\">"),
    ("<a href='/", "'>"),
    ("<img srcset=\"", " 2x\">"),
    ("<p style=\"width:", "\">"),
    ("<p style='background: url(\"", "\")'>"),
    ("<form action=\"", "\">"),
    ("<title>", "</title>"),
    ("<textarea>", "</textarea>"),
    ("<script nonce=n>x = ", ";</script>"),
    ("<script type=application/json>", "</script>"),
    ("<style>p { ", " }</style>"),
    ("<!--", "-->"),
    ("<svg>", "</svg>"),
    ("<select>", "</select>"),
    ("<table><tr>", "</table>"),
    ("{% if x %}", "{% endif %}"),
    ("{% for y in [x, x] %}", "{% else %}<b>{% endfor %}"),
];

/// The content between them: values, and text that could mislead a parser of templates.
const PIECES: [&str; 30] = [
    "{{ x }}",
    "{{ x }}",
    "{{ x }}",
    " {{ x }} ",
    "\"",
    "'",
    "\" ",
    "' ",
    ">",
    " ",
    "/",
    "<",
    "=",
    "a",
    " a",
    ",",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "--!>",
    "</title>",
    "</script>",
    "</style>",
    "/*",
    "*/",
    "//",
    "\n",
    "`",
    "?",
];

/// Pieces inside each other.
fn pieces() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 4, |inner| {
        let wrap = prop::sample::select(WRAPS.to_vec());
        let inside = prop::collection::vec(inner, 0..4);
        (wrap, inside)
            .prop_map(|((open, close), inside)| format!("{open}{}{close}", inside.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn a_template_put_together_blindly_is_refused_or_holds_its_values(
        pieces in prop::collection::vec(pieces(), 1..4),
        hostile in prop::sample::select(VALUES.to_vec()),
    ) {
        let source = pieces.concat();
        let templates = templates(&[("page.html", &source)]);
        if templates.findings().is_empty() {
            let benign = skeleton(&Html::parse_document(&render(&templates, "benign".into())));
            let shown = render(&templates, hostile.into());
            prop_assert_eq!(skeleton(&Html::parse_document(&shown)), benign, "{} is {}", source, shown);
        }
    }
}
