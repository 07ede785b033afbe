//! A request whose body takes its time: who sends it is asked once more when it is there.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Extensions;
use http::request::Parts;

use super::events;
use crate::pages::Error;
use crate::sessions::Session;

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
    pub(super) async fn ask_again(self, parts: &Parts) -> Result<(), Error> {
        if self.0.elapsed() < AT_ONCE {
            return Ok(());
        }
        if let Some(session) = parts.extensions.get::<Session>()
            && !session.still_holds().await?
        {
            events::came_too_late(parts);
            let cause = "the session changed while the request was sent";
            return Err(Error::unauthenticated().because(cause));
        }
        let loaded = parts.extensions.get::<LoadedBefore>();
        for again in loaded.into_iter().flat_map(|loaded| &loaded.0) {
            again().await?;
        }
        Ok(())
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Records that were loaded by the head of a request, each with a question whether it is as it was.
#[derive(Clone, Default)]
pub(crate) struct LoadedBefore(Vec<Arc<dyn Fn() -> Asking + Send + Sync>>);

impl fmt::Debug for LoadedBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoadedBefore").field(&self.0.len()).finish()
    }
}

impl LoadedBefore {
    /// Adds a question to those of a request.
    pub(crate) fn add<F>(to: &mut Extensions, again: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let mut loaded = to.remove::<Self>().unwrap_or_default();
        loaded.0.push(Arc::new(move || Box::pin(again())));
        to.insert(loaded);
    }
}
