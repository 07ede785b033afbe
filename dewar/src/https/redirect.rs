use super::headers::{Transport, apply};
use super::hosts::Hosts;
use super::limits::RequestLimits;
use super::rejection::RequestRejection;
use super::request_rules::{Scheme, check};
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::Service;

/// The service of the plain HTTP listener: it redirects `GET` and `HEAD` to HTTPS on the same host and refuses the rest.
///
/// A silent redirect of a form would hide that its password was sent in clear (ASVS 4.1.2). The service never sets a
/// cookie and redirects to no host outside the list.
///
/// ```
/// use dewar::https::{Hosts, RequestLimits, ToHttps};
/// use axum::http::Request;
/// let redirect = ToHttps::new(Hosts::new(["example.org"])?, 443, RequestLimits::default());
/// let request = Request::get("/a?b=c").header("host", "example.org").body(()).unwrap();
/// let answer = redirect.answer(&request);
/// assert_eq!(answer.headers()["location"], "https://example.org/a?b=c");
/// # Ok::<(), dewar::https::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ToHttps(Arc<RedirectPort>);

#[derive(Debug)]
struct RedirectPort {
    hosts: Hosts,
    port: u16,
    limits: RequestLimits,
}

impl ToHttps {
    /// Redirects visitors of these hosts to this port.
    #[must_use]
    pub fn new(hosts: Hosts, port: u16, limits: RequestLimits) -> Self {
        Self(Arc::new(RedirectPort {
            hosts,
            port,
            limits,
        }))
    }

    /// The response to a request.
    #[must_use]
    pub fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let version = request.version();
        let mut response = self
            .location(request)
            .unwrap_or_else(|refusal| refusal.response(version));
        apply(response.headers_mut(), None, Transport::Plain, None);
        response
    }

    fn location<B>(&self, request: &Request<B>) -> Result<Response<Body>, RequestRejection> {
        let RedirectPort {
            hosts,
            port,
            limits,
        } = &*self.0;
        let host = check(request, Scheme::Http, hosts, limits)?;
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Err(RequestRejection::PlainHttp);
        }
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let port = if *port == 443 {
            String::new()
        } else {
            format!(":{port}")
        };
        let location = HeaderValue::try_from(format!("https://{host}{port}{target}"))
            .map_err(|_| RequestRejection::Malformed("path"))?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }
}

impl<B> Service<Request<B>> for ToHttps {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Hosts, RequestLimits, ToHttps};
    use axum::http::Request;

    fn answer(method: &str, host: &str, target: &str, port: u16) -> (u16, String) {
        let redirect = ToHttps::new(
            Hosts::new(["example.org", "[::1]"]).unwrap(),
            port,
            RequestLimits::default(),
        );
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", host);
        let answer = redirect.answer(&request.body(()).unwrap());
        assert!(!answer.headers().contains_key("set-cookie"));
        assert!(!answer.headers().contains_key("strict-transport-security"));
        let location = answer
            .headers()
            .get("location")
            .map_or("", |value| value.to_str().unwrap());
        (answer.status().as_u16(), location.to_owned())
    }

    #[test]
    fn reading_is_sent_to_the_same_host_by_https() {
        let there = |text: &str| (301, text.to_owned());
        assert_eq!(
            answer("GET", "example.org", "/a?b", 443),
            there("https://example.org/a?b")
        );
        assert_eq!(
            answer("HEAD", "EXAMPLE.org:80", "/", 443),
            there("https://example.org/")
        );
        assert_eq!(
            answer("GET", "[::1]:8080", "/", 8443),
            there("https://[::1]:8443/")
        );
    }

    #[test]
    fn a_form_sent_in_clear_is_refused() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert_eq!(
                answer(method, "example.org", "/", 443),
                (403, String::new())
            );
        }
    }

    #[test]
    fn nobody_is_sent_to_another_host() {
        assert_eq!(
            answer("GET", "evil.example", "/", 443),
            (421, String::new())
        );
        assert_eq!(
            answer("GET", "example.org@evil.example", "/", 443),
            (400, String::new())
        );
        assert_eq!(
            answer("GET", "example.org", "//evil.example", 443),
            (400, String::new())
        );
    }
}
