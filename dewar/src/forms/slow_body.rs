//! A request whose body takes its time: who sends it is asked once more when it is there.

use std::time::{Duration, Instant};

use super::events;
use crate::pages::{Error, RequestContext};

/// A body that is there within this time comes from whoever sent its head. It is what a network takes, and no time in which
/// rights end unnoticed.
const AT_ONCE: Duration = Duration::from_millis(100);

/// When the reading of a body began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began(Instant);

impl Began {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// Asks again whether the session holds and whether the records that were loaded are as they were, where the body took
    /// longer than [`AT_ONCE`]. All of that was judged by the head alone: somebody could send heads in advance, lose their
    /// rights, and send the rest (CWE-367).
    ///
    /// # Errors
    /// 401: the session has ended, or its owner has other roles. 404 and 409: a record is out of reach, or was changed. 503:
    /// the store does not answer.
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
