//! Headers with two readings, each with one mistake (RFC 9113, 8).

use super::nonsense::Said::{GoAway, Reset, Status};
use super::nonsense::{PROTOCOL, answer};
use super::{Server, connect, patient};
use test_servers::Frame;

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one list")]
async fn headers_with_two_readings_are_refused() {
    let server = Server::start(patient()).await;
    let method = (":method", "GET");
    let scheme = (":scheme", "https");
    let authority = (":authority", "localhost");
    let path = (":path", "/");
    let usual = [method, scheme, authority, path];
    let and = |field| [&usual[..], &[field]].concat();
    let with = |wrong: (&'static str, &'static str)| {
        let change =
            |field: (&'static str, &'static str)| if field.0 == wrong.0 { wrong } else { field };
        usual.map(change).to_vec()
    };
    let cases = [
        (usual.to_vec(), Status(200)),
        (and(("te", "trailers")), Status(200)),
        (and(("host", "localhost")), Status(200)),
        // Headers for a single connection of HTTP/1 (RFC 9113, 8.2.2; request smuggling).
        (and(("connection", "close")), Reset(PROTOCOL)),
        (and(("transfer-encoding", "chunked")), Reset(PROTOCOL)),
        (and(("keep-alive", "timeout=5")), Reset(PROTOCOL)),
        (and(("proxy-connection", "close")), Reset(PROTOCOL)),
        (and(("upgrade", "websocket")), Reset(PROTOCOL)),
        (and(("te", "gzip")), Reset(PROTOCOL)),
        // Invalid names and values.
        (and(("X-Upper", "y")), GoAway(PROTOCOL)),
        (and(("x y", "z")), GoAway(PROTOCOL)),
        (and(("", "z")), GoAway(PROTOCOL)),
        (and(("x:", "z")), GoAway(PROTOCOL)),
        (and(("x\r\ny", "z")), GoAway(PROTOCOL)),
        (and(("x", "y\r\nhost: evil.example")), GoAway(PROTOCOL)),
        (and(("x", "y\0")), GoAway(PROTOCOL)),
        (and((":other", "x")), GoAway(PROTOCOL)),
        // A pseudo-header that is repeated, in the wrong place, or missing.
        (and(authority), Reset(PROTOCOL)),
        (and(path), Reset(PROTOCOL)),
        (and(method), Reset(PROTOCOL)),
        (and(scheme), Reset(PROTOCOL)),
        (and((":status", "200")), Reset(PROTOCOL)),
        (
            vec![method, scheme, ("x", "y"), authority, path],
            Reset(PROTOCOL),
        ),
        (vec![scheme, authority, path], Reset(PROTOCOL)),
        (vec![method, authority, path], Reset(PROTOCOL)),
        (vec![method, scheme, authority], Reset(PROTOCOL)),
        (vec![method, scheme, path], Status(400)),
        (with((":path", "")), Reset(PROTOCOL)),
        (with((":path", "admin")), Reset(PROTOCOL)),
        (with((":path", "*")), Status(400)),
        (with((":path", "//evil.example/")), Status(400)),
        (with((":path", "/..%2fadmin")), Status(400)),
        (with((":path", "/ HTTP/1.1\r\nx: y")), Reset(PROTOCOL)),
        (with((":method", "GET / HTTP/1.1\r\n")), GoAway(PROTOCOL)),
        (with((":scheme", "http")), Status(400)),
        (with((":authority", "")), Reset(PROTOCOL)),
        (with((":authority", "localhost@evil.example")), Status(400)),
        (with((":authority", "evil.example@localhost")), Status(400)),
        (and(("host", "evil.example")), Status(400)),
        (
            vec![
                method,
                scheme,
                path,
                ("host", "localhost"),
                ("host", "evil.example"),
            ],
            Status(400),
        ),
        // A tunnel, or a WebSocket, which no route offers (RFC 8441).
        (vec![(":method", "CONNECT"), authority], Status(405)),
        (
            vec![
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                scheme,
                authority,
                path,
            ],
            Reset(PROTOCOL),
        ),
        // Lengths that differ from the body's.
        (and(("content-length", "5")), Reset(PROTOCOL)),
        (and(("content-length", "-1")), Reset(PROTOCOL)),
        (
            [and(("content-length", "0")), vec![("content-length", "5")]].concat(),
            Reset(PROTOCOL),
        ),
    ];
    let mut wrong = Vec::new();
    for (fields, wanted) in cases {
        let said = answer(&server, &Frame::request(1, &fields).bytes()).await;
        if said != wanted {
            wrong.push((fields, said, wanted));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// h2 reads trailers and refuses few of them. Dewar does not treat a trailer as a header of the request.
#[tokio::test]
async fn trailers_say_nothing_of_the_request() {
    let server = Server::start(patient()).await;
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/"),
    ];
    let head = Frame::new(Frame::HEADERS, Frame::END_HEADERS, 1, Frame::block(&fields));
    let trailers = [
        (":path", "/large"),
        (":authority", "evil.example"),
        ("host", "evil.example"),
        ("cookie", "__Host-session=x"),
    ];
    let mut connection = connect(&server, &[]).await;
    connection
        .send(&[head, Frame::request(1, &trailers)])
        .await
        .unwrap();
    let answer = connection.next_of(Frame::HEADERS).await.unwrap();
    assert_eq!(answer.status(), Some(200));
    assert_eq!((server.begun("/"), server.begun("/large")), (1, 0));
}
