use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Version, header};

/// Why Dewar refused a request before a handler saw it. The response keeps it in its extensions, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestRejection {
    /// `Expect` has another value than `100-continue`.
    ExpectationFailed,
    /// A body without a length.
    LengthRequired,
    /// The request has two readings, or none; the text names the part.
    Malformed(&'static str),
    /// `TRACE` or `CONNECT`.
    MethodNotAllowed,
    /// A method that no route can have.
    MethodUnknown,
    /// A method that sends data, over plain HTTP.
    PlainHttp,
    /// The handler took too long.
    TooBusy,
    /// The target is longer than the limit.
    TargetTooLong,
    /// The body is longer than the limit.
    TooLarge,
    /// More headers than the limit.
    TooManyHeaders,
    /// A host that is not on the list.
    UnknownHost,
}

impl RequestRejection {
    /// Why the head of this request was refused before hyper read it. Another head replaces it, whose method and path the
    /// client did not send.
    pub(crate) fn leaves_lines(self) -> bool {
        self == Self::LengthRequired
    }

    /// The status and the text for the visitor; the text never quotes the request.
    #[must_use]
    pub const fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::ExpectationFailed => (
                StatusCode::EXPECTATION_FAILED,
                "Only 100-continue can be expected.\n",
            ),
            Self::LengthRequired => (
                StatusCode::LENGTH_REQUIRED,
                "Send a Content-Length and no Transfer-Encoding.\n",
            ),
            Self::Malformed(_) => (
                StatusCode::BAD_REQUEST,
                "This request is not well-formed.\n",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This method is not allowed.\n",
            ),
            Self::MethodUnknown => (StatusCode::NOT_IMPLEMENTED, "This method is not known.\n"),
            Self::PlainHttp => (
                StatusCode::FORBIDDEN,
                "This was sent without encryption and has been ignored. Use https.\n\
                 If it held a password, change it.\n",
            ),
            Self::TooBusy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This takes too long. Try again in a moment.\n",
            ),
            Self::TargetTooLong => (StatusCode::URI_TOO_LONG, "This address is too long.\n"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "This is too large.\n"),
            Self::TooManyHeaders => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "There are too many headers, or too long ones. If a browser sent them, delete its cookies of this site and \
                 try again.\n",
            ),
            Self::UnknownHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "This name is not served here.\n",
            ),
        }
    }

    /// The response. It ends an HTTP/1 connection: after a request with two readings, the next bytes may be a part of it
    /// (CWE-444).
    pub(crate) fn response(self, version: Version) -> Response<Body> {
        let (status, text) = self.answer();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        match self {
            Self::MethodNotAllowed | Self::MethodUnknown => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            }
            Self::TooBusy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::ExpectationFailed
            | Self::LengthRequired
            | Self::Malformed(_)
            | Self::PlainHttp
            | Self::TargetTooLong
            | Self::TooLarge
            | Self::TooManyHeaders
            | Self::UnknownHost => {}
        }
        if version < Version::HTTP_2 && self != Self::TooBusy {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
