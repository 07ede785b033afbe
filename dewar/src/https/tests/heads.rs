//! Requests that are refused before hyper reads them: the response has all headers and ends the connection.

use super::server::Server;
use crate::https::{RequestLimits, TABLE, When};

fn statuses(answers: &str) -> Vec<u16> {
    let lines = answers
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines
        .map(|rest| rest.split_at(3).0.parse().unwrap())
        .collect()
}

/// ASVS: V3.4.4, V4.2.1
#[tokio::test]
async fn what_is_malformed_is_refused_with_every_header_and_ends_the_connection() {
    let server = Server::start(RequestLimits::default()).await;
    let get = "GET /after HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nhost: localhost\r\n";
    for (bytes, status) in [
        ("GET / HTTP/1.1\nhost: localhost\n\n".to_owned(), 400),
        (
            "GET / HTTP/1.1\r\nhost: localhost\r\nx: y\n\r\n".to_owned(),
            400,
        ),
        (
            format!("{post}content-length: 3\r\ncontent-length: 3\r\n\r\nabc"),
            400,
        ),
        (
            format!("{post}content-length: 3\r\ncontent-length: 4\r\n\r\nabc"),
            400,
        ),
        (
            format!("{post}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            411,
        ),
        (
            format!("{post}transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            411,
        ),
        (format!("{post}x y: z\r\n\r\n"), 400),
        (format!("{post}x: {}\r\n\r\n", "y".repeat(20_000)), 431),
        (format!("{post}{}\r\n", "x: y\r\n".repeat(101)), 431),
        (format!("GET /{} HTTP/1.1\r\n", "x".repeat(70_000)), 414),
        ("\0\0\0\r\n\r\n".to_owned(), 400),
    ] {
        let shown: String = bytes.chars().take(60).collect();
        let answers = server.exchange(&format!("{bytes}{get}")).await;
        assert_eq!(statuses(&answers), [status], "{shown}: {answers}");
        assert!(answers.contains("connection: close"), "{shown}: {answers}");
        for rule in TABLE.iter().filter(|rule| rule.when == When::Always) {
            let line = format!("\r\n{}: ", rule.name);
            assert!(answers.contains(&line), "{shown}: {line}: {answers}");
        }
        // Earlier requests on the same connection are served as usual.
        let answers = server.exchange(&format!("{get}{bytes}{get}")).await;
        assert_eq!(statuses(&answers), [200, status], "{shown}: {answers}");
    }
    assert!(server.begun("/after") == 11, "{}", server.begun("/after"));
    let whole = format!("{post}content-length: 3\r\nconnection: close\r\n\r\na\nb");
    let answers = server.exchange(&whole).await;
    assert!(
        statuses(&answers) == [200] && answers.ends_with("a\nb"),
        "{answers}"
    );
}
