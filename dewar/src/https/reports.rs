//! Browsers' reports of policy violations (`report-to`, `report-uri`), kept small enough for a log.
//!
//! Anyone can send such a report, so Dewar believes nothing else because of it. The route needs no session and no token,
//! reads no cookie, changes nothing and always sends the same response.

mod violation;

use super::address::ClientAddress;
use super::media_type::MediaType;
use super::request_info::RequestInfo;
use crate::audit::{Clock, Entry, Event, Log};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Response, StatusCode, header};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use violation::Violation;

/// The path of the reports.
pub(crate) const REPORTS_PATH: &str = "/browser-reports";

/// The most bytes of a body; a violation has about one thousand, and browsers send some dozens together.
const MOST_BYTES: usize = 64 * 1024;
/// The most reports of one body that Dewar reads.
const MOST_IN_A_BODY: usize = 10;
/// The window in which Dewar counts kinds of violations before it logs the counts.
pub(crate) const WINDOW: Duration = Duration::from_secs(600);
/// The most bodies that Dewar reads in a window, of one address and of all.
const MOST_OF_ONE: u32 = 20;
const MOST_OF_ALL: u32 = 400;
/// The most kinds of violations that Dewar logs in a window, of one address and of all; it counts the rest.
const MOST_KINDS_OF_ONE: u32 = 5;
const MOST_KINDS: usize = 20;

/// Receives the reports of browsers.
#[derive(Debug)]
pub(crate) struct Reports {
    log: Log,
    clock: Clock,
    window: Mutex<ReportWindow>,
}

#[derive(Debug, Default)]
struct ReportWindow {
    began: i64,
    bodies: u32,
    addresses: HashMap<IpAddr, ReportShare>,
    kinds: HashMap<Violation, u64>,
    /// Violations that the log does not name.
    others: u64,
    /// Bodies that Dewar did not read.
    unread: u64,
}

#[derive(Debug, Default)]
struct ReportShare {
    bodies: u32,
    kinds: u32,
}

impl Reports {
    pub(crate) fn new(log: Log, clock: Clock) -> Self {
        Self {
            log,
            clock,
            window: Mutex::default(),
        }
    }

    /// Handles a report. The response does not reveal whether it was read, understood, or over a limit.
    pub(crate) async fn take(&self, parts: &Parts, body: Body) -> Response<Body> {
        let address = RequestInfo::get(&parts.extensions).and_then(|info| info.address);
        if let Some(address) = address
            && let Some(format) = Format::of(parts)
            && is_from_here(parts)
            && self.admits(address)
            && let Ok(bytes) = axum::body::to_bytes(body, MOST_BYTES).await
        {
            for violation in format.read(&bytes) {
                self.note(violation, address);
            }
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    /// Logs the counts and starts a new window: every [`WINDOW`], and when the application stops.
    pub(crate) fn settle(&self) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        self.close(&mut window);
    }

    /// Whether Dewar still reads a body of this address in this window.
    fn admits(&self, address: ClientAddress) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let over = window.began.saturating_add(WINDOW.as_secs().cast_signed());
        if self.clock.now() >= over {
            self.close(&mut window);
        }
        // The total of bodies bounds the size of the map.
        let full = window.bodies >= MOST_OF_ALL;
        let known = window.addresses.get(&address.network());
        if full || known.is_some_and(|share| share.bodies >= MOST_OF_ONE) {
            window.unread += 1;
            return false;
        }
        window.bodies += 1;
        window
            .addresses
            .entry(address.network())
            .or_default()
            .bodies += 1;
        true
    }

    /// Logs a kind of violation the first time, and counts it from then on.
    fn note(&self, violation: Violation, address: ClientAddress) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = window.kinds.get_mut(&violation) {
            *count += 1;
            return;
        }
        let full = window.kinds.len() >= MOST_KINDS;
        let share = window.addresses.entry(address.network()).or_default();
        if full || share.kinds >= MOST_KINDS_OF_ONE {
            window.others += 1;
            return;
        }
        share.kinds += 1;
        self.log.record(entry(&violation).address(address.0));
        window.kinds.insert(violation, 0);
    }

    fn close(&self, window: &mut ReportWindow) {
        let over = std::mem::take(window);
        window.began = self.clock.now();
        for (violation, more) in over.kinds.iter().filter(|(_, more)| **more > 0) {
            let again = format_args!("{}; {more} times more", violation.what).to_string();
            self.log.record(entry(violation).detail(again));
        }
        if over.others > 0 {
            let others = format_args!("{} of other kinds", over.others).to_string();
            let entry = Entry::new(Event::MaliciousCspViolation).outcome("reported");
            self.log.record(entry.detail(others));
        }
        if over.unread > 0 {
            let unread = format_args!("{} browser reports were not read", over.unread);
            let entry = Entry::new(Event::ExcessRateLimitExceeded).outcome("ignored");
            self.log.record(entry.detail(unread));
        }
    }
}

fn entry(violation: &Violation) -> Entry {
    Entry::new(Event::MaliciousCspViolation)
        .subject(&violation.page)
        .outcome("reported")
        .detail(&violation.what)
}

/// The two formats of reports.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// `report-uri`: one violation, in an object of its own.
    One,
    /// `report-to` (Reporting API): a list of reports, of this and other kinds.
    List,
}

impl Format {
    fn of(parts: &Parts) -> Option<Self> {
        let kind = MediaType::of(parts.headers.get(header::CONTENT_TYPE)?);
        if kind.is("application/reports+json") {
            Some(Self::List)
        } else if kind.is("application/csp-report") {
            Some(Self::One)
        } else {
            None
        }
    }

    fn read(self, bytes: &[u8]) -> Vec<Violation> {
        if !is_shallow(bytes) {
            return Vec::new();
        }
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else {
            return Vec::new();
        };
        match self {
            Self::One => json
                .get("csp-report")
                .and_then(Violation::of)
                .into_iter()
                .collect(),
            Self::List => json
                .as_array()
                .into_iter()
                .flatten()
                .take(MOST_IN_A_BODY)
                .filter(|report| {
                    report
                        .get("type")
                        .is_some_and(|kind| kind == "csp-violation")
                })
                .filter_map(|report| Violation::of(report.get("body")?))
                .collect(),
        }
    }
}

/// A report has three levels; a much deeper one is built to exhaust a parser.
fn is_shallow(bytes: &[u8]) -> bool {
    const DEEPEST: usize = 8;
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return false;
        }
    }
    true
}

/// Whether no header shows that another site's page sent it. Browsers send reports without a page's headers, so missing
/// headers prove nothing.
fn is_from_here(parts: &Parts) -> bool {
    let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    if !matches!(site, None | Some(Some("same-origin" | "none"))) {
        return false;
    }
    let Some(origin) = text("origin") else {
        return true;
    };
    let named = text("host").flatten();
    let host = parts
        .uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or(named);
    let own = host.map(|host| host.strip_suffix(":443").unwrap_or(host));
    let claimed = origin.and_then(|origin| origin.strip_prefix("https://"));
    claimed.is_some_and(|claimed| own.is_some_and(|own| claimed.eq_ignore_ascii_case(own)))
}

#[cfg(test)]
mod tests;
