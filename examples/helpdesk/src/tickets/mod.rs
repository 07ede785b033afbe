//! Tickets: a customer reaches their own, an agent all of them.

mod edit;
mod export;
mod list;
mod new;
mod queue;
mod show;
pub(crate) mod ticket;

pub use edit::{change, edit};
pub use export::export;
pub use list::list;
pub use new::{OPENING_LIMIT, create, new};
pub use queue::{queue, queue_live};
pub use show::show;

pub(crate) use new::{NewRecord, PER_CUSTOMER, open};
pub(crate) use queue::QUEUE;
pub(crate) use show::page;
pub(crate) use ticket::Reachable;
