//! Archives that visitors send: ZIP, TAR and gzip. Dewar stores them as they are, after a look at everything inside.
//!
//! An archive may hold every file that nothing runs. Refused: programs, pages and scripts, by name and by content; documents with
//! macros or scripts; paths and links that lead out; names that programs read differently; archives that unpack to too much, are
//! too deep inside each other, are encrypted, or hold something before, between or after their entries.

mod path;
mod tar;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Seek};

use flate2::GzHeader;
use flate2::bufread::MultiGzDecoder;

use self::path::{Node, Paths};
pub(super) use self::tar::{is_tar, tar};
use super::kind::{ArchiveFormat, FileKind};
use super::name;
use super::nested::{self, Nesting};
use super::picture::Deadline;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::zip_entries::{Entries, FREE, MAX_RATIO, Shape};

/// The most entries, with those of the archives inside.
const MAX_ENTRIES: usize = 20_000;

/// The most bytes of everything unpacked.
const MAX_UNPACKED: u64 = 2 * 1024 * 1024 * 1024;

/// How deep archives may be inside each other, with the outermost.
const LEVELS: usize = 2;

/// # Errors
/// See the module.
pub(crate) fn look(
    format: ArchiveFormat,
    name: &str,
    file: &mut (impl Read + Seek),
    deadline: Option<&Deadline>,
) -> Result<(), RecognitionError> {
    let mut nesting = Nesting::of(LEVELS, MAX_UNPACKED, MAX_ENTRIES).until(deadline);
    match format {
        ArchiveFormat::Zip => zip(file, &mut nesting),
        ArchiveFormat::Tar => tar(&mut io::BufReader::new(file), &mut nesting),
        ArchiveFormat::Gzip => {
            // `setup.exe.gz` unpacks to `setup.exe`.
            let inside = name.rsplit_once('.').map_or(name, |(inside, _)| inside);
            refuse_program(inside)?;
            gzip(&mut io::BufReader::new(file), &mut nesting)
        }
    }
}

/// Examines a ZIP archive.
///
/// # Errors
/// See the module.
pub(super) fn zip(
    file: &mut (impl Read + Seek),
    nesting: &mut Nesting,
) -> Result<(), RecognitionError> {
    let shape = Shape {
        kind: FileKind::Zip,
        comment: true,
        zip64: true,
    };
    let mut entries = Entries::open(shape, file, nesting)?;
    let list = std::mem::take(&mut entries.list);
    let mut paths = Paths::default();
    for (index, entry) in list.iter().enumerate() {
        // Old programs write the letters of DOS; where the two differ, either may be the name on the disk.
        let raw = String::from_utf8_lossy(&entry.name);
        // A slash or a dot in two bytes; in the letters of DOS these bytes draw boxes.
        let is_overlong = entry.name.iter().any(|byte| matches!(byte, 0xc0 | 0xc1));
        if is_overlong && std::str::from_utf8(&entry.name).is_err() {
            return Err(UploadRejection::ArchivePath.into());
        }
        let node = if entry.is_directory {
            Node::Folder
        } else {
            Node::File
        };
        look_at_name(&raw, node, &mut Paths::default())?;
        look_at_name(&entry.read_name, node, &mut paths)?;
        if entry.is_directory {
            entries.unpack(index, nesting, |part, _| nothing(part))?;
        } else {
            entries.unpack(index, nesting, |part, nesting| {
                nested::look_at(part, nesting)
            })?;
        }
    }
    Ok(())
}

/// A directory has no bytes.
fn nothing(part: &mut dyn Read) -> Result<(), RecognitionError> {
    if part.read(&mut [0])? == 0 {
        Ok(())
    } else {
        Err(UploadRejection::Damaged {
            kind: FileKind::Zip,
        }
        .into())
    }
}

/// Checks a path inside an archive, and remembers it.
fn look_at_name(name: &str, node: Node, paths: &mut Paths) -> Result<(), UploadRejection> {
    let path = path::safe(name)?;
    paths.add(&path, node)?;
    match node {
        Node::File => refuse_program(&path),
        Node::Folder => Ok(()),
    }
}

