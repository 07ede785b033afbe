//! The results of the checks between the session and a handler. The handler's inputs read them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::{Error, LocalPath, Message, TypedInForm};
use crate::csrf::VerifiedWebhook;

/// The results of the checks that a request has passed. The guard of its route fills it in; a request that met no guard
/// has none of them. Every request under way has one, so the rare parts are in boxes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    /// The disk is full: Dewar reads the form and sends it back with the typed values.
    pub(crate) disk_is_full: bool,
    /// An input before the form found that the form's work is done already.
    pub(crate) done_already: Option<Box<DoneAlready>>,
    /// Records that were loaded before the body arrived.
    pub(crate) loaded: LoadedRecords,
    /// The rate limit of the sender, checked before the body is read.
    pub(crate) rate: Option<RateCheck>,
    /// The person has given their password a short time ago, as the route requires.
    pub(crate) recently_authenticated: bool,
    /// The form is only shown again, and no handler gets its values: its sender was signed out when they sent it.
    pub(crate) show_only: bool,
    /// The texts of the form, for an error page.
    pub(crate) typed: Option<TypedInForm>,
    /// The verified webhook, whose signature replaces a session.
    pub(crate) webhook: Option<Box<VerifiedWebhook>>,
}

impl Admission {
    /// Counts this request.
    ///
    /// # Errors
    /// The sender has to wait.
    pub(crate) async fn count(&self) -> Result<(), RateRefusal> {
        match &self.rate {
            Some(rate) => rate.take().await,
            None => Ok(()),
        }
    }
}

/// A form whose work is done already. An old CSRF token in it is no attack, and nothing is done again. The browser is
/// redirected to this path, and the next page gives the reason.
#[derive(Clone, Debug)]
pub(crate) struct DoneAlready {
    pub(crate) to: LocalPath,
    pub(crate) why: Message,
}

/// Why a request does not pass its rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateRefusal {
    /// Nobody can count it now, and its limit admits no request that is not counted.
    NotCounted(Duration),
    /// The sender sent too many.
    TooMany(Duration),
}

impl RateRefusal {
    /// How long to wait.
    pub(crate) const fn wait(self) -> Duration {
        match self {
            Self::NotCounted(wait) | Self::TooMany(wait) => wait,
        }
    }

    /// The sentence for a person.
    pub(crate) fn message(self) -> Message {
        let id = match self {
            Self::NotCounted(_) => "forms-not-counted",
            Self::TooMany(_) => "forms-too-often",
        };
        let seconds = self.wait().as_millis().div_ceil(1000).max(1);
        Message::new(id).with("seconds", i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// The error of a request that is not a form: 429 or 503, with `Retry-After`.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::NotCounted(wait) => Error::busy(wait),
            Self::TooMany(wait) => Error::too_many_requests(wait),
        }
    }
}

type Counting = Pin<Box<dyn Future<Output = Result<(), RateRefusal>> + Send>>;

type Check = dyn Fn() -> Counting + Send + Sync;

/// The rate limit of a request's sender.
#[derive(Clone)]
pub(crate) struct RateCheck {
    check: Arc<Check>,
    /// A request counts once, whichever reader reads its body.
    counted: Arc<OnceCell<Result<(), RateRefusal>>>,
}

impl RateCheck {
    pub(crate) fn new<F>(check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), RateRefusal>> + Send + 'static,
    {
        Self {
            check: Arc::new(move || Box::pin(check())),
            counted: Arc::default(),
        }
    }

    async fn take(&self) -> Result<(), RateRefusal> {
        *self.counted.get_or_init(|| (self.check)()).await
    }
}

impl fmt::Debug for RateCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateCheck")
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Records that an input loaded before the body arrived, each with a check that it is unchanged.
#[derive(Clone, Default)]
pub(crate) struct LoadedRecords(Vec<Arc<dyn Fn() -> Asking + Send + Sync>>);

impl LoadedRecords {
    /// Adds a check to those of a request.
    pub(crate) fn add<F>(&mut self, again: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.0.push(Arc::new(move || Box::pin(again())));
    }

    /// Checks that each record is unchanged.
    ///
    /// # Errors
    /// 404 or 409: a record is out of reach, or was changed.
    pub(crate) async fn ask_again(&self) -> Result<(), Error> {
        for again in &self.0 {
            again().await?;
        }
        Ok(())
    }
}

impl fmt::Debug for LoadedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoadedRecords").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn each_request_is_counted_once_and_a_refusal_says_how_long() {
        let counted = Arc::new(AtomicUsize::new(0));
        let wait = RateRefusal::TooMany(Duration::from_secs(7));
        let request = || {
            let count = Arc::clone(&counted);
            let rate = RateCheck::new(move || {
                let before = count.fetch_add(1, Ordering::Relaxed);
                async move { if before == 0 { Ok(()) } else { Err(wait) } }
            });
            Admission {
                rate: Some(rate),
                ..Admission::default()
            }
        };
        assert_eq!(
            Admission::default().count().await,
            Ok(()),
            "without a guard"
        );
        let (first, second) = (request(), request());
        assert_eq!(first.count().await, Ok(()));
        assert_eq!(second.count().await, Err(wait));
        assert_eq!(first.clone().count().await, Ok(()));
        assert_eq!(second.count().await, Err(wait));
        assert_eq!(counted.load(Ordering::Relaxed), 2);
    }
}
