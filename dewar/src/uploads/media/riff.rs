//! The chunks of WAV.

use std::io::{Read, Seek};

use super::super::recognise::RecognitionError;
use super::super::rejection::UploadRejection;
use super::Walk;

/// A program that writes to a pipe knows no length.
const UNKNOWN: u32 = u32::MAX;

/// # Errors
/// A size lies, or something follows the last chunk.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    let _riff: [u8; 4] = walk.bytes()?;
    let size = walk.u32_little()?;
    let _wave: [u8; 4] = walk.bytes()?;
    let end = if size == UNKNOWN {
        walk.end
    } else {
        walk.start + 8 + u64::from(size)
    };
    if end > walk.end {
        return Err(walk.damaged());
    }
    let (mut has_format, mut has_data) = (false, false);
    while walk.at + 8 <= end {
        let name: [u8; 4] = walk.bytes()?;
        let length = walk.u32_little()?;
        has_format |= name == *b"fmt ";
        has_data |= name == *b"data";
        if name == *b"data" && length == UNKNOWN {
            return walk.go(walk.end);
        }
        let length = u64::from(length);
        if !name.iter().all(|byte| matches!(byte, b' '..=b'~')) || length > end - walk.at {
            return Err(walk.damaged());
        }
        // Chunks begin at even positions.
        let padded = (length + length % 2).min(walk.left());
        walk.skip(padded)?;
    }
    if !(has_format && has_data) {
        return Err(walk.damaged());
    }
    // A last byte may make the length even.
    if walk.at.max(end) + (end % 2) < walk.end {
        return Err(UploadRejection::TrailingData.into());
    }
    Ok(())
}
