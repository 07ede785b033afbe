//! Templates that consist of several: layouts, blocks, macros, includes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use minijinja::value::Value;

use super::{findings, templates};
use crate::audit::Mode;
use crate::pages::{Assets, Templates};

const LAYOUT: &str = "<title>{% block title %}{% endblock %}</title><a href=\"/{% block path %}{% endblock %}\">\
    <body {% block attributes %}{% endblock %}>{% block content %}{% endblock %}\
    <script nonce=\"n\">f({% block argument %}0{% endblock %})</script></body>";

fn child(blocks: &str) -> Vec<(&'static str, String)> {
    let source = format!("{{% extends \"layout.html\" %}}{blocks}");
    findings(&[("layout.html", LAYOUT), ("page.html", &source)])
}

fn render(sources: &[(&str, &str)], x: &str) -> String {
    let templates = templates(sources);
    assert_eq!(templates.findings(), [], "{sources:?}");
    let context = Value::from_pairs([("x", x)]);
    templates.render("page.html", context).unwrap()
}

#[test]
fn a_block_is_judged_where_its_layout_has_it() {
    let page = "{% extends \"layout.html\" %}\
        {% block title %}{{ super() }}< {{ x }}{% endblock %}\
        {% block path %}{{ x }}{% endblock %}\
        {% block attributes %}class=\"{{ x }}\"{% endblock %}\
        {% block content %}<i>{{ x }}</i>{{ self.title() }}<b title=\"{{ self.title() }}\"></b>{% endblock %}\
        {% block argument %}1, {{ x }}{% endblock %}";
    assert_eq!(
        render(&[("layout.html", LAYOUT), ("page.html", page)], "/\"<"),
        "<title>< /&quot;&lt;</title><a href=\"/%2F%22%3C\"><body class=\"/&quot;&lt;\">\
         <i>/&quot;&lt;</i>< /&quot;&lt;<b title=\"&lt; /&quot;&lt;\"></b>\
         <script nonce=\"n\">f(1, \"/\\\"\\u003c\")</script></body>"
    );
}

/// The parent's block is markup that was escaped at its own place; it is not escaped again.
#[test]
fn a_block_adds_to_what_its_layout_has_there() {
    let layout = "<main>{% block content %}<b>{{ x }}</b>{% endblock %}</main>\
        <p {% block attributes %}class=\"{{ x }}\"{% endblock %}></p>";
    let page = "{% extends \"layout.html\" %}\
        {% block content %}{{ super() }}<i>{{ x }}</i>{% endblock %}\
        {% block attributes %}{{ super() }} title=\"{{ x }}\"{% endblock %}";
    assert_eq!(
        render(&[("layout.html", layout), ("page.html", page)], "<\""),
        "<main><b>&lt;&quot;</b><i>&lt;&quot;</i></main>\
         <p class=\"&lt;&quot;\" title=\"&lt;&quot;\"></p>"
    );
}

#[test]
fn a_block_that_does_not_fit_its_layout_is_refused() {
    for (blocks, id, part) in [
        ("{% block path %}?{{ x }}{% endblock %}", "", ""),
        (
            "{% block path %}\">{{ x }}{% endblock %}",
            "pages-template-ends",
            "the block ends inside text",
        ),
        (
            "{% block content %}<p title=\"{% endblock %}",
            "pages-template-ends",
            "the attribute title",
        ),
        (
            "{% block title %}<b>{% endblock %}",
            "pages-template-markup",
            "<title>",
        ),
        (
            "{% block attributes %}onclick=\"{{ x }}\"{% endblock %}",
            "pages-template-handler",
            "onclick",
        ),
        (
            "{% block attributes %}class={{ x }}{% endblock %}",
            "pages-template-unquoted",
            "class",
        ),
        (
            "{% block argument %}\"{{ x }}\"{% endblock %}",
            "pages-template-script",
            "quotes",
        ),
        (
            "{% block content %}{{ self.argument() }}{% endblock %}",
            "pages-template-parts",
            "self.argument()",
        ),
        (
            "{% block argument %}[{{ super() }}]{% endblock %}",
            "pages-template-parts",
            "super()",
        ),
        (
            "{% block content %}{% block title %}{% endblock %}{% endblock %}",
            "pages-template-parts",
            "block title",
        ),
    ] {
        let found = child(blocks);
        match found.as_slice() {
            [] => assert_eq!(id, "", "{blocks}"),
            [(found, title), ..] => {
                assert!(
                    *found == id && title.contains(part),
                    "{blocks}: {found} {title}"
                );
            }
        }
    }
}

