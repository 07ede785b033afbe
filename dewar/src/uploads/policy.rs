//! What may be sent: a policy is a type, so a field without one does not compile.

use super::kind::FileKind;

/// What becomes of a picture's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bytes {
    /// They are kept as they were sent. Such a file is only ever served as an attachment.
    AsSent,
    /// The picture is decoded and written anew, without metadata, and may be shown in a page.
    Reencoded,
}

/// Which files a field takes and what becomes of them (ASVS 5.1.1 asks that this is written down: here it is).
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
    message = "`{Self}` does not say which files may be uploaded",
    label = "not an upload policy",
    note = "write `Upload<Picture, {{ 2 * MIB }}>` or `Upload<Document, {{ 10 * MIB }}>`, or implement `dewar::uploads::Policy` \
            for a type of your own: its name, its kinds, and what becomes of the bytes"
)]
pub trait Policy: Send + Sync + 'static {
    /// One word for the log and the database.
    const NAME: &'static str;
    /// The kinds it takes.
    const KINDS: &'static [FileKind];
    /// What becomes of the bytes. Only pictures can be written anew.
    const BYTES: Bytes;
}

/// PNG, JPEG and WebP pictures, written anew without metadata: fit to be shown in a page.
#[derive(Debug)]
#[non_exhaustive]
pub enum Picture {}

impl Policy for Picture {
    const NAME: &'static str = "picture";
    const KINDS: &'static [FileKind] = &[FileKind::Png, FileKind::Jpeg, FileKind::Webp];
    const BYTES: Bytes = Bytes::Reencoded;
}

/// Documents and pictures, kept byte for byte and served as attachments.
#[derive(Debug)]
#[non_exhaustive]
pub enum Document {}

impl Policy for Document {
    const NAME: &'static str = "document";
    const KINDS: &'static [FileKind] = &[
        FileKind::Pdf,
        FileKind::Docx,
        FileKind::Odt,
        FileKind::Txt,
        FileKind::Csv,
        FileKind::Png,
        FileKind::Jpeg,
        FileKind::Webp,
    ];
    const BYTES: Bytes = Bytes::AsSent;
}

/// Whether a policy can be kept at all; evaluated while compiling, where an [`Upload`](super::Upload) is used as a field.
pub(crate) const fn is_sound<P: Policy>() -> bool {
    if P::KINDS.is_empty() || P::NAME.is_empty() {
        return false;
    }
    if matches!(P::BYTES, Bytes::AsSent) {
        return true;
    }
    let mut rest = P::KINDS;
    while let [kind, others @ ..] = rest {
        if !matches!(kind, FileKind::Png | FileKind::Jpeg | FileKind::Webp) {
            return false;
        }
        rest = others;
    }
    true
}
