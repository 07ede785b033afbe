//! SVG is rewritten from what a list allows: shapes, texts, gradients, and their presentation.
//!
//! Nothing of the sent file is copied. An XML parser reads it, each element, attribute and value of the lists is written
//! again, and the rest is left out: scripts, events, links, animations, filters, pictures, pages, comments. Style sheets
//! become attributes, so the result needs no CSS.

use std::io::{Read, Seek, Write};

use super::kind::FileKind;
use super::picture::{Deadline, Timed};
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

mod cost;
mod css;
mod lists;
mod parse;

/// The most bytes of a drawing.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The most elements, and how deep they may stand in each other.
const MAX_ELEMENTS: usize = 50_000;
const MAX_DEPTH: usize = 64;

/// An element that stays.
#[derive(Debug, Default)]
struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Content>,
}

#[derive(Debug)]
enum Content {
    Element(usize),
    Text(String),
}

/// All elements; the first is the root.
#[derive(Debug, Default)]
struct Drawing {
    elements: Vec<Element>,
}

fn damaged() -> RecognitionError {
    UploadRejection::Damaged {
        kind: FileKind::Svg,
    }
    .into()
}

/// Reads a drawing and writes it anew.
///
/// # Errors
/// It is no well-formed SVG in UTF-8, declares entities, or draws too much; the file cannot be read or written.
pub(crate) fn reencode(
    file: &mut (impl Read + Seek),
    out: &mut impl Write,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    file.rewind()?;
    let mut bytes = Vec::new();
    Timed { file, deadline }
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(UploadRejection::Bomb.into());
    }
    let text = String::from_utf8(bytes).map_err(|_| UploadRejection::NotText)?;
    let drawing = parse::drawing(text.trim_start_matches('\u{feff}'), deadline)?;
    cost::check(&drawing)?;
    let mut written = String::new();
    drawing.write(0, &mut written);
    Ok(Timed {
        file: out,
        deadline,
    }
    .write_all(written.as_bytes())?)
}

impl Drawing {
    /// Elements stand at most [`MAX_DEPTH`] deep, so this recursion ends.
    fn write(&self, number: usize, out: &mut String) {
        let Some(element) = self.elements.get(number) else {
            return;
        };
        out.push('<');
        out.push_str(element.name);
        if number == 0 {
            out.push_str(" xmlns=\"http://www.w3.org/2000/svg\"");
        }
        for (name, value) in &element.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&quick_xml::escape::escape(value.as_str()));
            out.push('"');
        }
        if element.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for content in &element.content {
            match content {
                Content::Element(number) => self.write(*number, out),
                Content::Text(text) => out.push_str(&quick_xml::escape::escape(text.as_str())),
            }
        }
        out.push_str("</");
        out.push_str(element.name);
        out.push('>');
    }
}
