//! The entries of a ZIP archive, read so that every program finds the same ones: its edges, its table of entries and the header
//! before each entry have to agree.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::kind::FileKind;
use super::nested::Nesting;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

/// The largest ratio of unpacked to packed bytes, above [`FREE`]. Text packs 10 to 30 times, bombs 1000 times.
pub(super) const MAX_RATIO: u64 = 100;
pub(super) const FREE: u64 = 16 * 1024 * 1024;

const END: usize = 22;
const LOCATOR: usize = 20;
const END_64: usize = 56;

/// The longest comment of an archive, such as the commit that GitHub writes there.
const MAX_COMMENT: usize = 256;

/// The longest record after an entry's data, with its length and checksum.
const MAX_DESCRIPTOR: u64 = 24;

/// The limits of an archive of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) kind: FileKind,
    /// A comment of printable letters at the end.
    pub(super) comment: bool,
    /// The fields for more than 4 GiB or 65,535 entries. No document of an accepted size needs them.
    pub(super) zip64: bool,
}

impl Shape {
    pub(super) fn damaged(self) -> UploadRejection {
        UploadRejection::Damaged { kind: self.kind }
    }

    fn broken(self, error: &ZipError) -> RecognitionError {
        if matches!(
            error,
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)
        ) {
            return UploadRejection::Encrypted.into();
        }
        // The ZIP reader also reports a short or wrong structure as an I/O error; a disk that fails will fail again.
        self.damaged().into()
    }
}

/// An entry of the table.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    /// The name as the ZIP reader reads it: from an extra field, or in the letters of DOS.
    pub(super) read_name: String,
    pub(super) is_directory: bool,
    central: u64,
    header: u64,
    data: u64,
    packed: u64,
    unpacked: u64,
    checksum: u32,
    method: u16,
}

/// An archive whose structure was checked.
#[derive(Debug)]
pub(super) struct Entries<R> {
    pub(super) list: Vec<Entry>,
    archive: ZipArchive<io::BufReader<R>>,
    shape: Shape,
    /// The most bytes of all entries unpacked, by the size of the archive.
    allowed: u64,
}

impl<R: Read + Seek> Entries<R> {
    /// # Errors
    /// Two programs could find different entries, or there are too many.
    pub(super) fn open(
        shape: Shape,
        mut file: R,
        nesting: &mut Nesting,
    ) -> Result<Self, RecognitionError> {
        let length = file.seek(SeekFrom::End(0))?;
        let expected = look_at_the_edges(shape, &mut file, length)?;
        nesting.take_entries(expected)?;
        let broken = |error: ZipError| shape.broken(&error);
        let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(broken)?;
        // If two entries have one name, some programs read the first and others the second. The ZIP reader keeps only one.
        if archive.len() as u64 != expected || archive.offset() != 0 {
            return Err(shape.damaged().into());
        }
        let table = archive.central_directory_start();
        let mut list = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            list.push(entry(shape, &archive.by_index_raw(index).map_err(broken)?)?);
        }
        let mut file = archive.into_inner().into_inner();
        look_at_the_headers(shape, &mut file, &list, table)?;
        file.rewind()?;
        let archive = ZipArchive::new(io::BufReader::new(file)).map_err(broken)?;
        Ok(Self {
            list,
            archive,
            shape,
            allowed: FREE.max(length.saturating_mul(MAX_RATIO)),
        })
    }

    /// Unpacks an entry for `look`, and counts its bytes.
    ///
    /// # Errors
    /// The entry is damaged, the archive unpacks to too much, or `look` refuses it.
    pub(super) fn unpack(
        &mut self,
        index: usize,
        nesting: &mut Nesting,
        look: impl FnOnce(&mut dyn Read, &mut Nesting) -> Result<(), RecognitionError>,
    ) -> Result<(), RecognitionError> {
        let shape = self.shape;
        let broken = |error: ZipError| shape.broken(&error);
        let entry = self.archive.by_index(index).map_err(broken)?;
        let room = self.allowed.min(nesting.bytes);
        let mut counted = Counted {
            inner: entry,
            left: room.saturating_add(1),
        };
        let found = look(&mut counted, nesting).and_then(|()| {
            io::copy(&mut counted, &mut io::sink())?;
            Ok(())
        });
        let read = room.saturating_add(1) - counted.left;
        if read > room {
            return Err(UploadRejection::Bomb.into());
        }
        self.allowed -= read;
        nesting.bytes = nesting.bytes.saturating_sub(read);
        match found {
            // Every error of unpacking is the file's fault, not the disk's.
            Err(RecognitionError::Io(_)) => Err(shape.damaged().into()),
            found => found,
        }
    }
}

/// Counts the bytes that were read, and ends when there may be no more.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        let read = self
            .inner
            .read(buffer.get_mut(..length).unwrap_or_default())?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

