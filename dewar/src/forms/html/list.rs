use super::super::rendered_field::RenderedField;
use super::Html;
use super::field::{described_by, errors, field, hint, optional};

/// Renders a list: its rows, each with its fields, and one empty row.
pub(super) fn list(html: &mut Html, drawn: &RenderedField<'_>) {
    html.raw("<fieldset class=\"list\"")
        .attribute("id", drawn.id());
    described_by(html, drawn);
    html.raw(">\n<legend>").text(drawn.label());
    optional(html, drawn);
    html.raw("</legend>\n");
    hint(html, drawn);
    errors(html, drawn);
    for one in drawn.rows() {
        row(html, &one);
    }
    html.raw("</fieldset>\n");
}

/// Renders a row with its fields.
pub(in crate::forms) fn row(html: &mut Html, row: &RenderedField<'_>) {
    html.raw("<fieldset class=\"row\"")
        .attribute("id", row.id());
    described_by(html, row);
    html.raw(">\n<legend>")
        .text(row.list_label())
        .raw(" ")
        .text(row.number + 1)
        .raw("</legend>\n");
    errors(html, row);
    for cell in row.cells() {
        field(html, &cell);
    }
    html.raw("</fieldset>\n");
}
