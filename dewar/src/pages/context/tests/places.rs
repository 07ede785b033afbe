//! The output of a value in each context.

use minijinja::value::Value;

use super::{SEPARATOR, findings, pairs, shown, templates};

fn safe(html: &str) -> Value {
    crate::pages::trusted_html(html.to_owned())
}

#[test]
fn a_value_is_escaped_for_the_place_where_it_stands() {
    let mut seen = 0;
    for (source, rest) in pairs(include_str!("shown.txt")) {
        let (x, expected) = rest.split_once(SEPARATOR).unwrap();
        assert_eq!(shown(&source, x), expected, "{source} with {x:?}");
        seen += 1;
    }
    assert!(seen >= 45, "{seen} cases were read");
}

/// After `?` and `#` a value belongs to the query, however the address began.
#[test]
fn a_query_begins_at_its_mark_whatever_stands_before_it() {
    let value = "a/b?c=d&e:#\\";
    let expected = shown("<a href=\"?q={{ x }}\">", value).replace("?q=", "");
    for before in [
        "",
        "page",
        "a.b",
        "/",
        "/a",
        "a/",
        "a/b",
        "//h",
        "//h/",
        "//h/a",
        "https://h",
        "https://h/a",
        "mailto:a",
        " page",
        "pa\nge",
        "/\t",
    ] {
        for mark in ['?', '#'] {
            for between in ["", "q=", "q:", "q/"] {
                let stands = format!("{before}{mark}{between}");
                let source = format!("<a href=\"{stands}{{{{ x }}}}\">");
                let wanted = expected.replace("href=\"", &format!("href=\"{stands}"));
                assert_eq!(shown(&source, value), wanted, "{source:?}");
            }
        }
    }
}

/// White space and commas before a candidate of a `srcset` do not change how its value is escaped.
#[test]
fn what_stands_before_a_candidate_changes_nothing() {
    let source = |before| format!("<img srcset=\"{before}{{{{ x }}}}\">");
    for value in [
        "/a 1x, /b 2x",
        "javascript:a 1x, /b",
        "/a,b c",
        "data:x",
        "/a?b&c",
    ] {
        let without = shown(&source(""), value);
        for before in [" ", "\n", ",", ", ", " ,", "/c 1x,", "/c 1x, ", "/c ,"] {
            let wanted = without.replace("=\"", &format!("=\"{before}"));
            assert_eq!(shown(&source(before), value), wanted, "{before:?}");
        }
    }
}

/// White space between the parenthesis and the address does not change its meaning.
#[test]
fn white_space_before_the_address_of_a_style_changes_nothing() {
    for value in ["/a?b&c", "data:x", "')", "\"", "a b"] {
        for address in ["'{{ x }}'", "{{ x }}", "/i/{{ x }}.png", "'/i/{{ x }}'"] {
            for space in [" ", "  ", "\t", "\n"] {
                let source = |space| format!("<p style=\"background: url({space}{address})\">");
                let without = shown(&source(""), value);
                let with = shown(&source(space), value);
                assert_eq!(
                    with,
                    without.replace("url(", &format!("url({space}")),
                    "{address}"
                );
            }
        }
    }
}

#[test]
fn html_is_markup_in_text_and_words_everywhere_else() {
    let html = "<em title=\"&quot;\">a &amp; b</em>\"";
    for (source, expected) in [
        (
            "<p>{{ x }}</p>",
            "<p><em title=\"&quot;\">a &amp; b</em>\"</p>",
        ),
        ("<p title=\"{{ x }}\">", "<p title=\"a &amp; b&quot;\">"),
        ("<title>{{ x }}</title>", "<title>a &amp; b&quot;</title>"),
        ("<a href=\"?q={{ x }}\">", "<a href=\"?q=a%20%26%20b%22\">"),
        (
            "<script type=\"application/json\">{{ x }}</script>",
            "<script type=\"application/json\">\"a \\u0026 b\\\"\"</script>",
        ),
    ] {
        assert_eq!(shown(source, safe(html)), expected);
    }
}

