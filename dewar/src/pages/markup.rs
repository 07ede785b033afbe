use std::borrow::Cow;
use std::fmt::{self, Debug, Write};
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, Output, State, escape_formatter};

/// Safe HTML with parts, such as a form with its fields: `{{ form }}` is the whole, `{{ form.title }}` a part.
///
/// Every implementation must escape each text in its HTML for its context.
pub(crate) trait Fragment: Debug + Send + Sync + 'static {
    /// The whole HTML.
    fn html(&self) -> Cow<'_, str>;

    /// The part of this name.
    fn part(&self, name: &str) -> Option<Value>;

    /// Whether it has no content.
    fn is_empty(&self) -> bool {
        false
    }
}

/// A fragment as a value for the template engine. It is rendered only where a template prints it.
#[derive(Debug)]
pub(crate) struct Markup(Box<dyn Fragment>);

impl Markup {
    pub(crate) fn value(fragment: impl Fragment) -> Value {
        Value::from_object(Self(Box::new(fragment)))
    }

    /// The whole HTML.
    pub(super) fn html(&self) -> Cow<'_, str> {
        self.0.html()
    }
}

impl Object for Markup {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.part(key.as_str()?)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.html())
    }
}

/// The attributes of a form, `{{ form.attributes }}`: printed unescaped in a `<form>` tag, as text everywhere else.
#[derive(Debug)]
pub(crate) struct Attributes(pub(crate) &'static str);

impl Object for Attributes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Finished HTML, made in this room or by a template: the one place that marks a text as safe.
///
/// A value of the program loses that mark (`untrusted`), so no other text is printed unescaped.
#[expect(
    clippy::disallowed_methods,
    reason = "the caller must escape every text in it"
)]
pub(crate) fn trusted_html(html: String) -> Value {
    Value::from_safe_string(html)
}

/// Prints a value: finished HTML unescaped, everything else escaped.
pub(super) fn print(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        let wrote = if value.is_safe() {
            out.write_str(text)
        } else {
            write_escaped(out, text)
        };
        return Ok(wrote?);
    }
    match value.downcast_object_ref::<Markup>() {
        Some(markup) => Ok(out.write_str(&markup.html())?),
        None => escape_formatter(out, state, value),
    }
}

/// Writes a text so that HTML reads the same characters in it, between tags and in quotes, and nothing else. The apostrophe is
/// spelled as the template engine spells it.
pub(crate) fn write_escaped(out: &mut impl Write, text: &str) -> fmt::Result {
    let special = |byte| matches!(byte, b'"' | b'&' | b'\'' | b'<' | b'>');
    let mut rest = text;
    while let Some(place) = rest.bytes().position(special) {
        let (before, from) = rest.split_at(place);
        out.write_str(before)?;
        let (character, after) = from.split_at(1);
        out.write_str(match character {
            "\"" => "&quot;",
            "&" => "&amp;",
            "'" => "&#x27;",
            "<" => "&lt;",
            _ => "&gt;",
        })?;
        rest = after;
    }
    out.write_str(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::Environment;

    #[derive(Debug)]
    struct Bold;

    impl Fragment for Bold {
        fn html(&self) -> Cow<'_, str> {
            "<b>&amp;</b>".into()
        }

        fn part(&self, name: &str) -> Option<Value> {
            (name == "text").then(|| Value::from("<&>"))
        }
    }

    #[test]
    fn a_fragment_is_printed_as_it_is_and_a_text_in_it_is_escaped() {
        let mut engine = Environment::new();
        engine.set_formatter(print);
        engine
            .add_template("a.html", "{{ bold }} {{ bold.text }} {{ bold ~ '' }}")
            .unwrap();
        let context = Value::from_pairs([("bold", Markup::value(Bold))]);
        let shown = engine
            .get_template("a.html")
            .unwrap()
            .render(context)
            .unwrap();
        assert_eq!(
            shown,
            "<b>&amp;</b> &lt;&amp;&gt; &lt;b&gt;&amp;amp;&lt;/b&gt;"
        );
    }
}
