use super::super::rendered_field::RenderedField;
use super::super::{FieldSpec, Widget};
use super::list::list;
use super::{Html, input};

/// Renders all fields; neighbours of one group share a fieldset with a legend.
pub(in crate::forms) fn fields<'a>(html: &mut Html, all: impl Iterator<Item = RenderedField<'a>>) {
    let mut open: Option<&str> = None;
    for drawn in all {
        let group = drawn.spec.group;
        if open != group {
            html.raw(if open.is_some() { "</fieldset>\n" } else { "" });
            if let Some(words) = drawn.group() {
                html.raw("<fieldset class=\"group\">\n<legend>")
                    .text(words)
                    .raw("</legend>\n");
            }
            open = group;
        }
        field(html, &drawn);
    }
    html.raw(if open.is_some() { "</fieldset>\n" } else { "" });
}

/// Renders a field with its label, hint and errors.
pub(in crate::forms) fn field(html: &mut Html, drawn: &RenderedField<'_>) {
    if drawn.spec.kind.is_hidden() {
        input(html, drawn);
        html.raw("\n");
        return;
    }
    if !drawn.spec.kind.items.is_empty() {
        list(html, drawn);
        return;
    }
    html.raw("<div class=\"field\">\n");
    match group(drawn.spec) {
        Group::Many => {
            html.raw("<fieldset");
            described_by(html, drawn);
            html.raw(">\n<legend>").text(drawn.label());
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
            html.raw(" ").text(drawn.label()).raw("</label>\n");
        }
        Group::One => {
            if !drawn.spec.unlabelled {
                label(html, drawn);
            }
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
        | Widget::Hidden
        | Widget::Line
        | Widget::List
        | Widget::ListBox
        | Widget::Number
        | Widget::Password
        | Widget::Range
        | Widget::Select
        | Widget::Telephone
        | Widget::Text
        | Widget::Time
        | Widget::Url => Group::One,
    }
}

pub(in crate::forms) fn label(html: &mut Html, drawn: &RenderedField<'_>) {
    html.raw("<label")
        .attribute("for", drawn.id())
        .raw(">")
        .text(drawn.label());
    optional(html, drawn);
    html.raw("</label>\n");
}

/// Marks an optional field, because most fields are required.
pub(super) fn optional(html: &mut Html, drawn: &RenderedField<'_>) {
    if !drawn.spec.kind.required && !drawn.searching() {
        html.raw(" <span class=\"optional\">")
            .text(drawn.say("forms-optional"))
            .raw("</span>");
    }
}

pub(in crate::forms) fn hint(html: &mut Html, drawn: &RenderedField<'_>) {
    let hint = drawn.hint();
    if hint.is_some() || drawn.choose_again() {
        html.raw("<span class=\"hint\"")
            .attribute("id", drawn.part_id("hint"))
            .raw(">");
        html.text(hint.as_deref().unwrap_or_default());
        if drawn.choose_again() {
            html.raw(if hint.is_some() { " " } else { "" })
                .text(drawn.say("forms-choose-again"));
        }
        html.raw("</span>\n");
    }
}

pub(in crate::forms) fn errors(html: &mut Html, drawn: &RenderedField<'_>) {
    if drawn.is_wrong() {
        html.raw("<span class=\"error\"")
            .attribute("id", drawn.part_id("error"))
            .raw(">");
        for (number, problem) in drawn.problems().enumerate() {
            html.raw(if number > 0 { " " } else { "" })
                .text(drawn.language.translate(problem.words()));
        }
        html.raw("</span>\n");
    }
}

pub(super) fn described_by(html: &mut Html, drawn: &RenderedField<'_>) {
    let (hint, error) = (drawn.part_id("hint"), drawn.part_id("error"));
    match (drawn.has_hint(), drawn.is_wrong()) {
        (false, false) => html,
        (true, false) => html.attribute("aria-describedby", hint),
        (false, true) => html.attribute("aria-describedby", error),
        (true, true) => html.attribute("aria-describedby", format_args!("{hint} {error}")),
    };
}
