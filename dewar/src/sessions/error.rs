use crate::database;

/// Why a session was not found, begun, changed or ended. No text holds a token or a value.
///
/// ```
/// use dewar::sessions::Error;
/// fn is_over(error: &Error) -> bool { matches!(error, Error::Ended | Error::Visitor) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A token or an id that was just made is there already; nothing was written.
    #[error("a session of this token is there already")]
    Collision,
    /// A value was changed by others each time that it was to be changed.
    #[error("a value of a session was changed by others at the same moment")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The session is over: it was ended or renewed elsewhere while this request was under way.
    #[error("the session is over")]
    Ended,
    /// The store holds what it should not.
    #[error("the store of the sessions holds something that is no session: {0}")]
    Strange(String),
    /// A value is larger than a session may hold.
    #[error("a value of a session has {size} bytes, and may have {most}")]
    TooLarge {
        /// How large it is.
        size: usize,
        /// How large it may be.
        most: usize,
    },
    /// The session holds as many values as it may.
    #[error("a session may hold {0} values")]
    TooMany(usize),
    /// The store cannot be reached: who is there is unknown.
    #[error("the store of the sessions cannot be reached: {0}")]
    Unreachable(String),
    /// A value cannot be written as JSON.
    #[error("a value of a session cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// Nobody is signed in, and nothing is kept for visitors.
    #[error("nobody is signed in")]
    Visitor,
}
