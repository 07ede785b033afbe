use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::markup::{Attributes, Markup};

/// A value of the program for a template, without any mark as safe text.
///
/// The engine prints a text unescaped if the text is marked as safe, and any part of a program can mark one
/// (`Value::from_safe_string`). This function removes the mark. HTML is only the room's own [`Markup`], and the engine's
/// output of templates, such as that of a macro.
pub(super) fn untrusted(value: Value) -> Value {
    if value.is_safe() {
        return value.as_str().map(Value::from).unwrap_or_default();
    }
    let Some(object) = value.as_object() else {
        return value;
    };
    if object.is::<Markup>() || object.is::<Attributes>() {
        return value;
    }
    Value::from_object(Untrusted(object.clone()))
}

/// A value that holds or makes other values. Each of them is wrapped when a template takes it, and no sooner.
#[derive(Debug)]
struct Untrusted(DynObject);

impl Object for Untrusted {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        self.0.repr()
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get_value(key).map(untrusted)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.get_value_by_str(key).map(untrusted)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let both = |(key, value)| (untrusted(key), untrusted(value));
        match self.0.enumerate() {
            Enumerator::Empty => Enumerator::Empty,
            Enumerator::Iter(all) => Enumerator::Iter(Box::new(all.map(untrusted))),
            Enumerator::KeyValueIter(all) => Enumerator::KeyValueIter(Box::new(all.map(both))),
            Enumerator::RevIter(all) => Enumerator::RevIter(Box::new(all.map(untrusted))),
            Enumerator::RevKeyValueIter(all) => {
                Enumerator::RevKeyValueIter(Box::new(all.map(both)))
            }
            Enumerator::Seq(length) => Enumerator::Seq(length),
            Enumerator::Str(names) => Enumerator::Str(names),
            Enumerator::Values(all) => Enumerator::Values(all.into_iter().map(untrusted).collect()),
            // A future kind of enumeration shows nothing until somebody has checked it.
            Enumerator::NonEnumerable | _ => Enumerator::NonEnumerable,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.0.enumerator_len()
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.is_true()
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.0.call(state, args).map(untrusted)
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        self.0.call_method(state, method, args).map(untrusted)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>().map_or(other, |other| &other.0);
        self.0.custom_cmp(other)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.render(f)
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the texts that call themselves safe are what is tested"
)]
mod tests {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, BTreeSet};

    use minijinja::value::ObjectExt;
    use serde::Serialize;

    use super::*;
    use crate::audit::Mode;
    use crate::pages::{Assets, Fragment, Page, Templates};

    const HOSTILE: &str = "<img src=x onerror=alert(1)>";

    fn hostile() -> Value {
        Value::from_safe_string(HOSTILE.to_owned())
    }

    /// A value of the application for a page: it holds the hostile text in every possible way.
    #[derive(Debug)]
    struct Trojan;

    impl Object for Trojan {
        fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
            match key.as_str()? {
                "text" => Some(hostile()),
                "again" => Some(Value::from_object(Self)),
                "make" => Some(Value::from_function(hostile)),
                "iter" => Some(Value::make_iterable(|| [hostile()].into_iter())),
                "once" => Some(Value::make_one_shot_iterator([hostile()].into_iter())),
                "pairs" => Some(Value::from_pairs([(hostile(), hostile())])),
                _ => None,
            }
        }

        fn enumerate(self: &Arc<Self>) -> Enumerator {
            self.mapped_key_value_enumerator(|_| Box::new([(hostile(), hostile())].into_iter()))
        }

        fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
            Ok(hostile())
        }

        fn call_method(
            self: &Arc<Self>,
            _: &mut State<'_, '_>,
            _: &str,
            _: &[Value],
        ) -> Result<Value, Error> {
            Ok(Value::from(vec![hostile()]))
        }

        fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(HOSTILE)
        }
    }

    /// Stands for HTML that `forms` has sanitised.
    #[derive(Debug)]
    struct CleanPlaceholder;

    impl Fragment for CleanPlaceholder {
        fn html(&self) -> Cow<'_, str> {
            "<p>kept</p>".into()
        }

        fn part(&self, _name: &str) -> Option<Value> {
            None
        }
    }

    #[derive(Serialize)]
    struct UntrustedRow {
        text: Value,
        list: Vec<Value>,
        map: BTreeMap<String, Value>,
        pair: (Value, u8),
        some: Option<Value>,
        trojan: Value,
    }

    fn row() -> UntrustedRow {
        UntrustedRow {
            text: hostile(),
            list: vec![hostile(), Value::from(vec![hostile()])],
            map: BTreeMap::from([("key".to_owned(), hostile())]),
            pair: (hostile(), 1),
            some: Some(hostile()),
            trojan: Value::from_object(Trojan),
        }
    }

    fn shown(source: &str) -> Result<String, crate::pages::Error> {
        let source = source.to_owned();
        let names = BTreeSet::from(["page.html".to_owned()]);
        let read = move |name: &str| (name == "page.html").then(|| source.clone());
        let templates = Templates::of(&names, read, Assets::default(), Mode::Production);
        // A function among the page's values is unknown at start, and only reported.
        let refused = templates.findings().iter().find(|it| it.refuses_launch);
        assert!(refused.is_none(), "{refused:?}");
        let page = Page::new("page.html")
            .with_value("text", hostile())
            .with("row", row())
            .with("rows", vec![row()])
            .with_value("trojan", Value::from_object(Trojan))
            .with_value("body", Markup::value(CleanPlaceholder))
            .with("bodies", vec![Markup::value(CleanPlaceholder)])
            .with("plain", "<i>")
            .with("numbers", [3, 1, 2]);
        templates.html(&page)
    }

    #[test]
    fn a_text_of_the_program_that_calls_itself_safe_is_escaped_wherever_it_stands() {
        let expressions = [
            "text",
            "row.text",
            "row['text']",
            "row.list[0]",
            "row.list[1][0]",
            "row.list|first",
            "row.list[1]|join",
            "row.map.key",
            "row.map|items|list|first|last",
            "row.pair[0]",
            "row.some",
            "rows[0].text",
            "rows|map(attribute='text')|first",
            "rows[0].list[1]|first",
            "(rows|groupby('some')|first).grouper",
            "(rows|sort(attribute='text')|first).text",
            "trojan",
            "trojan.text",
            "trojan.again.again.text",
            "trojan.make()",
            "trojan()",
            "trojan.method()[0]",
            "trojan.iter|first",
            "trojan.once|first",
            "trojan.pairs|items|list|first|first",
            "trojan|list|first",
            "trojan|items|list|first|last",
            "row.trojan.text",
            "row.trojan()",
            "text ~ ''",
            "text + text",
            "text * 2",
            "text|string",
            "text|default('')",
            "(text if true)",
            "[text]|first",
            "{'a': text}.a",
            "dict(a=text).a",
            "namespace(a=text).a",
        ];
        let wrong = expressions.iter().filter_map(|expression| {
            let page = shown(&format!("<p>{{{{ {expression} }}}}</p>"));
            let fine = page.as_ref().is_ok_and(|page| {
                page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img")
            });
            (!fine).then_some((expression, page))
        });
        let wrong: Vec<_> = wrong.collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_text_of_the_program_that_calls_itself_safe_is_escaped_in_every_statement() {
        for source in [
            "{% set it = text %}{{ it }}",
            "{% set it %}{{ text }}{% endset %}{{ it }}",
            "{% with it = row.text %}{{ it }}{% endwith %}",
            "{% for it in row.list %}{{ it }}{% endfor %}",
            "{% for it in rows %}{{ it.text }}{% endfor %}",
            "{% for key, it in row.map|items %}{{ it }}{% endfor %}",
            "{% for key in trojan %}{{ key }}{% endfor %}",
            "{% for key, it in trojan|items %}{{ it }}{% endfor %}",
            "{% for it in trojan.once %}{{ it }}{% endfor %}",
            "{% macro show(it) %}{{ it }}{% endmacro %}{{ show(text) }}",
            "{% macro show() %}{{ caller(text) }}{% endmacro %}{% call(it) show() %}{{ it }}{% endcall %}",
            "{% filter upper|lower %}{{ text }}{% endfilter %}",
            "{% set all = row.list + [text] %}{% for it in all %}{{ it }}{% endfor %}",
        ] {
            let page = shown(source).unwrap();
            assert!(
                page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img")
                    || page.contains("&amp;lt;img"),
                "{source}: {page}"
            );
        }
    }

    #[test]
    fn what_templates_make_and_what_was_cleaned_is_still_markup() {
        for (source, expected) in [
            ("{{ body }}", "<p>kept</p>"),
            ("{{ bodies[0] }}", "<p>kept</p>"),
            ("{% for it in bodies %}{{ it }}{% endfor %}", "<p>kept</p>"),
            ("{% if body %}{{ body }}{% endif %}", "<p>kept</p>"),
            ("<b title=\"{{ body }}\"></b>", "<b title=\"kept\"></b>"),
            (
                "{% macro bold(it) %}<b>{{ it }}</b>{% endmacro %}{{ bold(plain) }}",
                "<b>&lt;i&gt;</b>",
            ),
            (
                "{% macro bold() %}<b>{{ caller() }}</b>{% endmacro %}{% call bold() %}<u>{{ plain }}</u>{% endcall %}",
                "<b><u>&lt;i&gt;</u></b>",
            ),
            (
                "{% macro bold(it) %}<b>{{ it }}</b>{% endmacro %}{{ bold(bold(body)) }}",
                "<b><b><p>kept</p></b></b>",
            ),
            (
                "{% set it %}<b>{{ plain }}</b>{% endset %}{{ it }}",
                "<b>&lt;i&gt;</b>",
            ),
            ("{{ [plain, plain]|join('<') }}", "&lt;i&gt;&lt;&lt;i&gt;"),
            ("{{ numbers|sort|join(',') }}", "1,2,3"),
            ("{{ numbers|length }}{{ 3 in numbers }}", "3True"),
            ("{{ text|e }}", "&lt;img src=x onerror=alert(1)&gt;"),
        ] {
            assert_eq!(shown(source).unwrap(), expected, "{source}");
        }
    }

    /// A value with an order of its own, which may be empty.
    #[derive(Debug)]
    struct Grade(u8);

    impl Object for Grade {
        fn is_true(self: &Arc<Self>) -> bool {
            self.0 > 0
        }

        fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
            // The best grade is the smallest number.
            other
                .downcast_ref::<Self>()
                .map(|other| other.0.cmp(&self.0))
        }
    }

    #[test]
    fn what_is_empty_or_comes_first_stays_so() {
        let grade = |number| untrusted(Value::from_object(Grade(number)));
        assert!(grade(1).is_true() && !grade(0).is_true());
        assert!(!untrusted(Value::from(Vec::<i32>::new())).is_true());
        assert!(grade(1) > grade(2) && grade(3) < grade(2));
    }
}
