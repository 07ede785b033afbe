//! A stored file as a response.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::disposition;
use super::rows::StoredFile;
use crate::https::{HeldElsewhere, Inert};
use crate::pages::output;

/// How many bytes are read at once, and so the memory of one download.
const PIECE: usize = 128 * 1024;

/// A file that the browser saves and does not open.
///
/// It is an `attachment` with its recorded type, `nosniff`, and a policy under which even a page could do nothing (ASVS
/// 3.2.1, 5.4.1; OWASP File Upload Cheat Sheet).
///
/// ```
/// use dewar::uploads::{Download, FileId, Uploads};
///
/// async fn download(uploads: Uploads, id: FileId) -> dewar::Result<Download> {
///     Ok(uploads.serve(&id).await?)
/// }
/// ```
#[derive(Debug)]
pub struct Download {
    kept: StoredFile,
    file: File,
}

/// A re-encoded picture for use in a page; otherwise the same as [`Download`].
#[derive(Debug)]
pub struct InlineImage {
    kept: StoredFile,
    file: File,
}

impl Download {
    pub(crate) fn new(kept: StoredFile, file: File) -> Self {
        Self { kept, file }
    }

    /// Saves it under another name, such as the title of a document; the extension stays that of its kind.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        let extension = self
            .kept
            .kind
            .extensions()
            .first()
            .copied()
            .unwrap_or("bin");
        if let Ok(name) = super::name::FileName::parse(&format!("{name}.{extension}")) {
            self.kept.name = name.as_str().to_owned();
        }
        self
    }
}

impl InlineImage {
    pub(crate) fn new(kept: StoredFile, file: File) -> Self {
        Self { kept, file }
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let disposition = disposition::attachment(&self.kept.name);
        respond(&self.kept, self.file, disposition)
    }
}

impl IntoResponse for InlineImage {
    fn into_response(self) -> Response {
        let disposition = disposition::inline(&self.kept.name);
        respond(&self.kept, self.file, disposition)
    }
}

output! { Download, InlineImage }

fn respond(kept: &StoredFile, file: File, disposition: HeaderValue) -> Response {
    let mut response = Response::new(stream(file, kept.size));
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::CONTENT_TYPE, fixed(kept.kind.media_type()));
    headers.insert(header::CONTENT_LENGTH, kept.size.into());
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::ACCEPT_RANGES, fixed("none"));
    // The header layer writes these too; this code does not depend on it.
    headers.insert(header::CACHE_CONTROL, fixed("private, no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        fixed("sandbox; default-src 'none'"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert("cross-origin-resource-policy", fixed("same-origin"));
    response.extensions_mut().insert(Inert::new());
    response.extensions_mut().insert(HeldElsewhere::File);
    response
}

/// Exactly `length` bytes. If the file was cut meanwhile, the connection ends with an error, not with a short response.
fn stream(file: File, length: u64) -> Body {
    Body::from_stream(stream::try_unfold(
        (file, length),
        |(mut file, left)| async move {
            if left == 0 {
                return Ok::<_, std::io::Error>(None);
            }
            let mut piece = BytesMut::with_capacity(PIECE);
            let read = (&mut file)
                .take(left.min(PIECE as u64))
                .read_buf(&mut piece)
                .await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let piece: Bytes = piece.freeze();
            Ok(Some((piece, (file, left.saturating_sub(read as u64)))))
        },
    ))
}
