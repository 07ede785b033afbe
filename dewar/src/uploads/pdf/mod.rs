//! PDF: begins and ends as one, and none of its objects runs, loads or hides something.
//!
//! Dewar reads every object, whether an xref table names it or not, in every revision, and inside object streams. It follows
//! references only for the few questions that need it, so references in a circle cost nothing.

mod budget;
mod document;
mod encrypted;
mod filters;
mod form;
mod object;
mod rules;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Seek, SeekFrom};

pub(super) use self::budget::Shared;
use self::document::Document;
use self::object::is_white_space;
use super::kind::FileKind;
use super::nested::Nesting;
use super::picture::Deadline;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::scan;

/// ISO 32000-1, implementation note 18: readers look for the end mark in the last 1024 bytes.
const TAIL: u64 = 1024;
const END: &[u8] = b"%%EOF";

/// The most bytes of a PDF. Dewar holds it in memory while it examines it.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// How deep files may be inside each other: a portfolio with a PDF that has an invoice as XML.
const LEVELS: usize = 2;

/// The most bytes that the entries of all attached archives and office documents unpack to.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;
const MAX_ENTRIES: usize = 4_096;

/// # Errors
/// Bytes before the header or after the end, or an object that runs, loads or hides something.
pub(crate) fn look(
    file: &mut (impl Read + Seek),
    deadline: Option<&Deadline>,
) -> Result<(), RecognitionError> {
    look_at_the_edges(file)?;
    let length = file.seek(SeekFrom::End(0))?;
    if length > MAX_BYTES {
        return Err(UploadRejection::Bomb.into());
    }
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let mut nesting = Nesting::of(LEVELS, MAX_UNPACKED, MAX_ENTRIES).until(deadline);
    Document::examine(&bytes, &mut nesting)
}

/// Examines a PDF inside another file.
///
/// # Errors
/// As [`look`].
pub(super) fn examine(bytes: &[u8], nesting: &mut Nesting) -> Result<(), RecognitionError> {
    look_at_the_edges(&mut io::Cursor::new(bytes))?;
    Document::examine(bytes, nesting)
}

/// Checks the header, and that only white space and NULs follow the end mark, in any number: anything else is another file
/// (a ZIP, a page).
fn look_at_the_edges(file: &mut (impl Read + Seek)) -> Result<(), RecognitionError> {
    let damaged = || UploadRejection::Damaged {
        kind: FileKind::Pdf,
    };
    file.rewind()?;
    let mut header = [0; 5];
    file.read_exact(&mut header)?;
    if &header != b"%PDF-" {
        return Err(damaged().into());
    }
    let tail = tail(file)?;
    let at = scan::last(&tail, END).ok_or_else(damaged)?;
    let after = tail.get(at + END.len()..).unwrap_or_default();
    if after.iter().any(|byte| !is_white_space(*byte)) {
        return Err(UploadRejection::TrailingData.into());
    }
    Ok(())
}

/// Whether the end mark is where readers look for it. A text that begins with `%PDF-` has none.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn has_an_end(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    Ok(scan::holds(&tail(file)?, END))
}

/// The last bytes before the padding, and its first bytes.
fn tail(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let end = scan::end_without(file, is_white_space)?;
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}
