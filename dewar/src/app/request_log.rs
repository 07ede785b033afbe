//! The request log: one line for each request in the program's log, never with a value of its query or the raw path.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use http::Method;
use http_body::Body;
use tracing::Level;

use crate::audit::{LoggablePath, RoutePattern};
use crate::https::{RequestId, RequestInfo};
use crate::pages::STATIC_PREFIX;
use crate::sessions::UserId;

/// The number of counters for addresses; addresses with the same counter share its lines.
const SLOTS: usize = 1024;

/// The request log.
#[derive(Debug)]
pub(super) struct RequestLog {
    /// The most lines in a second for one address.
    most: u32,
    /// For each counter the second, and the number of lines in it.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
    began: Instant,
    /// Lines that were omitted and not reported yet.
    left_out: AtomicU64,
}

/// The line of a request in progress.
#[derive(Debug)]
pub(super) struct RequestLine {
    began: Instant,
    method: Method,
    target: LogTarget,
    id: RequestId,
    /// 0 if no user is signed in.
    user: AtomicI64,
}

#[derive(Debug)]
enum LogTarget {
    /// The request was refused before its headers were read.
    Refused,
    Route(&'static str),
    Static(LoggablePath),
    Unknown(LoggablePath),
}

impl RequestLog {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            slots: std::iter::repeat_with(AtomicU64::default)
                .take(SLOTS)
                .collect(),
            hasher: RandomState::new(),
            began: Instant::now(),
            left_out: AtomicU64::new(0),
        }
    }

    /// Begins the line of a request, if it gets one.
    pub(super) fn begin(
        &self,
        request: &Request,
        route: Option<RoutePattern>,
        id: RequestId,
    ) -> Option<RequestLine> {
        if self.most == 0 || !tracing::enabled!(target: "dewar::request", Level::INFO) {
            return None;
        }
        let info = RequestInfo::get(request.extensions());
        let refused = info.is_some_and(|info| info.rejected_head.is_some());
        let path = request.uri().path();
        let is_static = path.starts_with(STATIC_PREFIX);
        if is_static && !tracing::enabled!(target: "dewar::request", Level::DEBUG) {
            return None;
        }
        let address = info.and_then(|info| info.address);
        if address.is_some_and(|address| !self.has_room(address.network())) {
            return None;
        }
        Some(RequestLine {
            began: Instant::now(),
            method: request.method().clone(),
            target: match route {
                _ if refused => LogTarget::Refused,
                _ if is_static => LogTarget::Static(LoggablePath::new(path)),
                Some(RoutePattern(pattern)) => LogTarget::Route(pattern),
                None => LogTarget::Unknown(LoggablePath::new(path)),
            },
            id,
            user: AtomicI64::new(0),
        })
    }

    /// Counts a line, without a lock, because every request passes here.
    fn has_room(&self, network: IpAddr) -> bool {
        let second = self.began.elapsed().as_secs();
        let slots = self.slots.len() as u64;
        let slot = usize::try_from(self.hasher.hash_one(network) % slots).unwrap_or_default();
        let Some(slot) = self.slots.get(slot) else {
            return true;
        };
        let count = |held: u64| {
            if held >> 32 == second {
                held.saturating_add(1)
            } else {
                (second << 32) | 1
            }
        };
        // The update never fails: it always has a value.
        let held = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            Some(count(held))
        });
        let lines = count(held.unwrap_or_default()) & u64::from(u32::MAX);
        if lines > u64::from(self.most) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        if lines == 1
            && let Some(number) = self.take_left_out()
        {
            tracing::info!(target: "dewar::request", number, "Dewar did not log these requests: too many from one address");
        }
        true
    }

    /// How many requests had no line since the last call; none if all had one.
    fn take_left_out(&self) -> Option<u64> {
        (self.left_out.load(Ordering::Relaxed) > 0)
            .then(|| self.left_out.swap(0, Ordering::Relaxed))
    }
}

impl RequestLine {
    /// Sets the user of the request.
    pub(super) fn by(&self, user: UserId) {
        self.user.store(user.get(), Ordering::Relaxed);
    }

