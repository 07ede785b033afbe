//! accounts
pub(crate) mod buckets;
pub(crate) mod email;
pub(crate) mod guessable;
pub(crate) mod letters;
pub(crate) mod link;
pub(crate) mod mail;
pub(crate) mod password;
pub(crate) mod pool;
mod tables;
pub(crate) mod throttle;

pub(crate) use tables::{MIGRATIONS, models};
pub use tables::{user, user_role};
