//! accounts
mod buckets;
mod changing;
mod checks;
mod config;
mod email;
mod entering;
mod error;
mod extract;
mod guessable;
mod handle;
mod joining;
mod letters;
mod link;
mod mail;
mod password;
mod people;
mod pool;
mod tables;
mod throttle;

pub use config::{Config, SignUps};
pub use entering::VerifiedPassword;
pub use error::Error;
pub use extract::CurrentUser;
pub use guessable::Guessable;
pub use handle::Accounts;
pub use joining::NewUser;
pub use mail::{Destination, MailError, Server, Tls};
pub use password::HashError;
pub use people::{User, Users};
pub use pool::PoolError;
pub use tables::{user, user_role};

pub(crate) use handle::{Needs, Roles};
pub(crate) use tables::{MIGRATIONS, models};

/// Where the pages of this room are mounted; letters and redirects lead there.
pub const SIGN_IN: &str = "/sign-in";
/// The page that asks for the address of a forgotten password.
pub const FORGOT: &str = "/forgot";
/// The page of a link for a new password, without the link's token.
pub const RESET: &str = "/reset";
/// The page of the link for the first administrator, without the link's token.
pub const SETUP: &str = "/setup";

fn forgot_at(origin: &str) -> String {
    format!("{origin}{FORGOT}")
}

#[cfg(test)]
mod tests;
