//! The bounds of one examination: bytes looked at, objects, unpacked bytes.

use crate::uploads::rejection::UploadRejection;

/// The most bytes that all object streams, attachments and forms of one file unpack to.
const MAX_UNPACKED: usize = 128 * 1024 * 1024;

/// The most bytes that one stream unpacks to.
pub(super) const MAX_STREAM: usize = 64 * 1024 * 1024;

/// The most objects, all revisions together.
const MAX_OBJECTS: usize = 2_000_000;

/// The most values that are kept of all trailers and object streams. An object stream has six.
const MAX_KEPT: usize = 1_000_000;

/// What an examination may still do. It counts, and never looks at a clock.
#[derive(Debug)]
pub(super) struct Budget {
    steps: usize,
    unpacked: usize,
    objects: usize,
    kept: usize,
}

impl Budget {
    /// For a file of this length. An honest file costs less than three steps a byte.
    pub(super) fn of(length: usize) -> Self {
        Self {
            steps: length.saturating_mul(16).saturating_add(64 * 1024 * 1024),
            unpacked: MAX_UNPACKED,
            objects: MAX_OBJECTS,
            kept: MAX_KEPT,
        }
    }

    /// # Errors
    /// The steps are used up.
    pub(super) fn steps(&mut self, steps: usize) -> Result<(), UploadRejection> {
        take(&mut self.steps, steps)
    }

    /// # Errors
    /// There are too many objects.
    pub(super) fn object(&mut self) -> Result<(), UploadRejection> {
        take(&mut self.objects, 1)
    }

    /// # Errors
    /// Too many values of dictionaries are kept.
    pub(super) fn kept(&mut self, values: usize) -> Result<(), UploadRejection> {
        take(&mut self.kept, values)
    }

    /// The unpacked bytes may be looked at as often as those of the file.
    ///
    /// # Errors
    /// Too much was unpacked.
    pub(super) fn unpacked(&mut self, bytes: usize) -> Result<(), UploadRejection> {
        self.steps = self.steps.saturating_add(bytes.saturating_mul(8));
        take(&mut self.unpacked, bytes)
    }

    /// The most bytes that the next stream may unpack to.
    pub(super) fn room(&self) -> usize {
        self.unpacked.min(MAX_STREAM)
    }
}

fn take(left: &mut usize, taken: usize) -> Result<(), UploadRejection> {
    *left = left.checked_sub(taken).ok_or(UploadRejection::Bomb)?;
    Ok(())
}
