use super::body::Bounded;
use super::client_wait::ClientWait;
use super::content_sources::{PagePolicy, RoutePolicy};
use super::deadline::within_own_time;
use super::drain::Drain;
use super::headers::{Inert, STRICT, Transport, apply_with};
use super::held_body::HeldBody;
use super::held_responses::{BudgetFull, CountedRequest};
use super::hosts::Hosts;
use super::limits::RequestLimits;
use super::media_type::MediaType;
use super::nonce::Nonce;
use super::rejection::RequestRejection;
use super::request_id::RequestId;
use super::request_info::RequestInfo;
use super::request_rules::{Scheme, check, names_host};
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body::Body as _;
use std::pin::pin;
use std::sync::Arc;

/// The outermost layer of the stack: the checks and headers of `https` around every request.
///
/// On the way in: the strict rules, the request id and nonce, the body limit, the handler timeout.
/// On the way out: the headers, on every response, rejections and errors included.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use axum::{body::Body, http::{Request, Response}};
/// use dewar::https::{Hosts, RequestLimits, HttpsLayer, Transport};
/// let hosts = Hosts::new(["localhost"]).unwrap();
/// let protect = HttpsLayer::new(hosts, RequestLimits::default(), Transport::LocalAuthority);
/// let request = Request::get("/").header("host", "evil.example").body(Body::empty()).unwrap();
/// let answer = protect.around(request, |_| async { Response::new(Body::from("hello")) }).await;
/// assert_eq!(answer.status(), 421);
/// assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct HttpsLayer(Arc<Rules>);

/// A rejected request, for a caller that can render it better than a line of text.
#[derive(Debug)]
pub(crate) struct RefusedRequest {
    pub(crate) refusal: RequestRejection,
    /// The response if nobody renders a better one.
    pub(crate) response: Response<Body>,
    /// Whether the request was for a host on the list.
    pub(crate) host_is_known: bool,
    /// Whether the request's `Accept` is what the client sent.
    pub(crate) accept_is_known: bool,
    /// The nonce that a page may use.
    pub(crate) nonce: Nonce,
    /// The request id of the log.
    pub(crate) id: RequestId,
}

#[derive(Debug)]
struct Rules {
    hosts: Hosts,
    limits: RequestLimits,
    transport: Transport,
    /// The policy of every page whose route has none of its own.
    policy: Arc<PagePolicy>,
}

impl HttpsLayer {
    /// The layer for these hosts, limits and kind of connection.
    #[must_use]
    pub fn new(hosts: Hosts, limits: RequestLimits, transport: Transport) -> Self {
        Self::with_policy(hosts, limits, transport, Arc::new(STRICT.clone()))
    }

    /// The layer for an application whose pages load from other sites.
    pub(crate) fn with_policy(
        hosts: Hosts,
        limits: RequestLimits,
        transport: Transport,
        policy: Arc<PagePolicy>,
    ) -> Self {
        Self(Arc::new(Rules {
            hosts,
            limits,
            transport,
            policy,
        }))
    }

    /// Handles one request. It calls `inner` if the request passes the rules.
    pub async fn around<F>(
        &self,
        request: Request<Body>,
        inner: impl FnOnce(Request<Body>) -> F,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        self.around_with(request, inner, |refused| refused.response)
            .await
    }

