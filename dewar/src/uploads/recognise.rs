//! Recognises the kind of a file from its bytes, and checks that its name agrees.

use std::fs::File;
use std::io::{self, Read, Seek};

use file_format::FileFormat;

use super::charset::Charset;
use super::kind::{FileKind, Look};
use super::name::FileName;
use super::picture::{Deadline, Timed};
use super::policy::{Animation, Bytes, Policy};
use super::rejection::UploadRejection;
use super::text::{self, FileBytes};
use super::{archive, container_end, media, office, other, pdf, picture, svg};

/// The file was refused, or could not be read.
#[derive(Debug)]
pub(crate) enum RecognitionError {
    Io(io::Error),
    Refused(UploadRejection),
}

impl RecognitionError {
    /// The file is complete on the disk: an early end means that the content is too short.
    pub(super) fn or_damaged(self, kind: FileKind) -> Self {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                UploadRejection::Damaged { kind }.into()
            }
            Self::Io(_) | Self::Refused(_) => self,
        }
    }
}

impl From<io::Error> for RecognitionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<UploadRejection> for RecognitionError {
    fn from(refused: UploadRejection) -> Self {
        Self::Refused(refused)
    }
}

/// Recognises `file`. If the policy re-encodes pictures, the new bytes go to `anew`. It blocks, and takes up to a second
/// for a picture, so run it only in the decoding pool.
///
/// # Errors
/// The content is none of `kinds`, does not fit the name, or has a visible danger.
pub(crate) fn recognise(
    file: &mut File,
    name: &FileName,
    rules: Rules<'_>,
    anew: impl FnOnce() -> io::Result<File>,
) -> Result<Recognised, RecognitionError> {
    let deadline = rules.deadline;
    let mut timed = Timed {
        file: &mut *file,
        deadline,
    };
    let examined = kind_of(&mut timed, name, rules.kinds, rules.charset).and_then(|recognised| {
        let kind = recognised.kind;
        look(kind, name, file, &rules, anew).map_err(|trouble| trouble.or_damaged(kind))?;
        Ok(recognised)
    });
    // Whatever a decoder said after it got nothing more to read, and whatever it still finished.
    if deadline.has_passed() {
        return Err(UploadRejection::TooSlow.into());
    }
    examined
}

/// The kind of a file, and its text encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) kind: FileKind,
    /// The encoding of a text.
    pub(crate) charset: Option<Charset>,
}

/// The demands of a policy on a file, and the time to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) kinds: &'a [FileKind],
    pub(crate) bytes: Bytes,
    pub(crate) animation: Animation,
    pub(crate) charset: Option<Charset>,
    pub(crate) deadline: &'a Deadline,
}

impl<'a> Rules<'a> {
    pub(crate) fn of<P: Policy>(deadline: &'a Deadline) -> Self {
        Self {
            kinds: P::KINDS,
            bytes: P::BYTES,
            animation: P::ANIMATION,
            charset: P::CHARSET,
            deadline,
        }
    }
}

fn look(
    kind: FileKind,
    name: &FileName,
    file: &mut File,
    rules: &Rules<'_>,
    anew: impl FnOnce() -> io::Result<File>,
) -> Result<(), RecognitionError> {
    let deadline = rules.deadline;
    file.rewind()?;
    match (kind.look(), rules.bytes) {
        (Look::Container(container), _) => media::look(kind, container, file, deadline),
        (Look::Other, _) => other::look(file),
        // No policy lists it so; see `is_sound`.
        (Look::Svg, Bytes::AsSent) => Err(UploadRejection::Active { what: "a drawing" }.into()),
        (Look::Svg, Bytes::Reencoded) => svg::reencode(file, &mut anew()?, deadline),
        (Look::Archive(format), _) => {
            let file = &mut Timed { file, deadline };
            archive::look(format, name.as_str(), file, Some(deadline))
        }
        (Look::Office, _) => office::look(kind, &mut Timed { file, deadline }, Some(deadline)),
        (Look::Pdf, _) => pdf::look(&mut Timed { file, deadline }, Some(deadline)),
        // Every byte was read before the file counted as text.
        (Look::Text, _) => Ok(()),
        (Look::Picture(format), Bytes::AsSent) => {
            container_end::look(format, file, deadline)?;
            picture::examine(format, file, deadline)
        }
        (Look::Picture(format), Bytes::Reencoded) => {
            picture::reencode(format, file, &mut anew()?, rules.animation, deadline)
        }
    }
}

/// The result of a file's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signature {
    /// A kind that Dewar knows. Only the signature of PDF consists of letters.
    Known(FileKind, Strength),
    /// A format that no policy accepts.
    Foreign(Strength),
    /// An OLE file; Office encrypts documents into one.
    Ole,
    Empty,
    None,
}

