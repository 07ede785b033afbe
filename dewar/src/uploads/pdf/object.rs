//! The objects of a PDF, as a small tree. The library reads the tokens; the structure is read here, so that no key of a
//! dictionary is lost if it stands there twice, and every byte costs a step.

use hayro_syntax::object::{
    Dict, MaybeRef, Name, Number, Object as LibraryObject, String as LibraryString,
};
use hayro_syntax::reader::{Reader, ReaderExt as _};

use super::budget::Budget;
use crate::uploads::rejection::UploadRejection;

/// The deepest nesting of an object. Documents have twenty levels at most; pdf.js gives up at 500.
const MAX_DEPTH: usize = 128;

/// The most bytes of a string that the rules look at: names of files and addresses are shorter.
const MAX_STRING: usize = 4 * 1024;

/// The most values and keys of one object. A table of a large document has a hundred thousand.
const MAX_NODES: usize = 1_000_000;

/// An object, as far as the rules ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Array(Vec<Self>),
    Dictionary(Dictionary),
    Name(Vec<u8>),
    Number(i64),
    /// A boolean, null, or a word that is no PDF.
    Other,
    Reference(Reference),
    Text(Vec<u8>),
}

impl Object {
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Array(_)
            | Self::Dictionary(_)
            | Self::Name(_)
            | Self::Other
            | Self::Reference(_)
            | Self::Text(_) => None,
        }
    }

    /// The values inside it, and itself.
    pub(super) fn nodes(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::nodes).sum::<usize>(),
            Self::Dictionary(dictionary) => 1 + dictionary.nodes(),
            Self::Name(_) | Self::Number(_) | Self::Other | Self::Reference(_) | Self::Text(_) => 1,
        }
    }

    /// Whether it is a reference, or holds one.
    pub(super) fn refers(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::refers),
            Self::Dictionary(dictionary) => {
                dictionary.entries.iter().any(|(_, value)| value.refers())
            }
            Self::Reference(_) => true,
            Self::Name(_) | Self::Number(_) | Self::Other | Self::Text(_) => false,
        }
    }

    fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Array(_)
            | Self::Dictionary(_)
            | Self::Name(_)
            | Self::Number(_)
            | Self::Other
            | Self::Reference(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) number: u32,
    pub(super) generation: i32,
}

/// Every entry in the order of the file, also if a key stands there twice: readers differ in which one they take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dictionary {
    pub(super) entries: Vec<(Vec<u8>, Object)>,
}

impl Dictionary {
    pub(super) fn all<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a Object> {
        let entries = self.entries.iter();
        entries
            .filter(move |(other, _)| other == key)
            .map(|(_, value)| value)
    }

    /// The values of all entries.
    pub(super) fn nodes(&self) -> usize {
        self.entries.iter().map(|(_, value)| value.nodes()).sum()
    }

    /// A copy with these keys only.
    pub(super) fn only(&self, keys: &[&[u8]]) -> Self {
        let entries = self.entries.iter();
        let entries = entries.filter(|(key, _)| keys.contains(&key.as_slice()));
        Self {
            entries: entries.cloned().collect(),
        }
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.all(key).any(|value| *value != Object::Other)
    }

    /// Whether the name is a value of the key.
    pub(super) fn is(&self, key: &[u8], name: &[u8]) -> bool {
        self.all(key)
            .any(|value| matches!(value, Object::Name(found) if found == name))
    }

    pub(super) fn texts<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.all(key).filter_map(Object::text)
    }
}

/// The find of the parser at a place: the object, and the place after it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) object: Object,
    pub(super) end: usize,
}

impl Parsed {
    /// The first byte of the stream's data, if the object is the dictionary of a stream.
    ///
    /// # Errors
    /// The budget is used up: what is skipped on the way costs steps too.
    pub(super) fn stream(
        &self,
        bytes: &[u8],
        budget: &mut Budget,
    ) -> Result<Option<usize>, UploadRejection> {
        if !matches!(self.object, Object::Dictionary(_)) {
            return Ok(None);
        }
        let mut reader = Reader::new(bytes);
        reader.jump(self.end);
        reader.skip_white_spaces_and_comments();
        budget.steps(reader.offset().saturating_sub(self.end))?;
        if reader.forward_tag(b"stream").is_none() {
            return Ok(None);
        }
        let start = reader.offset();
        // ISO 32000-2, 7.3.8.1: CRLF or LF. Files with CR alone or spaces before it exist.
        while let Some(b' ' | b'\t') = reader.peek_byte() {
            reader.forward();
        }
        let _ = reader.forward_tag(b"\r");
        let _ = reader.forward_tag(b"\n");
        budget.steps(reader.offset().saturating_sub(start))?;
        Ok(Some(reader.offset()))
    }
}

