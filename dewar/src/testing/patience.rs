use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a test waits for something that must happen.
///
/// It costs nothing: the wait ends when the thing has happened, and otherwise the test fails in any case. A test that
/// fails on a busy machine teaches people to run it again.
///
/// ```
/// assert!(dewar::testing::PATIENCE.as_secs() >= 300);
/// ```
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Waits until a condition holds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use dewar::testing::wait_until;
/// let letter = tokio::spawn(async { /* … sends it … */ });
/// wait_until("the letter was sent", async || letter.is_finished()).await;
/// # }
/// ```
///
/// # Panics
/// The condition does not hold after [`PATIENCE`].
pub async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
