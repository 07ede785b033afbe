//! Headers that grow while they are read: without end, or from a few bytes.

use super::{Server, beside_others, connect, patient};
use crate::https::RequestLimits;
use test_servers::{Frame, Http2};

const CALM: u8 = 11;

/// The HEADERS frame of a request that continues.
fn begun(stream: u32, fields: &[(&str, &str)]) -> Frame {
    let get = Frame::get(stream, "/").payload;
    let block = [&get[..], &Frame::block(fields)].concat();
    Frame::new(Frame::HEADERS, Frame::END_STREAM, stream, block)
}

/// The reason of the GOAWAY that ends the connection.
async fn reason(connection: &mut Http2) -> Option<u8> {
    let goodbye = connection.next_of(Frame::GOAWAY).await;
    goodbye.map(|frame| frame.payload[7])
}

/// CVE-2024-27316 and its kind: endless headers, each frame of them small, large or empty.
#[tokio::test]
async fn continuations_without_end_are_refused_after_a_few() {
    let server = Server::start(patient()).await;
    let large = Frame::block(&[("x", &"y".repeat(16_000))]);
    for (what, payload) in [
        ("empty", &[][..]),
        ("small", b"\0\x01x\x01y"),
        ("large", &large),
    ] {
        let mut connection = connect(&server, &[]).await;
        connection.send(&[begun(1, &[])]).await.unwrap();
        let attack = async {
            let more = [Frame::new(Frame::CONTINUATION, 0, 1, payload)];
            let mut sent = 0;
            while connection.send(&more).await.is_ok() && sent < 100_000 {
                sent += 1;
            }
            (sent, reason(&mut connection).await)
        };
        let (sent, reason) = beside_others(&server, attack).await;
        assert_eq!(reason, Some(CALM), "{what} after {sent}");
    }
}

/// A string whose end never comes: Dewar holds a bounded part of it.
#[tokio::test]
async fn a_header_that_goes_on_over_many_frames_is_refused() {
    let server = Server::start(patient()).await;
    let mut connection = connect(&server, &[]).await;
    let mut block = Frame::get(1, "/").payload.to_vec();
    // A literal with a length of a million bytes.
    block.extend_from_slice(b"\0\x01x\x7f\xc1\x83\x3d");
    let mut frames = vec![Frame::new(Frame::HEADERS, Frame::END_STREAM, 1, block)];
    frames.extend((0..60).map(|_| Frame::new(Frame::CONTINUATION, 0, 1, [b'y'; 16 * 1024])));
    drop(connection.send(&frames).await);
    assert!(reason(&mut connection).await.is_some());
}

#[tokio::test]
async fn a_list_over_the_limit_is_431_and_far_over_it_the_end() {
    let server = Server::start(patient()).await;
    for (bytes, wanted) in [(1_000, 200), (15_000, 200), (20_000, 431), (60_000, 431)] {
        let mut connection = connect(&server, &[]).await;
        let text = "y".repeat(bytes);
        connection.send(&cut(&[("x", &text)])).await.unwrap();
        let answer = connection.next_of(Frame::HEADERS).await.unwrap();
        assert_eq!(answer.status(), Some(wanted), "{bytes}");
        // Dewar's own response: it has a body and all headers; a status alone has four bytes.
        assert!(answer.payload.len() > 300, "{bytes}");
        if wanted == 431 {
            let body = connection.next_of(Frame::DATA).await.unwrap();
            let says = String::from_utf8_lossy(&body.payload).into_owned();
            assert!(says.contains("too many headers"), "{says}");
        }
    }
    // Over h2's limit: h2 would respond by itself, without our headers.
    let mut connection = connect(&server, &[]).await;
    drop(connection.send(&cut(&[("x", &"y".repeat(70_000))])).await);
    assert_eq!(connection.next_of(Frame::HEADERS).await, None);
    let mut connection = connect(&server, &[]).await;
    drop(connection.send(&cut(&[("x", &"y".repeat(300_000))])).await);
    assert_eq!(reason(&mut connection).await, Some(CALM));
    let many: Vec<(&str, &str)> = (0..65).map(|_| ("x", "y")).collect();
    let mut connection = connect(&server, &[]).await;
    connection.send(&cut(&many)).await.unwrap();
    let answer = connection.next_of(Frame::HEADERS).await.unwrap();
    assert_eq!(answer.status(), Some(431));
}

/// A request whose headers are split into frames of the greatest size.
fn cut(fields: &[(&str, &str)]) -> Vec<Frame> {
    let block = begun(1, fields).payload;
    let mut chunks = block.chunks(16 * 1024).peekable();
    let mut kind = (Frame::HEADERS, Frame::END_STREAM);
    let mut frames = Vec::new();
    while let Some(chunk) = chunks.next() {
        let end = if chunks.peek().is_none() {
            Frame::END_HEADERS
        } else {
            0
        };
        frames.push(Frame::new(kind.0, kind.1 | end, 1, chunk));
        kind = (Frame::CONTINUATION, 0);
    }
    frames
}

/// One header of nearly 4 KiB enters the table, and each further byte refers to it: 16 KiB would become 64 MiB (HPACK
/// bomb).
#[tokio::test]
async fn a_table_that_is_named_again_and_again_is_no_bomb() {
    let server = Server::start(patient()).await;
    let mut entry = vec![0x40];
    Frame::text(&mut entry, "x");
    Frame::text(&mut entry, &"y".repeat(4_000));
    let get = Frame::get(1, "/").payload;
    let named = |times: usize| [&get[..], &entry, &vec![0xbe; times]].concat();
    let whole = Frame::END_HEADERS | Frame::END_STREAM;
    for (times, wanted) in [(1, 200), (4, 431), (12, 431)] {
        let mut connection = connect(&server, &[]).await;
        let bomb = Frame::new(Frame::HEADERS, whole, 1, named(times));
        connection.send(&[bomb]).await.unwrap();
        let answer = connection.next_of(Frame::HEADERS).await.unwrap();
        assert_eq!(answer.status(), Some(wanted), "{times}");
    }
    let mut connection = connect(&server, &[]).await;
    let bomb = Frame::new(Frame::HEADERS, whole, 1, named(30));
    connection.send(&[bomb]).await.unwrap();
    assert_eq!(connection.next_of(Frame::HEADERS).await, None);
    let mut connection = connect(&server, &[]).await;
    let bomb = Frame::new(Frame::HEADERS, whole, 1, named(12_000));
    drop(connection.send(&[bomb]).await);
    assert_eq!(reason(&mut connection).await, Some(CALM));
}

/// The limit of h2, which reads headers before our code, follows the setting: with another limit, another response.
#[tokio::test]
async fn the_limit_on_headers_is_the_setting() {
    let limits = RequestLimits {
        header_bytes: 64 * 1024,
        ..patient()
    };
    let server = Server::start(limits).await;
    let mut connection = connect(&server, &[]).await;
    connection
        .send(&cut(&[("x", &"y".repeat(20_000))]))
        .await
        .unwrap();
    let answer = connection.next_of(Frame::HEADERS).await.unwrap();
    assert_eq!(answer.status(), Some(200));
}
