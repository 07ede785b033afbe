//! The bounds of one examination: bytes looked at, objects, unpacked bytes.

use crate::uploads::picture::Deadline;
use crate::uploads::rejection::UploadRejection;

/// The most bytes that all object streams, attachments and forms of one file unpack to.
const MAX_UNPACKED: usize = 128 * 1024 * 1024;

/// The most bytes that one stream unpacks to.
pub(super) const MAX_STREAM: usize = 64 * 1024 * 1024;

/// The most objects, all revisions together.
const MAX_OBJECTS: usize = 2_000_000;

/// The most values that are kept of all trailers and object streams. An object stream has six.
const MAX_KEPT: usize = 1_000_000;

/// The steps between two looks at the clock.
const ASKED_EVERY: usize = 1_000_000;

/// The steps that a file may need beyond those that its length allows.
const SPARE: usize = 64 * 1024 * 1024;

/// The work that all PDFs of one upload may still do together: a ZIP may hold thousands, and an honest one never needs a spare step.
#[derive(Debug)]
pub(in crate::uploads) struct Shared {
    pub(super) steps: usize,
    pub(super) unpacked: usize,
    pub(in crate::uploads) deadline: Option<Deadline>,
}

impl Shared {
    pub(in crate::uploads) const fn new() -> Self {
        Self {
            steps: 4 * SPARE,
            unpacked: 4 * MAX_UNPACKED,
            deadline: None,
        }
    }
}

/// The work that an examination may still do. It counts, and asks the deadline now and then.
#[derive(Debug)]
pub(super) struct Budget {
    /// The spare steps and the bytes that the shared budget gave.
    given: Shared,
    /// The steps since the deadline was asked.
    unasked: usize,
    steps: usize,
    unpacked: usize,
    objects: usize,
    kept: usize,
}

impl Budget {
    /// For a file of this length. An honest file costs less than ten steps a byte.
    pub(super) fn of(length: usize, shared: &Shared) -> Self {
        let given = Shared {
            steps: shared.steps.min(SPARE),
            unpacked: shared.unpacked.min(MAX_UNPACKED),
            deadline: shared.deadline.clone(),
        };
        Self {
            steps: length.saturating_mul(16).saturating_add(given.steps),
            unpacked: given.unpacked,
            given,
            unasked: 0,
            objects: MAX_OBJECTS,
            kept: MAX_KEPT,
        }
    }

    /// Takes from the shared budget what was used.
    pub(super) fn settle(&self, shared: &mut Shared) {
        let steps = self.given.steps.saturating_sub(self.steps);
        shared.steps = shared.steps.saturating_sub(steps);
        let unpacked = self.given.unpacked.saturating_sub(self.unpacked);
        shared.unpacked = shared.unpacked.saturating_sub(unpacked);
    }

    /// # Errors
    /// The steps are used up, or the time is over.
    pub(super) fn steps(&mut self, steps: usize) -> Result<(), UploadRejection> {
        take(&mut self.steps, steps)?;
        self.ask_after(steps)
    }

    fn ask_after(&mut self, steps: usize) -> Result<(), UploadRejection> {
        self.unasked = self.unasked.saturating_add(steps);
        if self.unasked < ASKED_EVERY {
            return Ok(());
        }
        self.unasked = 0;
        let deadline = self.given.deadline.as_ref();
        if deadline.is_some_and(Deadline::has_passed) {
            return Err(UploadRejection::TooSlow);
        }
        Ok(())
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
    /// Too much was unpacked, or the time is over.
    pub(super) fn unpacked(&mut self, bytes: usize) -> Result<(), UploadRejection> {
        self.steps = self.steps.saturating_add(bytes.saturating_mul(8));
        take(&mut self.unpacked, bytes)?;
        self.ask_after(bytes)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::audit::Clock;

    #[test]
    fn the_deadline_is_asked_every_million_steps() {
        let mut shared = Shared::new();
        shared.deadline = Some(Deadline::after(&Clock::manual(0), Duration::ZERO));
        let mut budget = Budget::of(1_000, &shared);
        budget.steps(ASKED_EVERY - 1).unwrap();
        assert_eq!(budget.steps(1), Err(UploadRejection::TooSlow));
        let mut budget = Budget::of(1_000, &shared);
        assert_eq!(budget.unpacked(ASKED_EVERY), Err(UploadRejection::TooSlow));
    }

    #[test]
    fn many_files_have_one_budget_together() {
        let mut shared = Shared::new();
        for _ in 0..4 {
            let mut budget = Budget::of(1_000, &shared);
            // Looking at what was unpacked costs nothing more.
            budget.unpacked(MAX_UNPACKED).unwrap();
            budget.steps(8 * MAX_UNPACKED + 16_000 + SPARE).unwrap();
            budget.settle(&mut shared);
        }
        let mut budget = Budget::of(1_000, &shared);
        assert!(budget.unpacked(1).is_err());
        let mut budget = Budget::of(1_000, &shared);
        budget.steps(16_000).unwrap();
        assert!(budget.steps(1).is_err());
    }
}
