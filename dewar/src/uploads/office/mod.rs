//! Office documents: OOXML (DOCX, XLSX, PPTX) and `OpenDocument` (ODT, ODS, ODP), which are ZIP archives of XML parts.
//!
//! Refused by one rule: what runs, and what a program fetches by itself when it opens the document. Dewar unpacks every part,
//! reads XML with a parser wherever it is, and looks into documents inside the document.

mod fields;
mod relations;
mod rules;
mod target;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::{Cursor, Read, Seek};

use self::rules::PartRules;
use super::kind::FileKind;
use super::name;
use super::nested::{self, Nesting};
use super::picture::Deadline;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::xml::{self, Element, Piece, Tags};
use super::zip_entries::{Entries, Shape};

/// The most entries of a document, with those of the documents inside it.
const MAX_ENTRIES: usize = 4_096;

/// The most bytes of all entries unpacked.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;

/// The most bytes of a part that says what the others are.
const MAX_TABLE: u64 = 4 * 1024 * 1024;

/// A workbook inside a document, and no document inside that.
const LEVELS: usize = 1;

const MACROS: UploadRejection = UploadRejection::Active { what: "macros" };
const PROGRAM: UploadRejection = UploadRejection::Active {
    what: "an embedded object or program",
};
const DDE: UploadRejection = UploadRejection::Active {
    what: "a command for another program (DDE)",
};

/// # Errors
/// See the module.
pub(crate) fn look(
    kind: FileKind,
    file: &mut (impl Read + Seek),
    deadline: Option<&Deadline>,
) -> Result<(), RecognitionError> {
    let mut nesting = Nesting::of(LEVELS, MAX_UNPACKED, MAX_ENTRIES).until(deadline);
    package(Some(kind), kind, file, &mut nesting)
}

/// Examines a document inside another file, of any kind of office document.
///
/// # Errors
/// As [`look`].
pub(super) fn examine(
    bytes: &[u8],
    kind: FileKind,
    nesting: &mut Nesting,
) -> Result<(), RecognitionError> {
    package(None, kind, &mut Cursor::new(bytes), nesting)
}

/// Examines a part alone, for `fuzz/`.
///
/// # Errors
/// As [`look`].
#[cfg(any(fuzzing, test))]
pub(super) fn look_at_xml(part: &[u8]) -> Result<(), RecognitionError> {
    let mut package = Package {
        kind: FileKind::Docx,
        wanted: None,
        main: Main::Missing,
        main_part: String::new(),
        macro_endings: Vec::new(),
    };
    package.xml("[content_types].xml", &mut Cursor::new(part))
}

/// `wanted` is the kind that the document has to be, `kind` the one that a message names.
fn package(
    wanted: Option<FileKind>,
    kind: FileKind,
    file: &mut (impl Read + Seek),
    nesting: &mut Nesting,
) -> Result<(), RecognitionError> {
    let shape = Shape {
        kind,
        comment: false,
        zip64: false,
    };
    let mut entries = Entries::open(shape, file, nesting).map_err(|error| {
        if let RecognitionError::Refused(UploadRejection::ArchivePath) = error {
            shape.damaged().into()
        } else {
            error
        }
    })?;
    let mut package = Package {
        kind,
        wanted,
        main: Main::Missing,
        main_part: String::new(),
        macro_endings: Vec::new(),
    };
    let mut names = HashSet::new();
    let list = std::mem::take(&mut entries.list);
    for (index, entry) in list.iter().enumerate() {
        let name = safe_name(&entry.name).ok_or_else(|| shape.damaged())?;
        // Programs find parts in any case of letters.
        if !names.insert(name.clone()) {
            return Err(shape.damaged().into());
        }
        refuse_active_entry(&name)?;
        entries.unpack(index, nesting, |part, nesting| {
            package.part(&name, part, nesting)
        })?;
    }
    let has_macros = |name: &String| {
        let mut endings = package.macro_endings.iter();
        endings.any(|ending| name.ends_with(ending))
    };
    if names.iter().any(has_macros) {
        return Err(MACROS.into());
    }
    let is_there = names.contains(&package.main_part);
    match package.main {
        Main::Found if is_there => Ok(()),
        Main::Other if wanted.is_none() => Ok(()),
        Main::Template => Err(UploadRejection::UnknownKind.into()),
        Main::Found | Main::Other | Main::Missing => Err(shape.damaged().into()),
    }
}

/// The entry's name in lower case, if it is a plain relative path.
fn safe_name(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let escapes = name.is_empty()
        || name.starts_with('/')
        || name.contains(['\\', ':', '\0'])
        || name.split('/').any(|part| part == ".." || part == ".");
    (!escapes).then(|| name.to_ascii_lowercase())
}

/// The kind of a package, by the part that describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Main {
    Missing,
    /// The kind that was wanted.
    Found,
    /// Another kind of office document.
    Other,
    /// A document to make documents from.
    Template,
}

struct Package {
    kind: FileKind,
    wanted: Option<FileKind>,
    main: Main,
    /// The name of the part with the text.
    main_part: String,
    /// Endings of parts that have macros.
    macro_endings: Vec<String>,
}

impl Package {
    fn damaged(&self) -> UploadRejection {
        UploadRejection::Damaged { kind: self.kind }
    }

