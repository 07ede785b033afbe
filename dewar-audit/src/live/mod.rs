//! **The audit of any running web application, from outside.**
//!
//! ```no_run
//! use dewar_audit::live::{LiveOptions, audit};
//! # async fn run() -> Result<(), dewar_audit::sources::Error> {
//! let report = audit("http://localhost:5000", &LiveOptions::new()).await?;
//! # Ok(()) }
//! ```
//!
//! It reads pages, forms and scripts, then sends attacks and reports those that had their effect. It stays on the origin that was
//! named. It never signs its accounts out, deletes anything or changes a password, unless told. An application that stopped
//! answering, or an account that is signed out for good, ends the audit with a failure, never with an empty report.

mod call;
mod client;
mod compare;
mod crawl;
mod dom;
mod engine;
mod finding;
mod inject;
mod listener;
mod openapi;
mod options;
mod passive;
mod point;
mod route;
mod script;
mod surroundings;
mod table;

pub use options::{Account, LiveOptions};
