use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

/// How often the sender of a request may send one that changes something. The route's guard leaves it with the request, once
/// the first CSRF check has refused what other sites send; it is asked before the body is read.
#[derive(Clone)]
pub(crate) struct Allowance(Arc<Ask>);

type Ask = dyn Fn() -> Result<(), Duration> + Send + Sync;

impl Allowance {
    pub(crate) fn new(ask: impl Fn() -> Result<(), Duration> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Counts this request.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(parts: &Parts) -> Result<(), Duration> {
        parts
            .extensions
            .get::<Self>()
            .map_or(Ok(()), |allowance| (allowance.0)())
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Allowance")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_request_is_counted_and_a_refusal_says_how_long() {
        let counted = Arc::new(AtomicUsize::new(0));
        let ask = Arc::clone(&counted);
        let allowance = Allowance::new(move || match ask.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(Duration::from_secs(7)),
        });
        let (mut parts, ()) = http::Request::new(()).into_parts();
        assert_eq!(Allowance::take(&parts), Ok(()), "outside of the stack");
        parts.extensions.insert(allowance);
        assert_eq!(Allowance::take(&parts), Ok(()));
        assert_eq!(Allowance::take(&parts), Err(Duration::from_secs(7)));
        assert_eq!(counted.load(Ordering::Relaxed), 2);
    }
}
