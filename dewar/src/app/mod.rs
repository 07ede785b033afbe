//! **app: the route table is the access policy, and one page shows in which order a request is checked.**
//!
//! ```
//! use dewar::{App, get};
//! async fn hello() -> &'static str { "Hello, world!" }
//! fn hello_app() -> dewar::Result<App> {
//!     Ok(App::from_env()?.public([get("/", hello)])) // `.serve().await` starts it
//! }
//! ```
//!
//! # What it refuses
//!
//! 1. A route that does not say who may enter. There is no `route`, only [`public`](App::public), [`signed_in`](App::signed_in),
//!    [`role`](App::role) and [`webhook`](App::webhook).
//! 2. A handler that takes input which nobody checked, or returns HTML which nobody escaped. Every argument is an
//!    [`HandlerInput`](crate::forms::HandlerInput), and a handler returns an [`Answer`](crate::pages::HandlerOutput).
//! 3. An unknown setting, and any value out of its bounds. All of them are named at once, each with its fix.
//! 4. To start while a room has a finding that forbids it.
//! 5. To lose a request at shutdown. Dewar finishes what is under way first.
//!
//! # How to loosen it
//!
//! Limits have bounds; within them `dewar.toml` decides.
//!
//! # What the audit asks
//!
//! The questions of all other rooms, at start and with `check`.

mod background;
mod build;
mod cli;
mod commands;
mod config;
mod confirm;
mod deliveries;
mod early_errors;
mod examine;
mod extractors;
mod handlers;
mod health;
mod launch;
mod layers;
mod patterns;
mod rate_limit;
mod request_log;
mod rooms;
mod routes;
mod run;
mod scan_detector;
mod serving;
mod signed_out;
mod stack;
mod table;
mod templates;

pub use build::App;
pub use handlers::{HandlerFn, Mountable};
pub use layers::BoxService;
pub use rate_limit::RateLimit;
pub use rooms::Dewar;
pub use routes::{Route, delete, get, patch, post, put};
pub use run::Running;
pub use table::{RouteEntry, RouteTable};
#[cfg(feature = "testing")]
pub(crate) use templates::bundled as own_templates;

#[cfg(test)]
mod tests;
