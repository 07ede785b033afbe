use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::request::Parts;

/// How often the sender of a request may send one that changes something. The route's guard leaves it with the request, once
/// the first CSRF check has refused what other sites send; it is asked before the body is read.
#[derive(Clone)]
pub(crate) struct Allowance {
    ask: Arc<CheckRate>,
    /// A request counts once, whoever reads its body in the end.
    asked: Arc<OnceLock<Result<(), Duration>>>,
}

type CheckRate = dyn Fn() -> Result<(), Duration> + Send + Sync;

impl Allowance {
    pub(crate) fn new(ask: impl Fn() -> Result<(), Duration> + Send + Sync + 'static) -> Self {
        Self {
            ask: Arc::new(ask),
            asked: Arc::default(),
        }
    }

    /// Counts this request.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(parts: &Parts) -> Result<(), Duration> {
        let allowance = parts.extensions.get::<Self>();
        allowance.map_or(Ok(()), |Self { ask, asked }| *asked.get_or_init(|| ask()))
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
    fn each_request_is_counted_once_and_a_refusal_says_how_long() {
        let counted = Arc::new(AtomicUsize::new(0));
        let request = || {
            let ask = Arc::clone(&counted);
            let allowance = Allowance::new(move || match ask.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(()),
                _ => Err(Duration::from_secs(7)),
            });
            let (mut parts, ()) = http::Request::new(()).into_parts();
            assert_eq!(Allowance::take(&parts), Ok(()), "outside of the stack");
            parts.extensions.insert(allowance);
            parts
        };
        let (first, second) = (request(), request());
        assert_eq!(Allowance::take(&first), Ok(()));
        assert_eq!(Allowance::take(&second), Err(Duration::from_secs(7)));
        assert_eq!(Allowance::take(&first.clone()), Ok(()));
        assert_eq!(Allowance::take(&second), Err(Duration::from_secs(7)));
        assert_eq!(counted.load(Ordering::Relaxed), 2);
    }
}
