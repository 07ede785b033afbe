//! The opening handshake (RFC 6455, 4.2).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::body::Body;
use axum::response::Response;
use data_encoding::BASE64;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};

use crate::https::UpgradeOffer;
use crate::pages::Error;

/// RFC 6455, 1.3. SHA-1 protects nothing here: it shows that the server speaks WebSocket.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The subprotocol. The client offers it, and the CSRF token after it: a script can set no other header of a handshake, and an
/// address is in logs and histories.
const SUBPROTOCOL: &str = "dewar";

/// A handshake as the RFC wants it.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: HeaderValue,
    token: Option<String>,
}

impl Handshake {
    /// Reads the handshake of a request.
    ///
    /// # Errors
    /// 400: it is no handshake, or a connection of HTTP/2, which has another one (RFC 8441) that Dewar does not offer.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Error> {
        let headers = &parts.headers;
        let is_offered = parts.extensions.get::<UpgradeOffer>().is_some();
        let fits = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && is_offered
            && lists(headers, &header::CONNECTION, "upgrade")
            && single(headers, &header::SEC_WEBSOCKET_VERSION) == Some("13");
        let key = single(headers, &header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        let Some(key) = key.filter(|_| fits) else {
            return Err(Error::new(crate::pages::ErrorKind::BadRequest)
                .because("no handshake of a WebSocket, version 13"));
        };
        let accept = accept(key);
        Ok(Self {
            accept: HeaderValue::from_str(&accept).map_err(Error::internal)?,
            token: token(headers),
        })
    }

    /// The CSRF token that the client has sent.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The response that ends HTTP on the connection.
    pub(in crate::live) fn response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        response
    }
}

fn accept(key: &str) -> String {
    let text = [key.as_bytes(), GUID].concat();
    BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text).as_ref())
}

/// 16 bytes in Base64.
fn is_key(key: &str) -> bool {
    BASE64
        .decode(key.as_bytes())
        .is_ok_and(|bytes| bytes.len() == 16)
}

/// The token of `Sec-WebSocket-Protocol: dewar, <token>`; none from any other list.
fn token(headers: &HeaderMap) -> Option<String> {
    let mut offered = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    match (offered.next(), offered.next(), offered.next()) {
        (Some(SUBPROTOCOL), Some(token), None) => Some(token.to_owned()),
        _ => None,
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|word| word.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(change: impl FnOnce(&mut Parts)) -> Parts {
        let request = Request::get("/chat")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-protocol", "dewar, abc_-1");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(UpgradeOffer);
        change(&mut parts);
        parts
    }

    /// The key and the answer are those of RFC 6455, 1.3.
    #[test]
    fn a_handshake_is_answered_as_the_rfc_says() {
        let handshake = Handshake::of(&parts(|_| ())).unwrap();
        assert_eq!(handshake.token(), Some("abc_-1"));
        let response = handshake.response();
        assert_eq!(response.status(), 101);
        let said = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(said("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(said("sec-websocket-protocol"), "dewar");
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        let set = |name: &'static str, value: &'static str| {
            move |parts: &mut Parts| {
                let value = HeaderValue::from_static(value);
                drop(parts.headers.insert(name, value));
            }
        };
        let refused = |change: &dyn Fn(&mut Parts)| Handshake::of(&parts(change)).is_err();
        assert!(refused(&|parts| {
            parts.extensions.remove::<UpgradeOffer>();
        }));
        assert!(refused(&|parts| parts.method = Method::HEAD));
        assert!(refused(&|parts| parts.version = Version::HTTP_2));
        assert!(refused(&|parts| {
            let again = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
            parts.headers.append("sec-websocket-key", again);
        }));
        assert!(refused(&set("connection", "upgraded")));
        assert!(refused(&set("sec-websocket-version", "8")));
        for key in ["", "short", "dGhlIHNhbXBsZSBub25jZQ", "AAAA"] {
            assert!(refused(&set("sec-websocket-key", key)), "{key}");
        }
        for list in ["", "dewar", "abc, dewar", "dewar, a, b", "other, abc"] {
            let handshake = Handshake::of(&parts(set("sec-websocket-protocol", list))).unwrap();
            assert_eq!(handshake.token(), None, "{list}");
        }
    }
}
