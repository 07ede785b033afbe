use super::server::{SHORT, Server, closes, read_all, short};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(6);

#[tokio::test]
async fn a_visitor_who_sends_nothing_is_closed() {
    let server = Server::start(short()).await;
    assert!(closes(&mut server.tcp().await).await < SOON);
}

#[tokio::test]
async fn a_visitor_who_does_not_speak_tls_is_closed() {
    let server = Server::start(short()).await;
    let mut stream = server.tcp().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert!(!read_all(&mut stream).await.contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_visitor_who_is_silent_after_the_handshake_is_closed() {
    let server = Server::start(short()).await;
    for protocol in ["http/1.1", "h2"] {
        let mut stream = server.tls(protocol).await;
        assert!(closes(&mut stream).await < SOON, "{protocol}");
    }
}

#[tokio::test]
async fn a_visitor_who_drips_headers_is_closed() {
    let server = Server::start(short()).await;
    let (mut reading, mut writing) = tokio::io::split(server.tls("http/1.1").await);
    let dripping = tokio::spawn(async move {
        writing
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            .await
            .unwrap();
        for _ in 0..100 {
            sleep(SHORT).await;
            if writing.write_all(b"X: y\r\n").await.is_err() || writing.flush().await.is_err() {
                return;
            }
        }
        panic!("a hundred headers were taken, one by one");
    });
    let mut rest = Vec::new();
    let ended = timeout(SOON, reading.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "it is still open");
    drop(reading);
    dripping.await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let server = Server::start(short()).await;
    let mut stream = server.tls("http/1.1").await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let answer = timeout(SOON, read_all(&mut stream))
        .await
        .expect("it is still open");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_body_that_drips_is_a_timeout() {
    let server = Server::start(short()).await;
    let mut stream = server.tls("http/1.1").await;
    let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() && writing.flush().await.is_ok() {
            sleep(SHORT / 5).await;
        }
    });
    let mut start = [0; 12];
    timeout(SOON, reading.read_exact(&mut start))
        .await
        .expect("no answer")
        .unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    dripping.abort();
}

#[tokio::test]
async fn a_visitor_who_does_not_read_the_answer_is_cut() {
    let server = Server::start(short()).await;
    let mut stream = server.tls("http/1.1").await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    sleep(SHORT * 8).await;
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert!(
        answer.len() < 32 * 1024 * 1024,
        "the whole answer was waited for"
    );
}
