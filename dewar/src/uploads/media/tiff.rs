//! The directories of TIFF 6.0 and of `BigTIFF`, whose positions have 64 bits. They may stand anywhere. Behind the last part that any
//! of them names, only zeros may stand.

use std::collections::HashSet;
use std::io::{Read, Seek};

use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::Walk;

/// The most directories: pages of a fax, and the parts of a photograph.
const MAX_DIRECTORIES: usize = 4_096;

/// The most entries of all directories.
const MAX_ENTRIES: u64 = 100_000;

/// The most positions and lengths of strips and tiles in all directories. Many programs write a strip for each row.
const MAX_STRIPS: u64 = 4_000_000;

/// Tags whose values are the positions of other directories: parts, EXIF, GPS, interoperability.
const CHILDREN: [u64; 4] = [330, 34_665, 34_853, 40_965];

/// Tags of the positions and lengths of the pixels.
const STRIPS: u64 = 273;
const LENGTHS: u64 = 279;
const TILES: u64 = 324;
const TILE_LENGTHS: u64 = 325;

/// Tags of the size of the picture.
const WIDTH: u64 = 256;
const HEIGHT: u64 = 257;

/// Tags of the position and the length of a JPEG, of a thumbnail or of TIFF 6.0's own kind.
const JPEG: u64 = 513;
const JPEG_LENGTH: u64 = 514;

/// Tags of positions whose lengths are not known: tables of the old JPEG, free space, parts for a profile of fax.
const UNBOUNDED: [u64; 5] = [288, 400, 519, 520, 521];

/// The most pixels of one directory. Dewar decodes none, but the program that opens the file does; a scanner of maps writes a
/// thousand million.
const MAX_PIXELS: u64 = 1_000_000_000;

/// # Errors
/// A directory or a value is outside the file, the directories go in a circle, or there is no picture.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    let order: [u8; 2] = walk.bytes()?;
    let is_little = order == *b"II";
    let version: [u8; 2] = walk.bytes()?;
    let is_big_tiff = version.contains(&43);
    let mut tiff = Directories {
        is_little,
        is_big_tiff,
        ..Directories::default()
    };
    if is_big_tiff {
        // The size of a position, and zeros.
        let _size: [u8; 4] = walk.bytes()?;
    }
    let first = tiff.position(walk)?;
    tiff.next.push(first);
    while let Some(position) = tiff.next.pop() {
        if !tiff.seen.insert(position) {
            return Err(walk.damaged());
        }
        tiff.directory(walk, position)?;
    }
    if !tiff.has_picture {
        return Err(walk.damaged());
    }
    if tiff.end == LastPart::Bounded {
        only_zeros(walk, walk.start.saturating_add(tiff.reach))?;
    }
    Ok(())
}

/// # Errors
/// Something follows the last part.
fn only_zeros<F: Read + Seek>(walk: &mut Walk<'_, F>, from: u64) -> Result<(), RecognitionError> {
    walk.go(from.min(walk.end))?;
    while walk.left() > 0 {
        walk.deadline.check()?;
        let piece = walk.vec(walk.left().min(64 * 1024))?;
        if piece.iter().any(|byte| *byte != 0) {
            return Err(UploadRejection::TrailingData.into());
        }
    }
    Ok(())
}

/// Whether it is known where the last part ends.
#[derive(Debug, Default, PartialEq, Eq)]
enum LastPart {
    #[default]
    Bounded,
    /// A part has no known length.
    Unbounded,
}

#[derive(Debug, Default)]
struct Directories {
    is_little: bool,
    is_big_tiff: bool,
    seen: HashSet<u64>,
    next: Vec<u64>,
    entries: u64,
    strips: u64,
    has_picture: bool,
    /// Where the pixels of this directory are.
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    /// The end of the last part, from the start of the file.
    reach: u64,
    end: LastPart,
    /// The size of the picture of this directory.
    width: u64,
    height: u64,
    jpeg: Option<u64>,
    jpeg_length: Option<u64>,
}

impl Directories {
    /// A number of so many bytes, in the order of the file.
    fn number<const N: usize, F: Read + Seek>(
        &self,
        walk: &mut Walk<'_, F>,
    ) -> Result<u64, RecognitionError> {
        let bytes: [u8; N] = walk.bytes()?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Ok(if self.is_little {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        })
    }

    /// A position or a count: 32 bits, in `BigTIFF` 64.
    fn position<F: Read + Seek>(&self, walk: &mut Walk<'_, F>) -> Result<u64, RecognitionError> {
        if self.is_big_tiff {
            self.number::<8, F>(walk)
        } else {
            self.number::<4, F>(walk)
        }
    }

    fn directory<F: Read + Seek>(
        &mut self,
        walk: &mut Walk<'_, F>,
        position: u64,
    ) -> Result<(), RecognitionError> {
        walk.deadline.check()?;
        walk.go(walk.start.saturating_add(position))?;
        let number = if self.is_big_tiff {
            self.number::<8, F>(walk)?
        } else {
            self.number::<2, F>(walk)?
        };
        self.entries = self.entries.saturating_add(number);
        if number == 0 || self.entries > MAX_ENTRIES {
            return Err(walk.damaged());
        }
        for _ in 0..number {
            self.entry(walk)?;
        }
        match self.position(walk)? {
            0 => {}
            next => self.push(walk, next)?,
        }
        self.reached(walk.at.saturating_sub(walk.start));
        if self.width.saturating_mul(self.height) > MAX_PIXELS {
            return Err(UploadRejection::TooManyPixels.into());
        }
        (self.width, self.height) = (0, 0);
        match (self.jpeg.take(), self.jpeg_length.take()) {
            (Some(start), Some(length)) => self.reached(start.saturating_add(length)),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => self.end = LastPart::Unbounded,
        }
        let offsets = std::mem::take(&mut self.offsets);
        let lengths = std::mem::take(&mut self.lengths);
        if offsets.len() != lengths.len() {
            self.end = LastPart::Unbounded;
        }
        let size = walk.end.saturating_sub(walk.start);
        let is_outside = |(offset, length): (&u64, &u64)| offset.saturating_add(*length) > size;
        if offsets.iter().zip(&lengths).any(is_outside) {
            return Err(walk.damaged());
        }
        for (offset, length) in offsets.iter().zip(&lengths) {
            self.reached(offset.saturating_add(*length));
        }
        Ok(())
    }