    /// Writes the line: the time until the response began, and its size if that is known by then.
    pub(super) fn end(&self, response: &Response) {
        let micros = u32::try_from(self.began.elapsed().as_micros()).unwrap_or(u32::MAX);
        let ms = f64::from(micros) / 1000.0;
        let (method, id, status) = (known(&self.method), self.id.as_str(), response.status());
        let status = status.as_u16();
        let bytes = response.body().size_hint().exact();
        let user = Some(self.user.load(Ordering::Relaxed)).filter(|user| *user != 0);
        match &self.target {
            LogTarget::Refused => tracing::info!(
                target: "dewar::request", head = "refused", status, ms, request_id = id, bytes, "answered"
            ),
            LogTarget::Route(route) => tracing::info!(
                target: "dewar::request", method, route, status, ms, user, request_id = id, bytes, "answered"
            ),
            LogTarget::Unknown(place) => tracing::info!(
                target: "dewar::request", method, unknown = %place, status, ms, user, request_id = id, bytes, "answered"
            ),
            LogTarget::Static(place) => tracing::debug!(
                target: "dewar::request", method, file = %place, status, ms, request_id = id, bytes, "answered"
            ),
        }
    }
}

/// The method's name, if it is a known one: a client may send any word.
pub(super) fn known(method: &Method) -> &str {
    let all = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    if all.contains(method) {
        method.as_str()
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A client can invent methods, so the log does not repeat them.
    #[test]
    fn a_method_that_nobody_knows_is_not_written() {
        for (sent, written) in [
            ("GET", "GET"),
            ("CONNECT", "CONNECT"),
            ("SECRET-WORD", "other"),
        ] {
            let method = Method::from_bytes(sent.as_bytes()).unwrap();
            assert_eq!(known(&method), written);
        }
    }

    /// ASVS: V16.2.1
    #[test]
    fn a_request_has_a_line_where_the_levels_and_the_settings_say_so() {
        for (level, path, most, written) in [
            (Level::INFO, "/", 10, true),
            (Level::INFO, "/", 0, false),
            (Level::WARN, "/", 10, false),
            (Level::INFO, "/static/app.css", 10, false),
            (Level::DEBUG, "/static/app.css", 10, true),
        ] {
            let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
            let subscriber = tracing_subscriber::fmt().with_max_level(level);
            let subscriber = subscriber.with_writer(std::io::sink).finish();
            let line = tracing::subscriber::with_default(subscriber, || {
                RequestLog::new(most).begin(&request, None, RequestId::new())
            });
            assert_eq!(line.is_some(), written, "{level} {path} {most}");
        }
        // Each known address has so many lines in a second; a later second would begin to count again.
        let subscriber = tracing_subscriber::fmt().with_max_level(Level::INFO);
        let subscriber = subscriber.with_writer(std::io::sink).finish();
        tracing::subscriber::with_default(subscriber, || {
            let log = RequestLog::new(u32::MAX);
            let address = crate::https::ClientAddress(IpAddr::from([192, 0, 2, 1]));
            let request = Request::get("/").body(axum::body::Body::empty());
            let mut request = request.unwrap();
            RequestInfo::of(request.extensions_mut()).address = Some(address);
            assert!(log.begin(&request, None, RequestId::new()).is_some());
        });
    }

    #[test]
    fn the_lines_of_one_address_are_bounded_and_another_has_its_own() {
        let began = Instant::now().checked_sub(Duration::from_secs(2));
        let log = RequestLog {
            began: began.unwrap_or_else(Instant::now),
            ..RequestLog::new(3)
        };
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let slot = |address| log.hasher.hash_one(address) % SLOTS as u64;
        let (one, other) = (address(1), (2..).map(address));
        let mut other = other.filter(|other| slot(*other) != slot(one));
        let second = log.began.elapsed().as_secs();
        let room = (0..100).filter(|_| log.has_room(one)).count();
        // If the machine was slow, the hundred lines fell into more than one second.
        let seconds = usize::try_from(log.began.elapsed().as_secs() - second).unwrap() + 1;
        assert!((3..=3 * seconds).contains(&room), "{room} in {seconds} s");
        // The next line, of any address, reports once how many were omitted.
        while log.has_room(one) {}
        assert!(log.left_out.load(Ordering::Relaxed) > 0);
        assert!(log.has_room(other.next().unwrap()));
        assert_eq!(log.left_out.load(Ordering::Relaxed), 0);
        assert_eq!(log.take_left_out(), None);
        log.left_out.store(2, Ordering::Relaxed);
        assert_eq!((log.take_left_out(), log.take_left_out()), (Some(2), None));
    }
}