    fn part(
        &mut self,
        name: &str,
        part: &mut dyn Read,
        nesting: &mut Nesting,
    ) -> Result<(), RecognitionError> {
        let mut head = Vec::new();
        part.take(HEAD).read_to_end(&mut head)?;
        // Any other part of this name may be the text of a DOCX.
        if name == "mimetype" && head.len() <= MAX_MIMETYPE && head.starts_with(b"application/") {
            self.mimetype(&String::from_utf8_lossy(&head));
            return Ok(());
        }
        let is_xml = xml::is_xml(&head) || is_named_xml(name);
        let is_table = name == "[content_types].xml"
            || name.ends_with(".rels")
            || name == "meta-inf/manifest.xml";
        if !is_xml {
            return nested::look_at_part(head, part, nesting);
        }
        let mut part = Cursor::new(head).chain(part);
        if is_table {
            let mut table = (&mut part).take(MAX_TABLE);
            let found = self.xml(name, &mut table);
            return if table.limit() == 0 {
                Err(UploadRejection::Bomb.into())
            } else {
                found
            };
        }
        self.xml(name, &mut part)
    }

    fn mimetype(&mut self, text: &str) {
        let found = text
            .strip_prefix("application/vnd.oasis.opendocument.")
            .map(|kind| match kind {
                "text" => self.found(FileKind::Odt),
                "spreadsheet" => self.found(FileKind::Ods),
                "presentation" => self.found(FileKind::Odp),
                kind if kind.ends_with("-template") => Main::Template,
                _ => Main::Other,
            });
        self.main = found.unwrap_or(self.main);
        "content.xml".clone_into(&mut self.main_part);
    }

    fn found(&self, kind: FileKind) -> Main {
        if self.wanted == Some(kind) {
            Main::Found
        } else {
            Main::Other
        }
    }

    fn xml(&mut self, name: &str, part: &mut impl Read) -> Result<(), RecognitionError> {
        // Old drawings are not always in order, and drawings of the web have a document type.
        let tags = if name.ends_with(".vml") || name.ends_with(".svg") {
            Tags::Loose
        } else {
            Tags::InOrder
        };
        let mut rules = PartRules::of(name);
        let kind = self.kind;
        xml::read(part, kind, tags, &mut |piece| {
            if let Piece::Start(element) = &piece {
                self.content_type(name, element)?;
                if element.name == "encryption-data" {
                    return Err(UploadRejection::Encrypted);
                }
            }
            rules.look(&piece)
        })?;
        Ok(rules.finish()?)
    }

    /// `docm` is `docx` with one other content type (ECMA-376, part 2).
    fn content_type(&mut self, part: &str, element: &Element) -> Result<(), UploadRejection> {
        for kind in element.all("ContentType") {
            let kind = kind.trim().to_ascii_lowercase();
            // Some libraries list the types of all their formats, by extensions that no part has.
            if element.name == "Default" && kind.contains("macroenabled") {
                let extension = element.get("Extension").unwrap_or_default();
                self.macro_endings
                    .push(format!(".{}", extension.to_ascii_lowercase()));
                continue;
            }
            let holds = |words: &[&str]| words.iter().any(|word| kind.contains(word));
            if holds(&[
                "macroenabled",
                "vbaproject",
                "vbadata",
                "macrosheet",
                "dialogsheet",
            ]) {
                return Err(MACROS);
            }
            if holds(&["activex", "oleobject"]) {
                return Err(PROGRAM);
            }
            if part != "[content_types].xml" {
                continue;
            }
            let Some(kind) = kind.strip_prefix("application/vnd.openxmlformats-officedocument.")
            else {
                continue;
            };
            let found = match kind {
                "wordprocessingml.document.main+xml" => self.found(FileKind::Docx),
                "spreadsheetml.sheet.main+xml" => self.found(FileKind::Xlsx),
                "presentationml.presentation.main+xml" => self.found(FileKind::Pptx),
                kind if kind.ends_with(".template.main+xml")
                    || kind.ends_with(".slideshow.main+xml") =>
                {
                    Main::Template
                }
                _ => continue,
            };
            let part = element.get("PartName").unwrap_or_default();
            self.main_part = part.trim_start_matches('/').to_ascii_lowercase();
            // A package that says it is two things is none.
            self.main = match (self.main, found) {
                (Main::Missing, found) => found,
                (Main::Found, Main::Found) => return Err(self.damaged()),
                (before, _) => before,
            };
        }
        Ok(())
    }
}

/// Enough to see what a part is.
const HEAD: u64 = 4 * 1024;

/// The most bytes of the part that says the kind of an `OpenDocument`.
const MAX_MIMETYPE: usize = 256;

fn is_named_xml(name: &str) -> bool {
    [".xml", ".rels", ".rdf", ".vml"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn refuse_active_entry(entry: &str) -> Result<(), UploadRejection> {
    let last = entry.rsplit('/').next().unwrap_or_default();
    if last.starts_with("vbaproject") || last.starts_with("vbadata") || last == "editdata.mso" {
        return Err(MACROS);
    }
    if ["basic/", "scripts/", "dialogs/"]
        .iter()
        .any(|directory| entry.starts_with(directory))
        || entry.contains("/macrosheets/")
        || entry.contains("/dialogsheets/")
    {
        return Err(MACROS);
    }
    let is_control = entry.contains("/activex/") || last.starts_with("activex");
    let is_object = entry.contains("/embeddings/") && last.ends_with(".bin");
    if is_control || is_object || (name::ends_as_a_program(last) && !is_picture_of_office(entry)) {
        return Err(PROGRAM);
    }
    Ok(())
}

/// Office stores an SVG icon beside its PNG; in a document it is drawn, not run.
fn is_picture_of_office(entry: &str) -> bool {
    entry.ends_with(".svg") && (entry.contains("/media/") || entry.starts_with("pictures/"))
}
