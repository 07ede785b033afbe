//! Requests that the crate does not make: what a bucket is, and which uploads in parts were never ended.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequestBody, HttpService as _};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{S3, failed};
use crate::audit::peer_text;
use crate::uploads::error::Error;

/// The most bytes of such a response.
const LONGEST: usize = 1024 * 1024;

/// Whether a request carries the application's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Ours,
    /// As anybody in the world sends it.
    None,
}

/// A response to such a request.
#[derive(Debug)]
pub(super) struct ApiResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorBody {
    code: String,
    message: String,
}

impl ApiResponse {
    /// The code of an error, such as `NoSuchBucket`; empty if the server sent none.
    pub(super) fn code(&self) -> String {
        self.error().code
    }

    /// The server's words about an error.
    pub(super) fn words(&self) -> String {
        let ErrorBody { code, message } = self.error();
        peer_text(&format!("{} {code} {message}", self.status.as_u16()))
    }

    fn error(&self) -> ErrorBody {
        self.read().unwrap_or_default()
    }

    /// The body, if it is such a document.
    pub(super) fn read<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        quick_xml::de::from_reader(&self.body[..]).ok()
    }
}

/// A page of the uploads in parts that have not ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unfinished {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
    #[serde(default, rename = "Upload")]
    uploads: Vec<UnfinishedUpload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UnfinishedUpload {
    key: String,
    upload_id: String,
    initiated: String,
}

impl S3 {
    /// Sends a request about the bucket (`name` is empty) or an object.
    ///
    /// # Errors
    /// The server cannot be reached, with the reason.
    pub(super) async fn ask(
        &self,
        method: Method,
        name: &str,
        query: &[(&str, &str)],
        signature: Signature,
    ) -> Result<ApiResponse, String> {
        let mut url =
            url::Url::parse(&format!("{}/{name}", self.0.url)).map_err(|e| e.to_string())?;
        if name.is_empty() {
            url.path_segments_mut()
                .map_err(|()| "no address")?
                .pop_if_empty();
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = http::Request::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(|error| peer_text(&error))?;
        if signature == Signature::Ours {
            let credential = self.0.store.credentials().get_credential().await;
            let credential = credential.map_err(|error| peer_text(&error))?;
            let authorizer = AwsAuthorizer::new(&credential, "s3", &self.0.region);
            let signed = authorizer.try_authorize(&mut request, None);
            signed.map_err(|error| peer_text(&error))?;
        }
        let response = self.0.http.call(request).await;
        let response = response.map_err(|error| peer_text(&causes(&error)))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await;
        let body = body.map_err(|error| peer_text(&error))?;
        Ok(ApiResponse {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// Aborts the uploads in parts that began at least this long ago: a killed process left them, and they cost space that no
    /// listing shows. Returns their number.
    pub(in crate::uploads) async fn abort_old(&self, age: Duration) -> Result<usize, Error> {
        let mut aborted = 0;
        // Nobody gets an address for a part of what a browser sends, but whoever has a key can begin one.
        for folder in ["kept/", "incoming/"] {
            aborted += self.abort_old_below(folder, age).await?;
        }
        Ok(aborted)
    }

    async fn abort_old_below(&self, folder: &str, age: Duration) -> Result<usize, Error> {
        let (mut key, mut id, mut aborted) = (String::new(), String::new(), 0);
        let prefix = self.name(folder);
        let before = self.0.clock.now().saturating_sub_unsigned(age.as_secs());
        loop {
            let mut query = vec![("uploads", ""), ("prefix", prefix.as_str())];
            if !key.is_empty() {
                query.extend([
                    ("key-marker", key.as_str()),
                    ("upload-id-marker", id.as_str()),
                ]);
            }
            let page = self.ask(Method::GET, "", &query, Signature::Ours).await;
            let page = page.map_err(Error::Unavailable)?;
            if page.status == StatusCode::NOT_IMPLEMENTED {
                return Ok(aborted);
            }
            let unfinished = page
                .read::<Unfinished>()
                .filter(|_| page.status.is_success());
            let unfinished = unfinished.ok_or_else(|| Error::Unavailable(page.words()))?;
            for upload in unfinished.uploads {
                let begun = OffsetDateTime::parse(&upload.initiated, &Rfc3339);
                let is_old = begun.is_ok_and(|begun| begun.unix_timestamp() <= before);
                let Some(path) = Path::parse(&upload.key).ok().filter(|_| is_old) else {
                    continue;
                };
                match self.0.store.abort_multipart(&path, &upload.upload_id).await {
                    // Another node was faster.
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => aborted += 1,
                    Err(error) => return Err(failed(error)),
                }
            }
            let next = (unfinished.next_key_marker, unfinished.next_upload_id_marker);
            if !unfinished.is_truncated || next == (key, id) {
                return Ok(aborted);
            }
            (key, id) = next;
        }
    }
}

/// An error with its causes: the client's own text names none.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        let cause = deeper.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = deeper.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_read_and_nothing_else_is() {
        let answer = |body: &'static str| ApiResponse {
            status: StatusCode::FORBIDDEN,
            headers: HeaderMap::new(),
            body: body.into(),
        };
        let denied = answer(
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No.\u{1b}[0m</Message><RequestId>1</RequestId></Error>",
        );
        assert_eq!(denied.code(), "AccessDenied");
        let words = denied.words();
        assert!(words.starts_with("403 AccessDenied No.") && !words.contains('\u{1b}'));
        for other in ["", "<html>", "{}", "<Error/>"] {
            assert_eq!(answer(other).code(), "", "{other}");
        }
        let page = answer(
            "<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>b</UploadId><Initiated>2026-11-27T22:00:00.000Z</Initiated></Upload><Upload><Key>c</Key><UploadId>d</UploadId><Initiated>x</Initiated></Upload><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>",
        );
        let page = page.read::<Unfinished>().unwrap();
        assert_eq!((page.uploads.len(), page.is_truncated), (2, true));
    }
}
