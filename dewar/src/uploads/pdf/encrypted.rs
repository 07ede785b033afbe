//! A PDF that is encrypted and opens without a password, as those that forbid printing: the library decrypts its texts and
//! streams.
//!
//! The library reads an object through an xref table, which may leave objects out. So it gets a table of Dewar's own behind the
//! file, with every object that Dewar found; if a number has several objects, each revision gets a table.

use std::collections::HashMap;
use std::fmt::Write as _;

use hayro_syntax::Pdf;
use hayro_syntax::object::{
    FromBytes as _, Object as LibraryObject, ObjectIdentifier, Stream as LibraryStream,
};

use super::document::{Document, ObjectId};
use super::object::{self, Dictionary, Object, Reference};
use super::rules::{self, Role, Roles};
use crate::uploads::rejection::UploadRejection;

/// The most revisions of one object. Encrypted files have one or two.
const MAX_REVISIONS: usize = 8;

/// The numbers of the objects that Dewar adds: a document with one empty page.
const CATALOG: u32 = 0x7fff_fff0;

/// The decrypted objects of a file.
pub(super) struct Decrypted {
    /// Which revision and which id the object at a place has.
    ids: HashMap<usize, (usize, ObjectIdentifier)>,
    revisions: Vec<Pdf>,
}

impl Decrypted {
    /// The document's decrypted objects, if it is encrypted, after a look at each.
    ///
    /// # Errors
    /// It needs a password, or is damaged too, or an object contains something that runs or loads.
    pub(super) fn open(
        document: &mut Document<'_>,
        roles: &mut Roles,
    ) -> Result<Option<Self>, UploadRejection> {
        let Some(encryption) = only(&document.trailers, b"Encrypt")? else {
            return Ok(None);
        };
        let id = only(&document.trailers, b"ID")?;
        let mut tables: Vec<Vec<ObjectId>> = Vec::new();
        let mut counts: HashMap<Reference, usize> = HashMap::new();
        let mut ids = HashMap::new();
        for object in std::mem::take(&mut document.ids) {
            check(document, &object)?;
            let revision = counts.entry(object.id).or_default();
            if *revision == tables.len() {
                tables.push(Vec::new());
            }
            if tables.len() > MAX_REVISIONS {
                return Err(UploadRejection::Encrypted);
            }
            ids.insert(object.place, (*revision, identifier(object.id)));
            if let Some(table) = tables.get_mut(*revision) {
                table.push(object);
            }
            *revision += 1;
        }
        let mut revisions = Vec::new();
        // An object without a second revision keeps its first: a stream may have its length there.
        let mut latest: HashMap<Reference, ObjectId> = HashMap::new();
        for table in tables {
            latest.extend(table.iter().map(|object| (object.id, *object)));
            let bytes = with_table(document.bytes, &latest, &encryption, id.as_ref());
            let pdf = Pdf::new(bytes).map_err(|_| UploadRejection::Encrypted)?;
            for object in table {
                let Some(found) = pdf.xref().get::<LibraryObject<'_>>(identifier(object.id)) else {
                    return Err(UploadRejection::Encrypted);
                };
                let found = object::of_library(&found, 0, &mut document.budget)?;
                rules::look(&found, Role::File, roles)?;
            }
            revisions.push(pdf);
        }
        Ok(Some(Self { ids, revisions }))
    }

    /// The decrypted data of the stream at a place, with its filters.
    pub(super) fn stream(&self, place: usize) -> Option<Vec<u8>> {
        let (revision, id) = self.ids.get(&place)?;
        let pdf = self.revisions.get(*revision)?;
        let stream = pdf.xref().get::<LibraryStream<'_>>(*id)?;
        Some(stream.raw_data().into_owned())
    }
}

/// The one value of an entry of all trailers.
fn only(trailers: &[Dictionary], key: &[u8]) -> Result<Option<Object>, UploadRejection> {
    let mut values: Vec<&Object> = Vec::new();
    for value in trailers.iter().flat_map(|trailer| trailer.all(key)) {
        // The second part of the id changes with each revision; the first encrypts.
        let value = if let Object::Array(parts) = value {
            parts.first().unwrap_or(&Object::Other)
        } else {
            value
        };
        if *value != Object::Other && !values.contains(&value) {
            values.push(value);
        }
        // Not at the end: each value is compared with all before it.
        if values.len() > 1 {
            return Err(UploadRejection::Encrypted);
        }
    }
    Ok(values.pop().cloned())
}

