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
//! 1. A session identifier that the server did not issue: the cookie holds 256 random bits, the table only their SHA-256
//!    (ASVS 7.2.2, 7.2.3).
//! 2. To take the identifier from anywhere but the one `__Host-` cookie; two such cookies are none (ASVS 3.3.3).
//! 3. A session that was idle too long or has lasted too long, whatever its cookie says (ASVS 7.3.1, 7.3.2).
//! 4. To keep the identifier over a sign-in or a change of privilege: a sign-in always makes a new one (CWE-384).
//! 5. A session of an account that was disabled, at the very next request (ASVS 7.4.2).
//! 6. To store anything for a visitor who did nothing.
//!
//! *How to loosen it:* `[sessions] idle` and `lifetime` have upper bounds; there is no "remember me" (NIST SP 800-63B-4, 5.1).
//!
//! *What the audit asks:* are the limits within the documented bounds.

mod checks;
mod config;
mod cookie;
mod extract;
mod flash;
mod principal;
mod session;
mod store;

pub use config::Config;
pub use principal::{Principal, UserId};
pub use session::Session;
pub use store::Sessions;

pub(crate) use cookie::{HostCookie, read_cookie};
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
