//! Responses that a client does not read, while other frames make the connection look alive.

use super::{Server, ask, beside_others, connect, patient};
use crate::https::RequestLimits;
use crate::https::tests::server::{LONG, SHORT};
use std::time::Duration;
use test_servers::{Frame, Http2};
use tokio::time::{Instant, sleep};

/// The setting of the initial flow-control window (`SETTINGS_INITIAL_WINDOW_SIZE`).
const WINDOW: u16 = 4;

/// Enough time to answer a PING on a busy machine; without it hyper would end the connection.
fn limits() -> RequestLimits {
    RequestLimits {
        header_timeout: Duration::from_secs(2),
        idle_timeout: SHORT,
        progress: SHORT,
        ..patient()
    }
}

/// Repeats frames until the connection is closed, and answers each PING.
async fn closes(connection: &mut Http2, mut again: impl FnMut(u32) -> Vec<Frame>) {
    let end = Instant::now() + LONG;
    let mut number = 0;
    while connection.send(&again(number)).await.is_ok() {
        number += 1;
        assert!(Instant::now() < end, "it is open after {number} times");
        let heard = connection.heard().await;
        let pongs: Vec<Frame> = heard.iter().filter_map(Frame::pong).collect();
        if connection.send(&pongs).await.is_err() {
            return;
        }
        // Often enough to keep a connection alive if any frame counted, and no flood.
        sleep(SHORT / 5).await;
    }
}

fn ping() -> Frame {
    Frame::new(Frame::PING, 0, 0, [0; 8])
}

fn window(stream: u32, bytes: u16) -> Frame {
    Frame::new(
        Frame::WINDOW_UPDATE,
        0,
        stream,
        u32::from(bytes).to_be_bytes(),
    )
}

/// A hundred requests, the most that may be open.
fn hundred(path: &str) -> Vec<Frame> {
    (0..100)
        .map(|number| Frame::get(number * 2 + 1, path))
        .collect()
}

/// With a window of zero hyper holds the responses, with a window of one byte h2 does.
#[tokio::test]
async fn answers_for_which_there_is_no_window_end_the_connection_whatever_else_is_said() {
    let server = Server::start(limits()).await;
    for room in [0, 1] {
        let mut connection = connect(&server, &[(WINDOW, room)]).await;
        let attack = async {
            connection.send(&hundred("/page")).await.unwrap();
            closes(&mut connection, |_| vec![ping(); 60]).await;
        };
        beside_others(&server, attack).await;
    }
}

