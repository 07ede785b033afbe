//! A form as HTML: the one place that writes markup by hand, so all of it goes through [`Html`].

use std::fmt::{self, Display, Write as _};

use super::view::Drawn;
use super::{FieldSpec, Shown, Widget};

/// Markup that is being written. Text and attributes are escaped; only names known to the program are not.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing to a `String` cannot fail.
        let _ = write!(Escaping(&mut self.0), "{text}");
        self
    }

    /// ` name="value"`.
    pub(super) fn attribute(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    pub(super) fn attribute_if(
        &mut self,
        name: &'static str,
        value: Option<impl Display>,
    ) -> &mut Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// ` name`, where it holds.
    pub(super) fn flag(&mut self, name: &'static str, holds: bool) -> &mut Self {
        if holds { self.raw(" ").raw(name) } else { self }
    }
}

/// Escapes what is written through it, for a text and for an attribute in double quotes alike.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((place, c)) = rest
            .char_indices()
            .find(|(_, c)| matches!(c, '&' | '<' | '>' | '"' | '\''))
        {
            let (before, after) = rest.split_at(place);
            self.0.push_str(before);
            self.0.push_str(match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                _ => "&#39;",
            });
            rest = after.get(c.len_utf8()..).unwrap_or_default();
        }
        self.0.push_str(rest);
        Ok(())
    }
}

/// A field with its label, hint and errors.
pub(super) fn field(html: &mut Html, drawn: &Drawn<'_>) {
    html.raw("<div class=\"field\">\n");
    match group(drawn.spec) {
        Group::Many => {
            html.raw("<fieldset");
            described_by(html, drawn);
            html.raw(">\n<legend>").text(drawn.spec.label);
            optional(html, drawn);
            html.raw("</legend>\n");
            hint(html, drawn);
            errors(html, drawn);
            input(html, drawn);
            html.raw("</fieldset>\n");
        }
        Group::Tick => {
            hint(html, drawn);
            errors(html, drawn);
            html.raw("<label class=\"choice\">");
            input(html, drawn);
            html.raw(" ").text(drawn.spec.label).raw("</label>\n");
        }
        Group::One => {
            label(html, drawn);
            hint(html, drawn);
            errors(html, drawn);
            input(html, drawn);
            html.raw("\n");
        }
    }
    html.raw("</div>\n");
}

enum Group {
    Many,
    One,
    Tick,
}

fn group(spec: &FieldSpec) -> Group {
    match spec.kind.widget {
        Widget::Radio => Group::Many,
        Widget::Select if spec.kind.repeated => Group::Many,
        Widget::Checkbox => Group::Tick,
        Widget::Colour
        | Widget::Date
        | Widget::DateTime
        | Widget::Email
        | Widget::File
        | Widget::Line
        | Widget::Number
        | Widget::Password
        | Widget::Select
        | Widget::Telephone
        | Widget::Text
        | Widget::Time => Group::One,
    }
}

pub(super) fn label(html: &mut Html, drawn: &Drawn<'_>) {
    html.raw("<label")
        .attribute("for", drawn.id())
        .raw(">")
        .text(drawn.spec.label);
    optional(html, drawn);
    html.raw("</label>\n");
}

/// Says what need not be filled in, where most things must be.
fn optional(html: &mut Html, drawn: &Drawn<'_>) {
    if !drawn.spec.kind.required && !drawn.searching() {
        html.raw(" <span class=\"optional\">(optional)</span>");
    }
}

pub(super) fn hint(html: &mut Html, drawn: &Drawn<'_>) {
    if drawn.has_hint() {
        html.raw("<span class=\"hint\"")
            .attribute("id", drawn.part_id("hint"))
            .raw(">");
        html.text(drawn.spec.hint.unwrap_or_default());
        if drawn.choose_again() {
            html.raw(if drawn.spec.hint.is_some() { " " } else { "" })
                .raw("Choose the file again.");
        }
        html.raw("</span>\n");
    }
}

pub(super) fn errors(html: &mut Html, drawn: &Drawn<'_>) {
    if drawn.is_wrong() {
        html.raw("<span class=\"error\"")
            .attribute("id", drawn.part_id("error"))
            .raw(">");
        for (number, problem) in drawn.problems().enumerate() {
            html.raw(if number > 0 { " " } else { "" }).text(problem);
        }
        html.raw("</span>\n");
    }
}

fn described_by(html: &mut Html, drawn: &Drawn<'_>) {
    let (hint, error) = (drawn.part_id("hint"), drawn.part_id("error"));
    match (drawn.has_hint(), drawn.is_wrong()) {
        (false, false) => html,
        (true, false) => html.attribute("aria-describedby", hint),
        (false, true) => html.attribute("aria-describedby", error),
        (true, true) => html.attribute("aria-describedby", format_args!("{hint} {error}")),
    };
}