/// Files that a desktop obeys when it shows their folder, or that open as something else. Nobody sends them alone.
const OF_THE_DESKTOP: &[&str] = &[
    "appref-ms",
    "diagcab",
    "iqy",
    "library-ms",
    "oqy",
    "rqy",
    "searchconnector-ms",
    "slk",
    "theme",
    "themepack",
    "wll",
    "xll",
];

fn refuse_program(path: &str) -> Result<(), UploadRejection> {
    let last = path.rsplit('/').next().unwrap_or_default();
    // Windows drops dots and spaces at the end of a name.
    let last = last.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    let (_, extension) = last.rsplit_once('.').unwrap_or_default();
    let is_of_the_desktop = OF_THE_DESKTOP.contains(&extension) || last == "desktop.ini";
    if name::ends_as_a_program(&last) || is_of_the_desktop {
        return Err(UploadRejection::ArchiveProgram {
            extension: extension.to_owned(),
        });
    }
    Ok(())
}

/// Examines a file that gzip packed, which may be a TAR archive.
///
/// # Errors
/// See the module.
pub(super) fn gzip(file: &mut dyn Read, nesting: &mut Nesting) -> Result<(), RecognitionError> {
    let damaged = || {
        RecognitionError::from(UploadRejection::Damaged {
            kind: FileKind::Gzip,
        })
    };
    let mut file = io::BufReader::new(Packed {
        inner: file,
        read: 0,
    });
    let mut unpacked = Unpacked {
        decoder: MultiGzDecoder::new(&mut file),
        left: nesting.bytes,
        read: 0,
        is_too_much: false,
    };
    let found = inside(&mut unpacked, nesting).and_then(|()| {
        io::copy(&mut unpacked, &mut io::sink())?;
        Ok(())
    });
    let (read, is_too_much) = (unpacked.read, unpacked.is_too_much);
    unpacked.decoder.header().map_or(Ok(()), look_at_header)?;
    nesting.bytes = nesting.bytes.saturating_sub(read);
    if is_too_much {
        return Err(UploadRejection::Bomb.into());
    }
    match found {
        // Something that is no gzip follows, or the checksum is wrong.
        Err(RecognitionError::Io(_)) => Err(damaged()),
        found => found,
    }
}

fn inside(file: &mut dyn Read, nesting: &mut Nesting) -> Result<(), RecognitionError> {
    let mut head = Vec::new();
    file.take(tar::BLOCK as u64).read_to_end(&mut head)?;
    let mut whole = io::Cursor::new(head.clone()).chain(file);
    if is_tar(&head) {
        tar(&mut whole, nesting)
    } else {
        nested::look_at(&mut whole, nesting)
    }
}

/// The name inside is where `gunzip -N` writes. The further field is for a few numbers.
fn look_at_header(header: &GzHeader) -> Result<(), UploadRejection> {
    const MAX_EXTRA: usize = 256;
    let damaged = UploadRejection::Damaged {
        kind: FileKind::Gzip,
    };
    let length = |field: Option<&[u8]>| field.map_or(0, <[u8]>::len);
    if length(header.extra()) > MAX_EXTRA || length(header.comment()) > MAX_EXTRA {
        return Err(damaged);
    }
    let Some(name) = header.filename() else {
        return Ok(());
    };
    let name = path::safe(&String::from_utf8_lossy(name))?;
    refuse_program(&name)
}

/// Counts the packed bytes.
struct Packed<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Counts the unpacked bytes, and fails when they are too many for the packed ones.
struct Unpacked<'a, R> {
    decoder: MultiGzDecoder<&'a mut io::BufReader<Packed<R>>>,
    left: u64,
    read: u64,
    is_too_much: bool,
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)? as u64;
        self.read += read;
        let packed = self.decoder.get_ref().get_ref().read;
        let allowed = FREE.max(packed.saturating_mul(MAX_RATIO)).min(self.left);
        if self.read > allowed {
            self.is_too_much = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(usize::try_from(read).unwrap_or_default())
    }
}
