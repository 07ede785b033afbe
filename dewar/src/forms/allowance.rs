use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

/// How often the sender of a request may send one that changes something. The route's guard leaves it with the request; it
/// is asked once the token has been checked, so that no other site can use it up.
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
