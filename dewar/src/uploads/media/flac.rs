//! FLAC (RFC 9639): the blocks of metadata, and the beginning of the first frame.

use std::io::{Read, Seek};

use super::super::recognise::RecognitionError;
use super::{Walk, mpeg};

/// # Errors
/// The metadata are damaged, or no frame follows them.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    mpeg::skip_id3(walk)?;
    if walk.bytes()? != *b"fLaC" {
        return Err(walk.damaged());
    }
    let mut is_first = true;
    loop {
        let [kind, high, middle, low] = walk.bytes()?;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let is_information = kind & 0x7f == 0;
        if is_first != is_information || (is_first && length != 34) || kind & 0x7f == 127 {
            return Err(walk.damaged());
        }
        is_first = false;
        walk.skip(length.into())?;
        if kind & 0x80 != 0 {
            break;
        }
    }
    match walk.bytes()? {
        [0xff, 0xf8 | 0xf9] => walk.go(walk.end),
        _ => Err(walk.damaged()),
    }
}
