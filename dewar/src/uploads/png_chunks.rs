//! The chunks of a PNG, one after the other, up to its end.

use std::io::{self, Read, Seek};

use flate2::bufread::ZlibDecoder;

use super::kind::FileKind;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;

/// The most bytes of all compressed texts and profiles of a picture once they are unpacked.
const MAX_UNPACKED: u64 = 16 * 1024 * 1024;

/// Walks the chunks and returns the position after the last one. A document keeps them all, so no reader should find a
/// bomb in a text, or an animation where another finds none.
///
/// # Errors
/// A chunk is damaged, or its text unpacks to too much.
pub(crate) fn end(file: &mut (impl Read + Seek)) -> Result<u64, RecognitionError> {
    let mut at = file.seek(io::SeekFrom::Start(8))?;
    let damaged = || {
        RecognitionError::from(UploadRejection::Damaged {
            kind: FileKind::Png,
        })
    };
    let (mut has_data, mut unpacked) = (false, 0);
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        let mut checksum = flate2::Crc::new();
        checksum.update(&kind);
        let data = chunk(file, &kind, length, &mut checksum)?;
        let mut sum = [0; 4];
        file.read_exact(&mut sum)?;
        if checksum.sum() != u32::from_be_bytes(sum) {
            return Err(damaged());
        }
        at = at.saturating_add(u64::from(length) + 12);
        match &kind {
            b"IDAT" => has_data = true,
            b"acTL" if has_data || data.starts_with(&[0; 4]) => return Err(damaged()),
            b"zTXt" | b"iTXt" | b"iCCP" => {
                unpacked += unpack(&kind, &data, MAX_UNPACKED - unpacked)?
            }
            b"IEND" => return Ok(at),
            _ => {}
        }
    }
}

/// Reads a chunk's data, and returns those of the kinds that matter.
fn chunk(
    file: &mut impl Read,
    kind: &[u8; 4],
    length: u32,
    checksum: &mut flate2::Crc,
) -> Result<Vec<u8>, RecognitionError> {
    let matters = [b"acTL", b"zTXt", b"iTXt", b"iCCP"].contains(&kind);
    if matters && u64::from(length) > MAX_UNPACKED {
        return Err(UploadRejection::Bomb.into());
    }
    let mut data = Vec::new();
    let mut left = u64::from(length);
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let piece = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let piece = buffer.get_mut(..piece).unwrap_or_default();
        file.read_exact(piece)?;
        checksum.update(piece);
        if matters {
            data.extend_from_slice(piece);
        }
        left = left.saturating_sub(piece.len() as u64);
    }
    Ok(data)
}

/// How many bytes a text or profile unpacks to. Readers ignore broken data, but what they unpack to before counts as well.
fn unpack(kind: &[u8; 4], data: &[u8], most: u64) -> Result<u64, RecognitionError> {
    let after_nul = |data: &[u8], count: usize| -> Option<usize> {
        let mut nuls = data.iter().enumerate().filter(|(_, byte)| **byte == 0);
        nuls.nth(count).map(|(at, _)| at + 1)
    };
    let name = after_nul(data, 0).unwrap_or(data.len());
    let rest = data.get(name..).unwrap_or_default();
    let compressed = match (kind, rest) {
        // Compressed or not, the method, a language and a translation, each up to a NUL.
        (b"iTXt", [1, _, more @ ..]) => after_nul(more, 1).and_then(|at| more.get(at..)),
        (b"iTXt", _) => None,
        (_, [_, more @ ..]) => Some(more),
        (_, []) => None,
    };
    let Some(compressed) = compressed else {
        return Ok(0);
    };
    let mut out = ZlibDecoder::new(compressed).take(most + 1);
    drop(io::copy(&mut out, &mut io::sink()));
    let unpacked = out.get_ref().total_out();
    if unpacked > most {
        Err(UploadRejection::Bomb.into())
    } else {
        Ok(unpacked)
    }
}
