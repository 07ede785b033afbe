//! Every object of a PDF: those that an xref table names and those that it does not, of every revision, and those inside
//! object streams.
//!
//! Readers find objects in two ways: through the xref tables, and, where these are damaged, by searching for `1 0 obj`. An
//! object that either way finds begins with the word `obj`, so every such place is read, wherever it is.

use std::collections::HashSet;

use memchr::memmem;

use super::budget::Budget;
use super::encrypted::Decrypted;
use super::filters::{self, EarlyChange, Filter, MAX_FILTERS, Predictor};
use super::form;
use super::object::{self, Dictionary, Object, Reference, is_white_space};
use super::rules::{self, Role, Roles};
use crate::uploads::nested::{self, Nesting};
use crate::uploads::recognise::RecognitionError;
use crate::uploads::rejection::UploadRejection;

/// The most objects of one number that a value may stand for. Each revision of a document adds one.
const MAX_REVISIONS: usize = 64;

/// The most object streams. Programs put a hundred objects into one.
const MAX_OBJECT_STREAMS: usize = 50_000;

/// The entries that say how a file is encrypted.
const OF_ENCRYPTION: &[&[u8]] = &[b"Encrypt", b"ID"];

/// The entries that say how an object stream is unpacked.
const OF_UNPACKING: &[&[u8]] = &[b"DP", b"DecodeParms", b"Filter", b"First", b"Length", b"N"];

/// Where an object begins: at a place in the file, or in an unpacked object stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    File(usize),
    Stream(usize, usize),
}

/// A stream whose data holds objects.
#[derive(Debug)]
struct ObjectStream {
    place: usize,
    dictionary: Dictionary,
    data: usize,
}

/// An object of the file with its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObjectId {
    pub(super) id: Reference,
    /// Where its numbers begin.
    pub(super) start: usize,
    /// Where it begins.
    pub(super) place: usize,
    /// Where its data begins, if it is a stream.
    pub(super) data: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) budget: Budget,
    /// The places of every numbered object, in the order of the numbers.
    pub(super) places: Vec<(u32, Place)>,
    /// The objects with their ids, in the order of the file.
    pub(super) ids: Vec<ObjectId>,
    /// The dictionaries that may say how the file is encrypted.
    pub(super) trailers: Vec<Dictionary>,
    unpacked: Vec<Vec<u8>>,
    object_streams: Vec<ObjectStream>,
    roles: Roles,
}

impl<'a> Document<'a> {
    /// # Errors
    /// The document contains something that runs, loads or hides, or is too much.
    pub(super) fn examine(bytes: &'a [u8], nesting: &mut Nesting) -> Result<(), RecognitionError> {
        let mut document = Self {
            bytes,
            budget: Budget::of(bytes.len(), &nesting.pdfs),
            places: Vec::new(),
            ids: Vec::new(),
            trailers: Vec::new(),
            unpacked: Vec::new(),
            object_streams: Vec::new(),
            roles: Roles::default(),
        };
        document.run(nesting)?;
        document.budget.settle(&mut nesting.pdfs);
        Ok(())
    }

    fn run(&mut self, nesting: &mut Nesting) -> Result<(), RecognitionError> {
        self.ends()?;
        self.objects()?;
        self.trailers()?;
        self.places.sort_unstable();
        let mut roles = std::mem::take(&mut self.roles);
        let decrypted = Decrypted::open(self, &mut roles)?;
        self.roles = roles;
        self.unpack(decrypted.as_ref())?;
        self.places.sort_unstable();
        self.places.dedup();
        self.look_by_role(decrypted.as_ref(), nesting)
    }