/// The strength of a signature. Two hundred formats begin with a few letters: `MZ`, `true`, `P1 `. So may a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// Only letters.
    Letters,
    /// The signature stands beside bytes that no text has, or the end of the file confirms it.
    Proof,
}

/// The kind of a file, if the name, the first bytes and all bytes agree on one of `kinds`.
///
/// # Errors
/// They disagree, or the file cannot be read.
pub(crate) fn kind_of(
    file: &mut (impl Read + Seek),
    name: &FileName,
    kinds: &[FileKind],
    declared: Option<Charset>,
) -> Result<Recognised, RecognitionError> {
    let extension = name.extension();
    let claimed = claimed(&extension, kinds).ok_or(UploadRejection::UnknownKind)?;
    file.rewind()?;
    let content = match claimed.look() {
        Look::Text => text::content(file, declared)?,
        Look::Archive(_)
        | Look::Container(_)
        | Look::Office
        | Look::Other
        | Look::Pdf
        | Look::Picture(_)
        | Look::Svg => FileBytes::Text(Charset::utf_8()),
    };
    let charset = match content {
        FileBytes::Text(charset) => Some(charset),
        FileBytes::Page | FileBytes::NotText(_) => None,
    };
    let decided = decide(claimed, &extension, signature(file, claimed)?, content);
    // Another name would not help a kind that the policy refuses.
    if let Err(UploadRejection::ExtensionDisagrees { kind, .. }) = &decided
        && !kinds.contains(kind)
    {
        return Err(UploadRejection::UnknownKind.into());
    }
    let kind = decided?;
    // JSON is UTF-8 (RFC 8259, section 8.1), so its media type has no `charset`.
    if kind == FileKind::Json && charset != Some(Charset::utf_8()) {
        return Err(UploadRejection::NotText.into());
    }
    if kinds.contains(&kind) {
        let charset = charset.filter(|_| kind.is_text());
        Ok(Recognised { kind, charset })
    } else {
        Err(UploadRejection::UnknownKind.into())
    }
}

/// The one decision on the kind of a file. If the name claims a text, all bytes are read first, and a signature counts
/// only with proof. If the name claims another kind, the signature must be that kind's, and `look` is the proof.
#[rustfmt::skip]
fn decide(claimed: FileKind, extension: &str, signature: Signature, content: FileBytes) -> Result<FileKind, UploadRejection> {
    use Signature::{Empty, Foreign, Known, None, Ole};
    use Strength::{Letters, Proof};
    let disagrees = |kind| UploadRejection::ExtensionDisagrees { extension: extension.to_owned(), kind };
    //     the name says | the first bytes             | all bytes
    match (claimed.look(), signature,                    content) {
        (_,                Empty,                        _)                        => Err(UploadRejection::Empty),
        (Look::Text,       Known(kind, Proof),           _)                        => Err(disagrees(kind)),
        (Look::Text,       Foreign(Proof) | Ole,         FileBytes::NotText(_))      => Err(UploadRejection::UnknownKind),
        (Look::Text,       _,                            FileBytes::NotText(reason)) => Err(reason),
        (Look::Text,       _,                            FileBytes::Page)            => Err(UploadRejection::Page),
        (Look::Text,       _,                            FileBytes::Text(_))         => Ok(claimed),
        // The parser of XML is the proof.
        (Look::Svg,        Known(kind, Proof),           _)                        => Err(disagrees(kind)),
        (Look::Svg,        _,                            _)                        => Ok(claimed),
        // A file of no known name is of the kind that its content is.
        (Look::Other,      Known(kind, _),               _)                        => Ok(kind),
        (Look::Other,      Foreign(_) | Ole | None,      _)                        => Ok(claimed),
        (_,                Known(kind, _),               _) if kind == claimed     => Ok(claimed),
        (_,                Known(kind, _),               _)                        => Err(disagrees(kind)),
        (Look::Office,     Ole,          _) if is_ooxml(claimed)                   => Err(UploadRejection::Encrypted),
        (Look::Archive(_) | Look::Container(_) | Look::Office | Look::Pdf | Look::Picture(_), Foreign(Letters | Proof) | Ole | None, _) => Err(UploadRejection::UnknownKind),
    }
}

/// Whether Office encrypts a document of this kind into an OLE file.
fn is_ooxml(kind: FileKind) -> bool {
    [FileKind::Docx, FileKind::Pptx, FileKind::Xlsx].contains(&kind)
}

/// The kind that a name claims: without a known extension it is another one, if the policy accepts those.
pub(crate) fn claimed(extension: &str, kinds: &[FileKind]) -> Option<FileKind> {
    let other = kinds.contains(&FileKind::Other).then_some(FileKind::Other);
    FileKind::of_extension(extension).or(other)
}

