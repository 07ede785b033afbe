//! Reads the XML and keeps what the lists allow.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::css::{self, Sheet};
use super::{Content, Drawing, Element, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, damaged, lists};
use crate::uploads::picture::Deadline;
use crate::uploads::recognise::RecognitionError;
use crate::uploads::rejection::UploadRejection;

const SVG: &[u8] = b"http://www.w3.org/2000/svg";

/// The most bytes of all attributes that are kept. A style sheet writes its values into many elements.
const MAX_KEPT: u64 = 4 * MAX_BYTES;

/// The most bytes of a list of classes; a longer one is left out.
const MAX_CLASS: usize = 1_024;

/// # Errors
/// The text is no well-formed XML, has a DTD with declarations, is no SVG, or is too deep or too large.
pub(super) fn drawing(text: &str, deadline: &Deadline) -> Result<Drawing, RecognitionError> {
    let mut parser = Parser::default();
    // Style sheets first: they hold for the elements before them as well.
    parser.read(text, deadline, Pass::Styles)?;
    parser.read(text, deadline, Pass::Elements)?;
    if parser
        .drawing
        .elements
        .first()
        .is_some_and(|root| root.name == "svg")
    {
        Ok(parser.drawing)
    } else {
        Err(damaged())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Elements,
    Styles,
}

#[derive(Default)]
struct Parser {
    drawing: Drawing,
    sheet: Sheet,
    style: String,
    in_style: bool,
    /// The open elements; `None` for one that is left out, with all in it.
    open: Vec<Option<usize>>,
    /// The bytes of all attributes so far.
    kept: u64,
}

impl Parser {
    fn read(
        &mut self,
        text: &str,
        deadline: &Deadline,
        pass: Pass,
    ) -> Result<(), RecognitionError> {
        let mut reader = NsReader::from_str(text);
        self.open.clear();
        let mut has_root = false;
        loop {
            deadline.check()?;
            let (namespace, event) = reader.read_resolved_event().map_err(|_| damaged())?;
            let is_svg = matches!(namespace, ResolveResult::Bound(name) if name.as_ref() == SVG);
            match event {
                Event::Start(tag) => {
                    if self.open.is_empty() && std::mem::replace(&mut has_root, true) {
                        return Err(damaged());
                    }
                    self.start(&tag, is_svg, pass)?;
                }
                Event::Empty(tag) => {
                    if self.open.is_empty() && std::mem::replace(&mut has_root, true) {
                        return Err(damaged());
                    }
                    self.start(&tag, is_svg, pass)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.text(&text.decode().map_err(|_| damaged())?, pass)?,
                Event::CData(text) => self.text(&text.decode().map_err(|_| damaged())?, pass)?,
                Event::GeneralRef(name) => {
                    let name = name.decode().map_err(|_| damaged())?;
                    let text = quick_xml::escape::unescape(&format!("&{name};"))
                        .map_err(|_| damaged())?
                        .into_owned();
                    self.text(&text, pass)?;
                }
                // Programs name the DTD of SVG 1.1. One with declarations of its own could write anything into the drawing.
                Event::DocType(declaration) => {
                    if declaration.contains(&b'[') {
                        return Err(UploadRejection::Active {
                            what: "a document type",
                        }
                        .into());
                    }
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        if self.open.is_empty() && has_root {
            Ok(())
        } else {
            Err(damaged())
        }
    }

    fn start(
        &mut self,
        tag: &BytesStart<'_>,
        is_svg: bool,
        pass: Pass,
    ) -> Result<(), RecognitionError> {
        if self.open.len() >= MAX_DEPTH || self.drawing.elements.len() >= MAX_ELEMENTS {
            return Err(UploadRejection::Bomb.into());
        }
        let local = tag.local_name();
        let local = std::str::from_utf8(local.as_ref()).map_err(|_| damaged())?;
        if pass == Pass::Styles {
            self.in_style = is_svg && local == "style";
            self.open.push(None);
            return Ok(());
        }
        let is_in_kept = self.open.last().is_none_or(Option::is_some);
        let Some(name) = lists::element(local).filter(|_| is_svg && is_in_kept) else {
            self.open.push(None);
            return Ok(());
        };
        let number = self.drawing.elements.len();
        let attributes = self.attributes(tag, name)?;
        for (key, value) in &attributes {
            self.kept += key.len() as u64 + value.len() as u64;
        }
        if self.kept > MAX_KEPT {
            return Err(UploadRejection::Bomb.into());
        }
        self.drawing.elements.push(Element {
            name,
            attributes,
            content: Vec::new(),
        });
        if let Some(parent) = self.open.last().copied().flatten() {
            self.push(parent, Content::Element(number));
        }
        self.open.push(Some(number));
        Ok(())
    }

    fn end(&mut self) {
        self.open.pop();
        if std::mem::take(&mut self.in_style) {
            self.sheet.add(&std::mem::take(&mut self.style));
        }
    }

    fn text(&mut self, text: &str, pass: Pass) -> Result<(), RecognitionError> {
        if self.open.is_empty() {
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err(damaged())
            };
        }
        if pass == Pass::Styles {
            if self.in_style {
                self.style.push_str(text);
            }
            return Ok(());
        }
        if let Some(number) = self.open.last().copied().flatten() {
            let has_text = self
                .drawing
                .elements
                .get(number)
                .is_some_and(|element| lists::has_text(element.name));
            if has_text {
                self.push(number, Content::Text(text.to_owned()));
            }
        }
        Ok(())
    }

    fn push(&mut self, number: usize, content: Content) {
        if let Some(element) = self.drawing.elements.get_mut(number) {
            element.content.push(content);
        }
    }

    /// Attributes, then the rules of style sheets, then the attribute `style`: the later is the stronger.
    fn attributes(
        &self,
        tag: &BytesStart<'_>,
        name: &str,
    ) -> Result<Vec<(&'static str, String)>, RecognitionError> {
        let mut kept: Vec<(&'static str, String)> = Vec::new();
        let (mut class, mut id, mut style) = (String::new(), String::new(), String::new());
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| damaged())?;
            let raw = std::str::from_utf8(&attribute.value).map_err(|_| damaged())?;
            let value = quick_xml::escape::unescape(raw)
                .map_err(|_| damaged())?
                .into_owned();
            let key = std::str::from_utf8(attribute.key.as_ref()).map_err(|_| damaged())?;
            // Older programs write the namespace of links before `href`.
            let key = if key.ends_with(":href") { "href" } else { key };
            match key {
                "class" if value.len() <= MAX_CLASS => class = value,
                "style" => style = value,
                key => {
                    let key = lists::attribute(key);
                    let kept_value = key.and_then(|key| Some((key, lists::value(key, &value)?)));
                    if let Some((key, value)) = kept_value {
                        if key == "id" {
                            id.clone_from(&value);
                        }
                        set(&mut kept, key, value);
                    }
                }
            }
        }
        for (key, value) in self.sheet.of(name, &class, &id) {
            set(&mut kept, key, value.clone());
        }
        for (key, value) in css::declarations_of(&style) {
            set(&mut kept, key, value);
        }
        Ok(kept)
    }
}

fn set(kept: &mut Vec<(&'static str, String)>, key: &'static str, value: String) {
    match kept.iter_mut().find(|(known, _)| *known == key) {
        Some((_, old)) => *old = value,
        None => kept.push((key, value)),
    }
}
