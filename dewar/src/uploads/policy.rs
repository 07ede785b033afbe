//! The policy of a field: a type, so a field without one does not compile.

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
}

/// PNG, JPEG and WebP pictures, re-encoded without metadata, for use in a page.
#[derive(Debug)]
#[non_exhaustive]
pub enum Picture {}

impl Policy for Picture {
    const NAME: &'static str = "picture";
    const KINDS: &'static [FileKind] = &[FileKind::Png, FileKind::Jpeg, FileKind::Webp];
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
        FileKind::Png,
        FileKind::Jpeg,
        FileKind::Webp,
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

/// Whether a policy is consistent; evaluated at compile time for the field type [`Upload`](super::Upload).
pub(crate) const fn is_sound<P: Policy>() -> bool {
    if P::KINDS.is_empty() || P::NAME.is_empty() {
        return false;
    }
    if matches!(P::BYTES, Bytes::AsSent) {
        return true;
    }
    let mut rest = P::KINDS;
    while let [kind, others @ ..] = rest {
        if !matches!(kind.look(), Look::Picture(_)) {
            return false;
        }
        rest = others;
    }
    true
}