    /// Checks what follows each end mark: the next revision, and no other file, which other programs would find.
    fn ends(&mut self) -> Result<(), UploadRejection> {
        for at in memmem::find_iter(self.bytes, b"%%EOF") {
            let after = self.bytes.get(at + 5..).unwrap_or_default();
            let blank = after
                .iter()
                .take_while(|byte| is_white_space(**byte))
                .count();
            self.budget.steps(blank)?;
            let next = after.get(blank..).unwrap_or_default();
            let goes_on = next
                .first()
                .is_none_or(|byte| byte.is_ascii_digit() || *byte == b'%')
                || [
                    &b"xref"[..],
                    b"startxref",
                    b"trailer",
                    b"endstream",
                    b"endobj",
                ]
                .iter()
                .any(|word| next.starts_with(word));
            // After a line end or a space: the letters may also be a part of packed data.
            if !goes_on && blank > 0 {
                return Err(UploadRejection::TrailingData);
            }
        }
        Ok(())
    }

    /// Reads an object at each word `obj`.
    fn objects(&mut self) -> Result<(), UploadRejection> {
        let bytes = self.bytes;
        for at in memmem::find_iter(bytes, b"obj") {
            let before = bytes.get(..at).unwrap_or_default();
            let after = bytes.get(at + 3..).unwrap_or_default();
            // `endobj`, and `object` in a text.
            if before.last().is_some_and(u8::is_ascii_alphabetic)
                || after.first().is_some_and(u8::is_ascii_alphabetic)
            {
                continue;
            }
            self.budget.object()?;
            let parsed = object::parse(bytes, at + 3, &mut self.budget)?;
            let data = parsed.stream(bytes, &mut self.budget)?;
            let id = id_before(before);
            if let Some((id, start)) = id {
                self.places.push((id.number, Place::File(at + 3)));
                self.ids.push(ObjectId {
                    id,
                    start,
                    place: at + 3,
                    data,
                });
            }
            self.look(&parsed.object, at + 3, data)?;
        }
        Ok(())
    }

    fn look(
        &mut self,
        object: &Object,
        place: usize,
        data: Option<usize>,
    ) -> Result<(), UploadRejection> {
        rules::look(object, Role::Plain, &mut self.roles)?;
        let Object::Dictionary(dictionary) = object else {
            return Ok(());
        };
        if dictionary.has(b"Encrypt") {
            self.keep_trailer(dictionary)?;
        }
        let Some(data) = data else {
            return Ok(());
        };
        rules::stream(dictionary)?;
        // Readers do not ask for the type.
        if dictionary.is(b"Type", b"ObjStm") || (dictionary.has(b"N") && dictionary.has(b"First")) {
            if self.object_streams.len() == MAX_OBJECT_STREAMS {
                return Err(UploadRejection::Bomb);
            }
            rules::object_stream(dictionary)?;
            let dictionary = dictionary.only(OF_UNPACKING);
            self.budget.kept(dictionary.nodes())?;
            self.object_streams.push(ObjectStream {
                place,
                dictionary,
                data,
            });
        }
        Ok(())
    }

    fn trailers(&mut self) -> Result<(), UploadRejection> {
        for at in memmem::find_iter(self.bytes, b"trailer") {
            let parsed = object::parse(self.bytes, at + b"trailer".len(), &mut self.budget)?;
            rules::look(&parsed.object, Role::Plain, &mut self.roles)?;
            if let Object::Dictionary(dictionary) = &parsed.object
                && dictionary.has(b"Encrypt")
            {
                self.keep_trailer(dictionary)?;
            }
        }
        Ok(())
    }

    fn keep_trailer(&mut self, dictionary: &Dictionary) -> Result<(), UploadRejection> {
        let trailer = dictionary.only(OF_ENCRYPTION);
        self.budget.kept(trailer.nodes())?;
        self.trailers.push(trailer);
        Ok(())
    }

    /// Unpacks the object streams and looks at every object in them.
    fn unpack(&mut self, decrypted: Option<&Decrypted>) -> Result<(), UploadRejection> {
        let mut lengths = HashSet::new();
        for stream in std::mem::take(&mut self.object_streams) {
            for length in stream.dictionary.all(b"Length") {
                if let Object::Reference(length) = length {
                    lengths.insert(length.number);
                }
            }
            let contents =
                self.contents(&stream.dictionary, stream.data, stream.place, decrypted)?;
            for unpacked in contents {
                for first in self.numbers(&stream.dictionary, b"First")? {
                    self.members(&unpacked, usize::try_from(first).unwrap_or_default())?;
                }
                self.unpacked.push(unpacked);
            }
        }
        // ISO 32000-2, 7.5.7 forbids it: the length was not known when the stream was unpacked.
        let is_hidden = |(number, place): &(u32, Place)| {
            matches!(place, Place::Stream(..)) && lengths.contains(number)
        };
        if self.places.iter().any(is_hidden) {
            return Err(rules::NOT_EXAMINED);
        }
        Ok(())
    }

