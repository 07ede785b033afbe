use super::server::{SHORT, Server, patient, read_all};
use crate::https::RequestLimits;
use crate::testing::wait_until;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn stopping_finishes_what_is_open_and_takes_nothing_new() {
    let server = Server::start(patient()).await;
    let (address, answer_slow) = (server.address, server.answer_slow());
    let mut open = server.tls("http/1.1").await;
    open.write_all(SLOW).await.unwrap();
    server.begins("/slow").await;
    let stopped = server.stop();
    wait_until("nobody is let in", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
    answer_slow();
    let answer = read_all(&mut open).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"),
        "{answer}"
    );
    assert_eq!(stopped.await.unwrap().cut, 0);
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let server = Server::start(RequestLimits {
        drain_timeout: SHORT,
        ..patient()
    })
    .await;
    let mut open = server.tls("http/1.1").await;
    open.write_all(b"GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    server.begins("/stuck").await;
    assert_eq!(server.stop().await.unwrap().cut, 1);
    assert_eq!(read_all(&mut open).await, "");
}

/// If the server waited for them, it would wait longer than any test.
#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let server = Server::start(patient()).await;
    let _one = server.tls("http/1.1").await;
    let _two = server.tls("h2").await;
    let mut used = server.tls("http/1.1").await;
    used.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    server.begins("/").await;
    assert_eq!(server.stop().await.unwrap().cut, 0);
    assert!(read_all(&mut used).await.starts_with("HTTP/1.1 200"));
}
