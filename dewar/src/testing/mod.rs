//! A test browser for applications: it stores cookies, fills in forms and sends the headers that a browser sends.
//!
//! Tests switch nothing off. They pass the checks for the same reason as a visitor: [`Browser`] read the page, sends the
//! CSRF token of its form, and names its origin in `Sec-Fetch-Site`.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() {
//! use dewar::testing::Site;
//! use dewar::{App, get};
//!
//! async fn hello() -> &'static str { "Hello, world!" }
//! fn app(app: App) -> App { app.public([get("/", hello)]) }
//!
//! let site = Site::start(app).await;
//! assert_eq!(site.visitor().get("/").await.text(), "Hello, world!");
//! # }
//! ```
//!
//! # What it refuses
//!
//! 1. A certificate that the given authority did not sign: no setting ignores one.
//! 2. A cookie that a browser would refuse: `__Host-` with a domain, `Secure` over plain HTTP (RFC 6265bis, 5.6).
//! 3. To type into a field that the page does not have, or that a user cannot see or change.
//!
//! # How to loosen it, and what you then owe
//!
//! An attacker has other tools than a browser: [`FormOnPage::tamper`] and [`FormOnPage::without`] forge a form,
//! [`Browser::raw`] sends any request, [`Browser::as_cross_site`] one from another site's page,
//! [`Browser::without_fetch_metadata`] one from an old browser, [`Browser::socket`] any bytes. A test that uses them asserts
//! that the server refused.
//!
//! # What it leaves out
//!
//! Scripts, sub-resources, pages over HTTP/2, HSTS upgrades and the browser's own validation of `required` and `pattern`,
//! which a server must not rely on. Test those with a real browser.
#![expect(
    clippy::panic,
    reason = "a test's instrument: what it cannot do is a failed test"
)]

mod access_matrix;
mod answer;
mod authenticator;
mod authority;
mod body;
mod browser;
mod command;
mod error;
mod events;
mod form;
mod jar;
mod letters;
mod messages;
mod other_site;
mod patience;
mod raw;
mod referrer;
mod site;
mod templates;
mod web_socket;
mod wire;

pub use access_matrix::{AccessMatrix, AccessReport};
pub use answer::TestResponse;
pub use authenticator::Authenticator;
pub use authority::{Certified, TestAuthority};
pub use browser::Browser;
pub use command::CommandOutput;
pub use error::Error;
pub use events::{EventReader, TestEvent};
pub use form::FormOnPage;
pub use jar::{Cookie, SameSite};
pub use letters::{SentAttachment, SentLetter};
pub use messages::{unused_templates, wrong_messages};
pub use other_site::{OtherSite, OtherSiteReply, RecordedRequest};
pub use patience::{PATIENCE, wait_until};
pub use raw::{Cookies, RawRequest};
pub use site::{PASSWORD, Site};
pub use templates::wrong_templates;
pub use web_socket::WebSocketClient;
pub use wire::{Heard, Socket, StreamEnd};

#[cfg(test)]
mod tests;
