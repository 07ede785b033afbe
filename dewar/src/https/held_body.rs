use super::budget::{BudgetFull, Charge};
use super::request_info::RequestInfo;
use std::sync::{Arc, Mutex, PoisonError};

/// The bytes of one request body that are held. Each byte counts until the reader releases it.
#[derive(Clone, Debug)]
pub(crate) struct HeldBody(Arc<Mutex<Charge>>);

impl HeldBody {
    pub(super) fn new(charge: Charge) -> Self {
        Self(Arc::new(Mutex::new(charge)))
    }

    /// The counter of a request; `None` for a request without a listener.
    pub(super) fn of(info: &RequestInfo) -> Option<Self> {
        Some(info.unread.as_ref()?.body(info.address?))
    }

    /// Counts bytes that arrived.
    ///
    /// # Errors
    /// The connection, the address or the total is at its limit.
    pub(super) fn arrive(&self, bytes: u64) -> Result<(), BudgetFull> {
        self.with(|charge| charge.try_add(bytes))
    }

    /// The reader released these bytes: it wrote them into a file, or skipped them.
    pub(crate) fn let_go(&self, bytes: u64) {
        self.with(|charge| charge.give_back(bytes));
    }

    /// The reader has the whole body, or stopped reading.
    pub(super) fn end(&self) {
        self.let_go(u64::MAX);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Charge) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
