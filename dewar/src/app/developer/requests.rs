//! The last requests, without a value that anybody sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use serde::Serialize;

use super::PAGE;
use crate::app::request_log::known;
use crate::audit::{Clock, RoutePattern};
use crate::database::Tally;
use crate::https::RequestId;
use crate::pages::STATIC_PREFIX;

/// The most requests that the page shows.
const MOST: usize = 100;

/// The last requests.
#[derive(Debug, Default)]
pub(in crate::app) struct Requests(Mutex<VecDeque<RequestRow>>);

/// One of them. The path is the pattern of its route, so it has no value.
#[derive(Clone, Debug, Serialize)]
struct RequestRow {
    at: i64,
    method: String,
    route: &'static str,
    status: u16,
    milliseconds: String,
    statements: u64,
    in_statements: String,
    failed: Option<String>,
    id: String,
}

/// A request that began.
#[derive(Debug)]
pub(in crate::app) struct Begun {
    began: Instant,
    method: String,
    route: &'static str,
    id: RequestId,
}

impl Requests {
    /// Notes the begin of a request; none for a static file and for this page itself.
    pub(in crate::app) fn begin(
        request: &Request,
        route: Option<RoutePattern>,
        id: RequestId,
    ) -> Option<Begun> {
        let path = request.uri().path();
        if path.starts_with(STATIC_PREFIX) || is_of_ours(path) {
            return None;
        }
        Some(Begun {
            began: Instant::now(),
            method: known(request.method()).to_owned(),
            route: route.map_or("", |RoutePattern(pattern)| pattern),
            id,
        })
    }

    /// Watches a request until its response begins.
    pub(in crate::app) async fn watch(
        &self,
        begun: Begun,
        clock: &Clock,
        handled: impl Future<Output = Response>,
    ) -> Response {
        let tally = Arc::new(Tally::default());
        let response = Arc::clone(&tally).over(handled).await;
        let milliseconds = |time: std::time::Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let row = RequestRow {
            at: clock.now(),
            method: begun.method,
            route: begun.route,
            status: response.status().as_u16(),
            milliseconds: milliseconds(begun.began.elapsed()),
            statements: tally.statements(),
            in_statements: milliseconds(tally.took()),
            failed: tally.failed(),
            id: begun.id.to_string(),
        };
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.truncate(MOST - 1);
        rows.push_front(row);
        drop(rows);
        response
    }

    /// The requests, the latest first.
    pub(super) fn latest(&self) -> Vec<impl Serialize + use<>> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().cloned().collect()
    }
}

/// This page, and the pages below it.
fn is_of_ours(path: &str) -> bool {
    path.strip_prefix(PAGE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn the_last_hundred_are_kept_and_no_value_of_them() {
        let requests = Requests::default();
        let clock = Clock::manual(1_000);
        for number in 0..250 {
            let request = Request::get(format!("/notes/{number}?word=secret"));
            let request = request.body(Body::empty()).unwrap();
            let route = Some(RoutePattern("/notes/{id}")).filter(|_| number % 2 == 0);
            let begun = Requests::begin(&request, route, RequestId::new()).unwrap();
            let handled = std::future::ready(Response::new(Body::empty()));
            requests.watch(begun, &clock, handled).await;
        }
        let rows = serde_json::to_value(requests.latest()).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), MOST);
        assert_eq!(
            (&rows[1]["route"], &rows[0]["route"]),
            (&"/notes/{id}".into(), &"".into())
        );
        assert!(!rows.to_string().contains("secret"), "{rows}");
        for path in ["/static/app.css", "/dewar", "/dewar/mail"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert!(
                Requests::begin(&request, None, RequestId::new()).is_none(),
                "{path}"
            );
        }
        let request = Request::get("/dewars").body(Body::empty()).unwrap();
        assert!(Requests::begin(&request, None, RequestId::new()).is_some());
    }
}
