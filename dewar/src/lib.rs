//! **Dewar** is a web framework that makes the ten practices of a well-secured application properties of the program, not
//! advice to its author. Insecure code does not compile, or does not start, or is refused at run time.
//!
//! ```
//! use dewar::{App, get};
//!
//! async fn hello() -> &'static str { "Hello, world!" }
//!
//! # fn not_run() {
//! #[tokio::main]
//! async fn main() -> dewar::Result {
//!     App::from_env()?.public([get("/", hello)]).serve().await
//! }
//! # }
//! ```
//!
//! | practice | rooms |
//! |---|---|
//! | 1 versions kept up to date | [`dependencies`] |
//! | 2 keys and sessions | [`secrets`], [`sessions`] |
//! | 3 HTTPS and headers | [`https`] |
//! | 4 input validated, output escaped | [`forms`], [`pages`] |
//! | 5 cross-site requests stopped | [`csrf`] |
//! | 6 passwords and accounts | [`accounts`] |
//! | 7 who may enter | [`roles`] |
//! | 8 no SQL injection | [`database`] |
//! | 9 uploads | [`uploads`] |
//! | 10 audits | [`audit`] |
//!
//! [`jobs`] runs work after the response, and by schedules.
//! [`mail`] sends the letters of an application.
//! [`live`] keeps open pages up to date, with server-sent events.
//! [`app`] puts the rooms together: the route table, the order in which a request is checked, the command line.
#![forbid(unsafe_code)]

// File modes protect keys, database and uploads from other users of the machine. A system without file modes has no such
// protection.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!(
    "Dewar runs on Linux and macOS only: its keys and data are protected by file modes (README.md)"
);

// The derives generate `::dewar::…`; inside this crate that name refers to the crate itself.
extern crate self as dewar;

pub mod accounts;
pub mod api;
pub mod app;
pub mod audit;
pub mod csrf;
pub mod database;
pub mod dependencies;
pub mod forms;
#[cfg(test)]
mod fuzz_targets;
pub mod https;
pub mod jobs;
pub mod live;
pub mod mail;
pub mod pages;
pub mod roles;
pub mod secrets;
pub mod sessions;
#[cfg(feature = "testing")]
pub mod testing;
pub mod uploads;

/// The crates whose types an application uses beside Dewar's, in the versions that Dewar uses. An application that takes
/// them from here depends on `dewar` and `tokio` alone, and cannot take another version by mistake.
///
/// | derive or macro | how it finds its crate |
/// |---|---|
/// | `serde` | `#[serde(crate = "dewar::serde")]` on the type |
/// | `rust_embed` | `#[crate_path = "dewar::rust_embed"]` on the type |
/// | clap's derives | `use dewar::clap;` in the module of the type |
/// | SeaORM's derives | `use dewar::sea_orm;` in the module of the type |
/// | macros of `tracing`, `serde_json`, `metrics` | as they are: `dewar::tracing::info!` |
/// | `#[tracing::instrument]`, `time::macros`, `#[axum::debug_handler]` | they cannot: they need their crate in the application's `Cargo.toml` |
///
/// ```
/// use dewar::serde::Serialize;
/// #[derive(Serialize)]
/// #[serde(crate = "dewar::serde")]
/// struct Note { title: String }
/// let note = Note { title: "Tea".to_owned() };
/// assert_eq!(dewar::serde_json::json!(note)["title"], "Tea");
/// ```
pub use ::{axum, clap, http, rust_embed, sea_orm, serde, serde_json, time, tower, tracing};

/// The crate `metrics`: what an application counts with its macros is in `/metrics` (setting `https.metrics`).
///
/// ```
/// use dewar::Redirect;
/// async fn pay() -> Redirect {
///     dewar::metrics::counter!("invoices_paid_total").increment(1);
///     Redirect::to("/invoices")
/// }
/// # fn mounted(app: dewar::App) -> dewar::App { app.public([dewar::post("/pay", pay)]) }
/// ```
pub use ::metrics;
pub use accounts::CurrentUser;
pub use app::{App, Command, Dewar, ReadCommand, Settings, get, post};
pub use database::Db;
pub use dewar_macros::Settings;
pub use forms::{Form, Query};
pub use https::outgoing;
pub use jobs::Jobs;
pub use pages::{Error, Page, Redirect};
pub use uploads::Uploads;

/// The result of handlers and of `main`.
///
/// ```
/// use dewar::Page;
/// async fn index() -> dewar::Result<Page> { Ok(Page::new("index.html")) }
/// ```
pub type Result<T = (), E = Error> = std::result::Result<T, E>;
