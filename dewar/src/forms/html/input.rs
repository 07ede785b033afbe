use super::super::rendered_field::RenderedField;
use super::super::{FormValue, Widget};
use super::Html;
use super::field::described_by;
use super::list::list;

/// Renders the input element.
pub(in crate::forms) fn input(html: &mut Html, drawn: &RenderedField<'_>) {
    match drawn.widget() {
        Widget::Text => textarea(html, drawn),
        Widget::Select if !drawn.spec.kind.repeated => select(html, drawn),
        Widget::ListBox => select(html, drawn),
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
        Widget::Url => line(html, drawn, "url"),
        Widget::Hidden => hidden(html, drawn),
        Widget::List => list(html, drawn),
        Widget::Number => line(html, drawn, "number"),
        Widget::Password => line(html, drawn, "password"),
        Widget::Range => line(html, drawn, "range"),
        Widget::Line => line(
            html,
            drawn,
            if drawn.searching() { "search" } else { "text" },
        ),
    }
}

/// The attributes that every input element has.
fn named(html: &mut Html, drawn: &RenderedField<'_>) {
    let kind = &drawn.spec.kind;
    html.attribute("id", drawn.id())
        .attribute("name", &drawn.name);
    html.flag("required", drawn.is_required())
        .attribute_if("autocomplete", kind.autocomplete);
    html.flag("autofocus", drawn.is_focused())
        .attribute_if("inputmode", kind.inputmode);
    if drawn.spec.unlabelled {
        html.attribute("aria-label", drawn.label());
    }
    described_by(html, drawn);
    if drawn.is_wrong() {
        html.attribute("aria-invalid", "true");
    }
}

fn line(html: &mut Html, drawn: &RenderedField<'_>, kind: &'static str) {
    let spec = drawn.spec;
    html.raw("<input").attribute("type", kind);
    named(html, drawn);
    // A password's limit is in bytes. If a browser cut it off, nobody would notice.
    let cuts = !spec.kind.is_password();
    html.attribute_if("minlength", drawn.min_length().filter(|length| *length > 1));
    html.attribute_if("maxlength", max_length(drawn).filter(|_| cuts));
    html.attribute_if("pattern", drawn.pattern());
    let suggests = !spec.suggestions.is_empty();
    html.attribute_if("list", suggests.then(|| drawn.part_id("list")));
    html.attribute_if("min", spec.kind.min)
        .attribute_if("max", spec.kind.max)
        .attribute_if("step", spec.kind.step)
        .attribute_if("min", spec.kind.earliest)
        .attribute_if("max", spec.kind.latest.or(last(spec.kind.widget)));
    html.attribute_if("accept", spec.kind.accept)
        .attribute_if("placeholder", drawn.placeholder());
    html.flag("multiple", spec.kind.repeated && spec.kind.is_file());
    // The script of the framework reads it. Without it, the file is part of the form.
    let direct = drawn.language.facts().direct_uploads;
    html.attribute_if("data-tickets", spec.kind.tickets.filter(|_| direct));
    if let FormValue::Text(text) = drawn.shown {
        html.attribute("value", text);
    }
    html.raw(">");
    if suggests {
        html.raw("<datalist")
            .attribute("id", drawn.part_id("list"))
            .raw(">");
        for suggestion in spec.suggestions {
            html.raw("<option").attribute("value", suggestion).raw(">");
        }
        html.raw("</datalist>");
    }
}

/// The `maxlength` for a browser; none if the field shows more already. A browser counts UTF-16, and the markup with its
/// references and tags. It would accept no further letter, and refuse the form after the user changed one.
fn max_length(drawn: &RenderedField<'_>) -> Option<usize> {
    let shown = drawn.shown.as_text().encode_utf16().count();
    drawn.spec.kind.max_length.filter(|most| shown <= *most)
}

/// The last day that can be spelled: without it, browsers accept years of six digits.
fn last(widget: Widget) -> Option<&'static str> {
    match widget {
        Widget::Date => Some("9999-12-31"),
        Widget::DateTime => Some("9999-12-31T23:59"),
        Widget::Checkbox
        | Widget::Colour
        | Widget::Email
        | Widget::File
        | Widget::Hidden
        | Widget::Line
        | Widget::List
        | Widget::ListBox
        | Widget::Number
        | Widget::Password
        | Widget::Radio
        | Widget::Range
        | Widget::Select
        | Widget::Telephone
        | Widget::Text
        | Widget::Time
        | Widget::Url => None,
    }
}

/// Leaves out a value that cannot be sealed; Dewar then refuses the form when it comes back without the value.
fn hidden(html: &mut Html, drawn: &RenderedField<'_>) {
    let Some(sealed) = drawn.sealed() else {
        if drawn.spec.kind.required {
            tracing::error!(
                field = drawn.spec.name,
                "a hidden field has no value: fill it when you create the form"
            );
        }
        return;
    };
    html.raw("<input")
        .attribute("type", "hidden")
        .attribute("name", drawn.spec.name)
        .attribute("value", sealed)
        .raw(">");
}

fn textarea(html: &mut Html, drawn: &RenderedField<'_>) {
    html.raw("<textarea");
    named(html, drawn);
    html.attribute("rows", drawn.spec.rows)
        .attribute_if("maxlength", max_length(drawn));
    html.attribute_if("placeholder", drawn.placeholder());
    // A browser removes one line break here; without this one it would remove the visitor's own.
    html.raw(">\n")
        .text(drawn.shown.as_text())
        .raw("</textarea>");
}

fn select(html: &mut Html, drawn: &RenderedField<'_>) {
    html.raw("<select");
    named(html, drawn);
    html.flag("multiple", drawn.spec.kind.repeated).raw(">\n");
    if !drawn.spec.kind.repeated {
        html.raw("<option value=\"\">");
        if drawn.spec.kind.required {
            html.text(drawn.say("forms-choose"));
        }
        html.raw("</option>\n");
    }
    for (value, label) in drawn.offers() {
        html.raw("<option")
            .attribute("value", value)
            .flag("selected", drawn.shown.holds(value));
        html.raw(">")
            .text(drawn.choice(value, label))
            .raw("</option>\n");
    }
    html.raw("</select>");
}

/// Checkboxes or radio buttons, one for each option. The first has the field's id, so that a link leads to it.
fn offers(html: &mut Html, drawn: &RenderedField<'_>) {
    let kind = if drawn.spec.kind.repeated {
        "checkbox"
    } else {
        "radio"
    };
    for (number, (value, label)) in drawn.offers().enumerate() {
        html.raw("<label class=\"choice\"><input")
            .attribute("type", kind);
        html.attribute_if("id", (number == 0).then(|| drawn.id()))
            .attribute("name", &drawn.name);
        html.attribute("value", value)
            .flag("required", drawn.is_required() && kind == "radio");
        html.flag("checked", drawn.shown.holds(value))
            .flag("autofocus", number == 0 && drawn.is_focused());
        if drawn.is_wrong() {
            html.attribute("aria-invalid", "true");
        }
        html.raw("> ")
            .text(drawn.choice(value, label))
            .raw("</label>\n");
    }
}
