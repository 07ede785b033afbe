//! Where a picture ends, read from its container, so that nothing can be hidden behind it.

use std::io::{self, Read, Seek, SeekFrom};

use super::kind::FileKind;
use super::recognise::Trouble;
use super::refused::Refused;

/// Pictures a JPEG file may hold one after another: phones append a depth map or an HDR gain map (CIPA DC-007, MPF).
const MAX_JPEGS: usize = 8;

/// # Errors
/// The container has no end, or something follows it.
pub(crate) fn look(kind: FileKind, file: &mut (impl Read + Seek)) -> Result<(), Trouble> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let end = match kind {
        FileKind::Jpeg => end_of_jpegs(&mut io::BufReader::new(&mut *file), length),
        FileKind::Png => end_of_png(file),
        FileKind::Webp => end_of_webp(file),
        FileKind::Csv | FileKind::Docx | FileKind::Odt | FileKind::Pdf | FileKind::Txt => {
            Ok(length)
        }
    };
    match end {
        Ok(end) if end == length => Ok(()),
        Ok(end) if end < length => Err(Refused::TrailingData.into()),
        Ok(_) => Err(Refused::Damaged { kind }.into()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
            ) =>
        {
            Err(Refused::Damaged { kind }.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// PNG: chunks of length, type, data and checksum, up to `IEND`.
fn end_of_png(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    let mut at = file.seek(SeekFrom::Start(8))?;
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        at = file.seek(SeekFrom::Start(at + 8 + length + 4))?;
        if &kind == b"IEND" {
            return Ok(at);
        }
    }
}

/// WebP: the RIFF header says how long the file is, padded to an even number.
fn end_of_webp(file: &mut impl Read) -> io::Result<u64> {
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    Ok(8 + length + length % 2)
}

fn end_of_jpegs(file: &mut (impl Read + Seek), length: u64) -> io::Result<u64> {
    let mut end = 0;
    for _ in 0..MAX_JPEGS {
        end_of_jpeg(file)?;
        end = file.stream_position()?;
        let mut next = 0;
        // Padding between pictures.
        while end < length {
            next = read_byte(file)?;
            if next != 0 {
                break;
            }
            end += 1;
        }
        if end == length || next != 0xff {
            break;
        }
        file.seek(SeekFrom::Start(end))?;
        let mut start = [0; 3];
        if file.read_exact(&mut start).is_err() || start != [0xff, 0xd8, 0xff] {
            break;
        }
        file.seek(SeekFrom::Start(end))?;
    }
    Ok(end)
}

/// JPEG (ITU T.81, annex B): marker segments, entropy-coded data after each `SOS`, up to `EOI`.
fn end_of_jpeg(file: &mut (impl Read + Seek)) -> io::Result<()> {
    const TEM: u8 = 0x01;
    const RST0: u8 = 0xd0;
    const RST7: u8 = 0xd7;
    const SOI: u8 = 0xd8;
    const EOI: u8 = 0xd9;
    const SOS: u8 = 0xda;
    let mut marker = next_marker(file, Between::Segments)?;
    if marker != SOI {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut between = Between::Segments;
    loop {
        marker = next_marker(file, between)?;
        between = if marker == SOS {
            Between::ScanData
        } else {
            Between::Segments
        };
        match marker {
            EOI => return Ok(()),
            TEM | RST0..=RST7 => {}
            SOI => return Err(io::ErrorKind::InvalidData.into()),
            _ => {
                let length = u16::from_be_bytes([read_byte(file)?, read_byte(file)?]);
                let rest = length.checked_sub(2).ok_or(io::ErrorKind::InvalidData)?;
                file.seek_relative(i64::from(rest))?;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    ScanData,
    Segments,
}

fn next_marker(file: &mut impl Read, between: Between) -> io::Result<u8> {
    loop {
        if read_byte(file)? != 0xff {
            if between == Between::Segments {
                return Err(io::ErrorKind::InvalidData.into());
            }
            continue;
        }
        let mut marker = read_byte(file)?;
        while marker == 0xff {
            marker = read_byte(file)?;
        }
        // In scan data `FF 00` is a byte of the picture, and `FF D0`-`FF D7` only restart the decoder.
        let is_data = marker == 0 || (0xd0..=0xd7).contains(&marker);
        if !(between == Between::ScanData && is_data) {
            return Ok(marker);
        }
    }
}

fn read_byte(file: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}
