//! Frames that no client sends, each with one mistake (RFC 9113).

use super::{Server, ask, connect, patient};
use test_servers::{Frame, Http2};

const OPEN: u8 = Frame::END_HEADERS;
const WHOLE: u8 = Frame::END_HEADERS | Frame::END_STREAM;

/// The server's reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// GOAWAY with a reason, and the connection is closed.
    GoAway(u8),
    /// `RST_STREAM` with a reason.
    Reset(u8),
    Status(u16),
    /// The connection is closed without a frame.
    Closed,
}

use Said::{Closed, GoAway, Reset, Status};

// RFC 9113, 7.
pub(super) const PROTOCOL: u8 = 1;
const FLOW_CONTROL: u8 = 3;
const FRAME_SIZE: u8 = 6;

pub(super) async fn said(connection: &mut Http2) -> Said {
    loop {
        let Some(frame) = connection.next().await else {
            return Closed;
        };
        let reason = |from: usize| frame.payload[from + 3];
        match frame.kind {
            Frame::HEADERS => return Status(frame.status().unwrap()),
            Frame::RST_STREAM => return Reset(reason(0)),
            Frame::GOAWAY => return GoAway(reason(4)),
            _ => {}
        }
    }
}

pub(super) async fn answer(server: &Server, bytes: &[u8]) -> Said {
    let mut connection = connect(server, &[]).await;
    // The server may end the connection before the client has sent everything.
    drop(connection.send_bytes(bytes).await);
    said(&mut connection).await
}