    fn reached(&mut self, end: u64) {
        self.reach = self.reach.max(end);
    }

    /// Keeps the position of a directory for later.
    fn push<F: Read + Seek>(
        &mut self,
        walk: &Walk<'_, F>,
        position: u64,
    ) -> Result<(), RecognitionError> {
        if self.seen.len() + self.next.len() >= MAX_DIRECTORIES {
            return Err(walk.damaged());
        }
        self.next.push(position);
        Ok(())
    }

    fn entry<F: Read + Seek>(&mut self, walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
        // Entries may all name one list, which the buffer holds, so none of them needs a read.
        walk.deadline.check()?;
        let tag = self.number::<2, F>(walk)?;
        let kind = self.number::<2, F>(walk)?;
        let count = self.position(walk)?;
        let offset = self.position(walk)?;
        let size = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => return Err(walk.damaged()),
        };
        self.has_picture |= tag == WIDTH;
        if UNBOUNDED.contains(&tag) {
            self.end = LastPart::Unbounded;
        }
        let length = count.saturating_mul(size);
        let inside = if self.is_big_tiff { 8 } else { 4 };
        if length > inside && offset.saturating_add(length) > walk.end - walk.start {
            return Err(walk.damaged());
        }
        if length > inside {
            self.reached(offset.saturating_add(length));
        }
        if let (WIDTH | HEIGHT | JPEG | JPEG_LENGTH, 3 | 4 | 16, 1) = (tag, kind, count) {
            let value = self.values(walk, count, offset, size)?.pop();
            match tag {
                WIDTH => self.width = value.unwrap_or_default(),
                HEIGHT => self.height = value.unwrap_or_default(),
                JPEG => self.jpeg = value,
                _ => self.jpeg_length = value,
            }
        }
        if let (STRIPS | LENGTHS | TILES | TILE_LENGTHS, 3 | 4 | 16) = (tag, kind) {
            let values = self.values(walk, count, offset, size)?;
            match tag {
                STRIPS | TILES => self.offsets = values,
                _ => self.lengths = values,
            }
        }
        if CHILDREN.contains(&tag) && matches!(kind, 4 | 13 | 16 | 18) {
            self.children(walk, count, offset, size)?;
        }
        Ok(())
    }

    /// The numbers of an entry: inside it, or elsewhere.
    fn values<F: Read + Seek>(
        &mut self,
        walk: &mut Walk<'_, F>,
        count: u64,
        offset: u64,
        size: u64,
    ) -> Result<Vec<u64>, RecognitionError> {
        self.strips = self.strips.saturating_add(count);
        if self.strips > MAX_STRIPS {
            return Err(walk.damaged());
        }
        let back = walk.at;
        let field = if self.is_big_tiff { 8 } else { 4 };
        let start = if count.saturating_mul(size) <= field {
            back.saturating_sub(field)
        } else {
            walk.start.saturating_add(offset)
        };
        walk.go(start)?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(match size {
                2 => self.number::<2, F>(walk)?,
                4 => self.number::<4, F>(walk)?,
                _ => self.number::<8, F>(walk)?,
            });
        }
        walk.go(back)?;
        Ok(values)
    }

    /// The directories below this one: one position in the entry, or a list elsewhere.
    fn children<F: Read + Seek>(
        &mut self,
        walk: &mut Walk<'_, F>,
        count: u64,
        offset: u64,
        size: u64,
    ) -> Result<(), RecognitionError> {
        if count <= 1 {
            return self.push(walk, offset);
        }
        let back = walk.at;
        walk.go(walk.start.saturating_add(offset))?;
        for _ in 0..count {
            let child = if size == 8 {
                self.number::<8, F>(walk)?
            } else {
                self.number::<4, F>(walk)?
            };
            self.push(walk, child)?;
        }
        walk.go(back)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use super::*;
    use crate::audit::Clock;
    use crate::uploads::kind::FileKind;
    use crate::uploads::picture::Deadline;

    /// ASVS: V5.2.6
    #[test]
    fn entries_of_one_list_keep_no_more_directories_than_the_bound() {
        // The tag 330, 4,096 numbers of 32 bits, at the position 8.
        let entry = [0x4a, 1, 4, 0, 0, 16, 0, 0, 8, 0, 0, 0];
        let bytes = [[0xff, 0xff].as_slice(), &entry.repeat(65_535), &[0; 4]].concat();
        let deadline = Deadline::after(&Clock::manual(1_000), Duration::from_secs(1));
        let length = bytes.len() as u64;
        let mut walk = Walk::new(Cursor::new(bytes), FileKind::Tiff, 0..length, &deadline);
        let mut tiff = Directories {
            is_little: true,
            ..Directories::default()
        };
        assert!(tiff.directory(&mut walk, 0).is_err());
        assert_eq!(tiff.next.len(), MAX_DIRECTORIES);
    }
}
