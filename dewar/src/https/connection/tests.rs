use super::super::activity::{Activity, Open};
use super::{TimerAction, Watch, builders};
use crate::https::RequestLimits;
use crate::testing::PATIENCE;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use test_servers::{Frame, Http2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Moves a response by the same amount before each look, and counts the looks that find nothing wrong.
fn looks(activity: &Arc<Activity>, mut each: impl FnMut(&Activity)) -> usize {
    let limits = RequestLimits::default();
    let mut watch = Watch::new(&limits);
    let mut fine = 0;
    loop {
        each(activity);
        match watch.look(activity, &limits) {
            TimerAction::Fine if fine < 1_000 => fine += 1,
            TimerAction::Fine | TimerAction::Stuck => return fine,
            TimerAction::Old | TimerAction::Quiet => panic!("an answer is being sent"),
        }
    }
}

#[test]
fn an_answer_that_moves_is_waited_for_as_long_as_it_takes() {
    let least = RequestLimits::default().progress_bytes;
    for (bytes, fine) in [(least, 1_000), (least - 1, 1), (0, 1)] {
        let activity = Arc::new(Activity::default());
        let _open = Open::begin(&activity).sending();
        let moves = |activity: &Activity| {
            activity.written.fetch_add(bytes, Ordering::Relaxed);
        };
        assert_eq!(looks(&activity, moves), fine, "{bytes}");
    }
}

/// Over HTTP/2, hyper may hand the whole body to h2; no request is open by then.
#[test]
fn an_answer_that_moves_over_http2_is_waited_for_as_long_as_it_takes() {
    let least = usize::try_from(RequestLimits::default().progress_bytes).unwrap();
    for (bytes, fine) in [(least, 1_000), (least - 1, 1), (0, 1)] {
        let activity = Arc::new(Activity::of_http2());
        drop(Open::begin(&activity).sending());
        let head = Frame::new(Frame::HEADERS, Frame::END_HEADERS, 1, [0x88]);
        activity.frames().unwrap().say(&head.bytes());
        let part = Frame::new(Frame::DATA, 0, 1, vec![b'x'; bytes]).bytes();
        let moves = |activity: &Activity| {
            activity.frames().unwrap().say(&part);
        };
        assert_eq!(looks(&activity, moves), fine, "{bytes}");
    }
}

#[test]
fn a_connection_without_a_new_request_is_quiet() {
    let limits = RequestLimits::default();
    let activity = Arc::new(Activity::default());
    let mut watch = Watch::new(&limits);
    drop(Open::begin(&activity));
    assert!(matches!(watch.look(&activity, &limits), TimerAction::Fine));
    assert!(matches!(watch.look(&activity, &limits), TimerAction::Quiet));
}

#[test]
fn a_connection_is_old_after_its_time_however_busy_it_is() {
    for (age, is_old) in [(PATIENCE, false), (Duration::ZERO, true)] {
        let limits = RequestLimits {
            age,
            ..RequestLimits::default()
        };
        let activity = Arc::new(Activity::default());
        let mut watch = Watch::new(&limits);
        let _open = Open::begin(&activity);
        let verdict = watch.look(&activity, &limits);
        assert_eq!(matches!(verdict, TimerAction::Old), is_old);
    }
}

/// hyper's own response to a request, with our settings and without our checks before it. [`builders`] sets each setting,
/// so that a hyper version with other defaults changes nothing.
async fn hyper_says(sent: &str) -> String {
    let (mut client, server) = tokio::io::duplex(256 * 1024);
    let service = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Body::from("fine")))
    });
    let (http1, _) = builders(&RequestLimits::default());
    let serving = tokio::spawn(http1.serve_connection(TokioIo::new(server), service));
    client.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    drop(serving.await.unwrap());
    answer
}

