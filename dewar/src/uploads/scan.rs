//! Searches a stream of any length for something short, in constant memory.

use std::io::{self, Read, Seek, SeekFrom};

const CHUNK: usize = 64 * 1024;

/// The result for one stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanVerdict {
    Found,
    Nothing,
}

/// Passes the stream to `look` in stretches. Each begins with the last `overlap` bytes of the one before, so anything of
/// at most `overlap` bytes is whole in one of them. Returns the number of bytes, and whether a call found something;
/// reading stops there.
///
/// # Errors
/// The stream could not be read.
pub(crate) fn stretches(
    stream: &mut impl Read,
    overlap: usize,
    mut look: impl FnMut(&[u8]) -> ScanVerdict,
) -> io::Result<(u64, ScanVerdict)> {
    let mut stretch = Vec::with_capacity(CHUNK + overlap);
    let mut total = 0;
    loop {
        let kept = stretch.len().min(overlap);
        stretch.drain(..stretch.len() - kept);
        let read = stream
            .by_ref()
            .take(CHUNK as u64)
            .read_to_end(&mut stretch)?;
        total += read as u64;
        if read == 0 {
            return Ok((total, ScanVerdict::Nothing));
        }
        if look(&stretch) == ScanVerdict::Found {
            return Ok((total, ScanVerdict::Found));
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_across_two_stretches_is_found() {
        for at in CHUNK - 6..CHUNK + 2 {
            let mut bytes = vec![b'.'; 2 * CHUNK];
            bytes[at..at + 4].copy_from_slice(b"evil");
            let look = |stretch: &[u8]| {
                if holds(stretch, b"evil") {
                    ScanVerdict::Found
                } else {
                    ScanVerdict::Nothing
                }
            };
            assert_eq!(
                stretches(&mut bytes.as_slice(), 4, look).unwrap().1,
                ScanVerdict::Found
            );
        }
    }
}
