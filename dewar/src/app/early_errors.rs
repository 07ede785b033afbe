//! What is refused at the door, as its reader can read it: a page for people, problem details for programs.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};

use super::stack::Core;
use crate::https::{RefusedRequest, RequestInfo, RequestRejection};
use crate::pages::{Error, ErrorKind, Outcome, Prefers, render};
use crate::sessions::Cookies;

/// The parts of a request that are kept in case it is refused: values that are shared, not copied.
#[derive(Debug)]
pub(super) struct AcceptHeaders {
    accept: HeaderLines,
    languages: HeaderLines,
}

/// All lines of a header: together they are one list (RFC 9110, 5.3). Hardly anybody sends more than one, and one takes no
/// memory of its own.
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

/// The error page for a refusal; none on plain HTTP, where nobody can tell who wrote the page.
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
    /// Renders a refusal with nothing of the request but what its reader understands: no session was read, no cookie is
    /// written.
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
        // A page is of the application's origin only where the host is: a name that is not ours gets no markup.
        // A browser would save problem details as a file, so they are for a reader who is known to prefer them.
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
        let mut error = Error::new(kind).into_response();
        let outcome = Outcome::take(&mut error);
        let mut shown = render(error, outcome, &context);
        for name in [header::ALLOW, header::CONNECTION, header::RETRY_AFTER] {
            if let Some(value) = response.headers().get(&name) {
                shown.headers_mut().insert(name, value.clone());
            }
        }
        shown.extensions_mut().insert(refusal);
        shown.map(Body::new)
    }
}
