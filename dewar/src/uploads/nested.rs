//! A file inside another file: attached to a PDF, embedded in an office document, packed in an archive.

use std::io::{Cursor, Read};

use file_format::{FileFormat, Kind};
use zip::ZipArchive;

use super::kind::FileKind;
use super::picture::Deadline;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::text::{self, FileBytes};
use super::{archive, office, pdf};

const PROGRAM: UploadRejection = UploadRejection::Active {
    what: "an embedded object or program",
};

/// The most bytes of a document or an archive inside another file. Dewar holds it as a whole.
const MAX_NESTED: u64 = 64 * 1024 * 1024;

/// Enough to see what a file is.
const HEAD: usize = 4 * 1024;

/// How deep files are inside each other, and what all of them together may still unpack to.
#[derive(Debug)]
pub(super) struct Nesting {
    levels: usize,
    pub(super) bytes: u64,
    entries: usize,
    /// The work that all PDFs together may still do.
    pub(super) pdfs: pdf::Shared,
}

impl Nesting {
    pub(super) const fn of(levels: usize, bytes: u64, entries: usize) -> Self {
        Self {
            levels,
            bytes,
            entries,
            pdfs: pdf::Shared::new(),
        }
    }

    /// The PDFs are examined until then.
    pub(super) fn until(mut self, deadline: Option<&Deadline>) -> Self {
        self.pdfs.deadline = deadline.cloned();
        self
    }

    /// # Errors
    /// There are too many entries in all.
    pub(super) fn take_entries(&mut self, entries: u64) -> Result<(), UploadRejection> {
        let entries = usize::try_from(entries).map_err(|_| UploadRejection::Bomb)?;
        let left = self.entries.checked_sub(entries);
        self.entries = left.ok_or(UploadRejection::Bomb)?;
        Ok(())
    }

    /// Looks at something one level deeper.
    fn deeper<T>(
        &mut self,
        look: impl FnOnce(&mut Self) -> Result<T, RecognitionError>,
    ) -> Result<T, RecognitionError> {
        self.levels = self.levels.checked_sub(1).ok_or(UploadRejection::Bomb)?;
        let found = look(self);
        self.levels += 1;
        found
    }
}

/// The kind that the beginning of a file inside another claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Nothing runs it.
    Data,
    Gzip,
    /// An archive of a format that Dewar does not open.
    OtherArchive,
    OldOffice,
    Pdf,
    Program,
    Tar,
    Zip,
}

impl Content {
    fn of(head: &[u8]) -> Self {
        let format = FileFormat::from_bytes(head);
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return Self::Zip;
        }
        // Every binary format has bytes after its first letters that no text has.
        let has_proof = head
            .iter()
            .take(16)
            .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
        match (format, format.kind()) {
            (FileFormat::PortableDocumentFormat, _) => Self::Pdf,
            (FileFormat::CompoundFileBinary, _) => Self::OldOffice,
            (FileFormat::RichTextFormat, _) => Self::Program,
            (FileFormat::Gzip, _) => Self::Gzip,
            (FileFormat::TapeArchive, _) => Self::Tar,
            (_, Kind::Executable | Kind::Package | Kind::Disk) if has_proof => Self::Program,
            (_, Kind::Archive | Kind::Compressed) if has_proof => Self::OtherArchive,
            // Before POSIX, a TAR had no letters of its own.
            _ if archive::is_tar(head) => Self::Tar,
            _ => Self::Data,
        }
    }
}

/// Examines the bytes of a file inside another by what they are. A format that Dewar does not know is data.
///
/// # Errors
/// It is a program, a page or a script, a document that runs or loads something, or an archive that Dewar cannot open.
pub(super) fn look(bytes: &[u8], nesting: &mut Nesting) -> Result<(), RecognitionError> {
    look_at(&mut Cursor::new(bytes), nesting)
}

/// Examines a file inside another while it is unpacked.
///
/// # Errors
/// As [`look`].
pub(super) fn look_at(file: &mut dyn Read, nesting: &mut Nesting) -> Result<(), RecognitionError> {
    let mut head = Vec::new();
    file.take(HEAD as u64).read_to_end(&mut head)?;
    let content = Content::of(&head);
    match content {
        Content::Data => {}
        Content::Pdf | Content::Tar | Content::Zip => {
            let bytes = whole(head, file)?;
            return document(content, &bytes, nesting);
        }
        Content::Gzip => {
            let mut file = Cursor::new(head).chain(file);
            return nesting.deeper(|nesting| archive::gzip(&mut file, nesting));
        }
        Content::OldOffice => {
            return Err(UploadRejection::Active {
                what: "an old office file, which may have macros",
            }
            .into());
        }
        Content::OtherArchive => {
            return Err(UploadRejection::Active {
                what: "an archive that cannot be examined",
            }
            .into());
        }
        Content::Program => return Err(PROGRAM.into()),
    }
    match text::content(&mut Cursor::new(head), None)? {
        FileBytes::Page => Err(UploadRejection::Page.into()),
        FileBytes::Text(_) | FileBytes::NotText(_) => Ok(()),
    }
}

/// Examines a part of an office document that is no XML. Office opens no other formats from there.
///
/// # Errors
/// It is a program, an object of OLE, or a document that runs or loads something.
pub(super) fn look_at_part(
    head: Vec<u8>,
    part: &mut dyn Read,
    nesting: &mut Nesting,
) -> Result<(), RecognitionError> {
    match Content::of(&head) {
        // Compressed drawings (`.emz`) are data too.
        Content::Data | Content::Gzip | Content::OtherArchive | Content::Tar => Ok(()),
        Content::OldOffice | Content::Program => Err(PROGRAM.into()),
        content @ (Content::Pdf | Content::Zip) => document(content, &whole(head, part)?, nesting),
    }
}

fn whole(mut head: Vec<u8>, file: &mut dyn Read) -> Result<Vec<u8>, RecognitionError> {
    file.take(MAX_NESTED).read_to_end(&mut head)?;
    if head.len() as u64 > MAX_NESTED {
        return Err(UploadRejection::Bomb.into());
    }
    Ok(head)
}

fn document(content: Content, bytes: &[u8], nesting: &mut Nesting) -> Result<(), RecognitionError> {
    nesting.deeper(|nesting| match content {
        Content::Pdf => pdf::examine(bytes, nesting),
        Content::Tar => archive::tar(&mut Cursor::new(bytes), nesting),
        Content::Zip => match office_kind(bytes) {
            Some(kind) => office::examine(bytes, kind, nesting),
            None => archive::zip(&mut Cursor::new(bytes), nesting),
        },
        Content::Data
        | Content::Gzip
        | Content::OldOffice
        | Content::OtherArchive
        | Content::Program => Ok(()),
    })
}

/// The kind of an office document, if an archive is one. Of a kind that Dewar does not list, a message says DOCX.
fn office_kind(bytes: &[u8]) -> Option<FileKind> {
    let archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut names = archive.file_names();
    let is_office =
        names.any(|name| name.eq_ignore_ascii_case("[Content_Types].xml") || name == "mimetype");
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other formats have no kind"
    )]
    is_office.then(|| match FileFormat::from_bytes(bytes) {
        FileFormat::OfficeOpenXmlPresentation => FileKind::Pptx,
        FileFormat::OfficeOpenXmlSpreadsheet => FileKind::Xlsx,
        FileFormat::OpendocumentPresentation => FileKind::Odp,
        FileFormat::OpendocumentSpreadsheet => FileKind::Ods,
        FileFormat::OpendocumentText => FileKind::Odt,
        _ => FileKind::Docx,
    })
}
