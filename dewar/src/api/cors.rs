//! The cross-origin requests of scripts (CORS, Fetch standard 3.2).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::Origins;
use crate::csrf::is_own_origin;

/// How long a browser may remember a preflight, in seconds. The request itself is checked each time.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// The response headers that a script of a listed origin may read, besides those that every script may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after, ratelimit, ratelimit-policy, www-authenticate, x-request-id",
);
const VARY: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// The headers that a script may set on a route, besides those that every script may.
const FOR_PUBLIC: &[&str] = &[];
const FOR_READING: &[&str] = &["authorization"];
const FOR_WRITING: &[&str] = &["authorization", "content-type"];

/// A route that scripts of other origins may read.
#[derive(Debug, Clone)]
pub(crate) struct CorsRoute {
    pub(crate) method: Method,
    pub(crate) origins: Origins,
    /// Whether the route takes a token.
    pub(crate) takes_token: bool,
}

/// The origin of a request, as a route sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AskedOrigin {
    /// A listed origin, with the value of `Access-Control-Allow-Origin`.
    Listed(HeaderValue),
    /// Another origin, or two at once.
    Other,
    /// One of our own pages, or no page at all.
    Own,
}

impl AskedOrigin {
    /// The origin that these headers name. Without a list, every other origin is refused.
    pub(crate) fn of(headers: &HeaderMap, host: &str, listed: Option<&Origins>) -> Self {
        let mut lines = headers.get_all(header::ORIGIN).iter();
        let origin = match (lines.next(), lines.next()) {
            (None, _) => return Self::Own,
            (Some(origin), None) => origin,
            (Some(_), Some(_)) => return Self::Other,
        };
        if origin.to_str().is_ok_and(|text| is_own_origin(text, host)) {
            return Self::Own;
        }
        let allowed = listed.and_then(|listed| listed.allowed(origin));
        allowed.map_or(Self::Other, Self::Listed)
    }
}

/// Lets scripts of the origin read the response. Never with `Access-Control-Allow-Credentials`, not even a handler's.
pub(crate) fn allow(response: &mut Response, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Whether a request is a browser's question before a request of a script.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a preflight: no session is read, and no row. None if the script may not send its request; the browser
/// then does not send it.
pub(crate) fn preflight<'a>(
    headers: &HeaderMap,
    host: &str,
    routes: impl Iterator<Item = &'a CorsRoute>,
) -> Option<Response> {
    let wanted = single(headers, &header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let wanted = Method::from_bytes(wanted.as_bytes()).ok()?;
    let wanted = if wanted == Method::HEAD {
        Method::GET
    } else {
        wanted
    };
    let route = routes.into_iter().find(|route| route.method == wanted)?;
    let AskedOrigin::Listed(origin) = AskedOrigin::of(headers, host, Some(&route.origins)) else {
        return None;
    };
    let may_set = route.may_set();
    let mut named = headers
        .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .iter();
    let all_may = named.all(|line| {
        let names = line
            .to_str()
            .unwrap_or("\u{0}")
            .split(',')
            .map(|name| name.trim_matches(' '));
        names.filter(|name| !name.is_empty()).all(|name| {
            may_set.iter().any(|one| one.eq_ignore_ascii_case(name)) || is_safelisted(name)
        })
    });
    if !all_may {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    answer.insert(header::VARY, VARY);
    let method = HeaderValue::from_str(route.method.as_str()).ok()?;
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method);
    if !may_set.is_empty() {
        let may_set = HeaderValue::from_str(&may_set.join(", ")).ok()?;
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, may_set);
    }
    Some(response)
}

impl CorsRoute {
    fn may_set(&self) -> &'static [&'static str] {
        match (self.takes_token, self.method == Method::GET) {
            (false, _) => FOR_PUBLIC,
            (true, true) => FOR_READING,
            (true, false) => FOR_WRITING,
        }
    }
}

/// The headers that a script may set without asking (Fetch standard, CORS-safelisted request-header).
fn is_safelisted(name: &str) -> bool {
    ["accept", "accept-language", "content-language"]
        .iter()
        .any(|safe| safe.eq_ignore_ascii_case(name))
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    lines.next().filter(|_| lines.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "https://app.example";

    fn asking(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        lines.collect()
    }

    fn routes() -> Vec<CorsRoute> {
        let route = |method, takes_token| CorsRoute {
            method,
            origins: Origins::of([APP]),
            takes_token,
        };
        vec![route(Method::GET, true), route(Method::POST, true)]
    }

    fn answered(
        origin: &'static str,
        method: &'static str,
        headers: &'static str,
    ) -> Option<Response> {
        let asked = asking(&[
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ]);
        preflight(&asked, "localhost", routes().iter())
    }

    #[test]
    fn a_preflight_learns_the_route_s_own_methods_and_headers() {
        let response = answered(APP, "POST", "authorization,content-type").unwrap();
        assert_eq!(response.status(), 204);
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("access-control-allow-origin"), Some(APP));
        assert_eq!(header("access-control-allow-methods"), Some("POST"));
        assert_eq!(
            header("access-control-allow-headers"),
            Some("authorization, content-type")
        );
        assert_eq!(header("access-control-max-age"), Some("600"));
        assert!(header("vary").unwrap().contains("origin"));
        assert_eq!(header("access-control-allow-credentials"), None);
        assert!(answered(APP, "GET", "Authorization, Accept").is_some());
        assert!(answered(APP, "HEAD", "").is_some());
        for (origin, method, headers) in [
            ("https://evil.example", "GET", ""),
            ("null", "GET", ""),
            (APP, "DELETE", ""),
            (APP, "get", ""),
            (APP, "GET", "content-type"),
            (APP, "POST", "authorization, x-csrf-token"),
            (APP, "GET", "cookie"),
            (APP, "*", ""),
        ] {
            assert!(
                answered(origin, method, headers).is_none(),
                "{origin} {method} {headers}"
            );
        }
    }

    #[test]
    fn no_response_to_another_origin_allows_credentials() {
        let mut response = Response::new(Body::empty());
        for name in [
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
        ] {
            let headers = response.headers_mut();
            headers.append(&name, HeaderValue::from_static("true"));
            headers.append(&name, HeaderValue::from_static("https://evil.example"));
        }
        allow(&mut response, HeaderValue::from_static(APP));
        let headers = response.headers();
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let allowed = headers.get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed.iter().collect::<Vec<_>>(), [APP]);
    }

    #[test]
    fn an_origin_is_our_own_or_listed_or_another() {
        let listed = Origins::of([APP]);
        let of = |lines: &[_]| AskedOrigin::of(&asking(lines), "localhost:8443", Some(&listed));
        assert_eq!(of(&[]), AskedOrigin::Own);
        assert_eq!(
            of(&[("origin", "https://localhost:8443")]),
            AskedOrigin::Own
        );
        assert!(matches!(of(&[("origin", APP)]), AskedOrigin::Listed(_)));
        assert_eq!(of(&[("origin", "null")]), AskedOrigin::Other);
        assert_eq!(of(&[("origin", APP), ("origin", APP)]), AskedOrigin::Other);
        let none = AskedOrigin::of(&asking(&[("origin", APP)]), "localhost:8443", None);
        assert_eq!(none, AskedOrigin::Other);
    }
}
