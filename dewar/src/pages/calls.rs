//! Finds unknown names in the calls of templates at start, before a visitor opens such a page.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, ErrorKind};

use super::context::{Called, WithLine};
use crate::audit::{Finding, Practice, near};

/// Functions that a request or the place of the call defines.
const OF_A_REQUEST: [&str; 7] = [
    "account_page",
    "caller",
    "loop",
    "mounted",
    "self",
    "super",
    "t",
];

/// The names to suggest for an unknown one. The engine has no list of its names; a name that it does not know is left out.
const FILTERS: &str = "abs attr batch bool capitalize chain count dangerous_html date datetime default dictsort first float filesize \
    format groupby indent int iso items join last length lines list lower map max min pprint reject rejectattr \
    replace reverse round select selectattr slice sort split string sum title trim unique upper urlencode";
const FUNCTIONS: &str =
    "account_page caller dict integrity loop mounted namespace range self static t";
const TESTS: &str = "boolean defined divisibleby endingwith eq even false ge gt in iterable le lower lt mapping none number odd \
    string undefined";

/// The calls of a set of templates, compared with the known names.
pub(super) struct Calls<'a> {
    engine: &'a Environment<'static>,
    templates: &'a BTreeSet<String>,
    /// The names that a template binds itself; an included template sees those of the others.
    bound: BTreeSet<String>,
    asked: BTreeMap<Called, bool>,
}

