use crate::database;

/// Why a session was not found, begun, changed or ended. No message contains a token or a value.
///
/// ```
/// use dewar::sessions::Error;
/// fn is_over(error: &Error) -> bool { matches!(error, Error::Ended | Error::Visitor) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A new token or id exists already; nothing was written.
    #[error("a session with this token already exists")]
    Collision,
    /// Other requests changed the value at every attempt to change it.
    #[error("other requests changed a value of the session at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The session is over: it was ended or renewed elsewhere while this request was under way.
    #[error("the session has ended")]
    Ended,
    /// The store holds invalid data.
    #[error("the session store contains an invalid session: {0}")]
    Strange(String),
    /// A value is larger than a session may store.
    #[error("a session value has {size} bytes, but the limit is {most}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The largest size allowed.
        most: usize,
    },
    /// The session already has the most values allowed.
    #[error("a session can have at most {0} values")]
    TooMany(usize),
    /// The store cannot be reached, so the user is unknown.
    #[error("cannot reach the session store: {0}")]
    Unreachable(String),
    /// A value cannot be written as JSON.
    #[error("cannot serialize a session value: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// No user is signed in, and Dewar stores nothing for visitors.
    #[error("no user is signed in")]
    Visitor,
}
