//! MP3: tags, frames from the first to the last, tags.

use std::io::{Read, Seek};

use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::Walk;

/// Programs leave so many NULs for a longer tag.
const MAX_PADDING: u64 = 1024 * 1024;

/// # Errors
/// No frame follows the tags, or something follows the frames that is no tag.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    skip_id3(walk)?;
    skip_padding(walk)?;
    let mut frames = 0_u64;
    let mut stream = None;
    while walk.left() >= 4 {
        let start = walk.at;
        let header = walk.u32()?;
        let Some(frame) =
            Frame::of(header).filter(|frame| stream.is_none_or(|stream| stream == frame.stream))
        else {
            walk.go(start)?;
            break;
        };
        stream = Some(frame.stream);
        // Many programs cut the last frame.
        let rest = frame.length.saturating_sub(4);
        frames += u64::from(rest <= walk.left());
        walk.skip(rest.min(walk.left()))?;
    }
    if frames == 0 {
        return Err(walk.damaged());
    }
    skip_padding(walk)?;
    while walk.left() > 0 {
        tag(walk)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Frame {
    /// The version, layer and rate, which stay the same.
    stream: u32,
    length: u64,
}

impl Frame {
    /// ISO/IEC 11172-3, 2.4.1.3, for layer III.
    fn of(header: u32) -> Option<Self> {
        const FIRST: [u64; 14] = [
            32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ];
        const SECOND: [u64; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        if header >> 21 != 0x7ff || (header >> 17) & 3 != 1 {
            return None;
        }
        let rate = [44_100, 48_000, 32_000].get((header >> 10 & 3) as usize)?;
        let index = (header >> 12 & 15) as usize;
        let (kilobits, rate, samples) = match header >> 19 & 3 {
            3 => (FIRST.get(index.checked_sub(1)?)?, *rate, 144_000),
            2 => (SECOND.get(index.checked_sub(1)?)?, rate / 2, 72_000),
            0 => (SECOND.get(index.checked_sub(1)?)?, rate / 4, 72_000),
            _ => return None,
        };
        let length = samples * kilobits / rate + u64::from(header >> 9 & 1);
        Some(Self {
            stream: header & 0xfffe_0c00,
            length,
        })
    }
}

/// Skips any number of `ID3v2` tags.
pub(super) fn skip_id3<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    while walk.left() >= 10 {
        let start = walk.at;
        let [mark @ .., _, _, flags, a, b, c, d]: [u8; 10] = walk.bytes()?;
        if mark != *b"ID3" {
            return walk.go(start);
        }
        if (a | b | c | d) & 0x80 != 0 {
            return Err(walk.damaged());
        }
        let size = [a, b, c, d]
            .iter()
            .fold(0, |size, byte| size << 7 | u64::from(*byte));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        walk.skip(size + footer)?;
    }
    Ok(())
}

pub(super) fn skip_padding<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    let stop = walk.at.saturating_add(MAX_PADDING).min(walk.end);
    while walk.at < stop {
        if walk.bytes()? != [0] {
            return walk.go(walk.at - 1);
        }
    }
    Ok(())
}

/// A tag after the frames: `ID3v1` and its extension, `ID3v2`, APE, `Lyrics3`.
pub(super) fn tag<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    let trailing = || RecognitionError::from(UploadRejection::TrailingData);
    let start = walk.at;
    let left = walk.left();
    if left < 8 {
        return Err(trailing());
    }
    let mark: [u8; 8] = walk.bytes()?;
    let length = match &mark {
        [b'T', b'A', b'G', b'+', ..] if left > 227 => 227,
        [b'T', b'A', b'G', ..] if left == 128 => 128,
        b"APETAGEX" => {
            let _version = walk.u32()?;
            // The header does not count itself, the footer does.
            let size = u64::from(walk.u32_little()?);
            let _items = walk.u32_little()?;
            if walk.u32_little()? & 0x2000_0000 == 0 {
                32
            } else {
                size + 32
            }
        }
        [b'I', b'D', b'3', ..] => {
            walk.go(start)?;
            return skip_id3(walk);
        }
        b"LYRICSBE" => return lyrics(walk),
        _ => return Err(trailing()),
    };
    if length > left {
        return Err(trailing());
    }
    walk.go(start + length)
}

/// Lyrics3: text from `LYRICSBEGIN` to `LYRICS200` or `LYRICSEND`.
fn lyrics<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    let mut last = [0; 9];
    for _ in 0..64 * 1024 {
        let Ok([byte]) = walk.bytes() else { break };
        last.rotate_left(1);
        if let Some(place) = last.last_mut() {
            *place = byte;
        }
        if [b"LYRICS200", b"LYRICSEND"].contains(&&last) {
            return Ok(());
        }
    }
    Err(UploadRejection::TrailingData.into())
}