/// The object at this place. A container without an end closes at the end of the bytes, as in forgiving readers.
///
/// # Errors
/// It is nested too deeply, or the budget is used up.
pub(super) fn parse(
    bytes: &[u8],
    at: usize,
    budget: &mut Budget,
) -> Result<Parsed, UploadRejection> {
    let mut reader = Reader::new(bytes);
    reader.jump(at.min(bytes.len()));
    let mut parser = Parser {
        reader,
        open: Vec::new(),
        farthest: 0,
        nodes: 0,
    };
    let object = parser.run(budget)?;
    Ok(Parsed {
        object,
        end: parser.reader.offset(),
    })
}

/// A container that is being read, and for a dictionary the key whose value comes next.
enum Open {
    Array(Vec<Object>),
    Dictionary(Dictionary, Option<Vec<u8>>),
}

struct Parser<'a> {
    reader: Reader<'a>,
    open: Vec<Open>,
    /// The last place that was looked at, where a number might have begun a reference.
    farthest: usize,
    /// The values and keys that were kept.
    nodes: usize,
}

enum Token {
    Begin(Open),
    End,
    Value(Object),
    EndOfBytes,
}

impl Parser<'_> {
    fn run(&mut self, budget: &mut Budget) -> Result<Object, UploadRejection> {
        loop {
            let start = self.reader.offset();
            self.farthest = start;
            let token = self.token();
            let farthest = self.farthest.max(self.reader.offset());
            budget.steps(farthest.saturating_sub(start) + 1)?;
            let done = match token {
                Token::Begin(open) => {
                    self.open.push(open);
                    if self.open.len() > MAX_DEPTH {
                        return Err(UploadRejection::Bomb);
                    }
                    None
                }
                Token::Value(value) => self.put(value),
                Token::End => self.close(),
                Token::EndOfBytes => loop {
                    match self.close() {
                        Some(object) => break Some(object),
                        None if self.open.is_empty() => break Some(Object::Other),
                        None => {}
                    }
                },
            };
            if self.nodes > MAX_NODES {
                return Err(UploadRejection::Bomb);
            }
            if let Some(object) = done {
                return Ok(object);
            }
        }
    }

    /// Ends the innermost container. The object, if it was the outermost one.
    fn close(&mut self) -> Option<Object> {
        match self.open.pop() {
            // An end without a beginning.
            None => Some(Object::Other),
            Some(Open::Array(items)) => self.put(Object::Array(items)),
            Some(Open::Dictionary(mut dictionary, key)) => {
                if let Some(key) = key {
                    dictionary.entries.push((key, Object::Other));
                }
                self.put(Object::Dictionary(dictionary))
            }
        }
    }

    /// Adds a value to the innermost container, or returns it if there is none.
    fn put(&mut self, value: Object) -> Option<Object> {
        match self.open.last_mut() {
            None => return Some(value),
            // The rules never ask for a number in a list, and pages have millions.
            Some(Open::Array(_)) if matches!(value, Object::Number(_) | Object::Other) => {}
            Some(Open::Array(items)) => {
                items.push(value);
                self.nodes += 1;
            }
            Some(Open::Dictionary(dictionary, key)) => match (key.take(), value) {
                (Some(key), value) => {
                    dictionary.entries.push((key, value));
                    self.nodes += 1;
                }
                (None, Object::Name(name)) => {
                    *key = Some(name);
                    self.nodes += 1;
                }
                // Readers skip what is no key.
                (
                    None,
                    Object::Array(_)
                    | Object::Dictionary(_)
                    | Object::Number(_)
                    | Object::Other
                    | Object::Reference(_)
                    | Object::Text(_),
                ) => {}
            },
        }
        None
    }

    fn token(&mut self) -> Token {
        let reader = &mut self.reader;
        reader.skip_white_spaces_and_comments();
        let Some(first) = reader.peek_byte() else {
            return Token::EndOfBytes;
        };
        match first {
            b'/' => {
                let name = reader.read_without_context::<Name<'_>>();
                Token::Value(Object::Name(
                    name.map(|name| name.to_vec()).unwrap_or_default(),
                ))
            }
            b'<' if reader.forward_tag(b"<<").is_some() => {
                Token::Begin(Open::Dictionary(Dictionary::default(), None))
            }
            b'>' if reader.forward_tag(b">>").is_some() => Token::End,
            b'(' | b'<' => Token::Value(text(reader)),
            b'[' => {
                reader.forward();
                Token::Begin(Open::Array(Vec::new()))
            }
            b']' => {
                reader.forward();
                // An end of the wrong kind ends nothing.
                match self.open.last() {
                    Some(Open::Dictionary(..)) => Token::Value(Object::Other),
                    Some(Open::Array(_)) | None => Token::End,
                }
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => {
                let (number, farthest) = number(reader);
                self.farthest = farthest;
                Token::Value(number)
            }
            _ => {
                word(reader);
                Token::Value(Object::Other)
            }
        }
    }
}

