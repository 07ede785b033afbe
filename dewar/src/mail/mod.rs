//! **mail: a letter is written from a template, leaves exactly when its transaction is committed, and carries nothing else.**
//!
//! ```
//! use dewar::mail::{Letter, Mailer};
//! use dewar::{Db, forms::Email};
//! #[derive(Letter)]
//! #[letter(template = "letters/approved")] // letters/approved.txt and letters/approved.html
//! struct Approved<'a> { title: &'a str, path: String }
//!
//! async fn tell(db: Db, mailer: Mailer, owner: Email) -> dewar::Result<()> {
//!     let tx = db.begin().await?;
//!     mailer.send(&tx, owner, &Approved { title: "Tea", path: "/documents/7".into() }).await?;
//!     Ok(tx.commit().await?)
//! }
//! ```
//!
//! # What it refuses
//!
//! 1. A header from a value: an address is an [`Email`](crate::forms::Email), and a subject and a name have one line without
//!    control characters (header injection, CWE-93).
//! 2. A value that looks like the letter itself: in the text it takes one short line without a link to elsewhere, or has `> ` before
//!    each (`quoted`); in HTML it is escaped for its context, as on a page (CWE-79, CWE-451).
//! 3. A link that a request names: `origin` comes from the settings, never from `Host` (CWE-640).
//! 4. HTML with scripts, forms, and pictures or styles that are loaded when the letter is read (CWE-359); a link that leads nowhere.
//! 5. A letter whose template is missing or uses unknown values, at start.
//! 6. To lose a letter: it waits in the database, with its text sealed, and is tried again with growing delays, also after
//!    `kill -9`. A letter may so arrive twice, with one `Message-ID`.
//! 7. A flood: to one address, by one person, and of letters that wait (CWE-770, CWE-799). Letters that strangers cause delay none
//!    that an owner needs.
//! 8. An attachment under the name of a program or a page, or whose content is of another kind than its name (CWE-434, CWE-646);
//!    letters of more than `mail.max_size`, and more than `mail.max_waiting_bytes` of them (CWE-770).
//! 9. Letters to an address that does not exist, for 30 days after its mail server has said so.
//! 10. A letter of a mailing list (`list = "news"`) to an address that has left the list, and one without a link to leave it. The
//!     link takes one click, changes nothing when a program only looks at it, and leads to nothing else.
//! 11. A mail server without TLS, or with a certificate that is not its own (CWE-295, CWE-319); and to log what it says (CWE-117).
//!
//! # How to loosen it
//!
//! The limits are settings (`mail.recipient_limit`, `mail.sender_limit`). `mail refused clear ADDRESS` lets letters go to an address
//! again. Nothing turns TLS off.
//!
//! # What the audit asks
//!
//! In production, does mail reach people? Does the mail server get name and password together? Can other users of the machine read
//! the password? Events: `mail_failed`, `mail_address_refused`, `mail_unsubscribed`.

mod attachment;
mod checks;
mod config;
mod error;
mod failure;
mod letter;
mod list;
mod listing;
mod mailbox;
mod mailer;
mod message;
mod parts;
mod queue;
mod reader;
mod recipient;
mod server;
mod transport;
mod worker;

#[cfg(test)]
mod tests;

pub use attachment::Attachment;
pub use config::Config;
pub use dewar_macros::Letter;
pub use error::Error;
pub use letter::Letter;
pub use mailer::{LetterStatus, Mailer};
pub use recipient::{IntoRecipient, Recipient};
pub use server::{Destination, MailTls, Server};

pub(crate) use letter::LetterType;
pub(crate) use list::{UNSUBSCRIBE, unsubscribe_token};
pub(crate) use listing::{clear_refused, letters, refused, retry};
#[cfg(feature = "testing")]
pub(crate) use mailbox::all as letters_in;
pub(crate) use mailbox::{MAILBOX, Mailbox};
pub(crate) use mailer::Dependencies;
pub(crate) use parts::PARTS;
pub(crate) use queue::{CONTENT, LetterKind, MIGRATIONS, MailQuota};
#[cfg(feature = "testing")]
pub(crate) use reader::{OutboxAttachment, OutboxLetter};

/// The most bytes of a letter without attachments, as a message.
const LARGEST: u64 = 1024 * 1024;

/// Compiles the examples of the room's page in `docs`, like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/mail.md")]
struct Guide;
