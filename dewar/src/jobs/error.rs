//! The errors of the handle, one variant for each thing a caller could do differently.

use std::time::Duration;

use crate::{database, pages, secrets};

/// The value of `Retry-After` if too many jobs wait.
const COME_BACK: Duration = Duration::from_secs(30);

/// Why a job was not enqueued.
///
/// ```
/// use dewar::jobs::Error;
/// use dewar::pages::ErrorKind;
/// let error = dewar::Error::from(Error::TooMany { most: 100 });
/// assert_eq!(error.kind(), ErrorKind::TooManyRequests);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// Too many jobs of all owners wait.
    #[error("{most} jobs wait already (jobs.max_waiting)")]
    Full {
        /// The most jobs that wait.
        most: u64,
    },
    /// The payload is larger than 64 KiB, or cannot be written as JSON.
    #[error("the payload of the job `{name}` {problem}")]
    Payload {
        /// The job's name.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The payload cannot be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] secrets::Error),
    /// Too many jobs of this owner wait or run.
    #[error("{most} jobs of this owner wait already (jobs.max_per_owner)")]
    TooMany {
        /// The most jobs of an owner.
        most: u64,
    },
    /// The application has no job of this name.
    #[error("the application has no job `{name}`; register it: `app.job::<…>()`")]
    Unregistered {
        /// The job's name.
        name: &'static str,
    },
}

impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Full { .. } => Self::busy(COME_BACK)
                .public(pages::Message::new("jobs-full"))
                .because(error),
            Error::TooMany { .. } => Self::too_many_requests(COME_BACK)
                .public(pages::Message::new("jobs-too-many"))
                .because(error),
            Error::Payload { .. } | Error::Sealing(_) | Error::Unregistered { .. } => {
                Self::internal(error)
            }
        }
    }
}