#[test]
fn what_follows_a_block_must_be_right_whatever_the_block_writes() {
    for (source, id) in [
        (
            "<p {% block a %}{% endblock %}title=\"{{ x }}\">",
            "pages-template-markup",
        ),
        (
            "<a href=\"{% block a %}/{% endblock %}{{ x }}\">",
            "pages-template-address",
        ),
        ("<a href=\"{% block a %}/{% endblock %}?q={{ x }}\">", ""),
        (
            "<script nonce='n'>f({% block a %}{% endblock %}, {{ x }})</script>",
            "pages-template-script",
        ),
    ] {
        let found = findings(&[("page.html", source)]);
        let ids: Vec<&str> = found.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.first().copied().unwrap_or_default(), id, "{source}");
    }
}

/// The engine ignores a block that the parent does not have, and the page would be empty.
#[test]
fn a_block_is_one_of_the_parents() {
    for (source, unknown) in [
        (
            "{% extends \"layout.html\" %}{% block contnet %}a{% endblock %}",
            1,
        ),
        (
            "{% extends \"layout.html\" %}{% block content %}{% block inner %}a{% endblock %}{% endblock %}",
            0,
        ),
        (
            "{% extends \"broken.html\" %}{% block contnet %}a{% endblock %}",
            0,
        ),
    ] {
        let layout = ("layout.html", "<p>{% block content %}{% endblock %}</p>");
        let broken = ("broken.html", "{% block content %}");
        let templates = templates(&[layout, broken, ("page.html", source)]);
        let found = templates.findings().iter();
        let found = found.filter(|found| found.id == "pages-name-unknown");
        assert_eq!(found.count(), unknown, "{source}");
    }
}

#[test]
fn a_template_extends_one_that_is_there() {
    for (source, id) in [
        ("{% extends \"page.html\" %}", "pages-template-parent"),
        ("{% extends x %}", "pages-template-parts"),
        (
            "{% if x %}{% extends \"layout.html\" %}{% endif %}",
            "pages-template-parts",
        ),
        (
            "{% extends \"layout.html\" %}{% extends \"layout.html\" %}",
            "pages-template-parts",
        ),
        (
            "<p title=\"{% extends \"layout.html\" %}",
            "pages-template-ends",
        ),
    ] {
        let found = findings(&[("layout.html", LAYOUT), ("page.html", source)]);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert_eq!(found[0].0, id, "{source}");
    }
    let endless = [
        ("a.html", "{% extends \"b.html\" %}"),
        ("b.html", "{% extends \"a.html\" %}"),
    ];
    assert_eq!(findings(&endless).len(), 2);
}

#[test]
fn a_grandchild_s_block_stands_where_the_first_layout_has_it() {
    let middle = "{% extends \"layout.html\" %}{% block content %}<a href=\"/{% block here %}{% endblock %}\"></a>{% endblock %}";
    let page = "{% extends \"middle.html\" %}{% block here %}{{ x }}{% endblock %}{% block path %}{{ x }}{% endblock %}";
    let sources = [
        ("layout.html", LAYOUT),
        ("middle.html", middle),
        ("page.html", page),
    ];
    let shown = render(&sources, "/?");
    assert!(shown.contains("</title><a href=\"/%2F%3F\">"), "{shown}");
    assert!(shown.contains("<body ><a href=\"/%2F%3F\">"), "{shown}");
}

