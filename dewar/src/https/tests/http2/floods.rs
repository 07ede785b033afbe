//! Endless frames, each of them allowed. No timer helps here: a counter ends the connection.

use super::{Server, ask, beside_others, connect, patient};
use test_servers::{Frame, Http2};

const WHOLE: u8 = Frame::END_HEADERS | Frame::END_STREAM;
const CALM: u8 = 11;

/// The name of the attack, and the frames of its nth round.
type Attack<T> = (&'static str, fn(u32) -> T);

fn reset(stream: u32) -> Frame {
    // CANCEL.
    Frame::new(Frame::RST_STREAM, 0, stream, [0, 0, 0, 8])
}

fn ping(text: u32) -> Frame {
    let text = [text.to_be_bytes(), [0; 4]].concat();
    Frame::new(Frame::PING, 0, 0, text)
}

/// An unfinished request, for a handler that takes longer than any test.
fn begun(stream: u32) -> Frame {
    let request = Frame::get(stream, "/stuck");
    Frame::new(Frame::HEADERS, Frame::END_HEADERS, stream, &request.payload)
}

/// Sends rounds until the connection is closed. It sends some more than the server reads, because the system buffers
/// them.
async fn until_closed(connection: &mut Http2, most: u32, mut round: impl FnMut(u32) -> Vec<Frame>) {
    for number in 0..most {
        if connection.send(&round(number)).await.is_err() {
            return;
        }
    }
    panic!("{most} rounds were taken");
}

/// Waits until the server has read every frame.
async fn seen(connection: &mut Http2) -> Option<()> {
    for text in [u32::MAX, u32::MAX - 1] {
        let ping = ping(text);
        connection.send(std::slice::from_ref(&ping)).await.ok()?;
        while connection.next_of(Frame::PING).await?.payload != ping.payload {}
    }
    Some(())
}

/// CVE-2023-44487 (rapid reset): a request and its reset at once, so that they never count as open.
#[tokio::test]
async fn requests_taken_back_at_once_end_the_connection() {
    let server = Server::start(patient()).await;
    let mut connection = connect(&server, &[]).await;
    let round = |number: u32| {
        let streams = (number * 100..).map(|stream| stream * 2 + 1).take(100);
        let both = |stream| [Frame::get(stream, "/stuck"), reset(stream)];
        streams.flat_map(both).collect()
    };
    let attack = until_closed(&mut connection, 1_000, round);
    beside_others(&server, attack).await;
    let goodbye = connection.next_of(Frame::GOAWAY).await;
    assert_eq!(goodbye.map(|frame| frame.payload[7]), Some(CALM));
    let begun = server.begun("/stuck");
    assert!(begun <= 100, "{begun} handlers were started");
}

/// Rapid reset with a pause, so that each request has reached its handler: h2 counts none of these.
#[tokio::test]
async fn requests_taken_back_after_a_pause_end_the_connection() {
    let server = Server::start(patient()).await;
    let mut connection = connect(&server, &[]).await;
    let attack = async {
        for number in 0..100_u32 {
            let streams = (number * 50..).map(|stream| stream * 2 + 1).take(50);
            let asked: Vec<Frame> = streams
                .clone()
                .map(|stream| Frame::get(stream, "/stuck"))
                .collect();
            let ended: Vec<Frame> = streams.map(reset).collect();
            if connection.send(&asked).await.is_err()
                || seen(&mut connection).await.is_none()
                || connection.send(&ended).await.is_err()
            {
                return;
            }
        }
        panic!("5000 handlers were started for nothing");
    };
    beside_others(&server, attack).await;
    let begun = server.begun("/stuck");
    assert!(
        (500..=600).contains(&begun),
        "{begun} handlers were started"
    );
}

/// CVE-2025-8671, "`MadeYouReset`": frames that make the server reset the stream, with the same effect.
#[tokio::test]
async fn streams_that_the_server_must_reset_end_the_connection() {
    let server = Server::start(patient()).await;
    let wrong: [Attack<Vec<Frame>>; 6] = [
        ("a window over its greatest size", |stream| {
            let over = Frame::new(Frame::WINDOW_UPDATE, 0, stream, [0x7f, 0xff, 0xff, 0xff]);
            vec![Frame::get(stream, "/stuck"), over]
        }),
        ("DATA after the end", |stream| {
            vec![
                Frame::get(stream, "/stuck"),
                Frame::new(Frame::DATA, 0, stream, "x"),
            ]
        }),
        ("HEADERS after the end", |stream| {
            vec![Frame::get(stream, "/stuck"), Frame::get(stream, "/stuck")]
        }),
        ("a priority over itself", |stream| {
            let itself = [&stream.to_be_bytes()[..], &[16]].concat();
            vec![
                Frame::get(stream, "/stuck"),
                Frame::new(Frame::PRIORITY, 0, stream, itself),
            ]
        }),
        ("trailers that end nothing", |stream| {
            vec![begun(stream), begun(stream)]
        }),
        ("headers of HTTP/1", |stream| {
            vec![Frame::request(stream, &[("connection", "close")])]
        }),
    ];
    for (what, round) in wrong {
        let mut connection = connect(&server, &[]).await;
        let attack = until_closed(&mut connection, 10_000, |number| round(number * 2 + 1));
        let before = server.begun("/stuck");
        beside_others(&server, attack).await;
        assert!(connection.next_of(Frame::GOAWAY).await.is_some(), "{what}");
        let begun = server.begun("/stuck") - before;
        assert!(begun <= 200, "{what}: {begun} handlers were started");
    }
}

/// More concurrent requests than allowed: Dewar refuses each, and ends the connection after a hundred refusals.
#[tokio::test]
async fn requests_over_the_number_allowed_are_refused_and_then_the_connection() {
    let server = Server::start(patient()).await;
    let mut connection = connect(&server, &[]).await;
    let all: Vec<Frame> = (0..101)
        .map(|number| Frame::get(number * 2 + 1, "/stuck"))
        .collect();
    connection.send(&all).await.unwrap();
    let refused = connection.next_of(Frame::RST_STREAM).await.unwrap();
    assert_eq!(
        (refused.stream, &refused.payload[..]),
        (201, &[0, 0, 0, 7][..])
    );
    let more = |number: u32| vec![Frame::get((number + 101) * 2 + 1, "/stuck")];
    until_closed(&mut connection, 10_000, more).await;
    let goodbye = connection.next_of(Frame::GOAWAY).await;
    assert_eq!(goodbye.map(|frame| frame.payload[7]), Some(CALM));
    // Of a hundred allowed requests, Dewar handles this number at once; the others wait.
    assert_eq!(server.begun("/stuck"), 32);
}

/// CVE-2019-9512, -9513 and -9515 and their kind: frames without a request. A client may send some of each.
#[tokio::test]
async fn frames_that_ask_nothing_end_the_connection() {
    let server = Server::start(patient()).await;
    let talk: [Attack<Frame>; 7] = [
        ("PING", ping),
        ("an answer to no PING", |_| {
            Frame::new(Frame::PING, Frame::ACK, 0, [0; 8])
        }),
        ("SETTINGS", |_| Http2::settings(&[])),
        ("SETTINGS that size the table", |number| {
            Http2::settings(&[(1, if number % 2 == 0 { 0 } else { u32::MAX })])
        }),
        ("WINDOW_UPDATE", |_| {
            Frame::new(Frame::WINDOW_UPDATE, 0, 0, [0, 0, 0, 1])
        }),
        ("PRIORITY", |number| {
            Frame::new(Frame::PRIORITY, 0, number * 2 + 3, [0, 0, 0, 1, 16])
        }),
        ("a frame of no known kind", |_| {
            Frame::new(0x99, 0xff, 7, [0; 100])
        }),
    ];
    for (what, frame) in talk {
        let mut connection = connect(&server, &[]).await;
        connection.send(&[Frame::get(1, "/stuck")]).await.unwrap();
        // The server answers the first few hundred like any other.
        let few: Vec<Frame> = (0..400).map(frame).collect();
        connection.send(&few).await.unwrap();
        assert!(seen(&mut connection).await.is_some(), "{what}");
        let attack = until_closed(&mut connection, 10_000, |number| {
            (number * 50..).take(50).map(frame).collect()
        });
        beside_others(&server, attack).await;
    }
}

/// CVE-2019-9518: DATA frames with no bytes, or nearly none.
#[tokio::test]
async fn parts_of_a_body_without_bytes_end_the_connection() {
    let server = Server::start(patient()).await;
    let padded = [&[255][..], &[0; 255]].concat();
    for (what, flags, payload) in [
        ("empty", 0, &[][..]),
        ("padding alone", Frame::PADDED, &padded),
        ("one byte", 0, b"x"),
    ] {
        let mut connection = connect(&server, &[]).await;
        connection.send(&[begun(1)]).await.unwrap();
        let attack = until_closed(&mut connection, 10_000, |_| {
            vec![Frame::new(Frame::DATA, flags, 1, payload); 100]
        });
        beside_others(&server, attack).await;
        assert!(connection.next_of(Frame::GOAWAY).await.is_some(), "{what}");
    }
}

/// A body that nobody reads any longer: its handler has responded.
#[tokio::test]
async fn a_body_after_its_answer_ends_the_connection() {
    let server = Server::start(patient()).await;
    let mut connection = connect(&server, &[]).await;
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "evil.example"),
        (":path", "/"),
    ];
    let head = Frame::new(Frame::HEADERS, Frame::END_HEADERS, 1, Frame::block(&fields));
    connection.send(&[head]).await.unwrap();
    let answer = connection.next_of(Frame::HEADERS).await.unwrap();
    assert_eq!(answer.status(), Some(421));
    let attack = until_closed(&mut connection, 10_000, |_| {
        vec![Frame::new(Frame::DATA, 0, 1, "x"); 100]
    });
    beside_others(&server, attack).await;
}

