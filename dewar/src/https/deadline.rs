use super::client_wait::ClientWait;
use futures_util::TryFutureExt;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// A handler ran into its time limit. Its future was dropped, with the work that it had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the handler took longer than {limit:?}")]
#[non_exhaustive]
pub struct Elapsed {
    /// The time limit.
    pub limit: Duration,
}

/// Limits the time of a future (CWE-400).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::time::Duration;
/// let slow = tokio::time::sleep(Duration::from_secs(60));
/// assert!(dewar::https::within(Duration::from_millis(5), slow).await.is_err());
/// # });
/// ```
///
/// # Errors
/// [`Elapsed`] when the time is up.
pub fn within<F: Future>(
    limit: Duration,
    work: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    timeout(limit, work).map_err(move |_| Elapsed { limit })
}

/// As [`within`], without the time that the work waited for the client's body, which has a deadline of its own.
pub(crate) async fn within_own_time<F: Future>(
    limit: Duration,
    waiting: &ClientWait,
    mut work: Pin<&mut F>,
) -> Result<F::Output, Elapsed> {
    let mut granted = Duration::ZERO;
    let mut next = limit;
    loop {
        if let Ok(output) = timeout(next, work.as_mut()).await {
            return Ok(output);
        }
        let waited = waiting.total();
        let more = waited.saturating_sub(granted);
        // The unit is a millisecond: a shorter wait would be none, and the loop would spin.
        if more < Duration::from_millis(1) {
            return Err(Elapsed { limit });
        }
        granted = waited;
        next = more;
    }
}

#[cfg(test)]
mod tests {
    use super::{Elapsed, within, within_own_time};
    use crate::https::client_wait::ClientWait;
    use std::future::pending;
    use std::pin::pin;
    use std::time::Duration;
    use tokio::time::sleep;

    const LIMIT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn work_that_takes_too_long_is_dropped() {
        assert_eq!(
            within(LIMIT, pending::<()>()).await,
            Err(Elapsed { limit: LIMIT })
        );
        assert_eq!(within(LIMIT, async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn waiting_for_the_visitor_does_not_count() {
        let waiting = ClientWait::new();
        let inside = waiting.clone();
        // Begins before the limit: a machine that pauses between the two must not count.
        waiting.begin();
        let work = async move {
            sleep(LIMIT * 3).await;
            inside.end();
            7
        };
        assert_eq!(within_own_time(LIMIT, &waiting, pin!(work)).await, Ok(7));
        let own = within_own_time(LIMIT, &ClientWait::new(), pin!(pending::<()>())).await;
        assert_eq!(own, Err(Elapsed { limit: LIMIT }));
    }
}
