use super::server::{SHORT, Server, patient, read_all};
use crate::https::RequestLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_visitor_who_sends_nothing_is_closed() {
    let server = Server::start(RequestLimits {
        handshake_timeout: SHORT,
        ..patient()
    })
    .await;
    assert_eq!(read_all(&mut server.tcp().await).await, "");
}

#[tokio::test]
async fn a_visitor_who_does_not_speak_tls_is_closed() {
    let server = Server::start(patient()).await;
    let mut stream = server.tcp().await;
    stream.write_all(GET).await.unwrap();
    assert!(!read_all(&mut stream).await.contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_visitor_who_is_silent_after_the_handshake_is_closed() {
    let server = Server::start(RequestLimits {
        header_timeout: SHORT,
        idle_timeout: SHORT,
        ..patient()
    })
    .await;
    for protocol in ["http/1.1", "h2"] {
        let mut stream = server.tls(protocol).await;
        let heard = read_all(&mut stream).await;
        assert!(!heard.contains("HTTP/1.1 200"), "{protocol}");
    }
}

#[tokio::test]
async fn a_visitor_who_drips_a_header_is_closed() {
    let server = Server::start(RequestLimits {
        header_timeout: SHORT,
        ..patient()
    })
    .await;
    let head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
    let (mut reading, mut writing) = tokio::io::split(server.tls_saying("http/1.1", head).await);
    // It stays below the limit on its size for minutes.
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"y").await.is_ok() && writing.flush().await.is_ok() {
            sleep(SHORT / 5).await;
        }
    });
    let heard = read_all(&mut reading).await;
    assert!(!heard.contains("HTTP/1.1 431"), "it was read to its limit");
    dripping.abort();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let server = Server::start(RequestLimits {
        header_timeout: SHORT,
        ..patient()
    })
    .await;
    let mut stream = server.tls_saying("http/1.1", GET).await;
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_body_that_drips_is_a_timeout() {
    let server = Server::start(RequestLimits {
        body_grace: SHORT,
        ..patient()
    })
    .await;
    let mut stream = server.tls("http/1.1").await;
    let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() && writing.flush().await.is_ok() {
            sleep(SHORT / 5).await;
        }
    });
    let mut start = [0; 12];
    reading.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    dripping.abort();
}

#[tokio::test]
async fn a_visitor_who_does_not_read_the_answer_is_cut() {
    let server = Server::start(RequestLimits {
        header_timeout: SHORT,
        progress: SHORT,
        ..patient()
    })
    .await;
    let asked = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut stream = server.tls_saying("http/1.1", asked).await;
    server.gives_up().await;
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert!(
        answer.len() < 32 * 1024 * 1024,
        "the whole answer was waited for"
    );
}