/// The element that takes the value.
pub(super) fn input(html: &mut Html, drawn: &Drawn<'_>) {
    match drawn.spec.kind.widget {
        Widget::Text => textarea(html, drawn),
        Widget::Select if !drawn.spec.kind.repeated => select(html, drawn),
        Widget::Radio | Widget::Select => offers(html, drawn),
        Widget::Checkbox => {
            html.raw("<input").attribute("type", "checkbox");
            named(html, drawn);
            html.attribute("value", "on")
                .flag("checked", drawn.shown.holds("on"))
                .raw(">");
        }
        Widget::Colour => line(html, drawn, "color"),
        Widget::Date => line(html, drawn, "date"),
        Widget::DateTime => line(html, drawn, "datetime-local"),
        Widget::Telephone => line(html, drawn, "tel"),
        Widget::Time => line(html, drawn, "time"),
        Widget::Email => line(html, drawn, "email"),
        Widget::File => line(html, drawn, "file"),
        Widget::Number => line(html, drawn, "number"),
        Widget::Password => line(html, drawn, "password"),
        Widget::Line => line(
            html,
            drawn,
            if drawn.searching() { "search" } else { "text" },
        ),
    }
}

/// What every element that takes a value has.
fn named(html: &mut Html, drawn: &Drawn<'_>) {
    let kind = &drawn.spec.kind;
    html.attribute("id", drawn.id())
        .attribute("name", drawn.spec.name);
    html.flag("required", kind.required)
        .attribute_if("autocomplete", kind.autocomplete);
    described_by(html, drawn);
    if drawn.is_wrong() {
        html.attribute("aria-invalid", "true");
    }
}

fn line(html: &mut Html, drawn: &Drawn<'_>, kind: &'static str) {
    let spec = drawn.spec;
    html.raw("<input").attribute("type", kind);
    named(html, drawn);
    // A password's limit is in bytes; one that a browser cuts off would never be found out.
    let cuts = !spec.kind.is_secret();
    html.attribute_if(
        "minlength",
        spec.kind.min_length.filter(|length| *length > 1),
    );
    html.attribute_if("maxlength", spec.kind.max_length.filter(|_| cuts));
    html.attribute_if("min", spec.kind.min)
        .attribute_if("max", spec.kind.max);
    html.attribute_if("accept", spec.kind.accept)
        .attribute_if("placeholder", spec.placeholder);
    html.flag("multiple", spec.kind.repeated && spec.kind.is_file());
    if let Shown::Text(text) = drawn.shown {
        html.attribute("value", text);
    }
    html.raw(">");
}

fn textarea(html: &mut Html, drawn: &Drawn<'_>) {
    html.raw("<textarea");
    named(html, drawn);
    html.attribute("rows", drawn.spec.rows)
        .attribute_if("maxlength", drawn.spec.kind.max_length);
    html.attribute_if("placeholder", drawn.spec.placeholder);
    // A browser takes away one line break here; without ours it would be the visitor's own.
    html.raw(">\n")
        .text(drawn.shown.as_text())
        .raw("</textarea>");
}

fn select(html: &mut Html, drawn: &Drawn<'_>) {
    html.raw("<select");
    named(html, drawn);
    html.raw(">\n");
    let none = if drawn.spec.kind.required {
        "Choose one"
    } else {
        ""
    };
    html.raw("<option value=\"\">").raw(none).raw("</option>\n");
    for offer in drawn.spec.kind.offers {
        html.raw("<option")
            .attribute("value", offer.value)
            .flag("selected", drawn.shown.holds(offer.value));
        html.raw(">").text(offer.label).raw("</option>\n");
    }
    html.raw("</select>");
}

/// Boxes or buttons, one for each offer; the first has the field's id, so that a link leads to it.
fn offers(html: &mut Html, drawn: &Drawn<'_>) {
    let kind = if drawn.spec.kind.repeated {
        "checkbox"
    } else {
        "radio"
    };
    for (number, offer) in drawn.spec.kind.offers.iter().enumerate() {
        html.raw("<label class=\"choice\"><input")
            .attribute("type", kind);
        html.attribute_if("id", (number == 0).then(|| drawn.id()))
            .attribute("name", drawn.spec.name);
        html.attribute("value", offer.value)
            .flag("required", drawn.spec.kind.required && kind == "radio");
        html.flag("checked", drawn.shown.holds(offer.value));
        if drawn.is_wrong() {
            html.attribute("aria-invalid", "true");
        }
        html.raw("> ").text(offer.label).raw("</label>\n");
    }
}

/// A number of bytes in words.
pub(super) fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        b if b >= KIB * KIB && b.is_multiple_of(KIB * KIB) => format!("{} MB", b / (KIB * KIB)),
        b if b >= KIB && b.is_multiple_of(KIB) => format!("{} kB", b / KIB),
        b => format!("{b} bytes"),
    }
}