fn text(reader: &mut Reader<'_>) -> Object {
    let is_hex = reader.peek_byte() == Some(b'<');
    if let Some(text) = reader.read_without_context::<LibraryString<'_>>() {
        let bytes = text.as_bytes();
        return Object::Text(bytes.get(..MAX_STRING).unwrap_or(bytes).to_vec());
    }
    // A text without an end, or with something that is no digit.
    if is_hex {
        reader.forward_while(|byte| byte != b'>');
        reader.forward();
    } else {
        reader.jump_to_end();
    }
    Object::Other
}

/// A number, or a reference, and the last place that was looked at. Readers take a comment for white space.
fn number(reader: &mut Reader<'_>) -> (Object, usize) {
    let start = reader.offset();
    if let Some(number) = reader.read_without_context::<u32>() {
        let end = reader.offset();
        reader.skip_white_spaces_and_comments();
        if let Some(generation) = reader.read_without_context::<i32>() {
            reader.skip_white_spaces_and_comments();
            if reader.forward_tag(b"R").is_some() && !reader.peek_byte().is_some_and(is_regular) {
                let reference = Reference { number, generation };
                return (Object::Reference(reference), reader.offset());
            }
        }
        let farthest = reader.offset();
        reader.jump(end);
        return (Object::Number(i64::from(number)), farthest);
    }
    reader.jump(start);
    if let Some(number) = reader.read_without_context::<Number>() {
        return (Object::Number(number.as_i64()), reader.offset());
    }
    reader.jump(start);
    word(reader);
    (Object::Other, reader.offset())
}

/// Skips a word, or one byte that begins nothing.
fn word(reader: &mut Reader<'_>) {
    let start = reader.offset();
    reader.forward_while(is_regular);
    if reader.offset() == start {
        reader.forward();
    }
}

pub(super) fn is_white_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

pub(super) fn is_regular(byte: u8) -> bool {
    !is_white_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

/// An object that the library read, with its texts decrypted.
///
/// # Errors
/// It is nested too deeply, or the budget is used up.
pub(super) fn of_library(
    object: &LibraryObject<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Object, UploadRejection> {
    if depth > MAX_DEPTH {
        return Err(UploadRejection::Bomb);
    }
    budget.steps(1)?;
    Ok(match object {
        LibraryObject::Null(_) | LibraryObject::Boolean(_) => Object::Other,
        LibraryObject::Number(number) => Object::Number(number.as_i64()),
        LibraryObject::Name(name) => Object::Name(name.to_vec()),
        LibraryObject::String(text) => {
            let bytes = text.as_bytes();
            Object::Text(bytes.get(..MAX_STRING).unwrap_or(bytes).to_vec())
        }
        LibraryObject::Array(array) => {
            budget.steps(array.data().len())?;
            let mut items = Vec::new();
            for item in array.raw_iter() {
                items.push(value_of_library(item, depth, budget)?);
            }
            Object::Array(items)
        }
        LibraryObject::Dict(dictionary) => of_dictionary(dictionary, depth, budget)?,
        LibraryObject::Stream(stream) => of_dictionary(stream.dict(), depth, budget)?,
    })
}

fn of_dictionary(
    dictionary: &Dict<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Object, UploadRejection> {
    budget.steps(dictionary.data().len())?;
    let mut entries = Vec::new();
    for (key, value) in dictionary.entries() {
        entries.push((key.to_vec(), value_of_library(value, depth, budget)?));
    }
    Ok(Object::Dictionary(Dictionary { entries }))
}

fn value_of_library(
    value: MaybeRef<LibraryObject<'_>>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Object, UploadRejection> {
    match value {
        MaybeRef::Ref(reference) => Ok(Object::Reference(Reference {
            number: reference.obj_number,
            generation: reference.gen_number,
        })),
        MaybeRef::NotRef(object) => of_library(&object, depth + 1, budget),
    }
}
