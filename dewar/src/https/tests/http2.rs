use super::server::{Server, patient};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use test_servers::{Frame, Http2};
use tokio::time::sleep;

mod bodies;
mod floods;
mod headers;
mod nonsense;
mod readings;
mod unread;

async fn connect(server: &Server, settings: &[(u16, u32)]) -> Http2 {
    let stream = server.tls("h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    Http2::open(stream, settings).await.unwrap()
}

/// The status of a request on a connection of its own. It is sent with the handshake, so the client is never slow.
async fn ask(server: &Server, authority: &str) -> Option<u16> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", authority),
        (":path", "/"),
    ];
    let first = Http2::first(&[], &[Frame::request(1, &fields)]);
    let stream = server.tls_saying("h2", &first).await;
    let mut connection = Http2::beginning(stream, b"").await.unwrap();
    connection.next_of(Frame::HEADERS).await.unwrap().status()
}

/// Attacks the server and serves another client all the while.
async fn beside_others<T>(server: &Server, attack: impl Future<Output = T>) -> T {
    let over = AtomicBool::new(false);
    let other = async {
        let mut served = 0;
        while !over.load(Ordering::Relaxed) || served == 0 {
            assert_eq!(ask(server, "localhost").await, Some(200), "after {served}");
            served += 1;
            sleep(Duration::from_millis(5)).await;
        }
    };
    let attack = async {
        let result = attack.await;
        over.store(true, Ordering::Relaxed);
        result
    };
    tokio::join!(attack, other).0
}

#[tokio::test]
async fn http2_is_agreed_and_answers() {
    let server = Server::start(patient()).await;
    assert_eq!(ask(&server, "localhost").await, Some(200));
}

#[tokio::test]
async fn the_rules_hold_for_http2_too() {
    let server = Server::start(patient()).await;
    assert_eq!(ask(&server, "evil.example").await, Some(421));
}

#[tokio::test]
async fn the_key_exchange_is_post_quantum() {
    let server = Server::start(patient()).await;
    let stream = server.tls("h2").await;
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}