fn entry<R: Read>(
    shape: Shape,
    entry: &zip::read::ZipFile<'_, R>,
) -> Result<Entry, UploadRejection> {
    const KIND: u32 = 0o170_000;
    const PIPE: u32 = 0o010_000;
    // `… | zip a.zip -` writes the mode of the pipe.
    const ORDINARY: [u32; 4] = [0, PIPE, 0o040_000, 0o100_000];
    if entry.encrypted() {
        return Err(UploadRejection::Encrypted);
    }
    // A program with another ZIP library could unpack an entry that this one cannot, and nobody would have examined it.
    let methods = [
        (CompressionMethod::Stored, 0),
        (CompressionMethod::Deflated, 8),
    ];
    let found = methods
        .into_iter()
        .find(|(method, _)| *method == entry.compression());
    let (_, method) = found.ok_or_else(|| shape.damaged())?;
    let mode = entry.unix_mode().unwrap_or_default() & KIND;
    if mode == PIPE && entry.size() == 0 {
        return Err(UploadRejection::ArchivePath);
    }
    // Links and devices. The mode of other systems than Unix is nothing.
    if !ORDINARY.contains(&mode) {
        return Err(UploadRejection::ArchivePath);
    }
    Ok(Entry {
        name: entry.name_raw().to_vec(),
        read_name: entry.name().to_owned(),
        is_directory: entry.is_dir(),
        central: entry.central_header_start(),
        header: entry.header_start(),
        data: entry.data_start(),
        packed: entry.compressed_size(),
        unpacked: entry.size(),
        checksum: entry.crc32(),
        method,
    })
}

/// Checks that the first bytes are an entry and the last ones the end record, so the file is no other file too. Returns the
/// number of entries in the end record.
fn look_at_the_edges(
    shape: Shape,
    file: &mut (impl Read + Seek),
    length: u64,
) -> Result<u64, RecognitionError> {
    let damaged = || shape.damaged();
    file.rewind()?;
    let mut first = [0; 4];
    file.read_exact(&mut first)?;
    let room = (END_64 + LOCATOR + END + MAX_COMMENT) as u64;
    file.seek(SeekFrom::Start(length.saturating_sub(room)))?;
    let mut tail = Vec::new();
    file.take(room).read_to_end(&mut tail)?;
    let (before, record) = tail
        .split_at_checked(end_record(shape, &tail)?)
        .ok_or_else(damaged)?;
    let is_empty = shape.comment && &first == b"PK\x05\x06";
    if &first != b"PK\x03\x04" && !is_empty {
        return Err(damaged().into());
    }
    let comment = record.len() - END;
    let at = length - record.len() as u64;
    let (short, long) = (
        |at: usize| number(record, at, 2),
        |at: usize| number(record, at, 4),
    );
    let (entries, size, offset) = (short(10), long(12), long(16));
    let needs_64 = entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    let locator = before.len().checked_sub(LOCATOR);
    let has_64 = locator
        .and_then(|at| before.get(at..at + 4))
        .is_some_and(|mark| mark == b"PK\x06\x07");
    if short(4) != 0 || short(6) != 0 || short(8) != entries {
        return Err(damaged().into());
    }
    if needs_64 || has_64 {
        return if shape.zip64 && has_64 {
            look_at_the_end_64(shape, before, at, [entries, size, offset])
        } else {
            Err(damaged().into())
        };
    }
    // The central directory must end where this record begins. If one archive follows another, some programs read the
    // directory of the first and others that of the second.
    if offset + size != at || at + (END + comment) as u64 != length {
        return Err(damaged().into());
    }
    Ok(entries)
}

/// Where the end record begins: the last one, with a comment that goes to the end of the file.
fn end_record(shape: Shape, tail: &[u8]) -> Result<usize, UploadRejection> {
    let last = tail.len().checked_sub(END).ok_or_else(|| shape.damaged())?;
    let first = if shape.comment {
        last.saturating_sub(MAX_COMMENT)
    } else {
        last
    };
    for at in (first..=last).rev() {
        let Some(record) = tail
            .get(at..)
            .filter(|rest| rest.starts_with(b"PK\x05\x06"))
        else {
            continue;
        };
        let comment = record.get(END..).unwrap_or_default();
        let is_plain = comment.iter().all(|byte| (b' '..=b'~').contains(byte));
        if number(record, 20, 2) == comment.len() as u64 && is_plain {
            return Ok(at);
        }
        break;
    }
    Err(UploadRejection::TrailingData)
}

