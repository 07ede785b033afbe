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
//! 1. A route without an access rule. Each stands under [`public`](App::public), [`signed_in`](App::signed_in),
//!    [`recently_authenticated`](App::recently_authenticated), [`role`](App::role) or [`webhook`](App::webhook).
//! 2. A handler that takes unchecked input or returns unescaped HTML. Every argument is a
//!    [`HandlerInput`](crate::forms::HandlerInput), and a handler returns a [`HandlerOutput`](crate::pages::HandlerOutput).
//!    Both traits are sealed.
//! 3. An unknown setting, and any value out of its bounds. Dewar names all of them at once, each with its fix.
//! 4. A launch while a room has a finding that forbids it.
//! 5. The loss of a request at shutdown. Dewar finishes the requests under way first.
//!
//! # How to loosen it
//!
//! Limits have bounds; within them `dewar.toml` decides. An extractor or a response of your own goes into
//! [`DangerousInput`](crate::forms::DangerousInput) or [`DangerousOutput`](crate::pages::DangerousOutput), and
//! [`dangerous_without_rate_limit`](Route::dangerous_without_rate_limit) removes the rate limit of a route, and
//! [`dangerous_write_on_get`](Route::dangerous_write_on_get) lets the handler of a `GET` change rows. Each takes a
//! reason. You then owe the check that Dewar does not make. [`layer_outside`](App::layer_outside) and
//! [`layer_inside`](App::layer_inside) add tower layers, which see no session token and pass no guard.
//!
//! # What the audit asks
//!
//! The questions of all other rooms, at start and with `check`; and every weakening of a route, with its reason.

mod account_pages;
mod account_routes;
mod background;
mod build;
mod cli;
mod command;
mod commands;
mod config;
mod confirm;
mod content;
mod deliveries;
mod developer;
mod early_errors;
mod examine;
mod extractors;
mod handlers;
mod health;
mod jobs;
mod launch;
mod layers;
mod layout_values;
mod links;
mod metrics;
mod mounted_router;
mod openapi;
mod outside;
mod patterns;
mod programs;
mod progress;
mod rate_limit;
mod request_log;
mod rooms;
mod routes;
mod run;
mod scan_detector;
mod second_factor;
mod serving;
mod settings;
mod shared;
mod signed_out;
mod stack;
mod table;
mod templates;

pub use account_routes::AccountPages;
pub use build::App;
pub use command::{Command, ReadCommand, ReadOnlyDewar};
pub use commands::print;
pub use handlers::{HandlerFn, Mountable};
pub use layers::{BoxService, TowerLayer};
pub use progress::Progress;
pub use rate_limit::RateLimit;
pub use rooms::Dewar;
pub use routes::{Route, dangerous_router, delete, get, patch, post, put};
pub use run::Running;
pub use settings::Settings;
pub use shared::Shared;
pub use table::{RouteEntry, RouteTable};
#[cfg(feature = "testing")]
pub(crate) use templates::bundled as own_templates;

#[cfg(test)]
mod tests;

/// Compiles the examples of the page about handlers.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/handlers.md")]
struct HandlersPage;

/// Compiles the examples of the page about pages that load from other sites.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/content.md")]
struct ContentPage;

/// Compiles the example of the page about sign-in with a provider.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/openid-connect.md")]
struct OpenIdConnectPage;

/// Compiles the examples of the page about requests to other servers.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/outgoing.md")]
struct OutgoingPage;

/// Compiles the example of the page about rate limits.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/rate-limits.md")]
struct RateLimitsPage;

/// Compiles the examples of the page about layers and inputs of one's own, like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/extending.md")]
struct ExtendingPage;

/// Compiles the examples of the page about an application's own commands.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/commands.md")]
struct CommandsPage;

/// Compiles the example of the page about an application's own settings.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/settings.md")]
struct SettingsPage;

/// Compiles the examples of the page about JSON APIs.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/api-json.md")]
struct JsonPage;

/// Compiles the examples of the page for people who know Flask.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/moving-from-flask.md")]
struct MovingFromFlaskPage;

/// Compiles the examples of the page about the look of the pages of accounts.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/look.md")]
struct LookPage;
