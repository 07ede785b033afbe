use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// As many times the limit of bytes may be read of a body whose reader holds nothing of it.
const TIMES: u64 = 4;

/// Lets the reader of a form with files read on where the body is over its limit, and hold nothing of it.
///
/// A browser reads an answer once it has sent the whole body, and a file that is too large stands between the texts of a form.
/// So that the person gets the form again with what was typed, the file is read to its end, up to four times the limit of
/// every body. It is not for any other reader: until it is switched on, the limit holds.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    on: Arc<AtomicBool>,
    limit: u64,
}

impl Drain {
    /// For bodies of at most so many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            on: Arc::default(),
            limit,
        }
    }

    /// The most bytes that are drained, for a limit of so many.
    pub(crate) const fn most(limit: u64) -> u64 {
        limit.saturating_mul(TIMES)
    }

    /// From here on the reader holds nothing that is over the limit.
    pub(crate) fn begin(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    /// From here on it may hold what it reads, so the limit holds.
    pub(crate) fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    /// The most bytes that may be held of this body.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    /// The most bytes that may be read now.
    pub(super) fn readable(&self) -> u64 {
        if self.on.load(Ordering::Relaxed) {
            Self::most(self.limit)
        } else {
            self.limit
        }
    }
}
