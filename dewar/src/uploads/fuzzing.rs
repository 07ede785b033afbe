//! The examinations of documents and archives, for `fuzz/`.
//!
//! A file is accepted or refused. It is never a panic, and never a failure of the disk.

use std::io::Cursor;

use super::kind::{ArchiveFormat, FileKind};
use super::recognise::RecognitionError;
use super::{archive, office, pdf};

/// The bytes as an archive of each format.
pub fn archive(bytes: &[u8]) {
    for format in [ArchiveFormat::Gzip, ArchiveFormat::Tar, ArchiveFormat::Zip] {
        is_answered(archive::look(format, "a.gz", &mut Cursor::new(bytes), None));
    }
}

/// The bytes as an office document, and as one part of it.
pub fn office(bytes: &[u8]) {
    for kind in [FileKind::Docx, FileKind::Ods] {
        is_answered(office::look(kind, &mut Cursor::new(bytes), None));
    }
    is_answered(office::look_at_xml(bytes));
}

/// The bytes as a PDF, and as the objects of one.
pub fn pdf(bytes: &[u8]) {
    is_answered(pdf::look(&mut Cursor::new(bytes), None));
    let whole = [b"%PDF-1.7\n1 0 obj ", bytes, b"\n%%EOF\n"].concat();
    is_answered(pdf::look(&mut Cursor::new(whole), None));
}

fn is_answered(found: Result<(), RecognitionError>) {
    if let Err(RecognitionError::Io(error)) = found {
        // The input ends too early.
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
    }
}
