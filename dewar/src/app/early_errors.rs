//! Requests that `https` refuses, rendered for their reader: a page for people, problem details for programs.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};

use super::stack::{Core, shown};
use crate::https::{RefusedRequest, RequestInfo, RequestRejection};
use crate::pages::{Error, ErrorKind, Prefers};
use crate::sessions::Cookies;

/// The headers that Dewar keeps in case it refuses the request: shared values, not copies.
#[derive(Debug)]
pub(super) struct AcceptHeaders {
    accept: HeaderLines,
    languages: HeaderLines,
}

/// All lines of a header: together they are one list (RFC 9110, 5.3). Most requests have one line, which needs no
/// allocation of its own.
#[derive(Debug)]
struct HeaderLines {
    first: Option<HeaderValue>,
    more: Vec<HeaderValue>,
}

impl HeaderLines {
    fn of(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut lines = headers.get_all(name).iter().cloned();
        Self {
            first: lines.next(),
            more: lines.collect(),
        }
    }
}

impl AcceptHeaders {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            accept: HeaderLines::of(headers, &header::ACCEPT),
            languages: HeaderLines::of(headers, &header::ACCEPT_LANGUAGE),
        }
    }

    fn into_headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let named = [
            (header::ACCEPT, self.accept),
            (header::ACCEPT_LANGUAGE, self.languages),
        ];
        for (name, HeaderLines { first, more }) in named {
            for value in first.into_iter().chain(more) {
                headers.append(name.clone(), value);
            }
        }
        headers
    }
}

/// The kind of the error page. None on plain HTTP, where the reader cannot know who wrote the page.
const fn kind_of(refusal: RequestRejection) -> Option<ErrorKind> {
    match refusal {
        RequestRejection::Malformed(_) => Some(ErrorKind::BadRequest),
        RequestRejection::MethodNotAllowed => Some(ErrorKind::MethodNotAllowed),
        RequestRejection::TooBusy => Some(ErrorKind::Busy),
        RequestRejection::TargetTooLong => Some(ErrorKind::AddressTooLong),
        RequestRejection::TooLarge => Some(ErrorKind::TooLarge),
        RequestRejection::TooManyHeaders => Some(ErrorKind::HeadersTooLarge),
        RequestRejection::UnknownHost => Some(ErrorKind::Misdirected),
        RequestRejection::ExpectationFailed => Some(ErrorKind::ExpectationFailed),
        RequestRejection::LengthRequired => Some(ErrorKind::LengthRequired),
        RequestRejection::MethodUnknown => Some(ErrorKind::MethodUnknown),
        RequestRejection::PlainHttp => None,
    }
}

impl Core {
    /// Renders a rejection. Dewar reads no session and writes no cookie here; it uses only the request's `Accept` and
    /// `Accept-Language`.
    pub(super) fn show(&self, refused: RefusedRequest, asked: AcceptHeaders) -> Response {
        let RefusedRequest {
            refusal,
            response,
            host_is_known,
            accept_is_known,
            nonce,
            id,
        } = refused;
        let headers = asked.into_headers();
        // A page belongs to the application's origin only if the host does: an unknown host gets no markup. A browser would
        // save problem details as a file, so only a reader who is known to prefer them gets them.
        let is_program = accept_is_known && Prefers::of(&headers) == Prefers::Json;
        let readable = host_is_known || is_program;
        let Some(kind) = kind_of(refusal).filter(|_| readable) else {
            return response;
        };
        let mut request = Request::new(());
        *request.headers_mut() = headers;
        let info = RequestInfo::of(request.extensions_mut());
        (info.nonce, info.id) = (nonce, id);
        let (parts, ()) = request.into_parts();
        let context = self.visitor(&parts, &Cookies::default());
        let mut shown = shown(Error::new(kind), &context);
        for name in [header::ALLOW, header::CONNECTION, header::RETRY_AFTER] {
            if let Some(value) = response.headers().get(&name) {
                shown.headers_mut().insert(name, value.clone());
            }
        }
        shown.extensions_mut().insert(refusal);
        shown.map(Body::new)
    }
}
