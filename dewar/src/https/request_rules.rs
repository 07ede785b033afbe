use super::hosts::{HostAndPort, Hosts};
use super::limits::RequestLimits;
use super::rejection::RequestRejection;
use super::request_info::RequestInfo;
use axum::http::{HeaderMap, Method, Request, Uri, Version, header};

/// The scheme of the request; Dewar refuses an absolute-form target with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// Checks a request before anything else reads it: it must have one reading for every reader.
///
/// `heads.rs` refuses faults in the bytes of a head before hyper reads them; this function returns that rejection. It also
/// refuses what two readers could read differently after parsing (CWE-444, CWE-22). Returns the host as the list spells it.
///
/// # Errors
/// The first rule that the request breaks.
pub(crate) fn check<'a, B>(
    request: &Request<B>,
    scheme: Scheme,
    hosts: &'a Hosts,
    limits: &RequestLimits,
) -> Result<&'a str, RequestRejection> {
    let info = RequestInfo::get(request.extensions());
    if let Some(rejection) = info.and_then(|info| info.rejected_head) {
        return Err(rejection);
    }
    method(request.method())?;
    let too_large = request.version() >= Version::HTTP_2 && list(request) > limits.header_bytes;
    if too_large || request.headers().len() > limits.headers {
        return Err(RequestRejection::TooManyHeaders);
    }
    framing(request)?;
    let host = host(request, scheme, hosts)?;
    target(request.uri(), limits)?;
    Ok(host)
}

/// Whether a request is for one of the hosts, whatever else is wrong with it.
pub(crate) fn names_host<B>(request: &Request<B>, scheme: Scheme, hosts: &Hosts) -> bool {
    host(request, scheme, hosts).is_ok()
}

/// The size of a header list as HTTP/2 counts it, 32 bytes more for each field (RFC 9113, 6.5.2). For HTTP/1.1 the bytes
/// of the head were counted before parsing.
fn list<B>(request: &Request<B>) -> usize {
    const FIELD: usize = 32;
    let uri = request.uri();
    let host = uri.authority().map(|authority| authority.as_str().len());
    let pseudo = [
        (":method", Some(request.method().as_str().len())),
        (":scheme", uri.scheme_str().map(str::len)),
        (":authority", host),
        (
            ":path",
            uri.path_and_query().map(|path| path.as_str().len()),
        ),
    ];
    let pseudo = pseudo
        .into_iter()
        .filter_map(|(name, value)| Some(name.len() + value? + FIELD));
    let named = request.headers().iter();
    let named = named.map(|(name, value)| name.as_str().len() + value.len() + FIELD);
    pseudo.chain(named).fold(0, usize::saturating_add)
}

fn method(method: &Method) -> Result<(), RequestRejection> {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::OPTIONS => Ok(()),
        // The router responds to these with 405 and the methods of the route.
        Method::PUT | Method::PATCH | Method::DELETE => Ok(()),
        // TRACE echoes cookies (ASVS 13.4.4); CONNECT would make this server a proxy.
        Method::TRACE | Method::CONNECT => Err(RequestRejection::MethodNotAllowed),
        _ => Err(RequestRejection::MethodUnknown),
    }
}

fn framing<B>(request: &Request<B>) -> Result<(), RequestRejection> {
    let headers = request.headers();
    // hyper drops Content-Length if both are sent, so this code cannot see "both". RFC 9112, 6.1 allows a server to
    // require a length, and without Transfer-Encoding the two cannot disagree.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(match request.version() {
            Version::HTTP_2 | Version::HTTP_3 => RequestRejection::Malformed("connection header"),
            _ => RequestRejection::LengthRequired,
        });
    }
    if count(headers, &header::CONTENT_LENGTH) > 1 {
        return Err(RequestRejection::Malformed("two lengths"));
    }
    match headers.get(header::EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(RequestRejection::ExpectationFailed)
        }
        Some(_) | None => Ok(()),
    }
}

