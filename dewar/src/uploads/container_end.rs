//! Finds the end of a picture from its container, so that nothing can hide after it.

use std::io::{self, Read, Seek, SeekFrom};

use super::kind::PictureFormat;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

/// The most pictures in one JPEG file: phones append a depth map or an HDR gain map (CIPA DC-007, MPF).
const MAX_JPEGS: usize = 8;

/// # Errors
/// The container has no end, or something follows it.
pub(crate) fn look(
    format: PictureFormat,
    file: &mut (impl Read + Seek),
) -> Result<(), RecognitionError> {
    let kind = format.kind();
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let end = match format {
        PictureFormat::Jpeg => end_of_jpegs(&mut io::BufReader::new(&mut *file), length),
        PictureFormat::Png => end_of_png(file),
        PictureFormat::Webp => end_of_webp(file),
    };
    match end {
        Ok(end) if end == length => Ok(()),
        Ok(end) if end < length => Err(UploadRejection::TrailingData.into()),
        Ok(_) => Err(UploadRejection::Damaged { kind }.into()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
            ) =>
        {
            Err(UploadRejection::Damaged { kind }.into())
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

/// WebP: the RIFF header holds the length of the file, padded to an even number.
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn looked(format: PictureFormat, parts: &[&[u8]]) -> &'static str {
        match look(format, &mut Cursor::new(parts.concat())) {
            Ok(()) => "whole",
            Err(RecognitionError::Refused(refused)) => refused.word(),
            Err(RecognitionError::Io(_)) => "io",
        }
    }

    const SOI: &[u8] = &[0xff, 0xd8];
    const APP: &[u8] = &[0xff, 0xe0, 0, 4, 0xff, 0xd9];
    const SCAN: &[u8] = &[0xff, 0xda, 0, 3, 7];
    const DATA: &[u8] = &[0x12, 0xff, 0, 0x34, 0xff, 0xd0, 0xff, 0xd7, 0x56];
    const EOI: &[u8] = &[0xff, 0xd9];

    /// A second picture inside a segment: some readers start again there.
    #[test]
    fn a_picture_begins_once() {
        let second = [SOI, APP, SOI, &[0, 2], APP, EOI];
        assert_eq!(looked(PictureFormat::Jpeg, &second), "damaged");
        assert_eq!(looked(PictureFormat::Jpeg, &[SOI, APP, APP, EOI]), "whole");
    }

    /// Each marker of ITU T.81, annex B: a scanner that misreads one of them finds another end.
    #[test]
    fn a_jpeg_ends_with_the_marker_that_ends_it() {
        let whole = [SOI, APP, SCAN, DATA, EOI].concat();
        let eight = whole.repeat(8);
        let cases: [(&str, &[&[u8]]); 25] = [
            ("whole", &[&whole]),
            ("whole", &[SOI, EOI]),
            ("whole", &[SOI, &[0xff, 0x01], APP, SCAN, DATA, EOI]),
            ("whole", &[SOI, &[0xff, 0xd0, 0xff, 0xd7], SCAN, DATA, EOI]),
            ("whole", &[SOI, SCAN, DATA, SCAN, DATA, EOI]),
            ("whole", &[SOI, SCAN, DATA, APP, SCAN, DATA, EOI]),
            ("whole", &[SOI, SCAN, DATA, &[0xff, 0xff, 0xff, 0xd9]]),
            ("whole", &[SOI, &[0xff, 0xff], APP, EOI]),
            ("whole", &[SOI, &[0xff, 0xfe, 0, 2], EOI]),
            ("whole", &[&whole, &[0, 0, 0]]),
            ("whole", &[&whole, &[0], &whole]),
            ("whole", &[&eight]),
            ("trailing_data", &[&eight, &whole]),
            ("trailing_data", &[&whole, &[0xff]]),
            ("trailing_data", &[&whole, &[0xff, 0xd8, 0]]),
            ("trailing_data", &[&whole, &[0, 0x50, 0x4b, 3, 4]]),
            ("damaged", &[&whole, &[0xff, 0xd8, 0xff]]),
            ("damaged", &[&[0xff, 0xd9], &whole]),
            ("damaged", &[SOI, &[0x12], EOI]),
            ("damaged", &[SOI, APP, SOI, EOI]),
            ("damaged", &[SOI, &[0xff, 0], EOI]),
            ("damaged", &[SOI, &[0xff, 0xe0, 0, 1], EOI]),
            ("damaged", &[SOI, &[0xff, 0xe0, 0, 9], EOI]),
            ("damaged", &[SOI, SCAN, DATA, &[0xff]]),
            ("damaged", &[]),
        ];
        for (number, (expected, parts)) in cases.into_iter().enumerate() {
            assert_eq!(
                looked(PictureFormat::Jpeg, parts),
                expected,
                "case {number}"
            );
        }
    }

    #[test]
    fn a_png_ends_with_its_last_chunk() {
        let start = b"\x89PNG\r\n\x1a\n";
        let data = b"\0\0\0\x04IDATIENDsum.";
        let end = b"\0\0\0\0IENDsum.";
        let longer = b"\0\0\x01\0IDAT";
        assert_eq!(looked(PictureFormat::Png, &[start, data, end]), "whole");
        assert_eq!(
            looked(PictureFormat::Png, &[start, longer, &[7; 260], end]),
            "whole"
        );
        assert_eq!(
            looked(PictureFormat::Png, &[start, data, end, b"x"]),
            "trailing_data"
        );
        for parts in [
            &[start.as_slice(), data] as &[&[u8]],
            &[start, data, b"\0\0\0\0IENDsum"],
            &[start, b"\x01\0\0\0IDAT", end],
            &[start, b"\0\x01\0\0IDAT", end],
            &[b"\x89PNG"],
        ] {
            assert_eq!(looked(PictureFormat::Png, parts), "damaged");
        }
    }

    #[test]
    fn a_webp_is_as_long_as_its_header_says() {
        let webp = |said: [u8; 4], data: usize| {
            let content = vec![7; data];
            looked(PictureFormat::Webp, &[b"RIFF", &said, &content])
        };
        assert_eq!(webp([4, 0, 0, 0], 4), "whole");
        assert_eq!(webp([4, 0, 0, 0], 5), "trailing_data");
        assert_eq!(webp([4, 0, 0, 0], 3), "damaged");
        assert_eq!(webp([5, 0, 0, 0], 6), "whole", "padded to an even number");
        assert_eq!(webp([5, 0, 0, 0], 5), "damaged");
        assert_eq!(webp([5, 0, 0, 0], 7), "trailing_data");
        assert_eq!(webp([2, 1, 0, 0], 258), "whole");
        assert_eq!(webp([2, 0, 1, 0], 258), "damaged");
        assert_eq!(looked(PictureFormat::Webp, &[b"RIFF"]), "damaged");
    }

    /// An unreadable disk is the operator's problem, not the picture's fault.
    #[test]
    fn a_disk_that_fails_is_not_a_damaged_picture() {
        struct FailingReader;
        impl Read for FailingReader {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        impl Seek for FailingReader {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Ok(0)
            }
        }
        for format in [PictureFormat::Jpeg, PictureFormat::Png, PictureFormat::Webp] {
            let found = look(format, &mut FailingReader);
            assert!(matches!(found, Err(RecognitionError::Io(_))), "{format:?}");
        }
    }
}
