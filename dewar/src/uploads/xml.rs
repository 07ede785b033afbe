//! Reads XML inside other files, event by event, in bounded memory: the parts of office documents and the forms of PDF.
//!
//! Names come without their prefix. A file may choose its prefixes, and a rule that depends on a namespace would miss a
//! misspelled one that some program forgives. The fields of Word are the exception: Word forgets elements of a namespace that it
//! does not know, and these may not stand between the pieces of a field.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, BufRead, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Prefix, QName};
use quick_xml::reader::Reader;

use super::kind::FileKind;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

/// The most bytes of one tag, text or comment. Dewar holds one at a time.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// The most bytes of a part in UTF-16, which is held as a whole. Word writes UTF-8 alone; `customXml` may be anything.
const MAX_UTF_16: u64 = 16 * 1024 * 1024;

const MAX_DEPTH: usize = 1_024;

/// The most attributes of one element. Office programs write at most some dozens.
const MAX_ATTRIBUTES: usize = 1_024;

/// A piece of XML.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Start(&'a Element),
    Text(&'a str),
    End(&'a str),
}

/// The namespaces that the rules tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Space {
    Word,
    /// Formulas in a text of Word.
    Math,
    #[default]
    Other,
}

impl Space {
    fn of(address: &str) -> Self {
        match address {
            "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
            | "http://purl.oclc.org/ooxml/wordprocessingml/main" => Self::Word,
            "http://schemas.openxmlformats.org/officeDocument/2006/math"
            | "http://purl.oclc.org/ooxml/officeDocument/math" => Self::Math,
            _ => Self::Other,
        }
    }
}

/// The most prefixes at one place of a part. Office programs write some dozens.
const MAX_PREFIXES: usize = 512;

/// The meaning of the prefixes at a place of a part.
#[derive(Debug, Default)]
struct Scopes {
    depth: usize,
    /// The depth of the declaration, the prefix and its namespace, innermost last.
    prefixes: Vec<(usize, Vec<u8>, Space)>,
}

impl Scopes {
    fn enter(&mut self) -> Result<(), UploadRejection> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(UploadRejection::Bomb);
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        let depth = self.depth;
        while self.prefixes.pop_if(|(at, ..)| *at > depth).is_some() {}
    }

    /// Takes the attribute, if it declares a prefix.
    fn declare(&mut self, key: &[u8], value: &str) -> Option<()> {
        let prefix = match key.strip_prefix(b"xmlns") {
            Some([]) => Vec::new(),
            Some([b':', prefix @ ..]) => prefix.to_vec(),
            _ => return Some(()),
        };
        let declared = (self.depth, prefix, Space::of(value));
        self.prefixes.push(declared);
        (self.prefixes.len() <= MAX_PREFIXES).then_some(())
    }

    fn space(&self, prefix: &[u8]) -> Space {
        let mut inner = self.prefixes.iter().rev();
        inner
            .find(|(_, name, _)| name == prefix)
            .map(|(_, _, space)| *space)
            .unwrap_or_default()
    }
}

/// A start tag.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) space: Space,
    /// Whether an attribute has the name of one of Word's fields, and not its namespace.
    pub(super) has_false_field: bool,
    pub(super) attributes: Vec<(String, String)>,
}

impl Element {
    /// The values of an attribute, with any prefix.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let attributes = self.attributes.iter();
        attributes
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Whether a switch is on.
    pub(super) fn is_on<'a>(&'a self, name: &'a str) -> bool {
        self.all(name)
            .any(|value| matches!(value.trim(), "1" | "true" | "on"))
    }
}

/// Whether the tags of a part are in order. Old drawings of Office are not, and neither is a part of a form alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tags {
    InOrder,
    Loose,
}

