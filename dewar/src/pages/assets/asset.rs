//! A static file, and the responses to a browser's requests for it (RFC 9110, 12 to 14).

use std::io::Write;
use std::ops::Range;

use aws_lc_rs::digest;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::https::list::weighted;
use crate::pages::ranges::{Wanted, content_range, is_known, wanted};

/// The content of a file and, if it is smaller, its gzip form, compressed once when the file is loaded. Dewar never
/// compresses a response that depends on a session (BREACH); a static file is the same for everybody.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) content: Bytes,
    kind: HeaderValue,
    tag: String,
    /// `sha384-…`
    pub(super) integrity: String,
    packed: Option<Bytes>,
}

impl Asset {
    pub(super) fn new(content: Bytes, kind: &'static str, hash: &str) -> Self {
        let sha384 = digest::digest(&digest::SHA384, &content);
        Self {
            integrity: format!("sha384-{}", BASE64.encode(sha384.as_ref())),
            packed: packed(&content, kind),
            content,
            kind: HeaderValue::from_static(kind),
            tag: format!("\"{hash}\""),
        }
    }

    pub(super) fn answer(&self, method: &Method, request: &HeaderMap) -> Response {
        if ![Method::GET, Method::HEAD].contains(method) {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        let length = self.content.len() as u64;
        let range = wanted(method, request, &self.tag, length);
        // A range refers to the uncompressed file.
        let packed = self
            .packed
            .as_ref()
            .filter(|_| range == Wanted::Whole && takes_gzip(request));
        let tag = match packed {
            Some(_) => self.tag.replacen('"', "\"gz-", 1),
            None => self.tag.clone(),
        };
        let known = is_known(request, &tag);
        let mut response = match (known, range) {
            (true, _) => status(StatusCode::NOT_MODIFIED),
            (false, Wanted::Whole) => Response::new(packed.unwrap_or(&self.content).clone().into()),
            (false, Wanted::Part(part)) => {
                let mut response = Response::new(self.part(&part).into());
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let of = content_range(Some(&part), length);
                add(&mut response, header::CONTENT_RANGE, of);
                response
            }
            (false, Wanted::Nothing) => {
                let mut response = status(StatusCode::RANGE_NOT_SATISFIABLE);
                let of = content_range(None, length);
                add(&mut response, header::CONTENT_RANGE, of);
                response
            }
        };
        let tag = HeaderValue::from_str(&tag).ok();
        add(&mut response, header::ETAG, tag);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.kind.clone());
        let for_a_year = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, for_a_year);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if self.packed.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// These bytes; a range was compared with the length before.
    fn part(&self, part: &Range<u64>) -> Bytes {
        let start = usize::try_from(part.start).unwrap_or(usize::MAX);
        let end = usize::try_from(part.end).unwrap_or(usize::MAX);
        let end = end.min(self.content.len());
        self.content.slice(start.min(end)..end)
    }
}

/// Whether the browser accepts gzip.
fn takes_gzip(request: &HeaderMap) -> bool {
    weighted(request, header::ACCEPT_ENCODING)
        .any(|coding| coding.name.eq_ignore_ascii_case("gzip") && coding.weight > 0)
}