/// The end record for large archives, its locator and the usual record have to follow each other and agree.
fn look_at_the_end_64(
    shape: Shape,
    before: &[u8],
    at: u64,
    usual: [u64; 3],
) -> Result<u64, RecognitionError> {
    let damaged = || shape.damaged();
    let start = before
        .len()
        .checked_sub(LOCATOR + END_64)
        .ok_or_else(damaged)?;
    let record = before.get(start..).ok_or_else(damaged)?;
    let locator = record.get(END_64..).ok_or_else(damaged)?;
    let place = at - (LOCATOR + END_64) as u64;
    let [entries, size, offset] = [32, 40, 48].map(|at| number(record, at, 8));
    let agrees = record.starts_with(b"PK\x06\x06")
        && number(record, 4, 8) == (END_64 - 12) as u64
        && number(record, 16, 8) == 0
        && number(record, 24, 8) == entries
        && number(locator, 4, 4) == 0
        && number(locator, 8, 8) == place
        && number(locator, 16, 4) == 1
        && offset.checked_add(size) == Some(place);
    let [usual_entries, usual_size, usual_offset] = usual;
    let same = (usual_entries == 0xffff || usual_entries == entries)
        && (usual_size == 0xffff_ffff || usual_size == size)
        && (usual_offset == 0xffff_ffff || usual_offset == offset);
    if !agrees || !same {
        return Err(damaged().into());
    }
    Ok(entries)
}

/// Programs that read from the front believe the header before each entry, others the table. Both have to say the same, and
/// nothing stands between one entry and the next.
fn look_at_the_headers(
    shape: Shape,
    file: &mut (impl Read + Seek),
    list: &[Entry],
    table: u64,
) -> Result<(), RecognitionError> {
    let mut sorted: Vec<&Entry> = list.iter().collect();
    sorted.sort_by_key(|entry| entry.header);
    let mut end = 0;
    let mut before: Option<&Entry> = None;
    let mut names = HashSet::new();
    for entry in sorted {
        if entry.header < end {
            return Err(UploadRejection::Bomb.into());
        }
        look_at_the_gap(shape, file, before, end, entry.header)?;
        if !names.insert(&entry.name) {
            return Err(shape.damaged().into());
        }
        file.seek(SeekFrom::Start(entry.header))?;
        let mut header = [0; 30];
        file.read_exact(&mut header)?;
        let name = number(&header, 26, 2);
        let mut found = Vec::new();
        file.take(name).read_to_end(&mut found)?;
        if found != entry.name || !agrees(entry, &header) {
            return Err(shape.damaged().into());
        }
        before = Some(entry);
        end = entry.data.saturating_add(entry.packed);
    }
    if table < end {
        return Err(UploadRejection::Bomb.into());
    }
    look_at_the_gap(shape, file, before, end, table)?;
    for entry in list {
        // The disk where the entry begins: there is one.
        file.seek(SeekFrom::Start(entry.central + 34))?;
        let mut disk = [0; 2];
        file.read_exact(&mut disk)?;
        if disk != [0, 0] {
            return Err(shape.damaged().into());
        }
    }
    Ok(())
}

/// Between one entry and the next there is nothing, or the checksum and the sizes of the first.
fn look_at_the_gap(
    shape: Shape,
    file: &mut (impl Read + Seek),
    before: Option<&Entry>,
    start: u64,
    end: u64,
) -> Result<(), RecognitionError> {
    let length = end - start;
    if length == 0 {
        return Ok(());
    }
    let Some(entry) = before.filter(|_| length <= MAX_DESCRIPTOR) else {
        return Err(shape.damaged().into());
    };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    let record = bytes.strip_prefix(b"PK\x07\x08").unwrap_or(&bytes);
    let size = if record.len() == 20 { 8 } else { 4 };
    let agrees = record.len() == 4 + 2 * size
        && number(record, 0, 4) == u64::from(entry.checksum)
        && number(record, 4, size) == entry.packed
        && number(record, 4 + size, size) == entry.unpacked;
    if agrees {
        Ok(())
    } else {
        Err(shape.damaged().into())
    }
}

fn agrees(entry: &Entry, header: &[u8]) -> bool {
    const LATER: u64 = 1 << 3;
    const ENCRYPTED: u64 = 1;
    let flags = number(header, 6, 2);
    // If the sizes come after the data, the header may leave them out.
    let later = flags & LATER != 0;
    let same = |at: usize, value: u64| {
        let found = number(header, at, 4);
        found == value || (later && found == 0)
    };
    // In a header with the fields for large entries.
    let size = |at: usize, value: u64| same(at, value) || number(header, at, 4) == 0xffff_ffff;
    header.starts_with(b"PK\x03\x04")
        && flags & ENCRYPTED == 0
        && number(header, 8, 2) == u64::from(entry.method)
        && same(14, u64::from(entry.checksum))
        && size(18, entry.packed)
        && size(22, entry.unpacked)
}

/// A number of so many bytes, the lowest first; 0 behind the end.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
