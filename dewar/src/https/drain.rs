use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The factor by which a body may exceed its limit while its reader discards the bytes.
const TIMES: u64 = 4;

/// Lets the reader of a form with files read a body past its limit and discard the bytes.
///
/// A browser reads the response only after it has sent the whole body, and a file that is too large may stand between the
/// texts of a form. Dewar reads it to its end, up to four times the body limit, so that it can show the form again with
/// the typed text. For every other reader the limit holds.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    on: Arc<AtomicBool>,
    limit: u64,
}

impl Drain {
    /// A drain for bodies with this limit.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            on: Arc::default(),
            limit,
        }
    }

    /// The most bytes that are read of a body with this limit.
    pub(crate) const fn most(limit: u64) -> u64 {
        limit.saturating_mul(TIMES)
    }

    /// From here on the reader holds no byte over the limit.
    pub(crate) fn begin(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    /// From here on the reader may hold what it reads, so the limit holds.
    pub(crate) fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    /// The most bytes of this body that the reader may hold.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    /// The most bytes that the reader may read now.
    pub(super) fn readable(&self) -> u64 {
        if self.on.load(Ordering::Relaxed) {
            Self::most(self.limit)
        } else {
            self.limit
        }
    }
}
