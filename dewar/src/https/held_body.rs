use super::address::ClientAddress;
use super::budget::{BudgetFull, Charge};
use super::held_responses::UnreadOfConnection;
use axum::http::Extensions;
use std::sync::{Arc, Mutex, PoisonError};

/// The bytes of one request's body that are held while it arrives. Every byte counts until its reader says that it let go.
#[derive(Clone, Debug)]
pub(crate) struct HeldBody(Arc<Mutex<Charge>>);

impl HeldBody {
    pub(super) fn new(charge: Charge) -> Self {
        Self(Arc::new(Mutex::new(charge)))
    }

    /// For a request; none for one that came through no listener.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        let connection = extensions.get::<UnreadOfConnection>()?;
        Some(connection.body(*extensions.get::<ClientAddress>()?))
    }

    /// So many bytes came.
    ///
    /// # Errors
    /// The connection, the address, or everybody together, has as many under way as there may be.
    pub(super) fn arrive(&self, bytes: u64) -> Result<(), BudgetFull> {
        self.with(|charge| charge.try_add(bytes))
    }

    /// The reader holds so many of them no longer: they are in a file, or were passed over.
    pub(crate) fn let_go(&self, bytes: u64) {
        self.with(|charge| charge.give_back(bytes));
    }

    /// Its reader has all of it, or has given up.
    pub(super) fn end(&self) {
        self.let_go(u64::MAX);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Charge) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
