//! **live: an open page shows what changed, as long as its reader may see it.**
//!
//! ```
//! use dewar::live::{Live, LivePage, Topic};
//! use dewar::{App, CurrentUser, Page, get};
//! const TICKETS: Topic<i64> = Topic::new("tickets");
//! async fn waiting(caller: CurrentUser, live: Live) -> LivePage {
//!     live.page([&TICKETS], move || {
//!         let name = caller.name().to_owned(); // read the rows here, for this reader, each time
//!         async move { Ok(Page::new("tickets/waiting.html").with("name", name)) }
//!     })
//! }
//! fn app(app: App) -> App { app.signed_in([get("/tickets/live", waiting)]) }
//! ```
//!
//! # What it refuses
//!
//! 1. A connection from a page of another origin (CWE-346, CWE-1385; ASVS 3.5.3, 3.5.8). The stack's
//!    first check and the guard of the heading come before, as for every route.
//! 2. A connection after its session, its token or a role ended. Dewar looks once a second, with one read for 500 connections,
//!    and closes within two seconds (ASVS 7.4.1, 7.4.2, 8.3.2). Looking is no use of the session, and neither is opening a
//!    connection: an open page keeps no session alive (ASVS 7.3.1).
//! 3. More connections of a person, of an address and in all than the settings allow (CWE-770): 429 and 503.
//! 4. A queue without an end. A page that waits holds no events: it is rendered from the rows when it can be sent. Events
//!    for programs wait up to `live.buffer`; beyond that they are dropped, and the reader is told to read everything again.
//! 5. Markup of a visitor's. A part of a page comes from a template, which escapes as in every page; other events are JSON.
//!    Names and ids of events are Dewar's own, so no value begins a line of the stream (CRLF: CWE-93).
//! 6. An event of a transaction that was rolled back: [`Live::publish_in`] writes a row of it.
//! 7. An event from the handler of a `GET` (CSRF: CWE-352).
//! 8. A WebSocket without the site's own `Origin` and the page's CSRF token (ASVS 4.4.2), a message of a sender whose session or role ended,
//!    one that is no form of its type, too large, or too many: the connection is closed, with a reason.
//!
//! # How to loosen it
//!
//! The bounds are settings, section `live`. No setting opens a connection to another origin's page: give programs a
//! token, and mount the route under [`App::api`](crate::App::api).
//!
//! # What the audit asks
//!
//! Is every route of events a `GET`, and under a heading that knows its reader? Do live connections leave room for others?

mod checks;
mod config;
mod connection;
mod error;
mod frame;
mod guard;
mod handle;
mod hub;
mod outputs;
mod rows;
mod stream;
mod topic;
mod watch;
mod websocket;

pub use config::Config;
pub use error::Error;
pub use handle::Live;
pub use outputs::{EventStream, LivePage};
pub use topic::{Topic, TopicName};
pub use websocket::WebSocket;

pub(crate) use checks::{findings, of_route};
pub(crate) use guard::Opening;
pub(crate) use handle::Dependencies;
pub(crate) use rows::MIGRATIONS;
pub(crate) use websocket::Handshake;

#[cfg(test)]
mod tests;

/// The examples of the page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/live.md")]
struct LivePages;