fn host<'a, B>(
    request: &Request<B>,
    scheme: Scheme,
    hosts: &'a Hosts,
) -> Result<&'a str, RequestRejection> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let header = match (named.next(), named.next()) {
        (_, Some(_)) => return Err(RequestRejection::Malformed("two hosts")),
        (Some(value), None) => Some(
            value
                .to_str()
                .map_err(|_| RequestRejection::Malformed("host"))?,
        ),
        (None, None) => None,
    };
    let target = request.uri().authority().map(http::uri::Authority::as_str);
    if target.is_some()
        && request
            .uri()
            .scheme_str()
            .is_some_and(|said| said != scheme.as_str())
    {
        return Err(RequestRejection::Malformed("scheme"));
    }
    let text = match (header, target) {
        (Some(header), Some(target)) if !header.eq_ignore_ascii_case(target) => {
            return Err(RequestRejection::Malformed("host differs from target"));
        }
        // HTTP/1 needs the header even with an absolute target (RFC 9112, 3.2).
        (None, Some(_)) if request.version() < Version::HTTP_2 => {
            return Err(RequestRejection::Malformed("no host"));
        }
        (Some(text), _) | (None, Some(text)) => text,
        (None, None) => return Err(RequestRejection::Malformed("no host")),
    };
    let authority = HostAndPort::parse(text).ok_or(RequestRejection::Malformed("host"))?;
    hosts
        .find(authority.host)
        .ok_or(RequestRejection::UnknownHost)
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

fn target(uri: &Uri, limits: &RequestLimits) -> Result<(), RequestRejection> {
    let length = uri.path_and_query().map_or(0, |all| all.as_str().len());
    if length > limits.target {
        return Err(RequestRejection::TargetTooLong);
    }
    path(uri.path().as_bytes())?;
    let plain = |byte: &u8| (0x21..0x7f).contains(byte);
    if !uri.query().unwrap_or_default().as_bytes().iter().all(plain) {
        return Err(RequestRejection::Malformed("query"));
    }
    Ok(())
}

/// Checks that every reader splits a path in the same way: no empty or dot segment, no encoded separator.
fn path(path: &[u8]) -> Result<(), RequestRejection> {
    const WRONG: RequestRejection = RequestRejection::Malformed("path");
    let rest = path.strip_prefix(b"/").ok_or(WRONG)?;
    let mut segments = rest.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if (segment.is_empty() && !last) || !is_plain(segment) {
            return Err(WRONG);
        }
    }
    Ok(())
}

/// Whether a segment has no control character, backslash, or bad or dangerous escape, and is not `.` or `..` in any
/// spelling (`%2e`).
fn is_plain(segment: &[u8]) -> bool {
    let mut bytes = segment.iter().copied();
    let (mut length, mut dots) = (0_usize, 0_usize);
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'%' => {
                let escape = (bytes.next().and_then(hex), bytes.next().and_then(hex));
                let (Some(high), Some(low)) = escape else {
                    return false;
                };
                match high << 4 | low {
                    b'/' | b'\\' | 0x00..=0x1f | 0x7f => return false,
                    decoded => decoded,
                }
            }
            b'\\' | 0x00..=0x20 | 0x7f..=0xff => return false,
            plain => plain,
        };
        length += 1;
        dots += usize::from(decoded == b'.');
    }
    !(length == dots && (length == 1 || length == 2))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn count(headers: &HeaderMap, name: &header::HeaderName) -> usize {
    headers.get_all(name).iter().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9113, 6.5.2: the octets of each name and value, and 32 more for each field.
    #[test]
    fn a_header_list_is_as_large_as_http_2_says() {
        let request = Request::get("https://portal.test/a?b");
        let request = request.header("accept", "text/html").header("x-a", "");
        let pseudo = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "portal.test"),
        ];
        let named = [(":path", "/a?b"), ("accept", "text/html"), ("x-a", "")];
        let fields = pseudo.into_iter().chain(named);
        let size: usize = fields
            .map(|(name, value)| name.len() + value.len() + 32)
            .sum();
        assert_eq!(list(&request.body(()).unwrap()), size);
        let relative = Request::get("/").body(()).unwrap();
        assert_eq!(list(&relative), 7 + 3 + 32 + 5 + 1 + 32);
    }
}
