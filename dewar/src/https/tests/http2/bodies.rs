//! Request bodies that never end.

use super::{Server, ask, connect, patient};
use crate::https::RequestLimits;
use test_servers::Frame;

/// All pieces together are within the first window of a connection.
const PIECE: usize = 2 * 1024;

fn begun(stream: u32) -> Frame {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/sign-in"),
        ("content-length", "1024000"),
    ];
    let mut frame = Frame::request(stream, &fields);
    frame.flags = Frame::END_HEADERS;
    frame
}

/// Twenty unfinished forms of one connection, each with a declared length of a megabyte. Dewar holds only the bytes that a
/// connection may have under way, and frees them when the client gives the forms up.
#[tokio::test]
async fn bodies_that_never_end_are_held_up_to_a_bound() {
    let server = Server::start(RequestLimits {
        bodies_per_connection: 10 * 2 * 1024,
        ..patient()
    })
    .await;
    let mut connection = connect(&server, &[]).await;
    let streams: Vec<u32> = (0..20).map(|number| number * 2 + 1).collect();
    for stream in &streams {
        let data = Frame::new(Frame::DATA, 0, *stream, vec![b'x'; PIECE]);
        connection.send(&[begun(*stream), data]).await.unwrap();
    }
    let mut refused = Vec::new();
    while refused.len() < 10 {
        let frame = connection.next().await.unwrap();
        assert_ne!(frame.kind, Frame::GOAWAY, "{frame:?}");
        if frame.kind != Frame::HEADERS {
            continue;
        }
        // HPACK writes a repeated status as an index into its table, which this client does not read.
        assert!(matches!(frame.status(), Some(503) | None));
        refused.push(frame.stream);
    }
    // Another connection has a limit of its own.
    assert_eq!(ask(&server, "localhost").await, Some(200));
    let held = streams.iter().filter(|stream| !refused.contains(stream));
    let ends = held.map(|stream| Frame::new(Frame::RST_STREAM, 0, *stream, [0, 0, 0, 8]));
    let ends: Vec<Frame> = ends.collect();
    assert_eq!(ends.len(), 10);
    connection.send(&ends).await.unwrap();
    // The connection gets back the bytes of those forms, so Dewar accepts a form that ends.
    let mut stream = 41;
    loop {
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", "/sign-in"),
        ];
        let mut whole = Frame::request(stream, &fields);
        whole.flags = Frame::END_HEADERS;
        let end = Frame::new(Frame::DATA, Frame::END_STREAM, stream, vec![b'x'; PIECE]);
        connection.send(&[whole, end]).await.unwrap();
        if connection.next_of(Frame::HEADERS).await.unwrap().status() == Some(200) {
            break;
        }
        stream += 2;
        assert!(stream < 401, "nothing was given back");
    }
}
