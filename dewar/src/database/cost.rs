//! The cost of statements, in a unit that does not depend on the machine.

use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "testing")]
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// The sum over all connections of a database.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    steps: AtomicU64,
    #[cfg(feature = "testing")]
    reads: Mutex<BTreeSet<String>>,
}

impl Cost {
    /// Adds a completed query, with the steps of SQLite's virtual machine for it.
    pub(crate) fn add(&self, sql: &str, steps: i32) {
        self.steps
            .fetch_add(steps.unsigned_abs().into(), Ordering::Relaxed);
        #[cfg(feature = "testing")]
        {
            let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
            if !reads.contains(sql) {
                reads.insert(sql.to_owned());
            }
        }
        #[cfg(not(feature = "testing"))]
        let _ = sql;
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn take_reads(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
