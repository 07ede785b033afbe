//! The errors of letters, one variant for each thing a caller could do differently.

use std::path::PathBuf;
use std::time::Duration;

use crate::uploads::{self, UploadRejection};
use crate::{database, pages};

/// The value of `Retry-After` while too many letters wait for the mail server.
const COME_BACK: Duration = Duration::from_secs(60);

/// Why a letter was not queued, or why no letter can be sent. No text holds an address or a part of a letter.
///
/// ```
/// use dewar::mail::Error;
/// fn passes(error: &Error) -> bool { matches!(error, Error::Full | Error::SenderLimit(_)) }
/// # assert!(passes(&Error::Full));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recipient has no valid address.
    #[error("the recipient has no valid email address")]
    Address,
    /// The name or the content of an attachment is none that an upload may have.
    #[error("an attachment is refused: {0}")]
    Attachment(UploadRejection),
    /// The file with the mail server's authority cannot be read, or holds no certificate.
    #[error("the mail server's authority, {}: {why}", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A stored file cannot be attached.
    #[error(transparent)]
    File(#[from] uploads::Error),
    /// As many letters wait for the mail server as `mail.max_waiting` or `mail.max_waiting_bytes` allows, or too many from one cause.
    #[error("too many emails wait for the mail server")]
    Full,
    /// The letter could not be written.
    #[error("cannot write the email: {0}")]
    Letter(String),
    /// The letter with this template belongs to no mailing list.
    #[error("the letter {0:?} has no list: write `list = \"…\"` into its `#[letter(…)]`")]
    NoList(&'static str),
    /// The folder for letters cannot be written.
    #[error("cannot write to the outbox: {0}")]
    Outbox(std::io::Error),
    /// The file with the mail server's password cannot be read.
    #[error("cannot read the mail server's password from {}: {why}", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: std::io::Error,
    },
    /// The recipient has had `mail.recipient_limit` letters within this time.
    #[error("the recipient has had many emails already")]
    RecipientLimit(Duration),
    /// The person who causes the letter has caused `mail.sender_limit` letters within this time.
    #[error("one person has caused many emails already")]
    SenderLimit(Duration),
    /// The setting `mail.from` is no address.
    #[error("the sender's address is not valid")]
    Sender,
    /// The mail server cannot be reached as the settings say.
    #[error("the mail server: {0}")]
    Server(String),
    /// The letter is larger than a mail server accepts.
    #[error("the email is larger than {most} bytes")]
    TooLarge {
        /// The most bytes: `mail.max_size` with attachments, 1 MiB without.
        most: u64,
    },
    /// The letter has too many attachments.
    #[error("the email has more than {most} attachments")]
    TooManyAttachments {
        /// The most attachments.
        most: usize,
    },
    /// The application sends this letter without [`App::letter`](crate::App::letter), so its template was not checked.
    #[error("the letter {0:?} is not registered: call `.letter::<…>()` on the `App`")]
    Unregistered(&'static str),
}

impl From<Error> for pages::Error {
    fn from(error: Error) -> Self {
        let message = pages::Message::new;
        match error {
            Error::Database(error) => error.into(),
            Error::File(error) => error.into(),
            Error::Full => Self::busy(COME_BACK).public(message("mail-full")),
            Error::RecipientLimit(within) => {
                Self::too_many_requests(within).public(message("mail-recipient-limit"))
            }
            Error::SenderLimit(within) => {
                Self::too_many_requests(within).public(message("mail-sender-limit"))
            }
            Error::Address
            | Error::Attachment(_)
            | Error::Authority { .. }
            | Error::Letter(_)
            | Error::NoList(_)
            | Error::Outbox(_)
            | Error::Password { .. }
            | Error::Sender
            | Error::Server(_)
            | Error::TooLarge { .. }
            | Error::TooManyAttachments { .. }
            | Error::Unregistered(_) => Self::internal(error),
        }
    }
}
