//! The results of the checks between the session and a handler. The handler's inputs read them.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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
    /// The time to wait.
    pub(crate) fn count(&self) -> Result<(), Duration> {
        self.rate.as_ref().map_or(Ok(()), RateCheck::take)
    }
}

/// A form whose work is done already. An old CSRF token in it is no attack, and nothing is done again. The browser is
/// redirected to this path, and the next page gives the reason.
#[derive(Clone, Debug)]
pub(crate) struct DoneAlready {
    pub(crate) to: LocalPath,
    pub(crate) why: Message,
}

/// The rate limit of a request's sender.
#[derive(Clone)]
pub(crate) struct RateCheck {
    check: Arc<Check>,
    /// A request counts once, whichever reader reads its body.
    counted: Arc<OnceLock<Result<(), Duration>>>,
}

type Check = dyn Fn() -> Result<(), Duration> + Send + Sync;

impl RateCheck {
    pub(crate) fn new(check: impl Fn() -> Result<(), Duration> + Send + Sync + 'static) -> Self {
        Self {
            check: Arc::new(check),
            counted: Arc::default(),
        }
    }

    fn take(&self) -> Result<(), Duration> {
        *self.counted.get_or_init(|| (self.check)())
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

    #[test]
    fn each_request_is_counted_once_and_a_refusal_says_how_long() {
        let counted = Arc::new(AtomicUsize::new(0));
        let request = || {
            let count = Arc::clone(&counted);
            let rate = RateCheck::new(move || match count.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(()),
                _ => Err(Duration::from_secs(7)),
            });
            Admission {
                rate: Some(rate),
                ..Admission::default()
            }
        };
        assert_eq!(Admission::default().count(), Ok(()), "without a guard");
        let (first, second) = (request(), request());
        assert_eq!(first.count(), Ok(()));
        assert_eq!(second.count(), Err(Duration::from_secs(7)));
        assert_eq!(first.clone().count(), Ok(()));
        assert_eq!(second.count(), Err(Duration::from_secs(7)));
        assert_eq!(counted.load(Ordering::Relaxed), 2);
    }
}