/// Forty responses that the client does not read. Dewar makes the bytes that a connection may leave unread, and more after
/// the client has read them.
#[tokio::test]
async fn the_bytes_that_are_held_for_a_connection_are_bounded() {
    let server = Server::start(RequestLimits {
        unread_per_connection: 5 * 64 * 1024,
        ..patient()
    })
    .await;
    let mut connection = connect(&server, &[(WINDOW, 0)]).await;
    let asked: Vec<Frame> = (0..40)
        .map(|number| Frame::get(number * 2 + 1, "/page"))
        .collect();
    connection.send(&asked).await.unwrap();
    let (mut held, mut refused) = (Vec::new(), 0);
    while held.len() + refused < 40 {
        let frame = connection.next_of(Frame::HEADERS).await.unwrap();
        // HPACK writes a repeated status as an index into its table, which this client does not read.
        match frame.status() {
            Some(200) => held.push(frame.stream),
            Some(503) | None => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((held.len(), refused), (5, 35));
    // Another connection has a limit of its own.
    assert_eq!(ask(&server, "localhost").await, Some(200));
    let mut windows = vec![Frame::new(
        Frame::WINDOW_UPDATE,
        0,
        0,
        (1_u32 << 24).to_be_bytes(),
    )];
    windows.extend(held.iter().map(|stream| {
        Frame::new(
            Frame::WINDOW_UPDATE,
            0,
            *stream,
            (1_u32 << 20).to_be_bytes(),
        )
    }));
    connection.send(&windows).await.unwrap();
    let (mut ended, mut bytes) = (0, 0);
    while ended < 5 {
        let frame = connection.next_of(Frame::DATA).await.unwrap();
        if held.contains(&frame.stream) {
            bytes += frame.payload.len();
            ended += usize::from(frame.flags & Frame::END_STREAM != 0);
        }
    }
    assert_eq!(bytes, 5 * 64 * 1024);
    connection.send(&[Frame::get(81, "/page")]).await.unwrap();
    let frame = connection.next_of(Frame::HEADERS).await.unwrap();
    assert_eq!(frame.status(), Some(200));
}

/// Small responses, too: for a connection that reads nothing, Dewar handles a bounded number of requests, and the others
/// wait.
#[tokio::test]
async fn requests_of_a_connection_that_reads_nothing_wait_for_it_to_read() {
    let server = Server::start(patient()).await;
    let mut connection = connect(&server, &[(WINDOW, 0)]).await;
    connection.send(&hundred("/page")).await.unwrap();
    for _ in 0..32 {
        let frame = connection.next_of(Frame::HEADERS).await.unwrap();
        assert_eq!(frame.status(), Some(200));
    }
    assert_eq!(server.begun("/page"), 32);
    let opened = Http2::settings(&[(WINDOW, 1 << 20)]);
    let window = Frame::new(Frame::WINDOW_UPDATE, 0, 0, (1_u32 << 28).to_be_bytes());
    connection.send(&[opened, window]).await.unwrap();
    let mut ended = 0;
    while ended < 100 {
        let frame = connection.next_of(Frame::DATA).await.unwrap();
        ended += usize::from(frame.flags & Frame::END_STREAM != 0);
    }
    assert_eq!(server.begun("/page"), 100);
}

/// CVE-2019-9511, "data dribble": one byte at a time, and now and then another request.
#[tokio::test]
async fn answers_that_are_read_by_the_byte_end_the_connection() {
    let server = Server::start(limits()).await;
    let mut connection = connect(&server, &[(WINDOW, 0)]).await;
    let attack = async {
        let mut asked = hundred("/page");
        asked.pop();
        connection.send(&asked).await.unwrap();
        closes(&mut connection, |number| {
            let bytes = asked.iter().map(|request| window(request.stream, 1));
            bytes.chain([Frame::get(number * 2 + 201, "/")]).collect()
        })
        .await;
    };
    beside_others(&server, attack).await;
}

#[tokio::test]
async fn one_answer_that_is_read_does_not_keep_the_others() {
    let server = Server::start(limits()).await;
    let mut connection = connect(&server, &[(WINDOW, 0)]).await;
    let attack = async {
        let asked = [Frame::get(1, "/page"), Frame::get(3, "/large")];
        connection.send(&asked).await.unwrap();
        closes(&mut connection, |_| {
            vec![window(0, 8_000), window(3, 8_000)]
        })
        .await;
    };
    beside_others(&server, attack).await;
}

/// New requests with immediate responses, on a connection with one unread response.
#[tokio::test]
async fn new_requests_do_not_keep_an_answer_that_is_not_read() {
    let server = Server::start(limits()).await;
    let mut connection = connect(&server, &[(WINDOW, 1)]).await;
    let attack = async {
        connection.send(&[Frame::get(1, "/page")]).await.unwrap();
        closes(&mut connection, |number| {
            vec![Frame::get(number * 2 + 3, "/")]
        })
        .await;
    };
    beside_others(&server, attack).await;
}

/// A client that reads slowly gets the whole response. A test beside the timer shows that its later checks agree.
#[tokio::test]
async fn an_answer_that_is_read_slowly_is_sent_to_its_end() {
    let server = Server::start(RequestLimits {
        header_timeout: SHORT,
        idle_timeout: SHORT,
        ..patient()
    })
    .await;
    let asked = Http2::first(&[(WINDOW, 1)], &[Frame::get(1, "/page")]);
    let stream = server.tls_saying("h2", &asked).await;
    let mut connection = Http2::beginning(stream, b"").await.unwrap();
    let (mut length, mut ended) = (0, false);
    while !ended {
        let mut answers = vec![window(0, 8_000), window(1, 8_000)];
        for frame in connection.heard().await {
            answers.extend(frame.pong());
            if frame.kind == Frame::DATA {
                length += frame.payload.len();
                ended = frame.flags & Frame::END_STREAM != 0;
            }
        }
        let sent = connection.send(&answers).await;
        assert!(ended || sent.is_ok(), "it was cut after {length} bytes");
        sleep(SHORT / 2).await;
    }
    assert_eq!(length, 64 * 1024);
}

/// Frames that require an answer, from a client that never reads: the server stops reading too, and then ends the
/// connection.
#[tokio::test]
async fn who_floods_and_never_reads_is_not_read_and_then_closed() {
    let server = Server::start(limits()).await;
    for frame in [ping(), Http2::settings(&[])] {
        let mut connection = connect(&server, &[]).await;
        let many = frame.bytes().repeat(500);
        let attack = async {
            let end = Instant::now() + LONG;
            while connection.send_deaf(&many, LONG).await.is_ok() {
                assert!(Instant::now() < end, "{} is read on", frame.kind);
                sleep(Duration::from_millis(1)).await;
            }
        };
        beside_others(&server, attack).await;
    }
    let mut connection = connect(&server, &[(WINDOW, i32::MAX.cast_unsigned())]).await;
    let rest = Frame::new(Frame::WINDOW_UPDATE, 0, 0, [0x7f, 0, 0, 0]);
    let asked = [rest, Frame::get(1, "/large"), Frame::get(3, "/large")];
    connection.send(&asked).await.unwrap();
    let attack = async {
        server.gives_up().await;
        let mut heard = 0;
        while let Some(frame) = connection.next().await {
            heard += frame.payload.len();
        }
        heard
    };
    let heard = beside_others(&server, attack).await;
    assert!(heard < 64 * 1024 * 1024, "all of it was waited for");
}
