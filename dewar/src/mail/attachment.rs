//! A file that a letter carries.

use std::fmt;

use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Body, SinglePart};

use super::Error;
use crate::uploads::{FileInMemory, UploadRejection};

/// The most attachments of a letter.
pub(super) const MOST: usize = 20;

/// A file for a letter: its name and its content are checked like those of an upload.
///
/// If the extension is one of [`FileKind`](crate::uploads::FileKind), the first bytes are of that kind. Other files are
/// `application/octet-stream`. Programs, pages and SVG are refused, because many a reader opens an attachment by a click.
///
/// ```
/// use dewar::mail::{Attachment, Letter, Mailer};
/// use dewar::{Db, forms::Email};
/// #[derive(Letter)]
/// #[letter(template = "letters/invoice")]
/// struct Invoice { number: u32 }
///
/// async fn send(db: Db, mailer: Mailer, to: Email, pdf: Vec<u8>) -> dewar::Result<()> {
///     let invoice = Attachment::new("Invoice 7.pdf", pdf)?;
///     let tx = db.begin().await?;
///     mailer.send_with(&tx, to, &Invoice { number: 7 }, [invoice]).await?;
///     Ok(tx.commit().await?)
/// }
/// # let table = Attachment::new("Total.csv", b"name,total\nAda,7\n".to_vec())?;
/// # assert_eq!(table.name(), "Total.csv");
/// # assert!(Attachment::new("total.html", b"<p>".to_vec()).is_err());
/// # Ok::<(), dewar::mail::Error>(())
/// ```
///
/// A file of the application's own uploads comes from [`Mailer::attachment`](super::Mailer::attachment).
pub struct Attachment {
    file: FileInMemory,
}

impl Attachment {
    /// A file that the program has made. The name is cleaned by the rule for the names of uploads.
    ///
    /// # Errors
    /// [`Error::Attachment`]: the name has no extension, or one that some system runs; or the content is of another kind.
    pub fn new(name: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        let file = FileInMemory::made(name, bytes);
        Ok(Self {
            file: file.map_err(Error::Attachment)?,
        })
    }

    pub(super) const fn stored(file: FileInMemory) -> Self {
        Self { file }
    }

    /// The name that its reader sees.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The number of its bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.file.bytes.len()
    }

    /// The part of a message. Everything is in Base64: a mail server changes no byte of it (RFC 2045, 6.8), and no line of a text
    /// is one of the message.
    pub(super) fn part(self) -> Result<SinglePart, Error> {
        let FileInMemory {
            name,
            kind,
            charset,
            bytes,
        } = self.file;
        let kind = match charset {
            Some(charset) => format!("{}; charset={charset}", kind.media_type()),
            None => kind.media_type().to_owned(),
        };
        let kind = ContentType::parse(&kind);
        let kind = kind.map_err(|error| Error::Letter(error.to_string()))?;
        let body = Body::new_with_encoding(bytes, ContentTransferEncoding::Base64);
        // The bytes come back only for an encoding that they do not have, and everything has Base64.
        let body = body.map_err(|_| Error::Attachment(UploadRejection::UnknownKind))?;
        Ok(SinglePart::builder()
            .header(ContentDisposition::attachment(&name))
            .header(kind)
            .body(body))
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