impl<'a> Calls<'a> {
    pub(super) fn new(engine: &'a Environment<'static>, templates: &'a BTreeSet<String>) -> Self {
        Self {
            engine,
            templates,
            bound: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    pub(super) fn bind(&mut self, names: BTreeSet<String>) {
        self.bound.extend(names);
    }

    /// The findings about the calls of a template.
    pub(super) fn findings(&mut self, template: &str, called: &[WithLine<Called>]) -> Vec<Finding> {
        let unknown: Vec<_> = called
            .iter()
            .filter(|found| !self.is_known(&found.what))
            .collect();
        unknown
            .into_iter()
            .map(|found| {
                let meant = self.meant(&found.what);
                finding(template, found.line, &found.what, meant)
            })
            .collect()
    }

    /// The nearest name that exists.
    fn meant(&mut self, called: &Called) -> Option<String> {
        let (written, names, of): (&str, &str, fn(String) -> Called) = match called {
            Called::Template(name) => {
                let names = self.templates.iter().map(String::as_str);
                return near(name, names).map(str::to_owned);
            }
            Called::Filter(name) => (name, FILTERS, Called::Filter),
            Called::Function(name) => (name, FUNCTIONS, Called::Function),
            Called::Test(name) => (name, TESTS, Called::Test),
        };
        let names = names.split_whitespace();
        let known = names.filter(|name| self.is_known(&of((*name).to_owned())));
        let known: Vec<_> = known.collect();
        near(written, known).map(str::to_owned)
    }

    fn is_known(&mut self, called: &Called) -> bool {
        match called {
            Called::Template(name) => return self.templates.contains(name),
            Called::Function(name)
                if OF_A_REQUEST.contains(&&**name) || self.bound.contains(name) =>
            {
                return true;
            }
            Called::Filter(_) | Called::Function(_) | Called::Test(_) => {}
        }
        let engine = self.engine;
        *self
            .asked
            .entry(called.clone())
            .or_insert_with(|| is_there(engine, called))
    }
}

/// Whether the engine knows a name. It has no list of its functions, but reports an unknown name before any other error.
fn is_there(engine: &Environment<'static>, called: &Called) -> bool {
    let (call, unknown) = match called {
        Called::Filter(name) => (format!("{{{{ 0|{name} }}}}"), ErrorKind::UnknownFilter),
        Called::Function(name) => (format!("{{{{ {name}() }}}}"), ErrorKind::UnknownFunction),
        Called::Test(name) => (format!("{{{{ 0 is {name} }}}}"), ErrorKind::UnknownTest),
        Called::Template(_) => return true,
    };
    let done = engine.render_str(&call, ());
    done.err().is_none_or(|error| error.kind() != unknown)
}

fn finding(template: &str, line: usize, called: &Called, meant: Option<String>) -> Finding {
    let (what, name) = match called {
        Called::Filter(name) => ("filter", name),
        Called::Function(name) => ("function", name),
        Called::Template(name) => ("template", name),
        Called::Test(name) => ("test", name),
    };
    let title = format!("template {template}, line {line}: there is no {what} {name:?}");
    let why = "Dewar could not render the page.";
    let fix = meant.map_or_else(
        || "Correct the name.".to_owned(),
        |name| format!("Did you mean `{name}`?"),
    );
    if matches!(called, Called::Function(_)) {
        // A handler may give a page a value that can be called.
        return Finding::warn(Practice::Pages, "pages-function-unknown", title)
            .why(why)
            .fix(fix);
    }
    Finding::refuse(Practice::Pages, "pages-name-unknown", title)
        .why(why)
        .fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Mode;
    use crate::pages::{Assets, Templates};

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<String, String> = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let names = files.keys().cloned().collect();
        let read = move |name: &str| files.get(name).cloned();
        let templates = Templates::of(&names, read, Assets::default(), Mode::Production);
        let findings = templates.findings().iter();
        findings
            .map(|finding| finding.title.replace("template page.html, line ", ""))
            .collect()
    }

    #[test]
    fn a_name_that_there_is_not_is_found_at_start_wherever_it_stands() {
        for (template, says) in [
            ("{{ x|uper }}", "1: there is no filter \"uper\""),
            (
                "{% if no %}\n{{ x|default(y|lowr) }}{% endif %}",
                "2: there is no filter \"lowr\"",
            ),
            (
                "{% if x is evn %}a{% endif %}",
                "1: there is no test \"evn\"",
            ),
            (
                "{% for a in b if a is not odddd %}a{% endfor %}",
                "1: there is no test \"odddd\"",
            ),
            (
                "<p title=\"{{ rnge(3) }}\">",
                "1: there is no function \"rnge\"",
            ),
            (
                "\n{% include \"parts.htm\" %}",
                "2: there is no template \"parts.htm\"",
            ),
            (
                "{% from \"macro.html\" import a %}{{ a() }}",
                "1: there is no template \"macro.html\"",
            ),
            (
                "{% filter shuot %}a{% endfilter %}",
                "1: there is no filter \"shuot\"",
            ),
            (
                "{% macro m(a) %}{{ a|nothing }}{% endmacro %}",
                "1: there is no filter \"nothing\"",
            ),
        ] {
            assert_eq!(told(&[("page.html", template)]), [says], "{template}");
        }
    }

    #[test]
    fn what_there_is_is_no_finding() {
        let parts = "{% macro row(x) %}{{ x|upper }}{{ caller() }}{% endmacro %}";
        let page = "{% from \"parts.html\" import row as line %}{% import \"parts.html\" as parts %}\
            {% set twice = parts.row %}{% call line(1) %}{{ loop }}{% endcall %}{{ twice(2) }}\
            {% for n in range(3) %}{{ n is divisibleby(2) }}{{ loop.cycle(\"a\", \"b\") }}{% endfor %}\
            {% if mounted(\"/sign-up\") %}{{ t(\"a\") }}{% endif %}{{ static(\"a.css\") }}{{ x|urlencode|date }}\
            {% include \"none.html\" ignore missing %}{{ user.can(1) }}{{ x|map(attribute=\"y\")|join(\", \") }}";
        assert_eq!(
            told(&[("page.html", page), ("parts.html", parts)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_fix_of_an_unknown_name_is_the_nearest_known_one() {
        let fix = |template: &str| {
            let layout = "{% block content %}{% endblock %}";
            let files = BTreeMap::from([("page.html", template), ("layout.html", layout)]);
            let files = files.into_iter();
            let files: BTreeMap<_, _> = files
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect();
            let names = files.keys().cloned().collect();
            let read = move |name: &str| files.get(name).cloned();
            let templates = Templates::of(&names, read, Assets::default(), Mode::Production);
            let findings = templates.findings().iter();
            findings
                .map(|finding| finding.fix.clone())
                .collect::<Vec<_>>()
        };
        for (template, meant) in [
            ("{{ x|uper }}", "Did you mean `upper`?"),
            ("{{ x|filesiz }}", "Did you mean `filesize`?"),
            ("{% if x is evn %}a{% endif %}", "Did you mean `even`?"),
            ("<p title=\"{{ rnge(3) }}\">", "Did you mean `range`?"),
            (
                "{% include \"layuot.html\" %}",
                "Did you mean `layout.html`?",
            ),
            (
                "{% extends \"layuot.html\" %}",
                "Did you mean `layout.html`?",
            ),
            (
                "{% extends \"layout.html\" %}{% block contnet %}{% endblock %}",
                "Did you mean `content`?",
            ),
            ("{{ x|somethingelse }}", "Correct the name."),
        ] {
            assert_eq!(fix(template), [meant], "{template}");
        }
    }

    /// A suggestion that the engine does not know would be no help.
    #[test]
    fn every_name_that_is_suggested_is_known() {
        let templates = Templates::of(
            &BTreeSet::new(),
            |_| None,
            Assets::default(),
            Mode::Production,
        );
        let names = BTreeSet::new();
        let mut calls = Calls::new(templates.engine(), &names);
        let filters = FILTERS
            .split_whitespace()
            .map(|name| Called::Filter(name.to_owned()));
        let functions = FUNCTIONS
            .split_whitespace()
            .map(|name| Called::Function(name.to_owned()));
        let tests = TESTS
            .split_whitespace()
            .map(|name| Called::Test(name.to_owned()));
        let all = filters.chain(functions).chain(tests);
        let unknown: Vec<_> = all.filter(|called| !calls.is_known(called)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
