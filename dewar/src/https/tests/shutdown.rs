use super::server::{LONG, Server, read_all, short};
use crate::https::Limits;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn stopping_finishes_what_is_open_and_takes_nothing_new() {
    let server = Server::start(Limits {
        drain: LONG,
        ..short()
    })
    .await;
    let address = server.address;
    let mut open = server.tls("http/1.1").await;
    open.write_all(SLOW).await.unwrap();
    sleep(Duration::from_millis(80)).await;
    let stopped = server.stop();
    sleep(Duration::from_millis(60)).await;
    assert!(TcpStream::connect(address).await.is_err());
    let answer = read_all(&mut open).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"),
        "{answer}"
    );
    assert_eq!(timeout(LONG, stopped).await.unwrap().unwrap().cut, 0);
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut() {
    let server = Server::start(short()).await;
    let mut open = server.tls("http/1.1").await;
    open.write_all(b"GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(80)).await;
    let begun = Instant::now();
    assert_eq!(server.stop().await.unwrap().cut, 1);
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!(read_all(&mut open).await, "");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let limits = Limits {
        header_time: LONG,
        idle: LONG,
        drain: LONG,
        ..short()
    };
    let server = Server::start(limits).await;
    let _one = server.tls("http/1.1").await;
    let _two = server.tls("h2").await;
    sleep(Duration::from_millis(80)).await;
    let drained = timeout(Duration::from_secs(4), server.stop())
        .await
        .expect("it waits")
        .unwrap();
    assert_eq!(drained.cut, 0);
}
