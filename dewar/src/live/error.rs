//! The errors of the handle.

use crate::{database, pages};

/// Why an event was not published.
///
/// ```
/// use dewar::live::Error;
/// use dewar::pages::ErrorKind;
/// let error = dewar::Error::from(Error::Event { topic: "tickets".into(), problem: "is too large" });
/// assert_eq!(error.kind(), ErrorKind::Internal);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The event is larger than 8 KiB, or cannot be written as JSON.
    #[error("an event of the topic `{topic}` {problem}")]
    Event {
        /// The topic's name.
        topic: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Event { .. } => Self::internal(error),
        }
    }
}
