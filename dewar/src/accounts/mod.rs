//! **accounts: only a user who knows the password gets in, and a stolen table does not reveal it.**
//!
//! ```
//! use dewar::{App, accounts::CurrentUser, get, pages::Text};
//! async fn greet(person: CurrentUser) -> Text { // a visitor is sent to the sign-in page
//!     Text::new(format!("Hello, {}.", person.name()))
//! }
//! fn app(app: App) -> App { app.signed_in([get("/hello", greet)]) }
//! ```
//!
//! # What it refuses
//!
//! 1. To store a password. Dewar stores its Argon2id hash (19 MiB, two passes), and the model of the table does not even have the
//!    hash (ASVS 11.4.2; OWASP *Password Storage*). It replaces an older hash, and one of another framework, at the next sign-in.
//! 2. A new password of fewer than 15 characters or more than 1,024 bytes, one that is on the lists of common passwords or made
//!    from them, and one with the name of the user or the site. The user reads the reason (NIST SP 800-63B-4, 3.1.1.2; ASVS 6.2).
//! 3. To reveal whether an address has an account (user enumeration). Sign-in, sign-up and reset give the same response and
//!    status and compute the same number of hashes (ASVS 6.3.8, CWE-204).
//! 4. Endless attempts. Each account waits longer after each failure, and after a hundred failures allows one attempt every six
//!    hours. Each network address has a rate limit of its own, independent of the accounts (CWE-307).
//! 5. To let hashing stop everything else: few threads, a bounded queue, and 503 beyond it (CWE-400).
//! 6. A link that was used before, is older than its hour or than a change of the password, or comes from a copy of the table. A
//!    reset signs nobody in (CWE-640).
//! 7. To let a stranger lock an owner out. A browser in which the owner signed in, a session and a link have attempts of their
//!    own, no request ends a link that was sent, and [`Accounts::unlock`] forgets the failures (CWE-645).
//! 8. A session without a verified password, and of a user who has a second factor, without that ([`VerifiedPassword`],
//!    [`PendingSignIn`], [`VerifiedSignIn`]). A code works once (ASVS 6.3.3, 6.5.1).
//! 9. To lose the last active administrator.
//! 10. An important action long after the password was given (re-authentication). A handler that takes [`RecentlyAuthenticated`],
//!     or a route under [`App::recently_authenticated`](crate::App::recently_authenticated), asks for the password again and then
//!     continues (ASVS 7.5.1 to 7.5.3).
//!
//! # How to loosen it
//!
//! `[accounts] min_password_length` does not go below 15, because the password is the only factor of most users. `sign_up = "closed"` is
//! stricter. With `[mail] transport = "none"`, an operator has to help users who forgot their password; the audit reports that.
//!
//! # What the audit asks
//!
//! Is the role of new accounts one of the application's? Can everybody who signs up do something? How many accounts still have a
//! password hash of another framework?
//!
//! Not here yet: confirmation of an address at sign-up (the owner of the mailbox can take the account over by a reset), passkeys.

mod checks;
mod config;
mod device;
mod display_name;
mod email;
mod endpoints;
mod error;
mod extract;
mod fields;
mod guessable;
mod handle;
mod hash_formats;
mod import;
mod inventory;
mod known_browser;
mod letters;
mod link;
mod listing;
mod password;
mod password_change;
mod pending_form;
mod pool;
mod provider;
mod rate_key;
mod rate_limiter;
mod recently_authenticated;
mod reserved_names;
mod scheme;
mod second_factor;
mod session_end;
mod sign_in;
mod sign_up;
mod stand_in;
mod stored_form;
mod tables;
mod throttle;
mod user_version;
mod users;

pub(crate) use checks::outdated_hashes;
pub(crate) use config::FactorPages;
pub use config::{Config, PasswordHashing, SignUps};
pub use endpoints::{
    ChangePassword, Confirm, Confirmed, FactorAccepted, Forgot, NewFactor, Next, ProviderReturn,
    Reset, SecondFactor, SecondTab, SetUp, SignIn, SignOut, SignUp, SignedIn, ToProvider,
    account_page_with, add_factor, change_account_with, change_password, change_password_page,
    confirm, confirm_at_provider, confirm_page, connect_proven_provider, connect_provider,
    disconnect_provider, end_other_sessions, end_session, factors_page, forgot, forgot_page,
    provider_return, providers_page, remove_factor, renew_recovery_codes, reset, reset_page,
    second_factor, second_factor_page, sessions_page, set_up, set_up_page, sign_in,
    sign_in_at_provider, sign_in_page, sign_out, sign_up, sign_up_page, sign_up_page_with,
    sign_up_with,
};
pub use error::Error;
pub use extract::CurrentUser;
pub use fields::{AccountFields, FieldsError, SignUpWith};
pub use guessable::Guessable;
pub use handle::Accounts;
pub(crate) use inventory::inventory;
pub use listing::UserKey;
pub use password::HashError;
pub use pool::PoolError;
use recently_authenticated::FactorFirst;
pub use recently_authenticated::RecentlyAuthenticated;
pub(crate) use second_factor::SECRET as FACTOR_SECRET;
pub use second_factor::{
    FactorKind, FactorProof, OneTimeCode, PendingSignIn, SignInStep, VerifiedFactor, VerifiedSignIn,
};
pub use sign_in::VerifiedPassword;
pub use sign_up::{NewUser, SignUpLetter};
pub use stored_form::StoredForm;
pub(crate) use stored_form::sign_in_with;
pub use tables::{user, user_role};
pub use user_version::AsShown;
pub use users::User;

pub(crate) use handle::{Dependencies, Roles};
pub(crate) use import::{
    AccountState, HashSource, ImportOutcome, ImportReader, ImportRow, ImportUser,
    ImportedAdministrators,
};
pub(crate) use known_browser::COOKIE as KNOWN_BROWSER;
pub(crate) use letters::letters;
pub(crate) use listing::list;
pub(crate) use pending_form::{Pending, largest_form};
pub(crate) use provider::{ProviderSurroundings, provider_findings};
pub(crate) use rate_key::RateKey;
pub(crate) use rate_limiter::{Rate, RateLimiter};
pub(crate) use users::holders;

use endpoints::MOST_PENDING;
pub(crate) use tables::{MIGRATIONS, MIGRATIONS_AFTER_SESSIONS, models};

/// The usual path of the page to sign in. A page can be mounted at any other path as well: letters and redirects lead to
/// the path in the route table ([`AccountPage`](crate::pages::AccountPage)).
pub const SIGN_IN: &str = "/sign-in";
/// The page to make an account.
pub const SIGN_UP: &str = "/sign-up";
/// The path of the button to sign out.
pub const SIGN_OUT: &str = "/sign-out";
/// The page to request a link for a forgotten password.
pub const FORGOT: &str = "/forgot";
/// The page of a link for a new password, without the link's token.
pub const RESET: &str = "/reset";
/// The page of the link for the first administrator, without the link's token.
pub const SETUP: &str = "/setup";

/// The page that asks for the password again before an important action.
pub const CONFIRM: &str = "/confirm";
/// The page of the user's own sessions.
pub const SESSIONS: &str = "/account/sessions";

/// The page that asks for the second factor: at sign-in, and again before an important action.
pub const SECOND_FACTOR: &str = "/second-factor";
/// The page of the user's own second factor and recovery codes.
pub const FACTORS: &str = "/account/second-factor";

/// The page to change the password.
pub const CHANGE_PASSWORD: &str = "/account/password";

#[cfg(test)]
mod tests;

/// The examples on the practice's page are compiled like the examples in the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/accounts.md")]
struct PracticePage;
