//! The pages of Ogg (RFC 3533).

use std::io::{Read, Seek};

use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::Walk;

/// The first bytes of a stream of each codec.
const CODECS: [&[u8]; 10] = [
    b"OpusHead",
    b"\x01vorbis",
    b"\x7fFLAC",
    b"fLaC",
    b"Speex   ",
    b"\x80theora",
    b"BBCD",
    b"fishead\0",
    b"\x80kate",
    b"OVP80",
];

/// # Errors
/// A page is damaged, or something follows the last one.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    let mut pages = 0_u64;
    while walk.left() > 0 {
        let mark = if walk.left() < 27 {
            [0; 4]
        } else {
            walk.bytes()?
        };
        if mark != *b"OggS" {
            return Err(if pages == 0 {
                walk.damaged()
            } else {
                UploadRejection::TrailingData.into()
            });
        }
        page(walk, pages == 0)?;
        pages += 1;
    }
    if pages > 1 {
        Ok(())
    } else {
        Err(walk.damaged())
    }
}

fn page<F: Read + Seek>(walk: &mut Walk<'_, F>, is_first: bool) -> Result<(), RecognitionError> {
    walk.deadline.check()?;
    // Version, kind, position, serial number and number; then the checksum and the number of segments.
    let head: [u8; 18] = walk.bytes()?;
    let [version, kind, ..] = head;
    let checksum = walk.u32_little()?;
    let [segments] = walk.bytes()?;
    let lengths = walk.vec(segments.into())?;
    let content = walk.vec(lengths.iter().map(|length| u64::from(*length)).sum())?;
    let parts = [
        b"OggS".as_slice(),
        &head,
        &[0, 0, 0, 0, segments],
        &lengths,
        &content,
    ];
    if version != 0 || parts.iter().fold(0, |crc, part| crc_of(crc, part)) != checksum {
        return Err(walk.damaged());
    }
    let is_beginning = kind & 2 != 0;
    let is_known = CODECS.iter().any(|codec| content.starts_with(codec));
    if (is_first && !is_beginning) || (is_beginning && !is_known) {
        return Err(walk.damaged());
    }
    Ok(())
}

/// The checksum of Ogg goes over the bits from the highest one, which few libraries do.
fn crc_of(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, byte| {
        let [high, ..] = crc.to_be_bytes();
        (crc << 8) ^ TABLE.get(usize::from(high ^ byte)).copied().unwrap_or(0)
    })
}

static TABLE: [u32; 256] = table();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "it runs at compile time, over 256 entries"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ (0x04c1_1db7 & 0_u32.wrapping_sub(crc >> 31));
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
pub(crate) fn checksum(page: &[u8]) -> u32 {
    crc_of(0, page)
}
