//! **api: a program shows a token that somebody made for it, and does no more than the token's scopes.**
//!
//! ```
//! use dewar::{App, api::{ApiCaller, ApiScope}, get, pages::Json};
//! #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
//! enum Scope { TicketsRead }
//! async fn tickets(caller: ApiCaller) -> Json<Vec<String>> { Json(vec![caller.token_name().to_owned()]) }
//! fn app(app: App) -> App { app.api(Scope::TicketsRead, [get("/api/tickets", tickets)]) }
//! ```
//!
//! # What it refuses
//!
//! 1. A cookie. Under [`App::api`](crate::App::api) Dewar reads the header `Authorization: Bearer` alone and never looks up a
//!    session, so no other site can use a browser to send a request (CSRF, CWE-352).
//! 2. A token in an address, where logs, histories and the `Referer` header would keep it (RFC 6750, 5.3; CWE-598).
//! 3. A token without the route's scope (403, `insufficient_scope`), and a scope whose role the owner no longer has.
//! 4. A token that expired or was revoked, one of a disabled account, and one from before its owner changed the password or was
//!    signed out everywhere: from the next request on, on every node. Every token expires.
//! 5. A typing mistake, without a query: each token has a checksum and a prefix, by which secret scanners find it.
//! 6. To store a token. Dewar stores its HMAC under a key of the ring, so a copy of the table holds no token and no value to
//!    test a guess with.
//! 7. Endless attempts: each network address has a limit of failures. A token that this process has accepted before is
//!    not counted, so a stranger in the same network does not lock a program out.
//! 8. A script of another origin, unless the route names the origin ([`Origins`]). No response allows credentials.
//!
//! # How to loosen it
//!
//! `[api] token_lifetime` sets how long a token may last, at most a year. [`Route::cors`](crate::app::Route::cors) lets scripts of
//! other origins read a route. For a program that cannot send `Authorization`, mount a webhook.
//!
//! # What the audit asks
//!
//! Is each listed origin one? Is no route that people use beside a token's readable by another origin? Is each scope's role one
//! of the application's?

mod bearer;
mod caller;
mod checks;
mod config;
mod cors;
mod endpoints;
mod error;
mod known;
mod origins;
mod rows;
mod scope;
mod tables;
mod token;
mod tokens;

pub use caller::ApiCaller;
pub use config::Config;
pub use dewar_macros::ApiScope;
pub use endpoints::{
    NewApiToken, create_service_token, create_token, revoke_service_token, revoke_token,
    service_tokens_page, tokens_page,
};
pub use error::Error;
pub use origins::Origins;
pub use scope::ApiScope;
pub use tokens::{ApiTokenInfo, ApiTokens, TokenHolder, TokenRequest};

pub(crate) use bearer::{Authorization, in_address};
pub(crate) use checks::{findings, of_cors};
pub(crate) use cors::{AskedOrigin, CorsRoute};
pub(crate) use cors::{allow, is_preflight, preflight};
pub(crate) use rows::{holder_of, page_of_all};
pub(crate) use scope::ScopeInfo;
pub(crate) use tables::MIGRATIONS;
pub(crate) use tokens::{Accepted, Dependencies, TokenRejection, TokenUse};

/// The page of a person's own tokens.
pub const TOKENS: &str = "/account/tokens";
/// The page of the tokens of services, for administrators.
pub const SERVICE_TOKENS: &str = "/admin/tokens";

/// The cryptography of this room, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{AlgorithmKind, Cryptography};
    vec![
        Cryptography::new(
            crate::audit::Practice::Accounts,
            AlgorithmKind::Token,
            "API tokens",
            "256 random bits; only the HMAC-SHA256 under a key of the ring is stored",
        )
        .used_for("programs that call the application"),
    ]
}

/// The examples on the room's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/api.md")]
struct RoomPage;