#[tokio::test]
async fn hyper_takes_no_head_that_needs_a_guess() {
    let head = |first: &str, more: &str| {
        format!("{first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n")
    };
    let many: String = (0..100).map(|n| format!("x-{n}: a\r\n")).collect();
    let long = format!(
        "x: {}\r\n",
        "a".repeat(RequestLimits::default().header_bytes)
    );
    for (sent, status) in [
        (head("GET /", ""), "200"),
        (head("GET  /", ""), "400"),
        (head("GET /", "two words: a\r\n"), "400"),
        (head("GET /", "x : a\r\n"), "400"),
        (head("GET /", "x: a\r\n b\r\n"), "400"),
        (head("GET /", &many), "431"),
        (head("GET /", &long), "431"),
    ] {
        let answer = hyper_says(&sent).await;
        let start: String = sent.chars().take(90).collect();
        assert_eq!(answer.get(9..12), Some(status), "{start:?}: {answer}");
    }
    let answer = hyper_says(&head("GET /", "")).await;
    assert!(answer.contains("\r\ncontent-length: 4\r\n"), "{answer}");
    assert!(answer.contains("\r\ndate: "), "{answer}");
}

/// A half-closed connection would keep a handler busy for a client that reads no response.
#[tokio::test]
async fn hyper_ends_a_connection_of_which_one_half_is_closed_or_the_head_is_late() {
    for (head_ends, header_timeout) in [("\r\n", PATIENCE), ("", Duration::from_millis(50))] {
        let (mut client, server) = tokio::io::duplex(1024);
        let service = service_fn(|_: Request<Incoming>| {
            std::future::pending::<Result<Response<Body>, Infallible>>()
        });
        let limits = RequestLimits {
            header_timeout,
            ..RequestLimits::default()
        };
        let (http1, _) = builders(&limits);
        let serving = tokio::spawn(http1.serve_connection(TokioIo::new(server), service));
        let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{head_ends}");
        client.write_all(head.as_bytes()).await.unwrap();
        if !head_ends.is_empty() {
            client.shutdown().await.unwrap();
        }
        let ended = tokio::time::timeout(PATIENCE, serving).await;
        assert!(ended.unwrap().unwrap().is_err(), "{head:?}");
    }
}

/// The server announces the HTTP/2 limits of the settings.
#[tokio::test]
async fn hyper_says_our_limits_of_http2() {
    let (client, server) = tokio::io::duplex(256 * 1024);
    let service = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let limits = RequestLimits::default();
    let (_, http2) = builders(&limits);
    let serving = tokio::spawn(http2.serve_connection(TokioIo::new(server), service));
    let mut connection = Http2::open(client, &[]).await.unwrap();
    let said = connection.next_of(Frame::SETTINGS).await.unwrap();
    let said: BTreeMap<u16, u32> = said
        .payload
        .chunks_exact(6)
        .map(|pair| {
            let number = u16::from_be_bytes([pair[0], pair[1]]);
            (
                number,
                u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]]),
            )
        })
        .collect();
    // The defaults of RFC 9113, 6.5.2 for the settings that a frame leaves out.
    let usual = BTreeMap::from([(1, 4096), (2, 1), (4, 65_535), (5, 16_384), (8, 0)]);
    let value = |number| said.get(&number).or(usual.get(&number)).copied();
    assert_eq!(value(1), Some(4096), "the table of headers");
    assert_eq!(value(3), Some(limits.streams), "streams at once");
    assert_eq!(value(4), Some(256 * 1024), "bytes of a body on their way");
    assert_eq!(value(5), Some(16_384), "a frame");
    // Our limit is a fourth of it: a list between the two gets a refusal with all headers, not h2's.
    let list = u32::try_from(limits.header_bytes * 4).ok();
    assert_eq!(value(6), list, "a list of headers");
    assert_eq!(value(8), Some(0), "no CONNECT for other protocols");
    assert!(
        said.keys().all(|number| (1..=8).contains(number)),
        "{said:?}"
    );
    let room = connection.next_of(Frame::WINDOW_UPDATE).await.unwrap();
    let more = u32::from_be_bytes(room.payload[..4].try_into().unwrap());
    assert_eq!(
        (room.stream, more),
        (0, 1024 * 1024 - 65_535),
        "of all bodies"
    );
    serving.abort();
}
