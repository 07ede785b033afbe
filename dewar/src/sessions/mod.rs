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
//! # What it refuses
//!
//! 1. A session identifier that the server did not issue (session fixation). The cookie holds 256 random bits, the store only their
//!    SHA-256 (ASVS 7.2.2, 7.2.3).
//! 2. An identifier from anywhere but the one `__Host-` cookie. Two such cookies count as none (ASVS 3.3.3).
//! 3. A session that was idle too long or is too old, whatever its cookie says. Administrators have stricter limits, and the
//!    strictest limit of a user's roles counts (ASVS 7.3.1, 7.3.2).
//! 4. The same identifier after a sign-in, a change of roles or re-authentication (CWE-384; ASVS 7.2.4).
//! 5. A session of a disabled account, or one from before everything was signed out: from the very next request on, on every node,
//!    whatever is being written at that moment (ASVS 7.4.2, 7.4.3, 7.4.5).
//! 6. More sessions of one user than `max_per_user`. The oldest ends (ASVS 7.1.2).
//! 7. To treat a user as a visitor because the store fails. The request fails with 503.
//! 8. A store on another machine without TLS, and a password in its address.
//! 9. To store anything for a visitor who did nothing, a value that is too large, and one value too many (CWE-770).
//!
//! Sessions are kept in the application's database, where one read finds session, user and roles, or in PostgreSQL or Redis
//! ([`StorePlace`]), where the user is a second read. A [`SessionValue`] is kept with its session.
//!
//! # How to loosen it
//!
//! The limits of `[sessions]` have upper bounds. There is no "remember me" (NIST SP 800-63B-4, 5.1).
//!
//! # What the audit asks
//!
//! Are the limits within the documented bounds, and in the right order? Is each role with limits of its own one of the
//! application's? Was the program built with the chosen store?

mod checks;
mod config;
mod cookie;
mod ending;
mod error;
mod flash;
mod handle;
mod principal;
mod record;
mod session;
mod store;
mod values;

pub use config::{Config, SessionLimits};
pub use error::Error;
pub use handle::Sessions;
pub(crate) use handle::{SessionWatch, unreachable};
pub use principal::{Principal, UserId};
pub use record::{SessionId, SessionInfo};
pub(crate) use session::ProviderCookie;
pub use session::Session;
pub use store::StorePlace;
pub use values::SessionValue;

pub(crate) use cookie::{Cookies, HostCookie, read_cookie, remove_all_but};
pub(crate) use flash::{Flash, NotSealedHere};
pub(crate) use record::{Person, SessionUse};
pub(crate) use store::{
    Charge, Charged, MIGRATIONS, in_order, person_columns, read_person, roles_of_user,
};

/// The cryptography of this room, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{AlgorithmKind, Cryptography};
    let token = "256 random bits; only the SHA-256 is stored";
    vec![
        Cryptography::new(
            crate::audit::Practice::Sessions,
            AlgorithmKind::Token,
            COOKIE,
            token,
        )
        .used_for("the session cookie of a browser"),
    ]
}

/// The cookie of a sign-in that is under way at a provider: it binds the return to the browser that left. `SameSite=Lax` as all
/// of them, because the return is a navigation from another site.
pub(crate) const PROVIDER_COOKIE: &str = "__Host-provider";
/// How long a user may take at the provider.
pub(crate) const PROVIDER_COOKIE_LIFETIME: std::time::Duration =
    std::time::Duration::from_secs(10 * 60);

/// The cookie that holds the session's token.
pub(crate) const COOKIE: &str = "__Host-session";

#[cfg(test)]
mod tests;

/// The examples on the practice's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/sessions.md")]
struct PracticePage;
