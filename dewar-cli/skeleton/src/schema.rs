//! The tables, in the order of their creation, and the models.

use dewar::database::{Migration, Table};

/// A migration runs once, at the start. Never change one that has run: add another.
pub(crate) const MIGRATIONS: &[Migration] = &[];

/// The models: each is compared with its table at the start.
pub(crate) fn models() -> Vec<Table> {
    vec![]
}