/// Whether the bytes begin as XML, in any encoding that programs read.
pub(super) fn is_xml(head: &[u8]) -> bool {
    let encoding = Encoding::of(head);
    match encoding {
        Encoding::Utf8 => {
            let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
            head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
        }
        Encoding::Utf16Be | Encoding::Utf16Le => {
            let head = head.get(..head.len() - head.len() % 2).unwrap_or(head);
            let mut units = units(head, encoding)
                .skip_while(|unit| [0xfeff, 0x20, 0x09, 0x0a, 0x0d].contains(unit));
            units.next() == Some(u16::from(b'<'))
        }
        Encoding::Other => true,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Be,
    Utf16Le,
    /// UTF-32 or EBCDIC.
    Other,
}

impl Encoding {
    /// From the first bytes (XML 1.0, appendix F).
    fn of(head: &[u8]) -> Self {
        match head {
            [0, 0, 0xfe, 0xff, ..]
            | [0xff, 0xfe, 0, 0, ..]
            | [0, 0, 0, b'<', ..]
            | [b'<', 0, 0, 0, ..]
            | [0x4c, 0x6f, 0xa7, 0x94, ..] => Self::Other,
            [0xfe, 0xff, ..] | [0, b'<', ..] => Self::Utf16Be,
            [0xff, 0xfe, ..] | [b'<', 0, ..] => Self::Utf16Le,
            _ => Self::Utf8,
        }
    }
}

/// Reads the part and passes each piece to `each`.
///
/// # Errors
/// The part is no XML that every program reads alike, has a DTD, is too much, or `each` refuses it.
pub(super) fn read(
    part: &mut impl Read,
    kind: FileKind,
    tags: Tags,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), UploadRejection>,
) -> Result<(), RecognitionError> {
    let mut head = Vec::new();
    part.take(4).read_to_end(&mut head)?;
    let encoding = Encoding::of(&head);
    let part = io::Cursor::new(head).chain(part);
    if encoding == Encoding::Utf8 {
        let bounded = Bounded {
            inner: io::BufReader::with_capacity(64 * 1024, part),
            left: MAX_EVENT,
        };
        return events(Reader::from_reader(bounded), encoding, kind, tags, each);
    }
    let mut bytes = Vec::new();
    part.take(MAX_UTF_16 + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_UTF_16 {
        return Err(UploadRejection::Bomb.into());
    }
    let text = from_utf_16(&bytes, encoding).ok_or(UploadRejection::Damaged { kind })?;
    let bounded = Bounded {
        inner: io::Cursor::new(text.into_bytes()),
        left: usize::MAX,
    };
    events(Reader::from_reader(bounded), encoding, kind, tags, each)
}

fn units(bytes: &[u8], encoding: Encoding) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).filter_map(move |pair| match pair {
        [a, b] if encoding == Encoding::Utf16Be => Some(u16::from_be_bytes([*a, *b])),
        [a, b] => Some(u16::from_le_bytes([*a, *b])),
        _ => None,
    })
}

fn from_utf_16(bytes: &[u8], encoding: Encoding) -> Option<String> {
    if bytes.len() % 2 == 1 || encoding == Encoding::Other {
        return None;
    }
    let text: Result<String, _> = char::decode_utf16(units(bytes, encoding)).collect();
    let text = text.ok()?;
    Some(
        text.strip_prefix('\u{feff}')
            .map(str::to_owned)
            .unwrap_or(text),
    )
}

