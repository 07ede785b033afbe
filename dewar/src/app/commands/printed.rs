//! The output of commands in a test.

use std::fmt::{Display, Write as _};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    /// The output of the command that this task runs.
    static PRINTED: Arc<Mutex<String>>;
}

/// Runs a command, and returns what it printed.
pub(in crate::app) async fn printing<T>(command: impl Future<Output = T>) -> (T, String) {
    let printed = Arc::<Mutex<String>>::default();
    let done = PRINTED.scope(Arc::clone(&printed), command).await;
    let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    (done, std::mem::take(&mut printed))
}

/// Keeps a text for the test, if one runs this command.
pub(super) fn hold(what: &impl Display) -> bool {
    let held = PRINTED.try_with(|printed| {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        write!(printed, "{what}")
    });
    held.is_ok()
}
