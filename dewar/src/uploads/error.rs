//! What can go wrong with files, one variant for each thing a caller could do differently.

use std::io;
use std::time::Duration;

use super::rejection::UploadRejection;
use crate::{database, forms, pages};

/// When to come back if all workers are busy.
const COME_BACK: Duration = Duration::from_secs(5);

/// Why a file was not kept, served or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// All workers are busy and the queue is full, or waiting took too long.
    #[error("too many files are being looked at")]
    Busy,
    /// The database did not do what was asked.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The file system did not do what was asked.
    #[error("the file could not be kept or read: {0}")]
    Io(#[from] io::Error),
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// A file is shown in a page that was not written anew; only [`serve`](super::Uploads::serve) hands it out.
    #[error("only pictures that were written anew are shown in a page")]
    NotShown,
    /// The owner has used up the quota.
    #[error("the owner has {files} files of {bytes} bytes at most, and no room left")]
    Quota {
        /// Files an owner may keep.
        files: u64,
        /// Bytes an owner may keep.
        bytes: u64,
    },
    /// The file is not taken.
    #[error(transparent)]
    Refused(#[from] UploadRejection),
    /// As many files of this owner are being looked at, or wait for it, as one owner may have there.
    #[error("too many files of one owner are being looked at")]
    Share,
}

impl Error {
    /// What to write beside the form's field, where it is the file that is at fault and the visitor can do something.
    ///
    /// ```
    /// use dewar::uploads::{Error, UploadRejection};
    ///
    /// let error = Error::from(UploadRejection::Encrypted);
    /// assert!(error.problem().is_some_and(|problem| problem.to_string().contains("password")));
    /// assert!(Error::NotFound.problem().is_none());
    /// ```
    #[must_use]
    pub fn problem(&self) -> Option<forms::Problem> {
        match self {
            Self::Quota { .. } => self.quota().map(forms::Problem::new),
            Self::Refused(refused) => Some(forms::Problem::new(refused.message())),
            Self::Busy
            | Self::Database(_)
            | Self::Io(_)
            | Self::NotFound
            | Self::NotShown
            | Self::Share => None,
        }
    }
}

impl Error {
    /// What the quota is, for its owner.
    fn quota(&self) -> Option<pages::Message> {
        let Self::Quota { files, bytes } = self else {
            return None;
        };
        let files = i64::try_from(*files).unwrap_or(i64::MAX);
        let message = pages::Message::new("uploads-quota").with("files", files);
        Some(message.with("size", forms::size(*bytes)))
    }
}

impl forms::AsProblem for Error {
    fn as_problem(&self) -> Option<forms::Problem> {
        self.problem()
    }
}

impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Busy => Self::busy(COME_BACK),
            Error::Database(error) => error.into(),
            // A full disk is nobody's fault who asks now; it may pass (CWE-400).
            Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                Self::busy(Duration::from_secs(60)).because(error)
            }
            Error::Io(error) => Self::internal(error),
            Error::NotFound => Self::not_found(),
            Error::NotShown => Self::internal(error),
            Error::Quota { .. } => {
                let unprocessable = Self::new(pages::ErrorKind::Unprocessable);
                match error.quota() {
                    Some(text) => unprocessable.public(text),
                    None => unprocessable,
                }
            }
            Error::Refused(refused) => Self::unsupported_media_type(refused.message()),
            Error::Share => Self::busy(COME_BACK).public(pages::Message::new("uploads-share")),
        }
    }
}
