//! A stored file as a response.

use axum::body::Body;
use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;

use super::disposition;
use super::kind::FileKind;
use super::rows::StoredFile;
use crate::https::{HeldElsewhere, Inert};
use crate::pages::output;
use crate::pages::ranges::{FileAnswer, content_range};

/// The bytes of a response, and what they are of the file.
#[derive(Debug)]
pub(crate) struct Content {
    answer: FileAnswer,
    body: Body,
}

impl Content {
    pub(crate) fn new(answer: FileAnswer, body: Body) -> Self {
        Self { answer, body }
    }
}

/// A strong entity tag: two files have one tag only if they have the same bytes.
pub(crate) fn entity_tag(sha256: &[u8; 32]) -> String {
    format!("\"{}\"", BASE64URL_NOPAD.encode(sha256))
}

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
    content: Content,
}

/// A re-encoded picture for use in a page; otherwise the same as [`Download`].
#[derive(Debug)]
pub struct InlineImage {
    kept: StoredFile,
    content: Content,
    cache: BrowserCache,
}

/// How long the browser of one person keeps a picture. No cache that several people share keeps it in any case, and a sign-out
/// empties the browser's ([`Redirect::forget`](crate::Redirect::forget)).
///
/// ```
/// use dewar::uploads::{BrowserCache, FileId, InlineImage, Uploads};
///
/// /// `GET /pictures/{id}`: another picture would have another id.
/// async fn picture(uploads: Uploads, id: FileId) -> dewar::Result<InlineImage> {
///     Ok(uploads.show(&id).await?.cached(BrowserCache::Immutable))
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrowserCache {
    /// The browser keeps it and asks before each use. Your handler decides again, and 304 spares the bytes. Right for an
    /// address whose picture may change, and for a picture that somebody may lose the right to see.
    Checked,
    /// The browser keeps it for a year and does not ask. Only for an address that names this very picture, such as one with the
    /// id of the file, and for a picture that its viewer may see for ever.
    Immutable,
    /// The browser keeps nothing (ASVS 14.3.2).
    #[default]
    Nothing,
}

impl BrowserCache {
    const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Checked => "private, no-cache",
            Self::Immutable => "private, max-age=31536000, immutable",
            Self::Nothing => "private, no-store",
        })
    }
}

impl Download {
    pub(crate) fn new(kept: StoredFile, content: Content) -> Self {
        Self { kept, content }
    }

    /// Saves it under another name, such as the title of a document; the extension stays that of its kind.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        let extension = self.kept.kind.extensions().first().map_or_else(
            || super::name::FileName::stored(self.kept.name.clone()).extension(),
            |extension| (*extension).to_owned(),
        );
        if let Ok(name) = super::name::FileName::parse(&format!("{name}.{extension}")) {
            self.kept.name = name.as_str().to_owned();
        }
        self
    }
}

impl InlineImage {
    pub(crate) fn new(kept: StoredFile, content: Content) -> Self {
        Self {
            kept,
            content,
            cache: BrowserCache::Nothing,
        }
    }

    /// Lets the browser keep it. An error page is never kept.
    #[must_use]
    pub fn cached(mut self, cache: BrowserCache) -> Self {
        self.cache = cache;
        self
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let disposition = disposition::attachment(&self.kept.name);
        respond(&self.kept, self.content, disposition, BrowserCache::Nothing)
    }
}

impl IntoResponse for InlineImage {
    fn into_response(self) -> Response {
        let disposition = disposition::inline(&self.kept.name);
        respond(&self.kept, self.content, disposition, self.cache)
    }
}

/// A download that S3 sends itself: a redirect to an address there that is valid for two minutes, long enough to begin.
///
/// With the storage on the disk it is the same as [`Download`], so a handler is the same for both.
///
/// ```
/// use dewar::uploads::{FileId, StorageRedirect, Uploads};
///
/// async fn download(uploads: Uploads, id: FileId) -> dewar::Result<StorageRedirect> {
///     Ok(uploads.redirect_to_storage(&id).await?)
/// }
/// ```
#[derive(Debug)]
pub struct StorageRedirect(Place);

#[derive(Debug)]
enum Place {
    Here(Box<Download>),
    Storage(HeaderValue),
}

impl StorageRedirect {
    pub(crate) fn here(download: Download) -> Self {
        Self(Place::Here(Box::new(download)))
    }

    /// # Errors
    /// The address is none of HTTP.
    pub(crate) fn to(address: &str) -> Result<Self, InvalidHeaderValue> {
        let mut address = HeaderValue::from_str(address)?;
        // Whoever reads a log of responses could fetch the file meanwhile.
        address.set_sensitive(true);
        Ok(Self(Place::Storage(address)))
    }
}

impl IntoResponse for StorageRedirect {
    fn into_response(self) -> Response {
        let address = match self.0 {
            Place::Here(download) => return download.into_response(),
            Place::Storage(address) => address,
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, address);
        // The address is a permission for as long as it is valid.
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        );
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
        response
    }
}

output! {
    Download => [200 Some("*/*"), 206 Some("*/*"), 304 None, 412 None, 416 None],
    InlineImage => [200 Some("image/*"), 206 Some("image/*"), 304 None, 412 None, 416 None],
    StorageRedirect => [200 Some("*/*"), 206 Some("*/*"), 303 None, 304 None, 412 None, 416 None],
}

fn respond(
    kept: &StoredFile,
    content: Content,
    disposition: HeaderValue,
    cache: BrowserCache,
) -> Response {
    let mut response = Response::new(content.body);
    let size = kept.size;
    let (status, length, range) = match &content.answer {
        FileAnswer::AnotherVersion => (StatusCode::PRECONDITION_FAILED, None, None),
        FileAnswer::Known => (StatusCode::NOT_MODIFIED, None, None),
        FileAnswer::NoSuchPart => {
            let range = content_range(None, size);
            (StatusCode::RANGE_NOT_SATISFIABLE, None, range)
        }
        FileAnswer::Part(part) => {
            let length = part.end.saturating_sub(part.start);
            let range = content_range(Some(part), size);
            (StatusCode::PARTIAL_CONTENT, Some(length), range)
        }
        FileAnswer::Whole => (StatusCode::OK, Some(size), None),
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    if let Some(length) = length {
        headers.insert(header::CONTENT_TYPE, content_type(kept));
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if let Some(range) = range {
        headers.insert(header::CONTENT_RANGE, range);
    }
    if let Ok(tag) = HeaderValue::from_str(&entity_tag(&kept.sha256)) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::ACCEPT_RANGES, fixed("bytes"));
    // The header layer writes these too; this code does not depend on it. The tag is for a download that continues: a
    // browser that others use too keeps no copy of a user's file, unless the application says so (ASVS 14.3.2).
    headers.insert(header::CACHE_CONTROL, cache.header());
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

/// The media type, and the encoding of a text. JSON is always UTF-8 and has no such parameter.
fn content_type(kept: &StoredFile) -> HeaderValue {
    let media_type = kept.kind.media_type();
    kept.charset
        .filter(|_| kept.kind != FileKind::Json)
        .and_then(|charset| HeaderValue::try_from(format!("{media_type}; charset={charset}")).ok())
        .unwrap_or_else(|| HeaderValue::from_static(media_type))
}
