//! A document portal: the reference application of Dewar.
//!
//! [`app`] is the whole route table. Each feature is a folder with its handlers, forms and models.

mod app;
mod audit_log;
mod comments;
mod documents;
mod front;
mod notices;
mod overview;
mod people;
mod profile;
mod reviews;
mod roles;
mod schema;
mod scopes;
mod shares;

pub use app::app;
pub use roles::Role;
