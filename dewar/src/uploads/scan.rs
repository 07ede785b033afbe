//! Searches the end of a file, in constant memory.

use std::io::{self, Read, Seek, SeekFrom};

const CHUNK: usize = 64 * 1024;

/// Whether `bytes` contain `needle`.
pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The last position of `needle` in `bytes`.
pub(crate) fn last(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .rposition(|window| window == needle)
}

/// The end of a file without the blank bytes at its end.
///
/// # Errors
/// The file could not be read.
pub(crate) fn end_without(
    file: &mut (impl Read + Seek),
    is_blank: impl Fn(u8) -> bool,
) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut piece = Vec::with_capacity(CHUNK);
    while end > 0 {
        let start = end.saturating_sub(CHUNK as u64);
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        file.by_ref().take(end - start).read_to_end(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|byte| !is_blank(*byte)) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
