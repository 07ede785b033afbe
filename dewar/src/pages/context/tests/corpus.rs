//! No value leaves its place: every place with every hostile value, read by a real HTML parser.

use minijinja::value::Value;
use scraper::{Html, Node};
use url::Url;

use super::templates;
use crate::pages::Templates;

/// The condition at a place, besides the structure of the page.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// The text of `#it` is the value.
    Text,
    /// The attribute of this name is the value, with `a ` before it.
    Is(&'static str),
    /// The attribute of this name leads nowhere, or to an address that a link may have.
    Link(&'static str),
    /// The attribute leads nowhere, or below this path of the application.
    Local(&'static str, &'static str),
    /// The script's text begins and ends like this, with a JSON text of the value between.
    Json(&'static str, &'static str),
    /// The same for the style of an attribute or an element; no character between ends anything.
    Style(&'static str, &'static str),
}

const PLACES: [(&str, Rule); 34] = [
    ("<p id=it>{{ x }}</p>", Rule::Text),
    ("<ul><li id=it>{{ x }}<li></ul>", Rule::Text),
    ("<table><tr><td id=it>{{ x }}</table>", Rule::Text),
    (
        "<select><option id=it>{{ x }}</option></select>",
        Rule::Text,
    ),
    ("<svg><text id=it>{{ x }}</text></svg>", Rule::Text),
    ("<title id=it>{{ x }}</title>", Rule::Text),
    ("<textarea id=it>{{ x }}</textarea>", Rule::Text),
    ("<svg><title id=it>{{ x }}</title></svg>", Rule::Text),
    (
        "<div id=it data-x='a {{ x }}'><noscript><p title='{{ x }}'></p></noscript></div>",
        Rule::Is("data-x"),
    ),
    ("<p id=it title=\"a {{ x }}\"></p>", Rule::Is("title")),
    ("<p id=it title='a {{ x }}'></p>", Rule::Is("title")),
    (
        "<p id=it {% if x %}data-x=\"a {{ x }}\"{% endif %} class=b></p>",
        Rule::Is("data-x"),
    ),
    ("<input id=it value='a {{ x }}' checked>", Rule::Is("value")),
    (
        "<meta id=it name=description content=\"a {{ x }}\">",
        Rule::Is("content"),
    ),
    ("<a id=it href=\"{{ x }}\">a</a>", Rule::Link("href")),
    ("<a id=it href='{{ x }}'>a</a>", Rule::Link("href")),
    ("<a id=it href=\" {{ x }}/a?b=c\">a</a>", Rule::Link("href")),
    ("<a id=it href=\"{{ x }}{{ x }}\">a</a>", Rule::Link("href")),
    ("<a id=it href=\"java{{ x }}\">a</a>", Rule::Link("href")),
    ("<img id=it src=\"{{ x }}\">", Rule::Link("src")),
    (
        "<svg><a id=it xlink:href=\"{{ x }}\"></a></svg>",
        Rule::Link("href"),
    ),
    ("<a id=it href=\"/{{ x }}\">a</a>", Rule::Local("href", "/")),
    (
        "<a id=it href=\"/notes/{{ x }}\">a</a>",
        Rule::Local("href", "/"),
    ),
    (
        "<a id=it href=\"/notes?q={{ x }}&amp;r=1\">a</a>",
        Rule::Local("href", "/notes"),
    ),
    (
        "<a id=it href=\"/notes#{{ x }}\">a</a>",
        Rule::Local("href", "/notes"),
    ),
    (
        "<form id=it action=\"{{ x }}\"></form>",
        Rule::Local("action", "/"),
    ),
    (
        "<button id=it formaction='{{ x }}'></button>",
        Rule::Local("formaction", "/"),
    ),
    (
        "<script id=it src=\"{{ x }}\"></script>",
        Rule::Local("src", "/"),
    ),
    ("<img id=it srcset=\"{{ x }}\">", Rule::Link("srcset")),
    (
        "<p id=it style=\"width: {{ x }}\"></p>",
        Rule::Style("width: ", ""),
    ),
    (
        "<p id=it style='content: \"{{ x }}\"'></p>",
        Rule::Style("content: \"", "\""),
    ),
    (
        "<style id=it>p { background: url(\"{{ x }}\") }</style>",
        Rule::Style("p { background: url(\"", "\") }"),
    ),
    (
        "<script id=it type=\"application/json\">[{{ x }}]</script>",
        Rule::Json("[", "]"),
    ),
    (
        "<script id=it nonce=n>\nconst x = {{ x }};</script>",
        Rule::Json("\nconst x = ", ";"),
    ),
];

pub(super) const VALUES: [&str; 36] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "x onmouseover=alert(1) y=",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "</title></textarea></script></style></noscript></select></svg><svg onload=alert(1)>",
    "</p></td></a><form action=//evil.example><button>x",
    "<!-- x",
    "--><script>alert(1)</script><!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<plaintext>",
    "<base href=//evil.example>",
    "&quot;&#34;&lt;script&gt;&#x3c;",
    "&#106;avascript:alert(1)",
    "{{ 7 * 7 }}{% include 'x' %}${7*7}",
    "javascript:alert(1)",
    "  jAvAsCrIpT:alert(1)//",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "script:alert(1)",
    "javascript&colon;alert(1)",
    "javascript%3Aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "//evil.example/x",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/?a&b",
    "/a 1x, javascript:alert(1) 2x",
    "expression(alert(1)); background: url(javascript:1)",
    "*/;}body{display:none}/*\\",
    "\\\"'+alert(1)+`${alert(1)}`;//",
    "]};alert(1);//\u{2028}alert(1)\u{2029}",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4- \u{202e} \u{feff}",
];

