//! Audio, video, and the photographs that Dewar does not decode: it walks their containers to the end.
//!
//! Nothing is decoded, so nothing of a codec is exposed to strangers. A walk finds sizes that lie, data after the end, and
//! references to files elsewhere.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::kind::{Container, FileKind};
use super::picture::{Deadline, Timed};
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

mod bmff;
mod ebml;
mod flac;
mod mpeg;
mod ogg;
mod riff;
mod tiff;

#[cfg(test)]
pub(crate) use ogg::checksum as ogg_checksum;

/// Walks the container of this kind.
///
/// # Errors
/// It is damaged, something follows its end, or it loads something from elsewhere.
pub(crate) fn look(
    kind: FileKind,
    container: Container,
    file: &mut File,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut walk = Walk::new(file, kind, 0..length, deadline);
    match container {
        Container::Bmff => bmff::look(&mut walk),
        Container::Ebml => ebml::look(&mut walk),
        Container::Flac => flac::look(&mut walk),
        Container::Mpeg => mpeg::look(&mut walk),
        Container::Ogg => ogg::look(&mut walk),
        Container::Riff => riff::look(&mut walk),
        Container::Tiff => tiff::look(&mut walk),
    }
}

/// Whether a range of a file is a whole MP4, such as the video of a motion photo.
///
/// # Errors
/// It is none, or it loads something from elsewhere.
pub(crate) fn look_at_video(
    file: &mut (impl Read + Seek),
    range: std::ops::Range<u64>,
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    bmff::look(&mut Walk::new(file, FileKind::Mp4, range, deadline))
}

/// The kind of a container by its first bytes. Some fit several kinds; then it is the one that the name claims.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn kind_of(
    file: &mut (impl Read + Seek),
    claimed: FileKind,
) -> io::Result<Option<FileKind>> {
    file.rewind()?;
    let mut head = Vec::with_capacity(4 * 1024);
    file.take(4 * 1024).read_to_end(&mut head)?;
    let found = match head.as_slice() {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => bmff::kind_of(&head, claimed),
        // A QuickTime film of before 2001 has no brands.
        [_, _, _, _, kind @ ..] if claimed == FileKind::Mov && bmff::begins_as_quicktime(kind) => {
            Some(claimed)
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => ebml::kind_of(&head, claimed),
        [b'O', b'g', b'g', b'S', 0, ..] => Some(FileKind::Ogg),
        [b'f', b'L', b'a', b'C', 0 | 0x80, ..] => Some(FileKind::Flac),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => Some(FileKind::Wav),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(FileKind::Tiff),
        [b'I', b'D', b'3', 2..=4, ..] if claimed == FileKind::Flac => Some(FileKind::Flac),
        [b'I', b'D', b'3', 2..=4, ..] => Some(FileKind::Mp3),
        [0xff, second, ..] if claimed == FileKind::Mp3 && second & 0xe6 == 0xe2 => {
            Some(FileKind::Mp3)
        }
        _ => None,
    };
    Ok(found)
}

/// A position in a range of a file, which never leaves the range.
#[derive(Debug)]
struct Walk<'a, F: Read + Seek> {
    file: BufReader<Timed<'a, F>>,
    kind: FileKind,
    start: u64,
    at: u64,
    end: u64,
    deadline: &'a Deadline,
}

impl<'a, F: Read + Seek> Walk<'a, F> {
    fn new(file: F, kind: FileKind, range: std::ops::Range<u64>, deadline: &'a Deadline) -> Self {
        Self {
            file: BufReader::new(Timed { file, deadline }),
            kind,
            start: range.start,
            // Before the first read it goes to the start.
            at: u64::MAX,
            end: range.end,
            deadline,
        }
    }

    fn damaged(&self) -> RecognitionError {
        UploadRejection::Damaged { kind: self.kind }.into()
    }

    /// The number of bytes up to the end.
    fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    fn go(&mut self, to: u64) -> Result<(), RecognitionError> {
        if to < self.start || to > self.end {
            return Err(self.damaged());
        }
        // A step within the buffer costs no read.
        match i64::try_from(to).ok().zip(i64::try_from(self.at).ok()) {
            Some((to, at)) => self.file.seek_relative(to.saturating_sub(at))?,
            None => drop(self.file.seek(SeekFrom::Start(to))?),
        }
        self.at = to;
        Ok(())
    }

    fn skip(&mut self, length: u64) -> Result<(), RecognitionError> {
        self.deadline.check()?;
        self.go(self.at.saturating_add(length))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], RecognitionError> {
        if self.left() < N as u64 {
            return Err(self.damaged());
        }
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.at = self.at.saturating_add(N as u64);
        Ok(bytes)
    }

    /// So many bytes, and never more than fit into memory easily.
    fn vec(&mut self, length: u64) -> Result<Vec<u8>, RecognitionError> {
        if length > self.left() || length > 64 * 1024 {
            return Err(self.damaged());
        }
        let mut bytes = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut bytes)?;
        self.at = self.at.saturating_add(length);
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, RecognitionError> {
        Ok(u32::from_be_bytes(self.bytes()?))
    }

    fn u32_little(&mut self) -> Result<u32, RecognitionError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }
}
