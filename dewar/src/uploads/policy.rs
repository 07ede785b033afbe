//! The policy of a field: a type, so a field without one does not compile.

use super::charset::Charset;
use super::kind::{FileKind, Look};

/// How Dewar stores the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bytes {
    /// As they were sent. Dewar serves such a file only as an attachment.
    AsSent,
    /// Decoded and re-encoded, without metadata. A page may show such a picture.
    Reencoded,
}

/// The fate of an animation under a policy of re-encoded pictures: an animated GIF, PNG or WebP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Animation {
    /// Dewar stores its first frame. Of a PNG this is the picture that programs show which know no animation.
    FirstFrame,
    /// Dewar stores all its frames. Of a WebP it stores the first, since no encoder writes the others.
    Kept,
    /// Dewar refuses it.
    Refused,
}

/// The kinds of files that a field accepts, and how Dewar stores them (the documentation that ASVS 5.1.1 requires).
///
/// ```
/// use dewar::uploads::{Bytes, FileKind, Policy};
///
/// #[derive(Debug)]
/// enum Receipt {}
///
/// impl Policy for Receipt {
///     const NAME: &'static str = "receipt";
///     const KINDS: &'static [FileKind] = &[FileKind::Pdf, FileKind::Jpeg];
///     const BYTES: Bytes = Bytes::AsSent;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not define which files may be uploaded",
    label = "not an upload policy",
    note = "write `Upload<Picture, {{ 2 * MIB }}>` or `Upload<Document, {{ 10 * MIB }}>`, or implement `dewar::uploads::Policy` \
            for a type of your own: its name, its kinds, and what becomes of the bytes"
)]
pub trait Policy: Send + Sync + 'static {
    /// One word for the log and the database.
    const NAME: &'static str;
    /// The kinds that a field accepts.
    const KINDS: &'static [FileKind];
    /// How Dewar stores the bytes. Only pictures can be re-encoded.
    const BYTES: Bytes;
    /// The encoding of a text that is not UTF-8, if your users' programs write only one. Otherwise Dewar guesses it from the
    /// letters, and knows no code page of DOS.
    ///
    /// ```
    /// use dewar::uploads::{Bytes, Charset, FileKind, Policy};
    ///
    /// #[derive(Debug)]
    /// enum OldTable {}
    ///
    /// impl Policy for OldTable {
    ///     const NAME: &'static str = "old_table";
    ///     const KINDS: &'static [FileKind] = &[FileKind::Csv];
    ///     const BYTES: Bytes = Bytes::AsSent;
    ///     const CHARSET: Option<Charset> = Some(Charset::ibm850());
    /// }
    /// ```
    const CHARSET: Option<Charset> = None;
    /// The fate of animations when pictures are re-encoded. A policy of [`Bytes::AsSent`] keeps them as they were sent.
    const ANIMATION: Animation = Animation::Kept;
}

/// PNG, JPEG, WebP and GIF pictures, re-encoded without metadata, for use in a page.
#[derive(Debug)]
#[non_exhaustive]
pub enum Picture {}

impl Policy for Picture {
    const NAME: &'static str = "picture";
    const KINDS: &'static [FileKind] =
        &[FileKind::Png, FileKind::Jpeg, FileKind::Webp, FileKind::Gif];
    const BYTES: Bytes = Bytes::Reencoded;
}

/// Documents and pictures, stored byte for byte and served as attachments.
#[derive(Debug)]
#[non_exhaustive]
pub enum Document {}

impl Policy for Document {
    const NAME: &'static str = "document";
    const KINDS: &'static [FileKind] = &[
        FileKind::Pdf,
        FileKind::Docx,
        FileKind::Odt,
        FileKind::Pptx,
        FileKind::Odp,
        FileKind::Txt,
        FileKind::Csv,
        FileKind::Tsv,
        FileKind::Markdown,
        FileKind::Json,
        FileKind::Png,
        FileKind::Jpeg,
        FileKind::Webp,
        FileKind::Gif,
        FileKind::Heic,
        FileKind::Avif,
        FileKind::Tiff,
    ];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Spreadsheets, stored byte for byte and served as attachments. A spreadsheet runs the formulas in it: say so beside a link.
#[derive(Debug)]
#[non_exhaustive]
pub enum Spreadsheet {}

impl Policy for Spreadsheet {
    const NAME: &'static str = "spreadsheet";
    const KINDS: &'static [FileKind] = &[FileKind::Xlsx, FileKind::Ods, FileKind::Csv];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Archives of files that nothing runs, stored byte for byte and served as attachments. Dewar unpacks them only to look.
#[derive(Debug)]
#[non_exhaustive]
pub enum Archive {}

impl Policy for Archive {
    const NAME: &'static str = "archive";
    const KINDS: &'static [FileKind] = &[FileKind::Zip, FileKind::Tar, FileKind::Gzip];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Texts in UTF-8, UTF-16 or an older encoding, stored byte for byte and served as attachments with their `charset`.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlainText {}

impl Policy for PlainText {
    const NAME: &'static str = "plain_text";
    const KINDS: &'static [FileKind] = &[
        FileKind::Txt,
        FileKind::Csv,
        FileKind::Tsv,
        FileKind::Markdown,
        FileKind::Json,
    ];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Audio and video, stored byte for byte and served as attachments.
#[derive(Debug)]
#[non_exhaustive]
pub enum Media {}

impl Policy for Media {
    const NAME: &'static str = "media";
    const KINDS: &'static [FileKind] = &[
        FileKind::Mp3,
        FileKind::M4a,
        FileKind::Ogg,
        FileKind::Wav,
        FileKind::Flac,
        FileKind::Mp4,
        FileKind::Mov,
        FileKind::Webm,
        FileKind::Mkv,
    ];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Photographs and scans as cameras, phones and scanners write them, stored byte for byte with all their metadata, and
/// served as attachments.
#[derive(Debug)]
#[non_exhaustive]
pub enum Photo {}

impl Policy for Photo {
    const NAME: &'static str = "photo";
    const KINDS: &'static [FileKind] = &[
        FileKind::Jpeg,
        FileKind::Heic,
        FileKind::Png,
        FileKind::Webp,
        FileKind::Avif,
        FileKind::Tiff,
        FileKind::Gif,
    ];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Any file except programs and pages, stored byte for byte and served as an attachment.
///
/// A file whose name or content is of a known kind must be a sound file of that kind. Any other file is served as
/// `application/octet-stream`. Dewar does not look inside it, so whoever downloads it must trust its sender.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyFile {}

impl Policy for AnyFile {
    const NAME: &'static str = "any_file";
    const KINDS: &'static [FileKind] = FileKind::AS_SENT;
    const BYTES: Bytes = Bytes::AsSent;
}

/// Whether a policy is consistent; evaluated at compile time for the field type [`Upload`](super::Upload).
pub(crate) const fn is_sound<P: Policy>() -> bool {
    if P::KINDS.is_empty() || P::NAME.is_empty() {
        return false;
    }
    let mut rest = P::KINDS;
    while let [kind, others @ ..] = rest {
        // Only a picture can be re-encoded, and a drawing has to be.
        let fits = match P::BYTES {
            Bytes::AsSent => !matches!(kind.look(), Look::Svg),
            Bytes::Reencoded => matches!(kind.look(), Look::Picture(_) | Look::Svg),
        };
        if !fits {
            return false;
        }
        rest = others;
    }
    true
}
