//! The tables, in the order of their creation, and the models.

use dewar::database::{Migration, Table};

use crate::attachments::attachment;
use crate::replies::reply;
use crate::tickets::ticket;

/// A migration runs once, at the start. Never change one that has run: add another.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(
        "helpdesk_0001_tickets",
        include_str!("../migrations/0001_tickets.sql"),
    ),
    Migration::new(
        "helpdesk_0002_replies",
        include_str!("../migrations/0002_replies.sql"),
    ),
    Migration::new(
        "helpdesk_0003_attachments",
        include_str!("../migrations/0003_attachments.sql"),
    ),
];

/// The models: each is compared with its table at the start.
pub(crate) fn models() -> Vec<Table> {
    vec![
        Table::of::<ticket::Entity>(),
        Table::of::<reply::Entity>(),
        Table::of::<attachment::Entity>(),
    ]
}
