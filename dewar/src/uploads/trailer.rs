//! The trailers that phones write behind a JPEG: the video of a motion photo, and Samsung's list of data.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;

use super::media;
use super::picture::Deadline;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

/// The most bytes of a text in Samsung's list, such as a time or a version.
const MAX_TEXT: u64 = 64 * 1024;

/// The most entries of Samsung's list.
const MAX_ENTRIES: u32 = 256;

/// Examines the bytes from `end` to `length`: white space, then nothing, an MP4, or Samsung's list.
///
/// # Errors
/// They are something else.
pub(crate) fn look(
    file: &mut (impl Read + Seek),
    end: u64,
    length: u64,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    // The space belongs to nothing or to what follows it: a box of MP4 begins with NULs.
    let space = skip_space(file, end)?;
    let unknown = || RecognitionError::from(UploadRejection::TrailingData);
    if space == length {
        return Ok(());
    }
    if length - end < 8 {
        return Err(unknown());
    }
    file.seek(SeekFrom::Start(length - 4))?;
    if read::<4>(file)? == *b"SEFT" {
        return samsung(file, end..=space, length, deadline).map_err(refused_as_trailing);
    }
    for start in space.saturating_sub(4).max(end)..=space {
        file.seek(SeekFrom::Start(start + 4))?;
        let mut kind = [0; 4];
        if file.read_exact(&mut kind).is_ok() && kind == *b"ftyp" {
            return media::look_at_video(file, start..length, deadline)
                .map_err(refused_as_trailing);
        }
    }
    Err(unknown())
}

/// For the visitor, a damaged video behind a picture is something behind the picture.
fn refused_as_trailing(error: RecognitionError) -> RecognitionError {
    match error {
        RecognitionError::Refused(UploadRejection::Damaged { .. }) => {
            UploadRejection::TrailingData.into()
        }
        RecognitionError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            UploadRejection::TrailingData.into()
        }
        RecognitionError::Io(_) | RecognitionError::Refused(_) => error,
    }
}

/// The position of the first byte that is neither NUL nor white space.
fn skip_space(file: &mut (impl Read + Seek), from: u64) -> io::Result<u64> {
    let mut at = file.seek(SeekFrom::Start(from))?;
    let mut buffer = [0; 4 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        let is_space = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
        match bytes.iter().position(|byte| !is_space(byte)) {
            Some(position) => return Ok(at + position as u64),
            None if read == 0 => return Ok(at),
            None => at += read as u64,
        }
    }
}

/// Blocks of data without a gap, a table `SEFH` of their positions counted back from it, its length, and `SEFT`.
fn samsung(
    file: &mut (impl Read + Seek),
    start: RangeInclusive<u64>,
    length: u64,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let unknown = || RecognitionError::from(UploadRejection::TrailingData);
    file.seek(SeekFrom::Start(length - 8))?;
    let size = u64::from(u32::from_le_bytes(read(file)?));
    let table = (length - 8)
        .checked_sub(size)
        .filter(|table| table >= start.start())
        .ok_or_else(unknown)?;
    file.seek(SeekFrom::Start(table))?;
    let mark: [u8; 4] = read(file)?;
    let _version: [u8; 4] = read(file)?;
    let number = u32::from_le_bytes(read(file)?);
    if mark != *b"SEFH" || number > MAX_ENTRIES || size != 12 + 12 * u64::from(number) {
        return Err(unknown());
    }
    let mut blocks = Vec::new();
    for _ in 0..number {
        let _kind: [u8; 4] = read(file)?;
        let back = u64::from(u32::from_le_bytes(read(file)?));
        let size = u64::from(u32::from_le_bytes(read(file)?));
        let begin = table.checked_sub(back).ok_or_else(unknown)?;
        blocks.push((begin, begin.saturating_add(size)));
    }
    blocks.sort_unstable();
    let mut at = blocks.first().map_or(table, |(begin, _)| *begin);
    if !start.contains(&at) {
        return Err(unknown());
    }
    for (begin, end) in blocks {
        if begin != at || end > table {
            return Err(unknown());
        }
        block(file, begin, end, deadline)?;
        at = end;
    }
    if at == table { Ok(()) } else { Err(unknown()) }
}

/// A block has a kind, a name and data: a video, or a text.
fn block(
    file: &mut (impl Read + Seek),
    begin: u64,
    end: u64,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let unknown = || RecognitionError::from(UploadRejection::TrailingData);
    file.seek(SeekFrom::Start(begin))?;
    let _kind: [u8; 4] = read(file)?;
    let length = u64::from(u32::from_le_bytes(read(file)?));
    if length > 256 {
        return Err(unknown());
    }
    let mut name = Vec::new();
    file.take(length).read_to_end(&mut name)?;
    let data = begin + 8 + length;
    if data > end {
        return Err(unknown());
    }
    if name == b"MotionPhoto_Data" {
        return media::look_at_video(file, data..end, deadline);
    }
    let mut text = Vec::new();
    file.take((end - data).min(MAX_TEXT + 1))
        .read_to_end(&mut text)?;
    let is_text = std::str::from_utf8(&text).is_ok_and(|text| !text.contains(['<', '\u{1b}']));
    if text.len() as u64 <= MAX_TEXT && is_text {
        Ok(())
    } else {
        Err(unknown())
    }
}

fn read<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