#[test]
fn what_prints_html_stands_in_text() {
    for source in [
        "<p title=\"{% include 'a.html' %}\">",
        "<title>{% include 'a.html' %}</title>",
        "<p {% include 'a.html' %}>",
        "<p title=\"{% filter upper %}a{% endfilter %}\">",
        "<p title=\"{% call f() %}a{% endcall %}\">",
        "<p title=\"{% for a in b recursive %}{{ loop(a) }}{% endfor %}\">",
    ] {
        let found = findings(&[("a.html", "a"), ("page.html", source)]);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert_eq!(found[0].0, "pages-template-parts", "{source}");
    }
}

#[test]
fn an_included_template_is_escaped_whatever_its_name_ends_in() {
    let sources = [
        ("part.txt", "<a href=\"{{ x }}\">{{ x }}</a>"),
        ("page.html", "{% include ['none', 'part.txt'] %}"),
    ];
    assert_eq!(
        render(&sources, "data:<"),
        "<a href=\"about:invalid#refused\">data:&lt;</a>"
    );
}

#[test]
fn a_macro_is_judged_by_itself_and_gives_words_where_html_cannot_be() {
    let macros = "{% macro link(to) %}<a href=\"{{ to }}\">{{ to }}</a>{% endmacro %}";
    let page = "{% from 'macros.html' import link %}{% import 'macros.html' as all %}\
        {{ link(x) }}<p title=\"{{ all.link(x) }}\"></p><a href=\"{{ link(x) }}\"></a>";
    assert_eq!(
        render(&[("macros.html", macros), ("page.html", page)], "data:\"<"),
        "<a href=\"about:invalid#refused\">data:&quot;&lt;</a><p title=\"data:&quot;&lt;\"></p>\
         <a href=\"about:invalid#refused\"></a>"
    );
}

#[test]
fn a_loop_over_attributes_and_a_branch_in_a_tag_are_taken() {
    let source = "<input{% if x %} checked{% endif %}{% for a in [x] %} data-a=\"{{ a }}\"{% endfor %}>\
        <p class=\"a{% for a in [x, x] %} {{ a }}{% endfor %}\">{% for a in [x] recursive %}<i>{{ a }}</i>{% endfor %}";
    assert_eq!(
        render(&[("page.html", source)], "\""),
        "<input checked data-a=\"&quot;\"><p class=\"a &quot; &quot;\"><i>&quot;</i>"
    );
}

#[test]
fn in_development_a_layout_that_changes_changes_its_pages() {
    let page = "{% extends \"layout.html\" %}{% block it %}{{ x }}{% endblock %}";
    let layout = "<p title=\"{% block it %}{% endblock %}\">";
    let sources = Arc::new(Mutex::new(BTreeMap::from([
        ("layout.html", layout),
        ("page.html", page),
    ])));
    let shared = Arc::clone(&sources);
    let read = move |name: &str| {
        shared
            .lock()
            .unwrap()
            .get(name)
            .map(|&text| text.to_owned())
    };
    let names = ["layout.html", "page.html"].map(str::to_owned).into();
    let templates = Templates::of(&names, read, Assets::default(), Mode::Development);
    let shown = || templates.render("page.html", Value::from_pairs([("x", "data:\"")]));
    let change = |layout| sources.lock().unwrap().insert("layout.html", layout);

    assert_eq!(shown().unwrap(), "<p title=\"data:&quot;\">");
    change("<a href=\"{% block it %}{% endblock %}\">");
    assert_eq!(shown().unwrap(), "<a href=\"about:invalid#refused\">");
    change("<a onclick=\"{% block it %}{% endblock %}\">");
    assert!(
        shown()
            .unwrap_err()
            .to_string()
            .contains("event handler onclick")
    );
    change(layout);
    assert!(shown().is_ok());
}
