//! The slot outside of the session: the application's outer layers see neither the framework's cookies nor the cookies of
//! a response, and weaken no check.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tower::ServiceExt;

use super::layers::{BoxService, Layers};
use super::request_log::RequestLine;
use super::stack::{Core, first_check};
use crate::api::Authorization;
use crate::csrf::CsrfRejection;
use crate::https::{HeldElsewhere, RequestId};
use crate::sessions::Cookies;

/// The parts of a request that pass the outer layers unseen: nobody else can name the type.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    pub(super) line: Option<Arc<RequestLine>>,
    /// The API token of a program's request.
    pub(super) authorization: Option<Box<Authorization>>,
    pub(super) cookies: Cookies,
    /// The rejection of the request as it came. A layer could write its headers anew.
    pub(super) rejection: Option<CsrfRejection>,
    /// A layer may have changed the path, so the route is looked up again.
    pub(super) is_layered: bool,
}

/// The cookies of the response to one request, on their way past the outer layers. The id keeps a layer that stores
/// responses from giving them to somebody else.
#[derive(Clone)]
struct SetCookies {
    request: RequestId,
    cookies: HeaderMap,
}

/// They are secrets.
impl fmt::Debug for SetCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetCookies([redacted]; {})", self.cookies.len())
    }
}

/// The core of the stack behind the outer layers.
#[derive(Debug, Clone)]
pub(super) struct Outside(BoxService);

impl Outside {
    pub(super) fn new(core: &Arc<Core>, layers: Layers) -> Self {
        let core = Arc::clone(core);
        Self(
            layers.around(tower::service_fn(move |mut request: Request| {
                let core = Arc::clone(&core);
                let carried = request.extensions_mut().remove::<Carried>();
                async move {
                    let Some(carried) = carried else {
                        tracing::error!(
                            "an outer layer created a new request; it must change the request that it received"
                        );
                        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
                    };
                    let mut response = core.answer(request, carried).await;
                    // A layer that stores responses reads this; `https` writes it only after the layers.
                    let headers = response.headers_mut();
                    headers
                        .entry(header::CACHE_CONTROL)
                        .or_insert(HeaderValue::from_static("no-store, max-age=0"));
                    Ok(response)
                }
            })),
        )
    }

    /// The response to a request, with its cookies. A panic of a layer is a 500, as a panic of a handler is.
    pub(super) async fn answer(
        self,
        request: Request,
        carried: Carried,
        id: RequestId,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let carried = Carried {
            rejection: first_check(&parts).err(),
            is_layered: true,
            ..carried
        };
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(carried);
        let answered = AssertUnwindSafe(self.0.oneshot(request)).catch_unwind();
        let mut response = match answered.await {
            Ok(Ok(response)) => response,
            Err(_panic) => {
                tracing::error!("a layer panicked; its message is above");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        // A layer may have put another body in the place of one that the program holds anyway.
        if response.extensions().get() == Some(&HeldElsewhere::Program) {
            response.extensions_mut().remove::<HeldElsewhere>();
        }
        with_cookies(response, id)
    }
}

/// Adds cookies to a response. [`with_cookies`] writes them when no layer sees it any more.
pub(super) fn set_cookies(response: &mut Response, request: RequestId, cookies: HeaderMap) {
    if cookies.is_empty() {
        return;
    }
    match response.extensions_mut().get_mut::<SetCookies>() {
        Some(before) => append(&mut before.cookies, &cookies),
        None => {
            let cookies = SetCookies { request, cookies };
            response.extensions_mut().insert(cookies);
        }
    }
}

/// Writes the cookies of the response to this request. The framework's cookies come from nobody else.
pub(super) fn with_cookies(mut response: Response, request: RequestId) -> Response {
    let of_others = response.headers().contains_key(header::SET_COOKIE);
    if of_others {
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        let kept = lines.filter(|line| !line.as_bytes().trim_ascii_start().starts_with(b"__Host-"));
        let kept: Vec<_> = kept.cloned().collect();
        response.headers_mut().remove(header::SET_COOKIE);
        for line in kept {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
    }
    let set = response.extensions_mut().remove::<SetCookies>();
    if let Some(set) = set.filter(|set| set.request == request) {
        append(response.headers_mut(), &set.cookies);
    }
    response
}

fn append(headers: &mut HeaderMap, cookies: &HeaderMap) {
    for (name, line) in cookies {
        headers.append(name.clone(), line.clone());
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn cookies(line: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static(line))])
    }

    /// A layer that stores responses, with all that is in them, gives one person's to another.
    ///
    /// ASVS: V3.3.4
    #[test]
    fn the_cookies_of_a_stored_response_go_to_nobody_else() {
        let (ada, bob) = (RequestId::new(), RequestId::new());
        let mut response = Response::new(Body::empty());
        set_cookies(&mut response, ada, cookies("__Host-session=ada"));
        set_cookies(&mut response, ada, cookies("__Host-flash=x"));
        let (parts, _) = response.into_parts();
        let copy = Response::from_parts(parts.clone(), Body::empty());
        let for_bob = with_cookies(copy, bob);
        assert!(!for_bob.headers().contains_key(header::SET_COOKIE));
        let for_ada = with_cookies(Response::from_parts(parts, Body::empty()), ada);
        let set = for_ada.headers().get_all(header::SET_COOKIE).iter();
        assert_eq!(
            set.collect::<Vec<_>>(),
            ["__Host-session=ada", "__Host-flash=x"]
        );
    }

    /// ASVS: V7.2.1
    #[test]
    fn nobody_else_sets_a_cookie_of_the_framework() {
        let mut response = Response::new(Body::empty());
        append(response.headers_mut(), &cookies("theme=dark; Path=/"));
        append(
            response.headers_mut(),
            &cookies(" __Host-session=planted; Path=/; Secure"),
        );
        let id = RequestId::new();
        set_cookies(&mut response, id, cookies("__Host-session=ours"));
        let response = with_cookies(response, id);
        let set = response.headers().get_all(header::SET_COOKIE).iter();
        assert_eq!(
            set.collect::<Vec<_>>(),
            ["theme=dark; Path=/", "__Host-session=ours"]
        );
        let secret = SetCookies {
            request: id,
            cookies: cookies("__Host-session=ours"),
        };
        assert!(!format!("{secret:?}").contains("ours"));
    }
}