fn identifier(id: Reference) -> ObjectIdentifier {
    ObjectIdentifier::new(id.number, id.generation)
}

/// The library searches the whole file, and unpacks without a bound, if an object is not as its table says. So each is
/// tried alone first.
fn check(document: &mut Document<'_>, object: &ObjectId) -> Result<(), UploadRejection> {
    let refuse = || UploadRejection::Encrypted;
    if let Some(data) = object.data {
        document.end_mark(data)?.ok_or_else(refuse)?;
    }
    let from = |at: usize| document.bytes.get(at..).unwrap_or_default();
    let id = ObjectIdentifier::from_bytes(from(object.start)).ok_or_else(refuse)?;
    let mut inner = from(object.place);
    while let [byte, rest @ ..] = inner
        && object::is_white_space(*byte)
    {
        inner = rest;
    }
    LibraryObject::from_bytes(inner).ok_or_else(refuse)?;
    if id != identifier(object.id) || id.obj_number >= CATALOG {
        return Err(refuse());
    }
    Ok(())
}

/// The file with a table and a trailer behind it.
fn with_table(
    bytes: &[u8],
    objects: &HashMap<Reference, ObjectId>,
    encryption: &Object,
    id: Option<&Object>,
) -> Vec<u8> {
    let (catalog, pages, page) = (CATALOG, CATALOG + 1, CATALOG + 2);
    let mut more = String::from("\n");
    let mut table = String::from("xref\n");
    for (number, object) in [
        (catalog, format!("<</Type/Catalog/Pages {pages} 0 R>>")),
        (pages, format!("<</Type/Pages/Count 1/Kids[{page} 0 R]>>")),
        (
            page,
            format!("<</Type/Page/Parent {pages} 0 R/MediaBox[0 0 1 1]>>"),
        ),
    ] {
        let at = bytes.len() + more.len();
        let _ = write!(table, "{number} 1\n{at:010} 00000 n \n");
        let _ = writeln!(more, "{number} 0 obj{object}endobj");
    }
    for object in objects.values() {
        let (number, generation) = (object.id.number, object.id.generation);
        let _ = write!(
            table,
            "{number} 1\n{:010} {generation:05} n \n",
            object.start
        );
    }
    let at = bytes.len() + more.len();
    let _ = write!(more, "{table}trailer\n<</Root {catalog} 0 R/Encrypt ");
    write(&mut more, encryption);
    if let Some(id) = id {
        more.push_str("/ID[");
        write(&mut more, id);
        write(&mut more, id);
        more.push(']');
    }
    let _ = write!(more, ">>\nstartxref\n{at}\n%%EOF\n");
    let mut whole = Vec::with_capacity(bytes.len() + more.len());
    whole.extend_from_slice(bytes);
    whole.extend_from_slice(more.as_bytes());
    whole
}

fn write(out: &mut String, object: &Object) {
    let hex = |out: &mut String, bytes: &[u8], before: &str| {
        for byte in bytes {
            let _ = write!(out, "{before}{byte:02x}");
        }
    };
    match object {
        Object::Array(items) => {
            out.push('[');
            for item in items {
                write(out, item);
                out.push(' ');
            }
            out.push(']');
        }
        Object::Dictionary(dictionary) => {
            out.push_str("<<");
            for (key, value) in &dictionary.entries {
                out.push('/');
                hex(out, key, "#");
                out.push(' ');
                write(out, value);
            }
            out.push_str(">>");
        }
        Object::Name(name) => {
            out.push('/');
            hex(out, name, "#");
        }
        Object::Number(number) => {
            let _ = write!(out, "{number}");
        }
        // Of the dictionary of encryption, only `EncryptMetadata` has such a value, and it is false if it is there.
        Object::Other => out.push_str("false"),
        Object::Reference(reference) => {
            let _ = write!(out, "{} {} R", reference.number, reference.generation);
        }
        Object::Text(text) => {
            out.push('<');
            hex(out, text, "");
            out.push('>');
        }
    }
}