    /// The same; `show` renders a rejection.
    pub(crate) async fn around_with<F>(
        &self,
        mut request: Request<Body>,
        inner: impl FnOnce(Request<Body>) -> F,
        show: impl FnOnce(RefusedRequest) -> Response<Body>,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        let version = request.version();
        let info = RequestInfo::of(request.extensions_mut());
        let (nonce, id) = (info.nonce, info.id);
        let mut host_is_known = true;
        let accept_is_known = info
            .rejected_head
            .is_none_or(RequestRejection::leaves_lines);
        let handled = match self.0.admit(&request) {
            // Unread responses take memory: if there is none left, a request waits, or is refused before any work is done
            // for it. This is not a function of its own, which would hold the request's future once more.
            Ok(()) => match CountedRequest::of(RequestInfo::of(request.extensions_mut())).await {
                Ok(counted) => match self.0.handle(request, inner).await {
                    Ok(response) => counted
                        .hold(response)
                        .map_err(|BudgetFull| RequestRejection::TooBusy),
                    Err(refusal) => Err(refusal),
                },
                Err(BudgetFull) => Err(RequestRejection::TooBusy),
            },
            Err(refusal) => {
                host_is_known = names_host(&request, self.0.scheme(), &self.0.hosts);
                Err(refusal)
            }
        };
        let mut response = handled.unwrap_or_else(|refusal| {
            tracing::debug!(?refusal, "Dewar refused a request before its handler");
            show(RefusedRequest {
                refusal,
                response: refusal.response(version),
                host_is_known,
                accept_is_known,
                nonce,
                id,
            })
        });
        let inert = response.extensions().get::<Inert>().copied();
        let own = response.extensions().get::<RoutePolicy>();
        let policy = own.map_or_else(|| Arc::clone(&self.0.policy), |own| Arc::clone(&own.0));
        apply_with(
            response.headers_mut(),
            Some(&nonce),
            self.0.transport,
            inert,
            &policy,
        );
        response
    }
}

impl Rules {
    const fn scheme(&self) -> Scheme {
        match self.transport {
            Transport::Plain => Scheme::Http,
            Transport::Certificate | Transport::CertificatePreload | Transport::LocalAuthority => {
                Scheme::Https
            }
        }
    }

    fn admit(&self, request: &Request<Body>) -> Result<(), RequestRejection> {
        check(request, self.scheme(), &self.hosts, &self.limits)?;
        let most = if may_have_files(request) {
            Drain::most(self.limits.body_bytes)
        } else {
            self.limits.body_bytes
        };
        // The declared length is over the limit: refused before a byte of the body is read.
        if request.body().size_hint().lower() > most {
            return Err(RequestRejection::TooLarge);
        }
        Ok(())
    }

    async fn handle<F>(
        &self,
        mut request: Request<Body>,
        inner: impl FnOnce(Request<Body>) -> F,
    ) -> Result<Response<Body>, RequestRejection>
    where
        F: Future<Output = Response<Body>>,
    {
        let limit = self.limits.handler_timeout;
        if request.body().is_end_stream() {
            let answer = tokio::time::timeout(limit, inner(request)).await;
            return answer.map_err(|_| RequestRejection::TooBusy);
        }
        let waiting = ClientWait::new();
        let counted = waiting.clone();
        let drain = may_have_files(&request).then(|| Drain::new(self.limits.body_bytes));
        let info = RequestInfo::of(request.extensions_mut());
        let held = HeldBody::of(info);
        info.drain.clone_from(&drain);
        info.held.clone_from(&held);
        let bounded = |body| {
            let bounded = Bounded::new(body, &self.limits, counted);
            bounded.drained(drain).counted(held)
        };
        let request = request.map(|body| Body::new(bounded(body)));
        let handled = pin!(inner(request));
        within_own_time(limit, &waiting, handled)
            .await
            .map_err(|_| RequestRejection::TooBusy)
    }
}

/// Whether the body is a form that may have files.
fn may_have_files(request: &Request<Body>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| MediaType::of(kind).is("multipart/form-data"))
}

#[cfg(test)]
mod tests {
    use super::{HttpsLayer, RequestInfo};
    use crate::https::held_responses::HeldResponses;
    use crate::https::{
        BodyError, ClientAddress, Hosts, RequestLimits, RequestRejection, Transport,
    };
    use axum::body::Body;
    use axum::http::{Request, Response};
    use http_body_util::BodyExt;
    use std::time::Duration;

