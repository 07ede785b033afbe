//! A document's file.

use dewar::Uploads;
use dewar::roles::Scoped;
use dewar::uploads::Download;

use super::Readable;

/// `GET /documents/{id}/file`: always as an attachment, byte for byte as it was sent.
pub(crate) async fn download(
    document: Scoped<Readable>,
    uploads: Uploads,
) -> dewar::Result<Download> {
    Ok(uploads.serve(&document.file()?).await?)
}
