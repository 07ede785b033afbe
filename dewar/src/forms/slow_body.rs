//! A slow body: Dewar checks its sender again when the body has arrived (CWE-367).

use std::time::{Duration, Instant};

use super::events;
use crate::pages::{Error, RequestContext};

/// A body that arrives within this time counts as sent together with its head. This is network latency, too short for a
/// change of rights to matter.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The time when the reading of a body began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began(Instant);

impl Began {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// Checks again that the session is valid and the loaded records are unchanged, if the body took longer than
    /// [`AT_ONCE`]. Both were checked at the head: a person could send heads in advance, lose their rights, and send the
    /// rest (time of check to time of use, CWE-367).
    ///
    /// # Errors
    /// 401: the session has ended, or its owner has other roles. 404 and 409: a record is out of reach, or was changed.
    /// 503: the store does not respond.
    pub(super) async fn ask_again(self, context: &RequestContext) -> Result<(), Error> {
        if self.0.elapsed() < AT_ONCE {
            return Ok(());
        }
        if !context.session()?.still_holds().await? {
            events::came_too_late(context);
            let cause = "the session changed while the request was sent";
            return Err(Error::unauthenticated().because(cause));
        }
        context.admission.loaded.ask_again().await
    }
}
