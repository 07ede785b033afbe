//! accounts
pub(crate) mod guessable;
pub(crate) mod password;
pub(crate) mod pool;
