//! **sessions: who is this browser?**
//!
//! ```
//! use dewar::sessions::Session;
//! use dewar::pages::Text;
//! async fn who(session: Session) -> Text {
//!     Text::new(session.principal().map_or("a visitor", |person| person.name()))
//! }
//! ```
//!
//! What the room refuses
//! 1. A session identifier that the server did not issue: the cookie holds 256 random bits, the store only their SHA-256
//!    (ASVS 7.2.2, 7.2.3).
//! 2. To take the identifier from anywhere but the one `__Host-` cookie; two such cookies are none (ASVS 3.3.3).
//! 3. A session that was idle too long or has lasted too long, whatever its cookie says; administrators have stricter
//!    limits, and the strictest of a person's roles holds (ASVS 7.3.1, 7.3.2).
//! 4. To keep the identifier over a sign-in, a change of roles or a new proof of who it is (CWE-384; ASVS 7.2.4).
//! 5. A session of an account that was disabled, or of before everything was signed out: at the very next request, on
//!    every node, whatever is being written at that moment (ASVS 7.4.2, 7.4.3, 7.4.5).
//! 6. More sessions of one person than `most`: the oldest ends (ASVS 7.1.2).
//! 7. To take a store that does not answer for a visitor: the request fails with 503.
//! 8. A store beyond this machine without TLS, and a password in its address.
//! 9. To store anything for a visitor who did nothing, and a value that is too large or one too many (CWE-770).
//!
//! *How to loosen it:* the limits of `[sessions]` have upper bounds; there is no "remember me" (NIST SP 800-63B-4, 5.1).
//!
//! *What the audit asks:* are the limits within the documented bounds, and in the right order; is a role that has limits
//! of its own one of the application's; was the program built with the store that is named.
//!
//! Sessions are kept in the application's database, where session, person and roles are one read, or in PostgreSQL or
//! Redis ([`StorePlace`]), where the person is a second one. A [`SessionValue`] is kept with them.

mod checks;
mod config;
mod cookie;
mod ending;
mod error;
mod extract;
mod flash;
mod handle;
mod principal;
mod record;
mod session;
mod store;
mod values;

pub use config::{Config, Limits};
pub use error::Error;
pub use handle::Sessions;
pub(crate) use handle::unreachable;
pub use principal::{Principal, UserId};
pub use record::{Listed, SessionId};
pub use session::Session;
pub use store::{Address, Host, StorePlace, Tls};
pub use values::SessionValue;

pub(crate) use cookie::{HostCookie, read_cookie, remove_all_but};
pub(crate) use flash::{Flash, NotSealedHere};
pub(crate) use store::MIGRATIONS;

/// What cryptography the room uses, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{Cryptography, Kind};
    let token = "256 random bits; its SHA-256 is what is stored";
    vec![
        Cryptography::new(crate::audit::Word::Sessions, Kind::Token, COOKIE, token)
            .used_for("who is this browser"),
    ]
}

/// The cookie that holds the session's token.
pub(crate) const COOKIE: &str = "__Host-session";

#[cfg(test)]
mod tests;