fn signature(file: &mut (impl Read + Seek), claimed: FileKind) -> io::Result<Signature> {
    if let Some(kind) = media::kind_of(file, claimed)? {
        return Ok(Signature::Known(kind, strength(file)?));
    }
    file.rewind()?;
    let format = FileFormat::from_reader(&mut *file)?;
    let known = |kind| Ok(Signature::Known(kind, Strength::Proof));
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "two hundred formats that no policy takes"
    )]
    match format {
        // Its six letters may begin a text; the sizes and flags after them do not.
        FileFormat::GraphicsInterchangeFormat => {
            Ok(Signature::Known(FileKind::Gif, strength(file)?))
        }
        FileFormat::JointPhotographicExpertsGroup => known(FileKind::Jpeg),
        FileFormat::Gzip => known(FileKind::Gzip),
        FileFormat::OfficeOpenXmlDocument => known(FileKind::Docx),
        FileFormat::OfficeOpenXmlPresentation => known(FileKind::Pptx),
        FileFormat::OfficeOpenXmlSpreadsheet => known(FileKind::Xlsx),
        FileFormat::OpendocumentPresentation => known(FileKind::Odp),
        FileFormat::OpendocumentSpreadsheet => known(FileKind::Ods),
        FileFormat::OpendocumentText => known(FileKind::Odt),
        FileFormat::AnimatedPortableNetworkGraphics | FileFormat::PortableNetworkGraphics => {
            known(FileKind::Png)
        }
        FileFormat::TapeArchive => known(FileKind::Tar),
        FileFormat::Webp => known(FileKind::Webp),
        FileFormat::Zip => known(FileKind::Zip),
        FileFormat::PortableDocumentFormat => Ok(Signature::Known(
            FileKind::Pdf,
            if pdf::has_an_end(file)? {
                Strength::Proof
            } else {
                Strength::Letters
            },
        )),
        FileFormat::CompoundFileBinary => Ok(Signature::Ole),
        FileFormat::Empty => Ok(Signature::Empty),
        // The oldest TAR has no signature, but a checksum over its first block. Everything inside is examined all the same.
        FileFormat::PlainText | FileFormat::ArbitraryBinaryData
            if claimed == FileKind::Tar && begins_as_tar(file)? =>
        {
            known(FileKind::Tar)
        }
        FileFormat::PlainText | FileFormat::ArbitraryBinaryData => Ok(Signature::None),
        _ => Ok(Signature::Foreign(strength(file)?)),
    }
}

fn begins_as_tar(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    file.rewind()?;
    let mut block = Vec::new();
    file.take(512).read_to_end(&mut block)?;
    Ok(archive::is_tar(&block))
}

/// Every binary format has lengths, versions or flags after its first letters, and so bytes that no text has.
fn strength(file: &mut (impl Read + Seek)) -> io::Result<Strength> {
    file.rewind()?;
    let mut head = Vec::new();
    file.take(16).read_to_end(&mut head)?;
    let in_no_text = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    Ok(if head.iter().any(in_no_text) {
        Strength::Proof
    } else {
        Strength::Letters
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use super::*;
    use crate::audit::Clock;
    use crate::uploads::policy::Document;
    use crate::uploads::tests::made;

    /// ASVS: V5.2.6
    #[test]
    fn archives_and_documents_are_not_read_after_the_deadline() {
        let deadline = Deadline::after(&Clock::manual(1_000), Duration::ZERO);
        let rules = Rules::of::<Document>(&deadline);
        let name = FileName::parse("a.zip").unwrap();
        let zip = made::zip(&[("a.txt", b"a")]);
        for (kind, bytes) in [
            (FileKind::Zip, zip.clone()),
            (FileKind::Gzip, made::gzip(&zip)),
            (FileKind::Docx, made::docx(&[])),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let looked = look(kind, &name, &mut file, &rules, tempfile::tempfile);
            assert!(looked.is_err(), "{kind:?}");
        }
    }

    /// A failing disk is not the sender's fault.
    #[test]
    fn only_content_that_ends_too_early_is_a_damaged_file() {
        for (error, damaged) in [
            (io::ErrorKind::UnexpectedEof, true),
            (io::ErrorKind::PermissionDenied, false),
            (io::ErrorKind::InvalidData, false),
        ] {
            let found = RecognitionError::Io(error.into()).or_damaged(FileKind::Pdf);
            let is_damaged = matches!(
                found,
                RecognitionError::Refused(UploadRejection::Damaged { .. })
            );
            assert_eq!(is_damaged, damaged, "{error}");
        }
        let bomb = RecognitionError::Refused(UploadRejection::Bomb).or_damaged(FileKind::Pdf);
        assert!(matches!(
            bomb,
            RecognitionError::Refused(UploadRejection::Bomb)
        ));
    }
}