    /// Looks at the members of an object stream: at each place that its table names, and one after the other.
    fn members(&mut self, unpacked: &[u8], first: usize) -> Result<(), UploadRejection> {
        let index = self.unpacked.len();
        let mut places = HashSet::new();
        let mut at = 0;
        while let Some((number, offset, end)) = self.pair(unpacked, at)? {
            at = end;
            self.budget.object()?;
            let Some(place) = offset.checked_add(first).filter(|at| *at < unpacked.len()) else {
                continue;
            };
            self.places.push((number, Place::Stream(index, place)));
            if places.insert(place) {
                let parsed = object::parse(unpacked, place, &mut self.budget)?;
                rules::look(&parsed.object, Role::Plain, &mut self.roles)?;
            }
        }
        let mut at = first;
        while at < unpacked.len() {
            self.budget.object()?;
            let parsed = object::parse(unpacked, at, &mut self.budget)?;
            rules::look(&parsed.object, Role::Plain, &mut self.roles)?;
            at = parsed.end.max(at + 1);
        }
        Ok(())
    }

    /// The next two numbers of an object stream's table, and the place after them.
    fn pair(
        &mut self,
        unpacked: &[u8],
        at: usize,
    ) -> Result<Option<(u32, usize, usize)>, UploadRejection> {
        let number = object::parse(unpacked, at, &mut self.budget)?;
        let Object::Number(first) = number.object else {
            return Ok(None);
        };
        let offset = object::parse(unpacked, number.end, &mut self.budget)?;
        let Object::Number(second) = offset.object else {
            return Ok(None);
        };
        let both = u32::try_from(first).ok().zip(usize::try_from(second).ok());
        Ok(both.map(|(number, place)| (number, place, offset.end)))
    }