const BASE: &str = "https://site.example/here/page";

/// The elements of a page with the names of their attributes, and its comments, without any text.
pub(super) fn skeleton(page: &Html) -> Vec<String> {
    let nodes = page.tree.root().descendants();
    let told = nodes.filter_map(|node| {
        let depth = node.ancestors().count();
        match node.value() {
            Node::Element(element) => {
                let mut names: Vec<&str> = element.attrs().map(|(name, _)| name).collect();
                names.sort_unstable();
                Some(format!("{depth} <{}> {names:?}", element.name()))
            }
            Node::Comment(_) => Some(format!("{depth} comment")),
            Node::Doctype(_) => Some(format!("{depth} doctype")),
            Node::Document | Node::Fragment | Node::ProcessingInstruction(_) | Node::Text(_) => {
                None
            }
        }
    });
    told.collect()
}

pub(super) fn render(templates: &Templates, x: Value) -> String {
    let context = Value::from_pairs([("x", x)]);
    templates.render("page.html", context).unwrap()
}

/// The address that a browser opens.
fn leads_to(address: &str) -> Url {
    Url::parse(BASE).unwrap().join(address).unwrap_or_else(|_| {
        // A browser that cannot parse the address opens nothing.
        Url::parse("about:invalid").unwrap()
    })
}

/// Whether a link may have this address, or it leads nowhere.
fn is_link(address: &str) -> bool {
    let url = leads_to(address);
    ["http", "https", "mailto", "tel"].contains(&url.scheme())
        || url.as_str().starts_with("about:invalid")
}