fn packed(content: &[u8], kind: &str) -> Option<Bytes> {
    let is_text = kind.starts_with("text/")
        || ["json", "+xml", "wasm", "x-icon"]
            .iter()
            .any(|end| kind.contains(end));
    if !is_text {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < content.len()).then(|| Bytes::from(packed))
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn add(response: &mut Response, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::Read;

    fn asset() -> Asset {
        let content = Bytes::from("p { color: red }\n".repeat(40));
        Asset::new(content, "text/css; charset=utf-8", "abc")
    }

    fn ask(headers: &[(HeaderName, &str)]) -> Response {
        let pairs = headers.iter().map(|(name, value)| {
            (
                name.clone(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        });
        asset().answer(&Method::GET, &pairs.collect())
    }

    fn said(response: &Response, name: HeaderName) -> Option<&str> {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    async fn body(response: Response) -> Vec<u8> {
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec()
    }

    #[tokio::test]
    async fn a_browser_that_reads_gzip_gets_it_and_every_other_does_not() {
        let whole = asset().content.to_vec();
        for accepts in [
            "gzip",
            "br, GZIP;q=0.5",
            "deflate,gzip;q=1.0",
            "größe, gzip",
        ] {
            let response = ask(&[(header::ACCEPT_ENCODING, accepts)]);
            assert_eq!(
                said(&response, header::CONTENT_ENCODING),
                Some("gzip"),
                "{accepts}"
            );
            assert_eq!(said(&response, header::ETAG), Some("\"gz-abc\""));
            assert_eq!(said(&response, header::VARY), Some("accept-encoding"));
            let (packed, mut read) = (body(response).await, Vec::new());
            assert!(packed.len() < whole.len());
            flate2::read::GzDecoder::new(packed.as_slice())
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, whole);
        }
        for accepts in ["", "gzip;q=0", "gzip;q=0.0", "br", "xgzip"] {
            let response = ask(&[(header::ACCEPT_ENCODING, accepts)]);
            assert_eq!(said(&response, header::CONTENT_ENCODING), None, "{accepts}");
            assert_eq!(said(&response, header::VARY), Some("accept-encoding"));
            assert_eq!(body(response).await, whole);
        }
    }

    #[tokio::test]
    async fn a_part_is_of_the_file_as_it_is() {
        let whole = asset().content.to_vec();
        for (range, part, of) in [
            ("bytes=0-3", &whole[..4], "bytes 0-3/680"),
            ("bytes=676-", &whole[676..], "bytes 676-679/680"),
            ("bytes=-4", &whole[676..], "bytes 676-679/680"),
            ("bytes=600-9999", &whole[600..], "bytes 600-679/680"),
            ("bytes=-9999", &whole[..], "bytes 0-679/680"),
        ] {
            let response = ask(&[(header::RANGE, range), (header::ACCEPT_ENCODING, "gzip")]);
            assert_eq!(response.status(), 206, "{range}");
            assert_eq!(said(&response, header::CONTENT_RANGE), Some(of));
            assert_eq!(said(&response, header::CONTENT_ENCODING), None);
            assert_eq!(body(response).await, part);
        }
        for range in ["bytes=680-", "bytes=-0", "bytes=9999-10000"] {
            let response = ask(&[(header::RANGE, range)]);
            assert_eq!(response.status(), 416, "{range}");
            assert_eq!(said(&response, header::CONTENT_RANGE), Some("bytes */680"));
        }
        for range in [
            "bytes=0-1,4-5",
            "lines=0-3",
            "bytes=3-1",
            "bytes=+1-2",
            "bytes=a-b",
            "bytes=-",
            "0-3",
        ] {
            let response = ask(&[(header::RANGE, range)]);
            assert_eq!(
                (response.status().as_u16(), body(response).await.len()),
                (200, 680),
                "{range}"
            );
        }
    }

    #[tokio::test]
    async fn what_a_browser_has_already_is_not_sent_again() {
        for known in ["\"abc\"", "\"ü,\", \"abc\"", "W/\"abc\"", "*"] {
            let response = ask(&[(header::IF_NONE_MATCH, known)]);
            assert_eq!(response.status(), 304, "{known}");
            assert!(body(response).await.is_empty());
        }
        assert_eq!(ask(&[(header::IF_NONE_MATCH, "\"abcd\"")]).status(), 200);
        let other = [
            (header::RANGE, "bytes=0-3"),
            (header::IF_RANGE, "\"older\""),
        ];
        assert_eq!(ask(&other).status(), 200);
        let same = [(header::RANGE, "bytes=0-3"), (header::IF_RANGE, "\"abc\"")];
        assert_eq!(ask(&same).status(), 206);
    }

    #[test]
    fn a_file_is_only_read() {
        let response = asset().answer(&Method::POST, &HeaderMap::new());
        assert_eq!(
            (response.status().as_u16(), said(&response, header::ALLOW)),
            (405, Some("GET, HEAD"))
        );
        let picture = Asset::new(Bytes::from(vec![0; 999]), "image/png", "abc");
        assert!(picture.packed.is_none(), "a picture is small already");
    }
}