    /// Looks again at the objects that another one gives a role.
    fn look_by_role(
        &mut self,
        decrypted: Option<&Decrypted>,
        nesting: &mut Nesting,
    ) -> Result<(), RecognitionError> {
        while let Some((number, role)) = self.roles.next() {
            for place in self.places_of(number) {
                let (object, stream) = self.object_at(place)?;
                rules::look(&object, role, &mut self.roles)?;
                let (Object::Dictionary(dictionary), Some(data), Place::File(at)) =
                    (&object, stream, place)
                else {
                    continue;
                };
                if matches!(role, Role::Attached | Role::Form) {
                    for content in self.contents(dictionary, data, at, decrypted)? {
                        inner(&content, role, nesting)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn places_of(&self, number: u32) -> Vec<Place> {
        let start = self.places.partition_point(|(other, _)| *other < number);
        let all = self.places.get(start..).unwrap_or_default();
        let all = all.iter().take_while(|(other, _)| *other == number);
        all.map(|(_, place)| *place).collect()
    }

    /// The object at a place, and where its data begins if it is a stream.
    fn object_at(&mut self, place: Place) -> Result<(Object, Option<usize>), UploadRejection> {
        let (bytes, at) = match place {
            Place::File(at) => (self.bytes, at),
            Place::Stream(index, at) => {
                let unpacked = self.unpacked.get(index).map(Vec::as_slice);
                (unpacked.unwrap_or_default(), at)
            }
        };
        let parsed = object::parse(bytes, at, &mut self.budget)?;
        let stream = match place {
            Place::File(_) => parsed.stream(bytes, &mut self.budget)?,
            Place::Stream(..) => None,
        };
        Ok((parsed.object, stream))
    }

    /// The values of an entry: itself, or every object that its reference may mean.
    fn values(
        &mut self,
        dictionary: &Dictionary,
        key: &[u8],
    ) -> Result<Vec<Object>, UploadRejection> {
        let mut values = Vec::new();
        for value in dictionary.all(key) {
            let Object::Reference(reference) = value else {
                values.push(value.clone());
                continue;
            };
            let places = self.places_of(reference.number);
            if places.len() > MAX_REVISIONS {
                return Err(UploadRejection::Bomb);
            }
            for place in places {
                values.push(self.object_at(place)?.0);
            }
        }
        Ok(values)
    }

    fn numbers(
        &mut self,
        dictionary: &Dictionary,
        key: &[u8],
    ) -> Result<Vec<i64>, UploadRejection> {
        let mut numbers: Vec<_> = self
            .values(dictionary, key)?
            .iter()
            .filter_map(Object::number)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// The unpacked data of the stream whose object is at `place`. A reader that does not find the dictionary of encryption
    /// takes the data as it is.
    fn contents(
        &mut self,
        dictionary: &Dictionary,
        data: usize,
        place: usize,
        decrypted: Option<&Decrypted>,
    ) -> Result<Vec<Vec<u8>>, UploadRejection> {
        let filters = self.filters(dictionary)?;
        let plain = self.extent(dictionary, data)?;
        let mut contents = Vec::new();
        if let Some(decrypted) = decrypted {
            let data = decrypted.stream(place).ok_or(UploadRejection::Encrypted)?;
            contents.push(self.decode(&data, &filters)?);
        }
        contents.push(self.decode(plain, &filters)?);
        Ok(contents)
    }

    /// Unpacks data, and counts what every filter read and wrote.
    fn decode(&mut self, data: &[u8], filters: &[Filter]) -> Result<Vec<u8>, UploadRejection> {
        self.budget.steps(data.len())?;
        let decoded = filters::decode(data, filters, self.budget.room())?;
        self.budget.unpacked(decoded.written)?;
        Ok(decoded.bytes)
    }

    /// The data of a stream as far as any reader reads it: to the length that is given, or to the end mark. Each filter
    /// knows its own end.
    fn extent(
        &mut self,
        dictionary: &Dictionary,
        data: usize,
    ) -> Result<&'a [u8], UploadRejection> {
        let rest = self.bytes.get(data..).unwrap_or_default();
        let end = self.end_mark(data)?.unwrap_or(rest.len());
        let lengths = self.numbers(dictionary, b"Length")?;
        let given = lengths
            .into_iter()
            .filter_map(|length| usize::try_from(length).ok());
        let longest = given.filter(|length| *length <= rest.len()).max();
        Ok(rest.get(..end.max(longest.unwrap_or(0))).unwrap_or(rest))
    }

    /// The distance to the mark that ends a stream.
    pub(super) fn end_mark(&mut self, data: usize) -> Result<Option<usize>, UploadRejection> {
        let rest = self.bytes.get(data..).unwrap_or_default();
        let end = memmem::find(rest, b"endstream");
        self.budget.steps(end.unwrap_or(rest.len()) / 8)?;
        Ok(end)
    }

    /// The filters of a stream. Two that differ, as in two revisions, cannot both be applied.
    fn filters(&mut self, dictionary: &Dictionary) -> Result<Vec<Filter>, UploadRejection> {
        let hidden = || rules::NOT_EXAMINED;
        let mut named = self.list(dictionary, b"Filter")?;
        named.dedup();
        let mut parameters = self.list(dictionary, b"DecodeParms")?;
        parameters.extend(self.list(dictionary, b"DP")?);
        parameters.dedup();
        if named.len() > 1 || parameters.len() > 1 {
            return Err(hidden());
        }
        let named = named.pop().unwrap_or_default();
        if named.len() > MAX_FILTERS {
            return Err(UploadRejection::Bomb);
        }
        let parameters = parameters.pop().unwrap_or_default();
        let mut filters = Vec::new();
        for (index, name) in named.iter().enumerate() {
            let parameters = match parameters.get(index) {
                Some(Object::Dictionary(parameters)) => parameters.clone(),
                Some(_) | None => Dictionary::default(),
            };
            let Object::Name(name) = name else {
                return Err(hidden());
            };
            filters.push(self.filter(name, &parameters)?);
        }
        Ok(filters)
    }

    /// Each value of an entry as a list, with the references in it resolved.
    fn list(
        &mut self,
        dictionary: &Dictionary,
        key: &'static [u8],
    ) -> Result<Vec<Vec<Object>>, UploadRejection> {
        let mut lists = Vec::new();
        for value in self.values(dictionary, key)? {
            match value {
                Object::Array(items) => {
                    let mut list = Vec::new();
                    for item in items {
                        let entries = vec![(key.to_vec(), item)];
                        let mut values = self.values(&Dictionary { entries }, key)?;
                        values.dedup();
                        list.extend(values);
                    }
                    lists.push(list);
                }
                Object::Other => lists.push(Vec::new()),
                Object::Dictionary(_)
                | Object::Name(_)
                | Object::Number(_)
                | Object::Reference(_)
                | Object::Text(_) => lists.push(vec![value]),
            }
        }
        Ok(lists)
    }

    fn filter(&mut self, name: &[u8], parameters: &Dictionary) -> Result<Filter, UploadRejection> {
        let mut number = |key: &[u8], usual: i64| {
            let numbers = self.numbers(parameters, key)?;
            Ok::<_, UploadRejection>(numbers.first().copied().unwrap_or(usual))
        };
        let predictor = Predictor {
            kind: number(b"Predictor", 1)?,
            colors: number(b"Colors", 1)?,
            bits: number(b"BitsPerComponent", 8)?,
            columns: number(b"Columns", 1)?,
        };
        let change = match number(b"EarlyChange", 1)? {
            0 => EarlyChange::No,
            _ => EarlyChange::Yes,
        };
        Ok(match name {
            b"ASCII85Decode" | b"A85" => Filter::Ascii85,
            b"ASCIIHexDecode" | b"AHx" => Filter::AsciiHex,
            b"FlateDecode" | b"Fl" => Filter::Flate(predictor),
            b"LZWDecode" | b"LZW" => Filter::Lzw(predictor, change),
            b"RunLengthDecode" | b"RL" => Filter::RunLength,
            b"Crypt" => Filter::Crypt,
            b"CCITTFaxDecode" | b"CCF" | b"DCTDecode" | b"DCT" | b"JBIG2Decode" | b"JPXDecode" => {
                Filter::Picture
            }
            _ => Filter::Unknown,
        })
    }
}

/// A file or a form inside the document.
fn inner(content: &[u8], role: Role, nesting: &mut Nesting) -> Result<(), RecognitionError> {
    match role {
        Role::Attached => nested::look(content, nesting),
        Role::Form => Ok(form::look(content)?),
        Role::Address | Role::Automatic | Role::File | Role::Plain | Role::Triggers => Ok(()),
    }
}

/// The numbers before the word `obj`, and where the first begins.
fn id_before(before: &[u8]) -> Option<(Reference, usize)> {
    let (generation, start) = number_before(before)?;
    let (number, start) = number_before(before.get(..start)?)?;
    let reference = Reference {
        number: u32::try_from(number).ok()?,
        generation: i32::try_from(generation).ok()?,
    };
    Some((reference, start))
}

/// The number that ends the bytes, with white space and one comment after it.
fn number_before(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut end = bytes.len();
    for _ in 0..2 {
        end = bytes
            .get(..end)?
            .iter()
            .rposition(|byte| !is_white_space(*byte))?
            + 1;
        if bytes.get(end - 1)?.is_ascii_digit() {
            break;
        }
        let line = bytes.get(end.saturating_sub(LONGEST_COMMENT)..end)?;
        let comment = line.iter().rposition(|byte| *byte == b'%')?;
        end -= line.len() - comment;
    }
    let digits = bytes.get(..end)?;
    let start = digits
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let digits = digits.get(start..).filter(|digits| digits.len() <= 10)?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, start))
}

/// The longest comment between the numbers of an object and its word.
const LONGEST_COMMENT: usize = 256;