    fn protect(limits: RequestLimits) -> HttpsLayer {
        HttpsLayer::new(
            Hosts::new(["localhost"]).unwrap(),
            limits,
            Transport::LocalAuthority,
        )
    }

    fn post(body: &'static str) -> Request<Body> {
        Request::post("/notes")
            .header("host", "localhost")
            .body(Body::from(body))
            .unwrap()
    }

    async fn page(request: Request<Body>) -> Response<Body> {
        let nonce = RequestInfo::get(request.extensions())
            .unwrap()
            .nonce
            .to_string();
        let mut response = Response::new(Body::from(nonce));
        response
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        response
    }

    #[tokio::test]
    async fn the_page_and_its_policy_name_the_same_nonce() {
        let answer = protect(RequestLimits::default())
            .around(post(""), page)
            .await;
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let nonce = answer.into_body().collect().await.unwrap().to_bytes();
        let nonce = std::str::from_utf8(&nonce).unwrap();
        assert!(policy.contains(&format!("'nonce-{nonce}'")), "{policy}");
    }

    /// The second response to an address that has not read its first: it is not made, or not sent, and nothing is held
    /// for it.
    ///
    /// ASVS: V15.2.2
    #[tokio::test]
    async fn an_answer_that_is_not_read_counts_until_it_is() {
        let limits = RequestLimits {
            unread_per_connection: 10,
            ..RequestLimits::default()
        };
        let unread = HeldResponses::new(&limits);
        let connection = unread.connection();
        let asked = || {
            let mut request = post("");
            let address = ClientAddress([192, 0, 2, 1].into());
            let info = RequestInfo::of(request.extensions_mut());
            info.unread = Some(connection.clone());
            info.address = Some(address);
            request
        };
        let eight = |_| async { Response::new(Body::from("eight...")) };
        let protect = protect(limits);
        let unread_answer = protect.around(asked(), eight).await;
        assert_eq!((unread_answer.status().as_u16(), unread.bytes()), (200, 8));
        let refused = protect.around(asked(), eight).await;
        assert_eq!((refused.status().as_u16(), unread.bytes()), (503, 8));
        assert_eq!(refused.headers()["retry-after"], "5");
        let read = unread_answer.into_body().collect().await.unwrap();
        assert_eq!(read.to_bytes(), "eight...");
        assert_eq!(unread.bytes(), 0);
        assert_eq!(protect.around(asked(), eight).await.status(), 200);
    }

    #[tokio::test]
    async fn a_handler_that_takes_too_long_is_unavailable() {
        let limits = RequestLimits {
            handler_timeout: Duration::from_millis(20),
            ..RequestLimits::default()
        };
        let slow = |request| async move {
            std::future::pending::<()>().await;
            page(request).await
        };
        let answer = protect(limits).around(post(""), slow).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "5");
        assert_eq!(answer.extensions().get(), Some(&RequestRejection::TooBusy));
        assert_eq!(answer.headers()["x-frame-options"], "DENY");
    }

    #[tokio::test]
    async fn a_length_over_the_limit_is_refused_unread() {
        let limits = RequestLimits {
            body_bytes: 4,
            ..RequestLimits::default()
        };
        let answer = protect(limits).around(post("12345"), page).await;
        assert_eq!(answer.status(), 413);
    }

    #[tokio::test]
    async fn what_a_handler_reads_is_bounded() {
        let limits = RequestLimits {
            body_bytes: 4,
            ..RequestLimits::default()
        };
        let stream = futures_util::stream::iter([Ok::<_, std::io::Error>("123"), Ok("45")]);
        let request = post("").map(|_| Body::from_stream(stream));
        let read = |request: Request<Body>| async {
            let error = request.into_body().collect().await.unwrap_err();
            let status = BodyError::find(&error).unwrap().status();
            Response::builder()
                .status(status)
                .body(Body::empty())
                .unwrap()
        };
        assert_eq!(protect(limits).around(request, read).await.status(), 413);
    }
}
