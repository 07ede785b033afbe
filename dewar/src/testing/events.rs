//! A reader of server-sent events (WHATWG *HTML*, 9.2.6).

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::wire::Driver;

/// An open stream of events; dropping it closes the connection.
///
/// ```no_run
/// # async fn example(site: dewar::testing::Site) {
/// let mut events = site.visitor().events("/tickets/live").await;
/// let first = events.next().await.unwrap();
/// assert_eq!(first.event, "page");
/// # }
/// ```
#[derive(Debug)]
pub struct EventReader {
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    _driver: Driver,
    patience: Duration,
    unread: Vec<u8>,
    read: u64,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TestEvent {
    /// Its name: `page`, `message`, `reload` or `end`.
    pub event: String,
    /// Its id, which a client sends as `Last-Event-ID` when it comes back.
    pub id: Option<String>,
    /// Its data.
    pub data: String,
}

impl EventReader {
    pub(super) fn new(response: Response<Incoming>, driver: Driver, patience: Duration) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status,
            headers: head.headers,
            body,
            _driver: driver,
            patience,
            unread: Vec::new(),
            read: 0,
        }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The first value of a header; `None` if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How many bytes have come, with heartbeats.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.read
    }

    /// Waits for the next event. None if the server has closed the stream.
    ///
    /// # Panics
    /// Nothing happens for the browser's patience.
    pub async fn next(&mut self) -> Option<TestEvent> {
        loop {
            let end = self.unread.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let rest = self.unread.split_off(end + 2);
                let block = std::mem::replace(&mut self.unread, rest);
                match parse(&String::from_utf8_lossy(&block)) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Waits until more bytes have come, a heartbeat among them; false at the end of the stream.
    ///
    /// # Panics
    /// Nothing comes for the browser's patience.
    pub async fn more(&mut self) -> bool {
        let Ok(frame) = tokio::time::timeout(self.patience, self.body.frame()).await else {
            panic!(
                "no event, no heartbeat and no end within {:?}",
                self.patience
            )
        };
        let data = frame
            .and_then(Result::ok)
            .and_then(|frame| frame.into_data().ok());
        let Some(data) = data else {
            return false;
        };
        self.read += u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.unread.extend_from_slice(&data);
        true
    }

    /// Reads to the end of the stream, and returns the last event. None if there was none.
    ///
    /// # Panics
    /// Nothing happens for the browser's patience.
    pub async fn last(&mut self) -> Option<TestEvent> {
        let mut last = None;
        while let Some(event) = self.next().await {
            last = Some(event);
        }
        last
    }
}

/// The event of a block of lines; none for a comment.
fn parse(block: &str) -> Option<TestEvent> {
    let mut event = TestEvent::default();
    let mut data = Vec::new();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.event),
            "id" => event.id = Some(value.to_owned()),
            "data" => data.push(value),
            _ => {}
        }
    }
    if data.is_empty() {
        return None;
    }
    event.data = data.join("\n");
    Some(event)
}
