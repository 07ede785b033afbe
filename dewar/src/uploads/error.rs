//! The errors of files, one variant for each thing a caller could do differently.

use std::io;
use std::time::Duration;

use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use crate::audit::size;
use crate::{database, forms, pages};

/// The value of `Retry-After` if all workers are busy.
const COME_BACK: Duration = Duration::from_secs(5);

/// The value of `Retry-After` for a file that waits for the virus scanner.
const SCANNED_BY_THEN: Duration = Duration::from_secs(60);

/// The value of `Retry-After` for a file that the virus scanner does not take.
const LIMIT_RAISED_BY_THEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a file was not stored, served or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// All workers are busy and the queue is full, or waiting took too long.
    #[error("Dewar examines too many files already")]
    Busy,
    /// The storage has not the file that the row describes.
    #[error(
        "the file in the storage is missing or has another size; `uploads verify` lists such files"
    )]
    Damaged,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The file system failed.
    #[error("cannot store or read the file: {0}")]
    Io(#[from] io::Error),
    /// The virus scanner found a virus in the file after it was stored. Nobody gets it any more.
    #[error("the file has a virus, and nobody gets it")]
    Infected,
    /// There is no such file.
    #[error("the file does not exist")]
    NotFound,
    /// No thumbnail can be made of the file: its kind has none, or the picture is too large to decode.
    #[error("no thumbnail can be made of this file")]
    NoThumbnail,
    /// The file is not a re-encoded picture; only [`serve`](super::Uploads::serve) serves it.
    #[error("a page can show only re-encoded images")]
    NotShown,
    /// The owner's quota is used up.
    #[error("the owner's quota is {files} files of {bytes} bytes, and it is full")]
    Quota {
        /// The most files of an owner.
        files: u64,
        /// The most bytes of an owner.
        bytes: u64,
    },
    /// Dewar refused the file.
    #[error(transparent)]
    Refused(#[from] UploadRejection),
    /// The file waits for the virus scanner, and the scanner says that the file is too large for it. Dewar asks again later,
    /// because the operator may raise the limit.
    #[error("the file waits for the virus scanner, which does not take files of this size")]
    Unscannable,
    /// The file waits for the virus scanner, which `uploads.virus_scan` requires.
    #[error("the file waits for the virus scanner")]
    Unscanned,
    /// The owner has too many files that wait or are being examined.
    #[error("Dewar examines too many files of this owner already")]
    Share,
    /// The owner has too many tickets for files that a browser sends to the storage.
    #[error("the owner has too many tickets")]
    Tickets,
    /// The storage does not answer, or not now.
    #[error("the storage of the files does not answer: {0}")]
    Unavailable(String),
}

impl Error {
    /// The problem to show beside the form's field, if the file is at fault and the visitor can do something.
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
            | Self::Damaged
            | Self::Database(_)
            | Self::Infected
            | Self::Io(_)
            | Self::NoThumbnail
            | Self::NotFound
            | Self::NotShown
            | Self::Share
            | Self::Tickets
            | Self::Unavailable(_)
            | Self::Unscannable
            | Self::Unscanned => None,
        }
    }
}

impl Error {
    /// The message about the quota, for its owner.
    fn quota(&self) -> Option<pages::Message> {
        let Self::Quota { files, bytes } = self else {
            return None;
        };
        let files = i64::try_from(*files).unwrap_or(i64::MAX);
        let message = pages::Message::new("uploads-quota").with("files", files);
        Some(message.with("size", size(*bytes)))
    }
}

impl forms::AsProblem for Error {
    fn as_problem(&self) -> Option<forms::Problem> {
        self.problem()
    }

    /// Nothing is wrong with the file, so the person keeps what they typed, and sends it later.
    fn as_unavailable(&self) -> Option<forms::Unavailable> {
        let busy = |why| forms::Unavailable::busy(COME_BACK, pages::Message::new(why));
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                Some(forms::Unavailable::disk_full())
            }
            Self::Database(database::Error::DiskFull) => Some(forms::Unavailable::disk_full()),
            Self::Database(error) if error.is_for_a_moment() => Some(busy("uploads-busy")),
            Self::Busy | Self::Unavailable(_) => Some(busy("uploads-busy")),
            Self::Share => Some(busy("uploads-share")),
            Self::Tickets => Some(busy("uploads-tickets")),
            Self::Damaged
            | Self::Database(_)
            | Self::Infected
            | Self::Io(_)
            | Self::NoThumbnail
            | Self::NotFound
            | Self::NotShown
            | Self::Quota { .. }
            | Self::Refused(_)
            | Self::Unscannable
            | Self::Unscanned => None,
        }
    }
}

impl From<RecognitionError> for Error {
    fn from(trouble: RecognitionError) -> Self {
        match trouble {
            RecognitionError::Io(error) => Self::Io(error),
            RecognitionError::Refused(refused) => Self::Refused(refused),
        }
    }
}

impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Busy => Self::busy(COME_BACK),
            Error::Database(error) => error.into(),
            // A full disk is not the visitor's fault, and it may pass (CWE-400).
            Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                Self::insufficient_storage().because(error)
            }
            Error::Io(error) => Self::internal(error),
            Error::Infected => Self::not_found().public(pages::Message::new("uploads-infected")),
            Error::NotFound | Error::NoThumbnail => Self::not_found(),
            Error::Damaged | Error::NotShown => Self::internal(error),
            Error::Quota { .. } => {
                let unprocessable = Self::new(pages::ErrorKind::Unprocessable);
                match error.quota() {
                    Some(text) => unprocessable.public(text),
                    None => unprocessable,
                }
            }
            // The kind of the file is fine.
            Error::Refused(
                refused @ (UploadRejection::TicketEnded
                | UploadRejection::TicketOtherFile
                | UploadRejection::TicketUnknown
                | UploadRejection::TooSlow),
            ) => Self::new(pages::ErrorKind::Unprocessable).public(refused.message()),
            Error::Refused(refused) => Self::unsupported_media_type(refused.message()),
            Error::Unavailable(_) => Self::busy(COME_BACK).because(error),
            Error::Share => Self::busy(COME_BACK).public(pages::Message::new("uploads-share")),
            Error::Tickets => Self::busy(COME_BACK).public(pages::Message::new("uploads-tickets")),
            Error::Unscannable => {
                Self::busy(LIMIT_RAISED_BY_THEN).public(UploadRejection::TooLargeToScan.message())
            }
            Error::Unscanned => {
                Self::busy(SCANNED_BY_THEN).public(pages::Message::new("uploads-unscanned"))
            }
        }
    }
}
