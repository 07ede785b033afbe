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
    #[error("a session of this token is there already")]
    Collision,
    /// Other requests changed the value at every attempt to change it.
    #[error("a value of a session was changed by others at the same moment")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The session is over: it was ended or renewed elsewhere while this request was under way.
    #[error("the session is over")]
    Ended,
    /// The store holds invalid data.
    #[error("the store of the sessions holds something that is no session: {0}")]
    Strange(String),
    /// A value is larger than a session may store.
    #[error("a value of a session has {size} bytes, and may have {most}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The largest size allowed.
        most: usize,
    },
    /// The session already has the most values allowed.
    #[error("a session may hold {0} values")]
    TooMany(usize),
    /// The store cannot be reached, so the user is unknown.
    #[error("the store of the sessions cannot be reached: {0}")]
    Unreachable(String),
    /// A value cannot be written as JSON.
    #[error("a value of a session cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// No user is signed in, and Dewar stores nothing for visitors.
    #[error("nobody is signed in")]
    Visitor,
}
