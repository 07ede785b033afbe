//! __Words__: each belongs to the member who added it.

mod delete;
mod edit;
mod list;
mod new;
mod show;
pub(crate) mod __ticket__;

pub use delete::{confirm, delete};
pub use edit::{change, edit};
pub use list::list;
pub use new::{create, new};
pub use show::show;
pub use __ticket__::Mine;
