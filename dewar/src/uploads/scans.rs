//! How often a decoder goes over a JPEG, counted before it begins.
//!
//! A progressive JPEG sends a picture in scans, each of which goes over every pixel and may take a few bytes: 250 KB make
//! a decoder work for seconds. Programs that write JPEG need ten scans, those that pack it hardest about twenty.

use std::io::{self, BufReader, Read, Seek};

use super::recognise::Trouble;
use super::refused::Refused;

/// Scans a picture may have.
const MAX_SCANS: u64 = 32;

/// Pixels that all scans together may go over: 16 times 8,000 x 8,000.
const MAX_SCANNED: u64 = 1024 * 1024 * 1024;

/// # Errors
/// There are more scans than a picture needs.
pub(crate) fn look(file: &mut (impl Read + Seek)) -> Result<(), Trouble> {
    let mut picture = Scans::default();
    match picture.count(&mut BufReader::new(file)) {
        Ok(()) => {}
        // Whether half a picture is one, the decoder says.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error.into()),
    }
    // Where one scan is too much already, it is the pixels that are too many, and the decoder says so.
    let scanned = picture.scans.saturating_mul(picture.pixels);
    if picture.scans > MAX_SCANS || (picture.scans > 1 && scanned > MAX_SCANNED) {
        return Err(Refused::TooManyScans.into());
    }
    Ok(())
}

#[derive(Default)]
struct Scans {
    pixels: u64,
    scans: u64,
}

impl Scans {
    /// Reads markers as a lenient decoder does (ITU T.81, annex B): what is no marker is passed over, and only segments
    /// that every decoder skips are skipped, so that no scan hides in another. Stops where there are too many.
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
        assert!(matches!(failed, Err(Trouble::Io(_))), "{failed:?}");
    }
}