/// A normal client for an hour: many requests, some of them cancelled, and all frames of a client between them.
#[tokio::test]
async fn a_busy_client_is_not_taken_for_a_flood() {
    let server = Server::start(patient()).await;
    // A window as large as a browser's.
    let mut connection = connect(&server, &[(4, 6 * 1024 * 1024)]).await;
    for number in 0..300 {
        let stream = number * 4 + 1;
        let mut frames = vec![
            Frame::get(stream, "/page"),
            Frame::new(Frame::PRIORITY, 0, stream, [0, 0, 0, 0, 16]),
            Frame::new(Frame::WINDOW_UPDATE, 0, 0, [0, 1, 0, 0]),
            ping(number),
        ];
        if number % 2 == 0 {
            frames.extend([Frame::get(stream + 2, "/stuck"), reset(stream + 2)]);
        }
        connection.send(&frames).await.unwrap();
        while {
            let part = connection.next_of(Frame::DATA).await.unwrap();
            part.flags & Frame::END_STREAM == 0
        } {}
    }
    let whole = Frame::new(Frame::HEADERS, WHOLE, 2_001, Frame::get(1, "/").payload);
    connection.send(&[whole]).await.unwrap();
    let answer = connection.next_of(Frame::HEADERS).await.unwrap();
    assert_eq!(answer.stream, 2_001);
    assert_eq!(ask(&server, "localhost").await, Some(200));
}
