//! Counts how often a decoder goes over a JPEG, before it begins.
//!
//! A progressive JPEG sends a picture in scans. Each goes over every pixel and may have a few bytes, so 250 KB keep a
//! decoder busy for seconds. Programs that write JPEG need ten scans; those that compress hardest need about twenty.

use std::io::{self, BufReader, Read, Seek};

use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::limits::MAX_WORK;

/// The most scans of a picture.
const MAX_SCANS: u64 = 32;

/// # Errors
/// The picture has more scans than it needs.
pub(crate) fn look(file: &mut (impl Read + Seek)) -> Result<(), RecognitionError> {
    let mut picture = Scans::default();
    match picture.count(&mut BufReader::new(file)) {
        Ok(()) => {}
        // The decoder decides whether half a picture is damaged.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error.into()),
    }
    // If one scan is too much already, the picture has too many pixels, and the decoder reports that.
    let scanned = picture.scans.saturating_mul(picture.pixels);
    if picture.scans > MAX_SCANS || (picture.scans > 1 && scanned > MAX_WORK) {
        return Err(UploadRejection::TooManyScans.into());
    }
    Ok(())
}

#[derive(Default)]
struct Scans {
    pixels: u64,
    scans: u64,
}

impl Scans {
    /// Reads markers as a lenient decoder does (ITU T.81, annex B): it passes over anything that is no marker, and skips
    /// only segments that every decoder skips, so that no scan hides in another. It stops at too many.
    fn count(&mut self, file: &mut BufReader<impl Read + Seek>) -> io::Result<()> {
        const SOF0: u8 = 0xc0;
        const SOF2: u8 = 0xc2;
        const DHT: u8 = 0xc4;
        const EOI: u8 = 0xd9;
        const SOS: u8 = 0xda;
        const DQT: u8 = 0xdb;
        const DRI: u8 = 0xdd;
        const APP0: u8 = 0xe0;
        const APP15: u8 = 0xef;
        const COM: u8 = 0xfe;
        while self.scans <= MAX_SCANS {
            match next_marker(file)? {
                EOI if self.scans > 0 => return Ok(()),
                SOS => self.scans += 1,
                SOF0..=SOF2 => {
                    let [high, low, _, rows_high, rows_low, columns_high, columns_low] =
                        read(file)?;
                    let rows = u16::from_be_bytes([rows_high, rows_low]);
                    let columns = u16::from_be_bytes([columns_high, columns_low]);
                    self.pixels = self.pixels.max(u64::from(rows) * u64::from(columns));
                    let length = u16::from_be_bytes([high, low]);
                    file.seek_relative(i64::from(length.saturating_sub(7)))?;
                }
                DHT | DQT | DRI | APP0..=APP15 | COM => {
                    let length = u16::from_be_bytes(read(file)?);
                    file.seek_relative(i64::from(length.saturating_sub(2)))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn next_marker(file: &mut impl Read) -> io::Result<u8> {
    loop {
        let [mut byte] = read(file)?;
        if byte != 0xff {
            continue;
        }
        while byte == 0xff {
            [byte] = read(file)?;
        }
        if byte != 0 {
            return Ok(byte);
        }
    }
}

fn read<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A disk that fails in the middle of a file.
    struct Failing(io::ErrorKind);

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_file_that_ends() {
        assert!(look(&mut Failing(io::ErrorKind::UnexpectedEof)).is_ok());
        let failed = look(&mut Failing(io::ErrorKind::PermissionDenied));
        assert!(matches!(failed, Err(RecognitionError::Io(_))), "{failed:?}");
    }

    fn taken(parts: &[&[u8]]) -> bool {
        look(&mut Cursor::new(parts.concat())).is_ok()
    }

    fn frame(kind: u8, rows: u16, columns: u16) -> Vec<u8> {
        let mut bytes = vec![0xff, kind, 0, 17, 8];
        bytes.extend(rows.to_be_bytes());
        bytes.extend(columns.to_be_bytes());
        // The components hold bytes that a reader at the wrong position takes for scans.
        bytes.extend([0xff, 0xda].repeat(5));
        bytes
    }

    const SCAN: &[u8] = &[0xff, 0xda, 1, 2, 3, 0xff, 0];
    const EOI: &[u8] = &[0xff, 0xd9];

    #[test]
    fn a_picture_has_so_many_scans_and_no_more() {
        let small = frame(0xc2, 8, 8);
        assert!(taken(&[&small, &SCAN.repeat(32), EOI]));
        assert!(!taken(&[&small, &SCAN.repeat(33), EOI]));
        // An end before any scan does not count, and bytes after the end belong to another picture.
        assert!(!taken(&[&small, EOI, &SCAN.repeat(33)]));
        assert!(taken(&[&small, SCAN, EOI, &SCAN.repeat(40)]));
        assert!(!taken(&[&[0xff, 0xff, 0xda].repeat(33)]));
        assert!(taken(&[&[0xff, 0, 0xda].repeat(40)]));
        assert!(taken(&[&[0x12, 0xda].repeat(40)]));
        assert!(taken(&[]));
    }

    #[test]
    fn all_scans_together_go_over_so_many_pixels() {
        for kind in [0xc0, 0xc1, 0xc2] {
            let most = frame(kind, 16_384, 32_768);
            let more = frame(kind, 16_385, 32_768);
            assert!(taken(&[&most, SCAN, SCAN, EOI]));
            assert!(!taken(&[&more, SCAN, SCAN, EOI]));
            assert!(!taken(&[&most, SCAN, SCAN, SCAN, EOI]));
            assert!(
                taken(&[&frame(kind, 65_535, 65_535), SCAN, EOI]),
                "one scan"
            );
            // The largest frame counts, in any order.
            assert!(!taken(&[&more, &frame(kind, 1, 1), SCAN, SCAN]));
            assert!(!taken(&[&frame(kind, 1, 1), &more, SCAN, SCAN]));
        }
        assert!(
            taken(&[&frame(0xc8, 65_535, 65_535), SCAN, SCAN, EOI]),
            "no frame"
        );
    }

    /// No scan hides in a segment, and a segment that every decoder skips is no scan.
    #[test]
    fn what_every_decoder_skips_is_skipped_and_nothing_else() {
        let with = |kind: u8| [&[0xff, kind, 0, 2 + 66], SCAN[..2].repeat(33).as_slice()].concat();
        for kind in [0xc4, 0xdb, 0xdd, 0xe0, 0xe7, 0xef, 0xfe] {
            assert!(taken(&[&with(kind)]), "{kind:x}");
            let after = [&[0xff, kind, 0, 2], SCAN.repeat(33).as_slice()].concat();
            assert!(!taken(&[&after]), "{kind:x}");
        }
        for kind in [0x01, 0xc8, 0xcc, 0xd0, 0xd8, 0xdc, 0xf0, 0xfd] {
            assert!(!taken(&[&with(kind)]), "{kind:x}");
        }
    }
}
