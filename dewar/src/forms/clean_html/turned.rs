//! Elements that are not on the allow-list, and their replacement: the same element under an allowed name, or a break between
//! words that were apart. The sanitiser reads the result afterwards.

use std::borrow::Cow;

/// The replacement of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// An element of the list.
    Element(&'static str),
    /// A blank after it, and nothing else.
    Blank,
    /// The end of a paragraph.
    Rule,
}

/// The elements that separate their words from the text around them (HTML, 15.3.3 to 15.3.10), and those that are other names of
/// an allowed element.
const TURNED: [(&str, Becomes); 48] = [
    ("b", Becomes::Element("strong")),
    ("i", Becomes::Element("em")),
    ("h1", Becomes::Element("h3")),
    ("h2", Becomes::Element("h3")),
    ("h5", Becomes::Element("h4")),
    ("h6", Becomes::Element("h4")),
    ("dir", Becomes::Element("ul")),
    ("menu", Becomes::Element("ul")),
    ("listing", Becomes::Element("pre")),
    ("address", Becomes::Element("p")),
    ("article", Becomes::Element("p")),
    ("aside", Becomes::Element("p")),
    ("caption", Becomes::Element("p")),
    ("center", Becomes::Element("p")),
    ("dd", Becomes::Element("p")),
    ("details", Becomes::Element("p")),
    ("dialog", Becomes::Element("p")),
    ("div", Becomes::Element("p")),
    ("dl", Becomes::Element("p")),
    ("dt", Becomes::Element("p")),
    ("fieldset", Becomes::Element("p")),
    ("figcaption", Becomes::Element("p")),
    ("figure", Becomes::Element("p")),
    ("footer", Becomes::Element("p")),
    ("form", Becomes::Element("p")),
    ("header", Becomes::Element("p")),
    ("hgroup", Becomes::Element("p")),
    ("legend", Becomes::Element("p")),
    ("main", Becomes::Element("p")),
    ("nav", Becomes::Element("p")),
    ("optgroup", Becomes::Element("p")),
    ("option", Becomes::Element("p")),
    ("search", Becomes::Element("p")),
    ("section", Becomes::Element("p")),
    ("summary", Becomes::Element("p")),
    ("table", Becomes::Element("p")),
    ("tbody", Becomes::Element("p")),
    ("tfoot", Becomes::Element("p")),
    ("thead", Becomes::Element("p")),
    ("tr", Becomes::Element("p")),
    ("td", Becomes::Blank),
    ("th", Becomes::Blank),
    ("button", Becomes::Blank),
    ("select", Becomes::Blank),
    ("textarea", Becomes::Blank),
    ("rp", Becomes::Blank),
    ("rt", Becomes::Blank),
    ("hr", Becomes::Rule),
];

/// The names of the replaced elements.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TURNED.iter().map(|(name, _)| *name)
}

/// The parts of a table. Outside a table, an HTML parser drops them and joins the words around them.
const PARTS: [&str; 9] = [
    "caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr",
];

/// Adds a blank before each part of a table that stands outside a table. It leaves quoted attribute values alone, so that the
/// sanitiser's output stays the same.
pub(super) fn with_loose_cells_apart(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut rest, mut copied, mut in_table) = (text, 0, false);
    while let Some((_, after)) = rest.split_once('<') {
        let name = after.strip_prefix('/').unwrap_or(after);
        let end = name.find(|c: char| !c.is_ascii_alphanumeric());
        let (name, behind) = name.split_at(end.unwrap_or(name.len()));
        if name.eq_ignore_ascii_case("table") {
            in_table = !after.starts_with('/');
        }
        if !in_table && PARTS.iter().any(|part| part.eq_ignore_ascii_case(name)) {
            let place = text.len() - after.len() - 1;
            if let Some(before) = text.get(copied..place) {
                out.extend([before, " "]);
                copied = place;
            }
        }
        rest = if name.is_empty() {
            after
        } else {
            behind_tag(behind)
        };
    }
    if copied == 0 && out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The text after the end of a tag, given the text after its name.
fn behind_tag(attributes: &str) -> &str {
    let mut quote = None;
    for (place, c) in attributes.char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '>' => return attributes.get(place..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// Replaces the elements in the sanitiser's output, where each `<` begins a tag.
pub(super) fn turned(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        write(&mut out, tag);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn write(out: &mut String, tag: &str) {
    let (slash, open) = match tag.strip_prefix('/') {
        Some(name) => ("/", name),
        None => ("", tag),
    };
    let end = open.find(' ').unwrap_or(open.len());
    let (name, attributes) = open.split_at(end);
    let found = TURNED.iter().find(|(known, _)| *known == name);
    match found.map(|(_, becomes)| *becomes) {
        Some(Becomes::Element(name)) => out.extend(["<", slash, name, ">"]),
        Some(Becomes::Blank) => out.push(' '),
        Some(Becomes::Rule) => out.push_str("<p></p>"),
        None => out.extend(["<", slash, name, attributes, ">"]),
    }
}

/// Removes empty paragraphs; the words on both sides stay apart.
pub(super) fn without_empty(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<p>") {
        out.push_str(before);
        match after.trim_ascii_start().strip_prefix("</p>") {
            Some(after) => {
                out.push('\n');
                rest = after;
            }
            None => {
                out.push_str("<p>");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