fn events<R: BufRead>(
    mut reader: Reader<Bounded<R>>,
    encoding: Encoding,
    kind: FileKind,
    tags: Tags,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), UploadRejection>,
) -> Result<(), RecognitionError> {
    let damaged = || UploadRejection::Damaged { kind };
    let loose = tags == Tags::Loose;
    reader.config_mut().check_end_names = !loose;
    reader.config_mut().allow_unmatched_ends = loose;
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut scopes = Scopes::default();
    loop {
        buffer.clear();
        reader.get_mut().refill();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => return Err(failed(&error)),
            Err(_) => return Err(damaged().into()),
        };
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                scopes.enter()?;
                let element = element(&tag, &mut scopes).ok_or_else(damaged)?;
                each(Piece::Start(&element))?;
            }
            Event::End(tag) => {
                scopes.leave();
                let name = tag.local_name();
                each(Piece::End(text(name.as_ref()).ok_or_else(damaged)?))?;
            }
            Event::Text(found) => each(Piece::Text(text(&found).ok_or_else(damaged)?))?,
            Event::CData(found) => each(Piece::Text(text(&found).ok_or_else(damaged)?))?,
            Event::GeneralRef(found) => {
                let mut letter = [0; 4];
                let value = entity(&found).ok_or_else(damaged)?;
                each(Piece::Text(value.encode_utf8(&mut letter)))?;
            }
            Event::Decl(declaration) => {
                let declared = declaration.encoding().transpose().map_err(|_| damaged())?;
                if !declared.is_none_or(|declared| is_declared(&declared, encoding)) {
                    return Err(damaged().into());
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            // Declarations are attacks (CWE-611, CWE-776), and no office program writes them.
            Event::DocType(found) if declares_nothing(&found, tags) => {}
            Event::DocType(_) => return Err(UploadRejection::External.into()),
            Event::Eof if scopes.depth > 0 && !loose => return Err(damaged().into()),
            Event::Eof => return Ok(()),
        }
    }
}

/// Whether a document type is a name alone, as in the manifests of old programs: nothing is declared, and nothing is loaded
/// from elsewhere. Drawings of the web name their definition there.
fn declares_nothing(found: &[u8], tags: Tags) -> bool {
    let mut quoted = found.rsplit(|byte| matches!(byte, b'"' | b'\''));
    let file = quoted.nth(1).unwrap_or_default();
    let is_beside = !file.iter().any(|byte| b":/\\%".contains(byte));
    !found.contains(&b'[') && (is_beside || tags == Tags::Loose)
}

fn failed(error: &io::Error) -> RecognitionError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return UploadRejection::Bomb.into();
    }
    RecognitionError::Io(io::Error::new(error.kind(), error.to_string()))
}

/// Text that is UTF-8 and has no character that XML forbids. One reader ends a text at a NUL, another does not.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

fn entity(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return (character != '\0').then_some(character);
    }
    Some(match reference.decode().ok()?.as_ref() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn element(tag: &BytesStart<'_>, scopes: &mut Scopes) -> Option<Element> {
    let name = text(tag.local_name().into_inner())?.to_owned();
    let mut attributes = Vec::new();
    let mut keys = HashSet::new();
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.ok()?;
        // Two attributes of one name: programs differ in which one they take.
        if !keys.insert(attribute.key.into_inner()) || keys.len() > MAX_ATTRIBUTES {
            return None;
        }
        let key = text(attribute.key.local_name().into_inner())?.to_owned();
        let value: Cow<'_, str> = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        if value.contains('\0') {
            return None;
        }
        scopes.declare(attribute.key.into_inner(), &value)?;
        attributes.push((key, value.into_owned()));
    }
    // An attribute without a prefix has no namespace.
    let is_false_field = |key: &&[u8]| {
        let key = QName(key);
        matches!(key.local_name().into_inner(), b"fldCharType" | b"instr")
            && key
                .prefix()
                .is_none_or(|prefix| scopes.space(prefix.into_inner()) != Space::Word)
    };
    let prefix = tag.name().prefix();
    Some(Element {
        name,
        space: scopes.space(prefix.map(Prefix::into_inner).unwrap_or_default()),
        has_false_field: keys.iter().any(is_false_field),
        attributes,
    })
}

/// Whether the declared encoding reads the bytes as Dewar does. UTF-7 would not.
fn is_declared(declared: &[u8], encoding: Encoding) -> bool {
    let declared = String::from_utf8_lossy(declared).to_ascii_lowercase();
    match encoding {
        // A declared UTF-16 is wrong in these bytes, and readers believe the bytes.
        Encoding::Utf8 => ["utf-8", "utf8", "us-ascii", "ascii", "utf-16"].contains(&&*declared),
        Encoding::Utf16Be | Encoding::Utf16Le => {
            declared.starts_with("utf-16") || declared == "unicode"
        }
        Encoding::Other => false,
    }
}

/// A reader that fails when one event is too long.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R> Bounded<R> {
    fn refill(&mut self) {
        self.left = self.left.max(MAX_EVENT);
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}
