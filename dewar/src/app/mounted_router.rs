//! An axum router behind the guard of a heading.

use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use futures_util::FutureExt;
use http::Uri;
use http::uri::PathAndQuery;
use tower::ServiceExt;

use crate::https::RequestInfo;
use crate::pages::RequestContext;

/// A router as the handler of every path below a prefix.
#[derive(Clone, Debug)]
pub(super) struct MountedRouter {
    pub(super) prefix: &'static str,
    pub(super) router: Router,
}

impl<S: Send + Sync + 'static> Handler<((),), S> for MountedRouter {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, mut request: Request<Body>, _: S) -> Self::Future {
        *request.uri_mut() = below(self.prefix, request.uri());
        // Fresh extensions: the parameters of the outer path would stand before those of the router's own, and a connection
        // could be taken over.
        let before = std::mem::take(request.extensions_mut());
        let after = request.extensions_mut();
        if let Some(context) = before.get::<RequestContext>() {
            after.insert(context.clone());
        }
        if let Some(info) = RequestInfo::get(&before) {
            after.insert(info.clone());
        }
        let answered = self.router.oneshot(request);
        Box::pin(answered.map(|answered| {
            let Ok(response) = answered;
            response
        }))
    }
}

/// The address as the router sees it: without the prefix.
fn below(prefix: &str, uri: &Uri) -> Uri {
    let rest = uri.path().strip_prefix(prefix).unwrap_or_default();
    let path = if rest.is_empty() { "/" } else { rest };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    Uri::from_parts(parts).unwrap_or_else(|_| Uri::from_static("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_sees_the_rest_of_the_path_with_its_query() {
        for (uri, seen) in [
            ("/wiki", "/"),
            ("/wiki/", "/"),
            ("/wiki/a/b?c=%2F", "/a/b?c=%2F"),
            ("/wiki?a=b", "/?a=b"),
            ("https://portal.test/wiki/a", "https://portal.test/a"),
            ("/wiki//evil.example", "//evil.example"),
        ] {
            assert_eq!(below("/wiki", &uri.parse().unwrap()).to_string(), seen);
        }
    }
}
