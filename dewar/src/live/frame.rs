//! The bytes of server-sent events (WHATWG *HTML*, 9.2).

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;

use super::rows::Position;

/// The name of an event. All are Dewar's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventName {
    /// The connection ends, and the data says whether the client should come back.
    End,
    /// An event of the application, as JSON.
    Message,
    /// A part of a page, as HTML.
    Page,
    /// Events are missing: the client reads everything again.
    Reload,
}

impl EventName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Message => "message",
            Self::Page => "page",
            Self::Reload => "reload",
        }
    }
}

/// One event. Every line of the data gets a prefix, so no text in it is a field of the stream (CWE-93).
pub(super) fn event(name: EventName, at: Option<Position>, data: &str) -> Bytes {
    let mut text = String::with_capacity(data.len() + 64);
    // Writing to a String cannot fail.
    let _written = writeln!(text, "event: {}", name.as_str());
    if let Some(at) = at {
        let _written = writeln!(text, "id: {at}");
    }
    // CR, LF and CRLF each end a line, and a client sees LF for each.
    for line in data.replace("\r\n", "\n").split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text.into()
}

/// How long a client waits before it comes back, and the beginning of the stream.
pub(super) fn retry(after: Duration) -> Bytes {
    format!("retry: {}\n\n", after.as_millis()).into()
}

/// Bytes of a heartbeat. A response must move by `RequestLimits::progress_bytes`, or Dewar takes its reader for dead.
const HEARTBEAT: usize = 1_100;

/// A comment, which a client ignores.
pub(super) fn heartbeat() -> Bytes {
    static PADDING: [u8; HEARTBEAT] = {
        let mut bytes = [b' '; HEARTBEAT];
        bytes[0] = b':';
        bytes[HEARTBEAT - 2] = b'\n';
        bytes[HEARTBEAT - 1] = b'\n';
        bytes
    };
    Bytes::from_static(&PADDING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::https::RequestLimits;

    /// ASVS: V1.2.1
    #[test]
    fn no_text_in_the_data_is_a_field_of_the_stream() {
        for hostile in [
            "a\nid: 7",
            "a\rid: 7",
            "a\r\nid: 7",
            "\n\nevent: end\ndata: x",
            "\r\r\n",
        ] {
            let bytes = event(EventName::Message, Position::parse("0-1"), hostile);
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let body = text.strip_suffix("\n\n").unwrap();
            assert!(!text.contains('\r') && !body.contains("\n\n"), "{text:?}");
            let mut lines = body.lines();
            assert_eq!(lines.next(), Some("event: message"));
            assert_eq!(lines.next(), Some("id: 0-1"));
            assert!(lines.all(|line| line.starts_with("data: ")), "{text:?}");
        }
    }

    #[test]
    fn a_heartbeat_is_enough_for_a_response_to_move() {
        let limits = RequestLimits::default();
        let bytes = heartbeat();
        assert!(bytes.len() as u64 >= limits.progress_bytes);
        assert!(bytes.starts_with(b":") && bytes.ends_with(b"\n\n"));
        assert!(Duration::from_secs(15) * 2 <= limits.progress);
    }
}