fn holds(rule: Rule, page: &Html, value: &str) -> bool {
    let it = scraper::Selector::parse("#it").unwrap();
    let it = page.select(&it).next().unwrap();
    let attribute = |name| {
        it.value()
            .attrs()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
    };
    let between = |text: &str, before: &str, after: &str| {
        let rest = text
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after));
        rest.map(str::to_owned)
    };
    match rule {
        Rule::Text => it.text().collect::<String>() == value,
        Rule::Is(name) => attribute(name) == format!("a {value}"),
        Rule::Link(name) => {
            let ends = |c| name == "srcset" && c == ',';
            attribute(name).split(ends).all(is_link)
        }
        Rule::Local(name, path) => {
            let url = leads_to(attribute(name));
            let ours = url.host_str() == Some("site.example") && url.path().starts_with(path);
            ours || url.as_str().starts_with("about:invalid")
        }
        Rule::Json(before, after) => {
            let text: String = it.text().collect();
            let json = between(&text, before, after).unwrap();
            serde_json::from_str::<String>(&json).unwrap() == value
        }
        Rule::Style(before, after) => {
            let text = it.value().attr("style").map(str::to_owned);
            let text = text.unwrap_or_else(|| it.text().collect());
            let style = between(&text, before, after).unwrap();
            let in_quotes = before.ends_with('"');
            let ends = |c: char| "\"'()<>{}\n".contains(c) || !in_quotes && ";:/\\@".contains(c);
            let is_address = before.ends_with("url(\"");
            !style.contains(ends) && (!is_address || is_link(&style.replace("\\26 ", "&")))
        }
    }
}

#[test]
fn no_value_leaves_its_place() {
    let mut pairs = 0;
    for (source, rule) in PLACES {
        let templates = templates(&[("page.html", source)]);
        assert_eq!(templates.findings(), [], "{source}");
        let benign = skeleton(&Html::parse_document(&render(&templates, "benign".into())));
        for value in VALUES {
            let shown = render(&templates, value.into());
            let page = Html::parse_document(&shown);
            assert_eq!(skeleton(&page), benign, "{source} with {value:?}: {shown}");
            assert!(
                holds(rule, &page, value),
                "{source} with {value:?}: {shown}"
            );
            pairs += 1;
        }
    }
    assert!(pairs >= 1000, "{pairs} pairs were read");
}

#[test]
fn html_that_is_safe_in_text_leaves_no_other_place() {
    let in_text = |source: &str| {
        ["<title", "<textarea"]
            .iter()
            .all(|raw| !source.contains(raw))
    };
    for (source, rule) in PLACES {
        if matches!(rule, Rule::Text) && in_text(source) {
            continue;
        }
        let templates = templates(&[("page.html", source)]);
        let benign = skeleton(&Html::parse_document(&render(&templates, "benign".into())));
        for value in VALUES {
            let html = crate::pages::trusted_html(value.to_owned());
            let shown = render(&templates, html);
            let page = Html::parse_document(&shown);
            assert_eq!(skeleton(&page), benign, "{source} with {value:?}: {shown}");
            // HTML prints its words, so only these rules can hold for the value.
            let leads = matches!(rule, Rule::Link(_) | Rule::Local(..) | Rule::Style(..));
            assert!(
                !leads || holds(rule, &page, value),
                "{source} with {value:?}: {shown}"
            );
        }
    }
}

#[test]
fn the_reader_of_the_corpus_sees_a_value_that_leaves_its_place() {
    let benign = skeleton(&Html::parse_document("<p id=it title=\"a b\"></p>"));
    for broken in [
        "<p id=it title=\"a \" onclick=\"\"></p>",
        "<p id=it title=\"a\"></p><b>",
        "<p id=it title=\"a\"></p><!-- -->",
    ] {
        assert_ne!(skeleton(&Html::parse_document(broken)), benign);
    }
    for (rule, broken) in [
        (Rule::Text, "<p id=it>other</p>"),
        (Rule::Link("href"), "<a id=it href=\"java\tscript:x\">"),
        (Rule::Link("srcset"), "<img id=it srcset=\"/a, data:x\">"),
        (
            Rule::Local("href", "/"),
            "<a id=it href=\"/\\evil.example\">",
        ),
        (
            Rule::Style("width: ", ""),
            "<p id=it style=\"width: 1;color:red\">",
        ),
    ] {
        assert!(!holds(rule, &Html::parse_document(broken), "x"), "{broken}");
    }
}
