//! Servers for the tests of Dewar itself: a certificate authority that speaks ACME, a mail server, and a provider of OpenID Connect. For the tests of
//! Dewar's listener there are HTTP/2 connections and frames by hand.
//!
//! An application's own tests need none of them; its tools are in `dewar::testing`. All interfaces here take and return plain
//! values (texts, PEM, addresses, bytes), so the unit tests of `dewar` can use them too.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use test_servers::{MailServer, MailServerTls};
//! let server = MailServer::open(MailServerTls::StartTls).await;
//! assert!(server.transport("").starts_with("smtp://localhost:")); // `mail.transport`
//! # }
//! ```
#![expect(
    clippy::panic,
    reason = "a test's instrument: what it cannot do is a failed test"
)]

mod acme;
mod authority;
mod http2;
mod mail;
mod provider;

pub use acme::{AcmeBooks, AcmeMistake, AcmeOrder, AcmeServer};
pub use http2::{Frame, Http2};
pub use mail::{MailServer, MailServerTls};
pub use provider::{Provider, ProviderBehaviour, ProviderReply, ProviderUser, TokenSigning};
