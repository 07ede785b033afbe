//! A document's file, and a small picture of it.

use dewar::Uploads;
use dewar::roles::Scoped;
use dewar::uploads::{BrowserCache, Download, InlineImage, Thumbnail};

use super::Readable;

/// `GET /documents/{id}/file`: always an attachment, byte for byte as it was uploaded.
pub(crate) async fn download(
    document: Scoped<Readable>,
    uploads: Uploads,
) -> dewar::Result<Download> {
    Ok(uploads.serve(&document.file()?).await?)
}

/// The pictures in the list and on the page of a document.
const CARD: Thumbnail<240, 160> = Thumbnail::new();

/// `GET /documents/{id}/thumbnail`: the browser asks again before each use, because a reader may lose a document.
pub(crate) async fn thumbnail(
    document: Scoped<Readable>,
    uploads: Uploads,
) -> dewar::Result<InlineImage> {
    let small = uploads.thumbnail(&document.file()?, CARD).await?;
    Ok(small.cached(BrowserCache::Checked))
}
