//! A slow body: Dewar checks its sender again when the body has arrived (CWE-367).

use std::time::Duration;

use super::events;
use crate::pages::{Error, RequestContext};

/// A body that has been read within this time of its session counts as sent together with its head. This is network latency,
/// too short for a change of rights to matter.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Checks again that the session is valid and the loaded records are unchanged, if more than [`AT_ONCE`] has passed since the
/// session was read: a person could send heads in advance, lose their rights, and send the rest (time of check to time of
/// use, CWE-367). It counts from the session and not from the body, because a layer of the application may have waited or
/// read the body before.
///
/// # Errors
/// 401: the session has ended, or its owner has other roles. 404 and 409: a record is out of reach, or was changed.
/// 503: the store does not respond.
pub(super) async fn check_again(context: &RequestContext) -> Result<(), Error> {
    if context.facts().began.elapsed() < AT_ONCE {
        return Ok(());
    }
    // An API token is among the records that are asked again.
    if context.bearer().is_none() && !context.session()?.still_holds().await? {
        events::came_too_late(context);
        let cause = "the session changed during the upload";
        return Err(Error::unauthenticated().because(cause));
    }
    context.admission.loaded.ask_again().await
}
