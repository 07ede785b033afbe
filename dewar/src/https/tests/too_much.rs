use super::server::{SHORT, Server, patient, read_all};
use crate::https::RequestLimits;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

fn get(headers: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n")
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

#[tokio::test]
async fn headers_are_bounded_in_size_and_number() {
    let server = Server::start(patient()).await;
    assert_eq!(status(&server.exchange(&get("")).await), "200");
    let huge = format!("X: {}\r\n", "y".repeat(20_000));
    assert_eq!(status(&server.exchange(&get(&huge)).await), "431");
    for count in [70, 99, 300] {
        let many: String = (0..count).map(|n| format!("X-{n}: y\r\n")).collect();
        assert_eq!(
            status(&server.exchange(&get(&many)).await),
            "431",
            "{count}"
        );
    }
}

/// Sends a body in pieces before it reads the 413, until the server reads no more. Returns the response and the count.
async fn goes_on_sending(server: &Server, pieces: usize) -> (String, usize) {
    let mut stream = server.tls("http/1.1").await;
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut sent = 0;
    while sent < pieces && stream.write_all(&[b'a'; 16 * 1024]).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
        sent += 1;
    }
    (read_all(&mut stream).await, sent)
}

#[tokio::test]
async fn who_is_refused_while_sending_reads_why() {
    let server = Server::start(patient()).await;
    let (answer, sent) = goes_on_sending(&server, 100).await;
    assert_eq!((status(&answer), sent), ("413", 100));
}

#[tokio::test]
async fn who_sends_without_end_is_not_listened_to_without_end() {
    let server = Server::start(RequestLimits {
        linger: SHORT,
        ..patient()
    })
    .await;
    let (_, sent) = goes_on_sending(&server, usize::MAX).await;
    assert!(sent < usize::MAX);
}

#[tokio::test]
async fn a_request_with_two_readings_ends_the_connection() {
    let server = Server::start(patient()).await;
    let smuggled = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
                    0\r\n\r\nGET /address HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = server.exchange(smuggled).await;
    assert_eq!(status(&answer), "411");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[tokio::test]
async fn refusals_carry_the_security_headers_and_quote_nothing() {
    let server = Server::start(patient()).await;
    let answer = server
        .exchange("GET /%2e%2e/secret HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(status(&answer), "400");
    assert!(answer.contains("x-content-type-options: nosniff") && !answer.contains("secret"));
    assert!(
        !answer.to_lowercase().contains("strict-transport-security"),
        "{answer}"
    );
    assert!(!answer.to_lowercase().contains("server:"), "{answer}");
    let answer = server
        .exchange("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        .await;
    assert_eq!(status(&answer), "421");
}

#[tokio::test]
async fn one_address_cannot_take_every_place() {
    let limits = RequestLimits {
        connections_per_address: 2,
        ..patient()
    };
    let server = Server::start(limits).await;
    let _first = server.tls("http/1.1").await;
    let mut second = server.tls("http/1.1").await;
    assert!(server.try_tls("http/1.1").await.is_err());
    second.write_all(get("").as_bytes()).await.unwrap();
    assert_eq!(status(&read_all(&mut second).await), "200");
}

#[tokio::test]
async fn the_handler_learns_the_address_of_the_socket() {
    let server = Server::start(patient()).await;
    let request = "GET /address HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n";
    assert!(
        server
            .exchange(request)
            .await
            .ends_with("\r\n\r\n127.0.0.1")
    );
}
