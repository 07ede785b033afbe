use std::time::Duration;

use crate::forms::{AsProblem, Problem};
use crate::pages::Message;
use crate::{database, pages};

/// Why a token could not be made, or was not accepted. No text holds a token.
///
/// ```
/// use dewar::api::Error;
/// fn is_for_the_form(error: &Error) -> bool {
///     matches!(error, Error::TooLong(_) | Error::TooMany(_) | Error::NoScope)
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The token would last longer than this many days.
    #[error("a token lasts from one to {0} days")]
    TooLong(u32),
    /// The holder has this many tokens already.
    #[error("there are {0} tokens already; revoke one that nobody uses")]
    TooMany(u32),
    /// The token would have no scope.
    #[error("a token needs a scope")]
    NoScope,
    /// The application has no such scope, or the person has not the role that it needs.
    #[error("no scope named {0:?} can be given to this token")]
    UnknownScope(String),
    /// The account does not exist or is disabled.
    #[error("the account does not exist or is disabled")]
    NoSuchUser,
    /// The name is empty, too long, or has control characters.
    #[error("a token's name has 1 to 60 characters, in one line")]
    Name,
    /// Too many refused tokens came from this address.
    #[error("too many refused tokens from one address")]
    Throttled(Duration),
}

impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Throttled(wait) => Self::too_many_requests(wait).because(error),
            Error::NoSuchUser => Self::not_found().because(error),
            other @ (Error::Name
            | Error::NoScope
            | Error::TooLong(_)
            | Error::TooMany(_)
            | Error::UnknownScope(_)) => {
                let words = other.message();
                Self::new(pages::ErrorKind::Unprocessable)
                    .public(words)
                    .because(other)
            }
        }
    }
}

impl Error {
    /// The words for the person who wanted the token.
    fn message(&self) -> Message {
        match self {
            Self::TooLong(days) => Message::new("api-token-too-long").with("days", *days),
            Self::TooMany(most) => Message::new("api-token-too-many").with("most", *most),
            Self::NoScope => Message::new("api-token-no-scope"),
            Self::Name => Message::new("api-token-name"),
            Self::Database(_) | Self::NoSuchUser | Self::Throttled(_) | Self::UnknownScope(_) => {
                Message::new("forms-not-offered")
            }
        }
    }
}

impl AsProblem for Error {
    fn as_problem(&self) -> Option<Problem> {
        match self {
            Self::TooLong(_) | Self::TooMany(_) | Self::NoScope | Self::Name => {
                Some(Problem::new(self.message()))
            }
            Self::Database(_) | Self::NoSuchUser | Self::Throttled(_) | Self::UnknownScope(_) => {
                None
            }
        }
    }
}
