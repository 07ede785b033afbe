//! A document's file.

use dewar::Uploads;
use dewar::roles::Scoped;
use dewar::uploads::Download;

use super::Readable;

/// `GET /documents/{id}/file`: always an attachment, byte for byte as it was uploaded.
pub(crate) async fn download(
    document: Scoped<Readable>,
    uploads: Uploads,
) -> dewar::Result<Download> {
    Ok(uploads.serve(&document.file()?).await?)
}