#[test]
fn a_script_has_json() {
    let code = |x: Value| shown("<script nonce=\"n\">const x = {{ x }};</script>", x);
    assert_eq!(
        code(Value::from("</script>'\"\u{2028}")),
        "<script nonce=\"n\">const x = \"\\u003c/script\\u003e\\u0027\\\"\\u2028\";</script>"
    );
    assert_eq!(
        code(Value::from(7)),
        "<script nonce=\"n\">const x = 7;</script>"
    );
    assert_eq!(
        code(Value::from(vec!["<!--", "b"])),
        "<script nonce=\"n\">const x = [\"\\u003c!--\",\"b\"];</script>"
    );
    assert_eq!(
        shown(
            "<script type=\"application/json\">{\"a\": {{ x }}, \"b\": [{{ x|tojson }}]}</script>",
            "&"
        ),
        "<script type=\"application/json\">{\"a\": \"\\u0026\", \"b\": [\"\\u0026\"]}</script>"
    );
    let commented = "<script nonce='n'>/* it's */ // don't\nf({{ x }}, `a`, {{ x }})</script>";
    assert!(shown(commented, 1).ends_with("f(1, `a`, 1)</script>"));
}

#[test]
fn a_name_that_nobody_gave_is_an_error_in_every_place() {
    for source in [
        "{{ y }}",
        "<p title=\"{{ y }}\">",
        "<a href=\"{{ y }}\">",
        "<a href=\"/{{ y }}\">",
        "<p style=\"{{ y }}\">",
        "<img srcset=\"{{ y }}\">",
        "<script nonce='n'>x = {{ y }}</script>",
        "{{ y|dangerous_html('none') }}",
        "<form {{ y.attributes }}>",
    ] {
        let templates = templates(&[("page.html", source)]);
        let error = templates.render("page.html", Value::from(())).unwrap_err();
        assert_eq!(error.line(), Some(1), "{source}");
    }
}

#[test]
fn only_the_attributes_of_a_form_are_printed_in_a_tag() {
    // The block stands for the part with the token.
    let source = "<form action=\"/\" {{ x.attributes }}>{% block fields %}{% endblock %}";
    let form = |value: Value| Value::from_pairs([("attributes", value)]);
    let own = Value::from_object(crate::pages::Attributes("method=\"post\""));
    assert_eq!(
        shown(source, form(own.clone())),
        "<form action=\"/\" method=\"post\">"
    );
    assert_eq!(
        shown("{{ x.attributes }}", form(own)),
        "method=&quot;post&quot;"
    );
    for other in [Value::from("onclick=x"), safe("onclick=x")] {
        let templates = templates(&[("page.html", source)]);
        let context = Value::from_pairs([("x", form(other))]);
        assert!(templates.render("page.html", context).is_err());
    }
}

#[test]
fn html_that_is_printed_as_it_is_has_a_reason_that_is_reported() {
    let source = "\n{{ x|dangerous_html(\"written by us\") }}";
    assert_eq!(
        findings(&[("page.html", source)]),
        [(
            "pages-template-dangerous-html",
            "template page.html, line 2: HTML is printed as it is: written by us".to_owned()
        )]
    );
    let loaded = templates(&[("page.html", source)]);
    let context = || Value::from_pairs([("x", "<i>")]);
    assert_eq!(loaded.render("page.html", context()).unwrap(), "\n<i>");
    // Outside text it is treated like any HTML.
    let loaded = templates(&[("page.html", "<p title=\"{{ x|dangerous_html('ours') }}\">")]);
    assert_eq!(
        loaded.render("page.html", context()).unwrap(),
        "<p title=\"\">"
    );
}

#[test]
fn an_error_has_the_line_of_the_template_as_it_was_written() {
    let source = "<a href=\"{{ x }}\">\n<a href=\"{{ x }}\" title=\"{{\n x }}\">\n{{ x.a.b }}";
    let templates = templates(&[("page.html", source)]);
    let context = Value::from_pairs([("x", "1")]);
    let error = templates.render("page.html", context).unwrap_err();
    assert_eq!((error.line(), error.name()), (Some(4), Some("page.html")));
}

#[test]
fn a_part_of_html_is_text() {
    let html = "<a href=\"x\">y</a>";
    for (source, expected) in [
        ("{{ x|split('\"')|first }}", "y"),
        ("{{ x|replace('y', '<b>') }}", "&lt;b&gt;"),
        ("{{ x|trim('<>a') }}{{ (x|reverse)|last }}", "yy"),
        (
            "<p title=\"{{ x|replace('y', '\"')|upper }}\">",
            "<p title=\"&quot;\">",
        ),
        ("{% for line in x|lines %}{{ line }}{% endfor %}", "y"),
        ("{{ x[:3] }}", "&lt;a "),
        ("{{ x|upper }}", "<A HREF=\"X\">Y</A>"),
    ] {
        assert_eq!(shown(source, safe(html)), expected, "{source}");
    }
    // Texts stay unchanged.
    assert_eq!(
        shown("{{ x|split(',')|join('-') }}", "<,&lt;"),
        "&lt;-&amp;lt;"
    );
}
