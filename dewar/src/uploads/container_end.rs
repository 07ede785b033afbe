//! Finds the end of a picture from its container, so that nothing can hide after it.

use std::io::{self, Read, Seek, SeekFrom};

use super::kind::PictureFormat;
use super::picture::Deadline;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::{png_chunks, trailer};

/// The most pictures in one JPEG file: phones append a depth map or an HDR gain map (CIPA DC-007, MPF).
const MAX_JPEGS: usize = 8;

/// # Errors
/// The container has no end, or something follows it.
pub(crate) fn look(
    format: PictureFormat,
    file: &mut (impl Read + Seek),
    deadline: &Deadline,
) -> Result<(), RecognitionError> {
    let kind = format.kind();
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let end = match format {
        PictureFormat::Gif => end_of_gif(&mut io::BufReader::new(&mut *file)),
        PictureFormat::Jpeg => end_of_jpegs(&mut io::BufReader::new(&mut *file), length),
        PictureFormat::Png => {
            return after(
                png_chunks::end(&mut io::BufReader::new(&mut *file))
                    .map_err(|error| error.or_damaged(kind))?,
                length,
            );
        }
        PictureFormat::Webp => end_of_webp(&mut io::BufReader::new(&mut *file), length),
    };
    match end {
        Ok(end) if end == length => Ok(()),
        Ok(end) if end < length && format == PictureFormat::Jpeg => {
            trailer::look(file, end, length, deadline)
        }
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

/// Whether the end is that of the file.
fn after(end: u64, length: u64) -> Result<(), RecognitionError> {
    if end == length {
        Ok(())
    } else {
        Err(UploadRejection::TrailingData.into())
    }
}

/// GIF: a header, blocks of frames and extensions, each in pieces up to an empty one, and the trailer.
fn end_of_gif(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    const EXTENSION: u8 = 0x21;
    const FRAME: u8 = 0x2c;
    const TRAILER: u8 = 0x3b;
    file.seek_relative(10)?;
    let flags = read_byte(file)?;
    file.seek_relative(2 + length_of_palette(flags))?;
    loop {
        match read_byte(file)? {
            EXTENSION => file.seek_relative(1)?,
            FRAME => {
                file.seek_relative(8)?;
                let flags = read_byte(file)?;
                file.seek_relative(length_of_palette(flags) + 1)?;
            }
            TRAILER => return file.stream_position(),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        loop {
            match read_byte(file)? {
                0 => break,
                length => file.seek_relative(length.into())?,
            }
        }
    }
}

fn length_of_palette(flags: u8) -> i64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// WebP: the RIFF header holds the length of the file, and chunks fill it.
fn end_of_webp(file: &mut (impl Read + Seek), length: u64) -> io::Result<u64> {
    let mut head = [0; 12];
    file.read_exact(&mut head)?;
    let [_, _, _, _, a, b, c, d, ..] = head;
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    let end = 8 + size + size % 2;
    if end > length {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut at = 12;
    while at + 8 <= end {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [.., a, b, c, d] = head;
        let size = u64::from(u32::from_le_bytes([a, b, c, d]));
        at = file.seek(SeekFrom::Start(at + 8 + size + size % 2))?;
    }
    if at == end {
        Ok(end)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

fn end_of_jpegs(file: &mut (impl Read + Seek), length: u64) -> io::Result<u64> {
    let mut end = 0;
    for _ in 0..MAX_JPEGS {
        end_of_jpeg(file)?;
        end = file.stream_position()?;
        let mut next = end;
        // Padding between pictures.
        while next < length && read_byte(file)? == 0 {
            next += 1;
        }
        file.seek(SeekFrom::Start(next))?;
        let mut start = [0; 3];
        if file.read_exact(&mut start).is_err() || start != [0xff, 0xd8, 0xff] {
            break;
        }
        file.seek(SeekFrom::Start(next))?;
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
        let deadline = Deadline::after(
            &crate::audit::Clock::manual(0),
            std::time::Duration::from_secs(1),
        );
        match look(format, &mut Cursor::new(parts.concat()), &deadline) {
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

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [length.as_slice(), kind, data, &sum.sum().to_be_bytes()].concat()
    }

    #[test]
    fn a_png_ends_with_its_last_chunk() {
        let start = b"\x89PNG\r\n\x1a\n".as_slice();
        let (data, end) = (chunk(b"IDAT", b"IEND"), chunk(b"IEND", b""));
        let longer = chunk(b"IDAT", &[7; 70_000]);
        let mut broken = data.clone();
        broken[9] ^= 1;
        let late = chunk(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
        let none = chunk(b"acTL", &[0; 8]);
        for (expected, parts) in [
            ("whole", &[start, &data, &end] as &[&[u8]]),
            ("whole", &[start, &longer, &end]),
            ("whole", &[start, &late, &data, &end]),
            ("trailing_data", &[start, &data, &end, b"x"]),
            ("damaged", &[start, &data, &late, &end]),
            ("damaged", &[start, &none, &data, &end]),
            ("damaged", &[start, &broken, &end]),
            ("damaged", &[start, &data]),
            ("damaged", &[start, &data, &end[..11]]),
            ("damaged", &[start, b"\x01\0\0\0IDAT", &end]),
            ("damaged", &[b"\x89PNG"]),
        ] {
            assert_eq!(looked(PictureFormat::Png, parts), expected, "{parts:?}");
        }
    }

    /// ASVS: V5.2.3
    #[test]
    fn no_text_or_profile_of_a_png_is_a_bomb() {
        let start = b"\x89PNG\r\n\x1a\n".as_slice();
        let end = chunk(b"IEND", b"");
        let packed = |head: &[u8], megabytes: usize| {
            let mut out =
                flate2::write::ZlibEncoder::new(head.to_vec(), flate2::Compression::best());
            io::Write::write_all(&mut out, &vec![0; megabytes << 20]).unwrap();
            out.finish().unwrap()
        };
        for (kind, head) in [
            (b"zTXt", b"name\0\0".as_slice()),
            (b"iTXt", b"name\0\x01\0en\0title\0"),
            (b"iCCP", b"name\0\0"),
        ] {
            let small = chunk(kind, &packed(head, 10));
            let bomb = chunk(kind, &packed(head, 17));
            assert_eq!(looked(PictureFormat::Png, &[start, &small, &end]), "whole");
            assert_eq!(looked(PictureFormat::Png, &[start, &bomb, &end]), "bomb");
            assert_eq!(
                looked(PictureFormat::Png, &[start, &small, &small, &end]),
                "bomb"
            );
            let broken = chunk(kind, head);
            assert_eq!(looked(PictureFormat::Png, &[start, &broken, &end]), "whole");
            // The checksum at the end is wrong.
            let mut cut = packed(head, 10);
            cut.truncate(cut.len() - 4);
            let cut = chunk(kind, &[cut.as_slice(), &[0; 4]].concat());
            assert_eq!(looked(PictureFormat::Png, &[start, &cut, &end]), "whole");
            assert_eq!(
                looked(PictureFormat::Png, &[start, &cut, &cut, &end]),
                "bomb"
            );
        }
    }

    #[test]
    fn a_webp_is_as_long_as_its_header_and_its_chunks_say() {
        let webp = |size: u32, chunk: u32, data: usize| {
            let content = vec![7; data];
            let head = [
                b"RIFF".as_slice(),
                &size.to_le_bytes(),
                b"WEBPVP8 ",
                &chunk.to_le_bytes(),
            ]
            .concat();
            looked(PictureFormat::Webp, &[&head, &content])
        };
        assert_eq!(webp(16, 4, 4), "whole");
        assert_eq!(webp(16, 4, 5), "trailing_data");
        assert_eq!(webp(16, 4, 3), "damaged");
        assert_eq!(webp(15, 3, 4), "whole", "padded to an even number");
        assert_eq!(webp(16, 6, 4), "damaged");
        assert_eq!(webp(16, u32::MAX, 4), "damaged");
        assert_eq!(webp(18, 4, 6), "damaged", "half a chunk");
        assert_eq!(webp(u32::MAX, 4, 4), "damaged");
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
            let deadline = Deadline::after(
                &crate::audit::Clock::manual(0),
                std::time::Duration::from_secs(1),
            );
            let found = look(format, &mut FailingReader, &deadline);
            assert!(matches!(found, Err(RecognitionError::Io(_))), "{format:?}");
        }
    }
}
