//! What a file is, by its bytes, and that its name says the same.

use std::fs::File;
use std::io::{self, Seek};

use file_format::FileFormat;

use super::kind::{FileKind, Look};
use super::name::FileName;
use super::policy::Bytes;
use super::refused::Refused;
use super::{archive, pdf, picture, text, whole};

/// The file is refused, or could not be read.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io(io::Error),
    Refused(Refused),
}

impl Trouble {
    /// The file lies complete on the disk: where reading ends early, it is the content that is too short.
    fn or_damaged(self, kind: FileKind) -> Self {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Refused::Damaged { kind }.into()
            }
            Self::Io(_) | Self::Refused(_) => self,
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Recognises `file`. Where the policy writes pictures anew, the new bytes go to `anew`. Blocking, and for pictures
/// up to a second of work: for the decoding pool only.
///
/// # Errors
/// The content is none of `kinds`, does not fit the name, or is not harmless as far as can be seen.
pub(crate) fn recognise(
    file: &mut File,
    name: &FileName,
    kinds: &[FileKind],
    bytes: Bytes,
    anew: impl FnOnce() -> io::Result<File>,
) -> Result<FileKind, Trouble> {
    let kind = kind_of(file, name)?;
    if !kinds.contains(&kind) {
        return Err(Refused::UnknownKind.into());
    }
    let extension = name.extension();
    if FileKind::of_extension(&extension) != Some(kind) {
        return Err(Refused::ExtensionDisagrees { extension, kind }.into());
    }
    look(kind, file, bytes, anew).map_err(|trouble| trouble.or_damaged(kind))?;
    Ok(kind)
}

fn look(
    kind: FileKind,
    file: &mut File,
    bytes: Bytes,
    anew: impl FnOnce() -> io::Result<File>,
) -> Result<(), Trouble> {
    file.rewind()?;
    match (kind.look(), bytes) {
        (Look::Archive, _) => archive::look(kind, file),
        (Look::Pdf, _) => pdf::look(file),
        (Look::Text, _) => text::look(file),
        (Look::Picture, Bytes::AsSent) => {
            whole::look(kind, file)?;
            picture::decode(kind, file).map(drop)
        }
        (Look::Picture, Bytes::WrittenAnew) => {
            let decoded = picture::decode(kind, file)?;
            picture::write_anew(kind, &decoded, &mut anew()?)
        }
    }
}

fn kind_of(file: &mut File, name: &FileName) -> Result<FileKind, Trouble> {
    file.rewind()?;
    let format = FileFormat::from_reader(&mut *file)?;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "two hundred formats that are all refused"
    )]
    match format {
        FileFormat::Empty => Err(Refused::Empty.into()),
        FileFormat::JointPhotographicExpertsGroup => Ok(FileKind::Jpeg),
        FileFormat::OfficeOpenXmlDocument => Ok(FileKind::Docx),
        FileFormat::OpendocumentText => Ok(FileKind::Odt),
        FileFormat::PortableDocumentFormat => Ok(FileKind::Pdf),
        FileFormat::PortableNetworkGraphics => Ok(FileKind::Png),
        FileFormat::Webp => Ok(FileKind::Webp),
        // Bytes cannot tell text from CSV, so the name may, and every byte is looked at later. The recogniser itself
        // looks at 16 lines and stumbles over a character that its window cuts.
        FileFormat::PlainText | FileFormat::ArbitraryBinaryData => {
            match FileKind::of_extension(&name.extension()) {
                Some(kind) if kind.look() == Look::Text => Ok(kind),
                _ => Err(Refused::UnknownKind.into()),
            }
        }
        // Word encrypts by wrapping the whole document into an OLE file.
        FileFormat::CompoundFileBinary
            if FileKind::of_extension(&name.extension()) == Some(FileKind::Docx) =>
        {
            Err(Refused::Encrypted.into())
        }
        _ => Err(Refused::UnknownKind.into()),
    }
}
