//! Files that leave in another form than as a response: attachments of letters.

use std::io::Cursor;

use tokio::io::AsyncReadExt as _;

use super::charset::Charset;
use super::error::Error;
use super::id::FileId;
use super::kind::FileKind;
use super::name::FileName;
use super::recognise::{RecognitionError, kind_of};
use super::rejection::UploadRejection;
use super::store::{Uploads, served};

/// A file in memory, with a checked name.
pub(crate) struct FileInMemory {
    pub(crate) name: String,
    pub(crate) kind: FileKind,
    pub(crate) charset: Option<Charset>,
    pub(crate) bytes: Vec<u8>,
}

impl FileInMemory {
    /// A file that the program has made: its name is one that a visitor could send, and its first bytes are of the kind that the
    /// name says; those of a text are all of that encoding.
    ///
    /// # Errors
    /// The name, or the content, is none that an upload may have.
    pub(crate) fn made(name: &str, bytes: Vec<u8>) -> Result<Self, UploadRejection> {
        let name = FileName::parse(name)?;
        let found = kind_of(&mut Cursor::new(&bytes), &name, FileKind::AS_SENT, None);
        let found = found.map_err(|error| match error {
            RecognitionError::Refused(refused) => refused,
            RecognitionError::Io(_) => UploadRejection::UnknownKind,
        })?;
        Ok(Self {
            name: name.as_str().to_owned(),
            kind: found.kind,
            charset: found.charset,
            bytes,
        })
    }
}

impl Uploads {
    /// A stored file as a whole; none if it has more bytes than these.
    ///
    /// # Errors
    /// As [`serve`](Self::serve), and [`Error::Damaged`].
    pub(crate) async fn whole(
        &self,
        id: &FileId,
        most: u64,
    ) -> Result<Option<FileInMemory>, Error> {
        let kept = self.find(id).await?;
        served(&kept)?;
        if kept.size > most {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(kept.size).unwrap_or(0));
        let mut stored = self.open_kept(&kept).await?.take(most);
        stored.read_to_end(&mut bytes).await?;
        Ok(Some(FileInMemory {
            name: kept.name,
            kind: kept.kind,
            charset: kept.charset,
            bytes,
        }))
    }
}