async fn each_is(server: &Server, cases: &[(&str, Vec<Frame>, Said)]) {
    let mut wrong = Vec::new();
    for (what, frames, wanted) in cases {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        let said = answer(server, &bytes).await;
        if said != *wanted {
            wrong.push((what, said, wanted));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(ask(server, "localhost").await, Some(200));
}

fn get(stream: u32) -> Frame {
    Frame::get(stream, "/")
}

/// The beginning of a request whose body follows.
fn post(stream: u32) -> Frame {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/"),
    ];
    Frame::new(Frame::HEADERS, OPEN, stream, Frame::block(&fields))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one list")]
async fn frames_that_belong_nowhere_end_the_connection() {
    let server = Server::start(patient()).await;
    assert_eq!(answer(&server, &get(1).bytes()).await, Status(200));
    let block = Frame::block(&[(":method", "GET")]);
    let begun = Frame::new(Frame::HEADERS, Frame::END_STREAM, 1, &block);
    let more = |stream| Frame::new(Frame::CONTINUATION, OPEN, stream, &block);
    let cases = [
        (
            "DATA on stream 0",
            vec![Frame::new(Frame::DATA, 0, 0, "x")],
            GoAway(PROTOCOL),
        ),
        (
            "DATA on a stream that is not begun",
            vec![Frame::new(Frame::DATA, 0, 1, "x")],
            GoAway(PROTOCOL),
        ),
        ("HEADERS on stream 0", vec![get(0)], GoAway(PROTOCOL)),
        (
            "a stream with an even number",
            vec![get(2)],
            GoAway(PROTOCOL),
        ),
        (
            "a stream below the last one",
            vec![post(5), get(3)],
            GoAway(PROTOCOL),
        ),
        (
            "RST_STREAM on a stream that is not begun",
            vec![Frame::new(Frame::RST_STREAM, 0, 1, [0; 4])],
            GoAway(PROTOCOL),
        ),
        (
            "RST_STREAM on stream 0",
            vec![Frame::new(Frame::RST_STREAM, 0, 0, [0; 4])],
            GoAway(PROTOCOL),
        ),
        (
            "WINDOW_UPDATE on a stream that is not begun",
            vec![Frame::new(Frame::WINDOW_UPDATE, 0, 1, [0, 0, 0, 1])],
            GoAway(PROTOCOL),
        ),
        (
            "PUSH_PROMISE",
            vec![Frame::new(5, OPEN, 1, [&[0, 0, 0, 2], &block[..]].concat())],
            GoAway(PROTOCOL),
        ),
        ("CONTINUATION of nothing", vec![more(1)], GoAway(PROTOCOL)),
        (
            "CONTINUATION of another stream",
            vec![begun.clone(), more(3)],
            GoAway(PROTOCOL),
        ),
        (
            "another frame inside headers",
            vec![begun, Frame::new(Frame::PING, 0, 0, [0; 8])],
            GoAway(PROTOCOL),
        ),
        (
            "SETTINGS on a stream",
            vec![Frame::new(Frame::SETTINGS, 0, 1, [])],
            GoAway(PROTOCOL),
        ),
        (
            "PING on a stream",
            vec![Frame::new(Frame::PING, 0, 1, [0; 8])],
            GoAway(PROTOCOL),
        ),
        (
            "GOAWAY on a stream",
            vec![Frame::new(Frame::GOAWAY, 0, 1, [0; 8])],
            GoAway(PROTOCOL),
        ),
        (
            "PRIORITY on stream 0",
            vec![Frame::new(Frame::PRIORITY, 0, 0, [0; 5])],
            GoAway(PROTOCOL),
        ),
    ];
    each_is(&server, &cases).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one list")]
async fn frames_of_a_wrong_size_or_content_end_the_connection() {
    let server = Server::start(patient()).await;
    let settings = |number: u16, value: u32| vec![Http2::settings(&[(number, value)])];
    let ack = Frame::new(Frame::SETTINGS, Frame::ACK, 0, []);
    let one = |kind, flags, stream, payload: &[u8]| vec![Frame::new(kind, flags, stream, payload)];
    let cases = [
        (
            "a frame over the greatest size",
            one(Frame::DATA, 0, 1, &[0; 16 * 1024 + 1]),
            GoAway(FRAME_SIZE),
        ),
        (
            "a DATA frame of padding alone",
            vec![post(1), Frame::new(Frame::DATA, Frame::PADDED, 1, [200, 0])],
            GoAway(PROTOCOL),
        ),
        (
            "HEADERS with more padding than bytes",
            one(Frame::HEADERS, WHOLE | Frame::PADDED, 1, &[200, 0x82]),
            GoAway(PROTOCOL),
        ),
        (
            "HEADERS without their priority",
            one(Frame::HEADERS, WHOLE | Frame::PRIORITISED, 1, &[0; 3]),
            GoAway(PROTOCOL),
        ),
        (
            "PING of 7 bytes",
            one(Frame::PING, 0, 0, &[0; 7]),
            GoAway(PROTOCOL),
        ),
        (
            "RST_STREAM of 3 bytes",
            vec![post(1), Frame::new(Frame::RST_STREAM, 0, 1, [0; 3])],
            GoAway(PROTOCOL),
        ),
        (
            "PRIORITY of 4 bytes",
            one(Frame::PRIORITY, 0, 1, &[0; 4]),
            GoAway(PROTOCOL),
        ),
        (
            "WINDOW_UPDATE of 3 bytes",
            one(Frame::WINDOW_UPDATE, 0, 0, &[0; 3]),
            GoAway(PROTOCOL),
        ),
        (
            "WINDOW_UPDATE by nothing",
            one(Frame::WINDOW_UPDATE, 0, 0, &[0; 4]),
            GoAway(PROTOCOL),
        ),
        (
            "WINDOW_UPDATE of a stream by nothing",
            vec![post(1), Frame::new(Frame::WINDOW_UPDATE, 0, 1, [0; 4])],
            GoAway(PROTOCOL),
        ),
        (
            "a window over its greatest size",
            one(Frame::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            GoAway(FLOW_CONTROL),
        ),
        (
            "SETTINGS of 5 bytes",
            one(Frame::SETTINGS, 0, 0, &[0; 5]),
            GoAway(PROTOCOL),
        ),
        (
            "an acknowledgement with content",
            one(Frame::SETTINGS, Frame::ACK, 0, &[0; 6]),
            GoAway(PROTOCOL),
        ),
        (
            "an acknowledgement of nothing",
            vec![ack.clone(), ack],
            GoAway(PROTOCOL),
        ),
        (
            "push that is neither on nor off",
            settings(2, 2),
            GoAway(PROTOCOL),
        ),
        ("a window of 2 GiB", settings(4, 1 << 31), GoAway(PROTOCOL)),
        ("frames of one byte", settings(5, 1), GoAway(PROTOCOL)),
        ("frames of 16 MiB", settings(5, 1 << 24), GoAway(PROTOCOL)),
    ];
    each_is(&server, &cases).await;
}

#[tokio::test]
async fn streams_that_contradict_themselves_are_reset() {
    let server = Server::start(patient()).await;
    let block = get(1).payload;
    let depending = [&[0, 0, 0, 1, 16], &block[..]].concat();
    let large = vec![0; 16 * 1024];
    let data = |stream, payload: &[u8]| Frame::new(Frame::DATA, 0, stream, payload);
    let mut flood = vec![stuck_post(1)];
    flood.extend((0..17).map(|_| data(1, &large)));
    let trailers = |flags, fields: &[(&str, &str)]| {
        vec![
            post(1),
            Frame::new(Frame::HEADERS, flags, 1, Frame::block(fields)),
        ]
    };
    let cases = [
        (
            "HEADERS that depend on themselves",
            vec![Frame::new(
                Frame::HEADERS,
                WHOLE | Frame::PRIORITISED,
                1,
                depending,
            )],
            Reset(PROTOCOL),
        ),
        (
            "PRIORITY that depends on itself",
            vec![post(1), Frame::new(Frame::PRIORITY, 0, 1, [0, 0, 0, 1, 16])],
            Reset(PROTOCOL),
        ),
        (
            "a stream's window over its greatest size",
            vec![
                post(1),
                Frame::new(Frame::WINDOW_UPDATE, 0, 1, [0x7f, 0xff, 0xff, 0xff]),
            ],
            Reset(FLOW_CONTROL),
        ),
        ("more than the window", flood, GoAway(FLOW_CONTROL)),
        (
            "trailers that end nothing",
            trailers(OPEN, &[("x", "y")]),
            Reset(PROTOCOL),
        ),
        (
            "DATA after the end",
            vec![stuck(1), data(1, b"x")],
            GoAway(PROTOCOL),
        ),
        (
            "HEADERS after the end",
            vec![stuck(1), get(1)],
            GoAway(PROTOCOL),
        ),
    ];
    each_is(&server, &cases).await;
}

fn stuck(stream: u32) -> Frame {
    Frame::get(stream, "/stuck")
}

/// A request whose body its handler does not read.
fn stuck_post(stream: u32) -> Frame {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/stuck"),
    ];
    Frame::new(Frame::HEADERS, OPEN, stream, Frame::block(&fields))
}

/// A client that speaks another protocol after HTTP/2 was negotiated.
#[tokio::test]
async fn who_agreed_on_http2_must_speak_it() {
    let server = Server::start(patient()).await;
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let stream = server.tls("h2").await;
        let mut connection = Http2::beginning(stream, bytes).await.unwrap();
        let said = said(&mut connection).await;
        assert!(matches!(said, Closed | GoAway(PROTOCOL)), "{said:?}");
    }
}
