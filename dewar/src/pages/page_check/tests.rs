use super::*;
use crate::audit::Mode;
use crate::pages::{Assets, Templates};

#[derive(serde::Serialize, crate::pages::JsonSchema)]
struct Note {
    id: i64,
    title: String,
    author: Option<Author>,
    tags: Vec<String>,
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
struct Author {
    name: String,
}

/// A page with a note, all notes, and a value of which nothing is known.
fn page(values: &mut PageValues) {
    values.add::<Note>("note");
    values.add::<Vec<Note>>("notes");
    values.add::<BTreeMap<String, Note>>("by_name");
    values.add_untyped("other");
}

const PAGE: PageType = PageType {
    template: "page.html",
    name: "ShowNote",
    describe: page,
};

const LAYOUT: &str = "<title>{% block title %}{{ user }}{% endblock %}</title>{% if trail %}{{ trail }}{% endif %}\
    {% block content %}{{ qqqqqqqq }}{% endblock %}{{ flash }}";

const PARTS: &str = "{% macro line(note) %}{{ note.title }}{{ note.colour }}{% endmacro %}\
    {% macro table(rows) %}{% for row in rows %}{{ caller(row) }}{% endfor %}{% endmacro %}\
    {% macro box() %}{{ caller() }}{% endmacro %}";

/// A layout for many pages, with names of its own around its blocks.
const NAMES: &str = "{% set section = \"x\" %}{% block title %}{% endblock %}{{ \"wide\" if wide }}{{ subtitle or path }}\
    {% for step in trail or [] %}{{ step.name }}{% endfor %}{{ \"narrow\" if not broad }}\
    {% with place = note %}{% for row in notes %}{% block inside %}{% endblock %}{% endfor %}{% endwith %}";

/// A part for many pages.
const SHARED: &str = "{% if note.extra %}{{ note.extra }}{% endif %}{{ note.more if note.more }}\
    {% if \"most\" in note %}{{ note.most }}{% endif %}{{ note.subtitle or note.title }}";

fn told(text: &str) -> Vec<String> {
    let files = BTreeMap::from([
        ("page.html".to_owned(), text.to_owned()),
        ("layout.html".to_owned(), LAYOUT.to_owned()),
        ("parts.html".to_owned(), PARTS.to_owned()),
        ("names.html".to_owned(), NAMES.to_owned()),
        ("shared.html".to_owned(), SHARED.to_owned()),
        ("part.html".to_owned(), "{{ note.titel }}".to_owned()),
    ]);
    let names = files.keys().cloned().collect();
    let read = move |name: &str| files.get(name).cloned();
    let templates = Templates::of(&names, read, Assets::default(), Mode::Production);
    assert!(
        templates.findings().is_empty(),
        "{:?}",
        templates.findings()
    );
    let findings = templates.of_pages(&[PAGE], None);
    let told = findings.iter().map(|found| {
        assert!(found.refuses_launch);
        format!(
            "{} {}",
            found.title.replace("template page.html, line ", ""),
            found.fix
        )
    });
    told.collect()
}

/// Templates of the page, each with the finding about it and its fix.
const WRONG: &[(&str, &str)] = &[
    ("{{ nots }}", "1: there is no `nots` Did you mean `note`?"),
    (
        "\n{{ note.titel }}",
        "2: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{{ note.author.nam }}",
        "1: there is no `note.author.nam` Did you mean `name`?",
    ),
    (
        "{{ note[\"titel\"] }}",
        "1: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{% for one in notes %}\n{{ one.titel }}{% endfor %}",
        "2: there is no `one.titel` Did you mean `title`?",
    ),
    (
        "{% for one in notes|reverse %}{{ one.titel }}{% endfor %}",
        "1: there is no `one.titel` Did you mean `title`?",
    ),
    (
        "{{ notes[0].titel }}",
        "1: there is no `notes[…].titel` Did you mean `title`?",
    ),
    (
        "{{ by_name[note.title].titel }}",
        "1: there is no `by_name[…].titel` Did you mean `title`?",
    ),
    (
        "{{ (notes|first).titel }}",
        "1: there is no `….titel` Did you mean `title`?",
    ),
    (
        "{% set it = note %}{{ it.titel }}",
        "1: there is no `it.titel` Did you mean `title`?",
    ),
    (
        "{% with it = note %}{{ it.titel }}{% endwith %}",
        "1: there is no `it.titel` Did you mean `title`?",
    ),
    (
        "{% if noet %}a{% endif %}",
        "1: there is no `noet` Did you mean `note`?",
    ),
    (
        "{{ note.title.length }}",
        "1: there is no `note.title.length` Correct the template.",
    ),
    (
        "{{ t(\"a\", name=note.titel) }}",
        "1: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{% include \"part.html\" %}",
        "template part.html, line 1: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{% extends \"layout.html\" %}{% block content %}{{ note.titel }}{% endblock %}",
        "1: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{% extends \"layout.html\" %}",
        "template layout.html, line 1: there is no `qqqqqqqq` The page has note, notes, by_name, other. Add a field to `ShowNote`, or correct the template.",
    ),
    (
        "{% extends \"layout.html\" %}{% block content %}{{ note.title }}{{ super() }}{% endblock %}",
        "template layout.html, line 1: there is no `qqqqqqqq` The page has note, notes, by_name, other. Add a field to `ShowNote`, or correct the template.",
    ),
    (
        "{% extends \"names.html\" %}{% block inside %}{{ place.titel }}{{ row.title }}{% endblock %}",
        "1: there is no `place.titel` Did you mean `title`?",
    ),
    (
        "{% if note.extra is defined %}{{ note.extra }}{% endif %}{{ note.titel }}",
        "1: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{% from \"parts.html\" import box %}{% call box() %}{% call box() %}{{ note.titel }}{% endcall %}{% endcall %}",
        "1: there is no `note.titel` Did you mean `title`?",
    ),
    (
        "{% from \"parts.html\" import line %}{{ line(note) }}",
        "template parts.html, line 1: there is no `note.colour` It has author, id, tags, title.",
    ),
    (
        "{% import \"parts.html\" as parts %}{{ parts.line(note=note) }}",
        "template parts.html, line 1: there is no `note.colour` It has author, id, tags, title.",
    ),
    (
        "{% from \"parts.html\" import table %}{% call(row) table(notes) %}{{ row.titel }}{% endcall %}",
        "1: there is no `row.titel` Did you mean `title`?",
    ),
    (
        "{% macro own(one) %}{{ one.titel }}{% endmacro %}{{ own(note) }}",
        "1: there is no `one.titel` Did you mean `title`?",
    ),
];

#[test]
fn a_value_that_the_page_does_not_have_is_found_wherever_it_stands() {
    for (text, says) in WRONG {
        assert_eq!(told(text), [*says], "{text}");
    }
}

#[test]
fn what_the_page_has_or_nobody_can_know_is_no_finding() {
    for text in [
        "{{ note.title }}{{ note.author.name }}{{ note.tags|length }}{{ notes|length }}{{ notes[0].title }}",
        "{% for one in notes if one.author %}{{ loop.index }}{{ one.id }}{% else %}{{ note.id }}{% endfor %}",
        "{{ other.anything.at.all }}{{ user.name }}{{ path }}{{ flash }}{{ csrf_field }}{{ static(\"a.css\") }}",
        "{% for key, value in by_name|items %}{{ key }}{{ value.anything }}{% endfor %}",
        "{{ nobody|default(\"a\") }}{% if nobody is defined and nobody.name %}{{ nobody.name }}{% endif %}",
        "{% extends \"layout.html\" %}{% block title %}{{ super() }}{% endblock %}{% block content %}{{ note.title }}{% endblock %}",
        "{% extends \"names.html\" %}{% block title %}{{ section }}{% endblock %}\
            {% block inside %}{{ place.title }}{{ row.title }}{% endblock %}",
        "{% include \"shared.html\" %}{% include \"shared.html\" %}",
        "{% if note.extra is defined %}{{ note.extra.anything }}{% endif %}{{ note.more if note.more is defined }}",
        "{% set it = note %}{% if note.author %}{% set it = note.author %}{% endif %}{{ it.name }}",
        "{% set both = {\"a\": note} %}{{ both.a.anything }}",
        "{% macro again(n) %}{% if n %}{{ again(n - 1) }}{% endif %}{% endmacro %}{{ again(3) }}",
    ] {
        assert_eq!(told(text), Vec::<String>::new(), "{text}");
    }
}

/// The walk ends: macros that call themselves, and macros that call others, many times.
#[test]
fn macros_that_call_each_other_without_end_do_not_hang_the_start() {
    let mut text =
        "{% macro a(n) %}{{ a(n) }}{{ a(n) }}{{ a(n) }}{{ a(n) }}{% endmacro %}{{ a(1) }}"
            .to_owned();
    for number in 0..15 {
        let next = number + 1;
        let call = format!("{{{{ m{next}() }}}}").repeat(4);
        text += &format!("{{% macro m{number}() %}}{call}{{% endmacro %}}");
    }
    text += "{% macro m15() %}{{ path }}{% endmacro %}{{ m0() }}";
    assert_eq!(told(&text), Vec::<String>::new());
}

#[test]
fn a_page_without_its_template_is_found() {
    let names = BTreeSet::from(["page.html".to_owned()]);
    let read = |name: &str| (name == "page.html").then(String::new);
    let templates = Templates::of(&names, read, Assets::default(), Mode::Production);
    let page = PageType {
        template: "pgae.html",
        ..PAGE
    };
    let told: Vec<_> = templates
        .of_pages(&[page], None)
        .into_iter()
        .map(|found| (found.title, found.fix))
        .collect();
    let title = "the page `ShowNote` has the template pgae.html, which does not exist";
    assert_eq!(told, [(title.into(), "Did you mean page.html?".to_owned())]);
}
