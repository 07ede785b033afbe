use super::server::{LONG, Server, short};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame (RFC 9113, 6.5).
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const HEADERS: u8 = 1;

/// HEADERS that end stream 1: GET, https, `/`, and a literal `:authority` (RFC 7541, appendix A).
fn get(authority: &str) -> Vec<u8> {
    let mut block = vec![
        0x82,
        0x87,
        0x84,
        0x41,
        u8::try_from(authority.len()).unwrap(),
    ];
    block.extend_from_slice(authority.as_bytes());
    let mut frame = vec![
        0,
        0,
        u8::try_from(block.len()).unwrap(),
        HEADERS,
        0x05,
        0,
        0,
        0,
        1,
    ];
    frame.extend_from_slice(&block);
    frame
}

/// The first frame of a kind; those before it are skipped.
async fn frame(stream: &mut (impl AsyncReadExt + Unpin), kind: u8) -> Vec<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == kind {
            return payload;
        }
    }
}

async fn ask(authority: &str) -> Vec<u8> {
    let server = Server::start(short()).await;
    let mut stream = server.tls("h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream
        .write_all(&[PREFACE, &SETTINGS, &get(authority)].concat())
        .await
        .unwrap();
    timeout(LONG, frame(&mut stream, HEADERS)).await.unwrap()
}

#[tokio::test]
async fn http2_is_agreed_and_answers() {
    // 0x88 is `:status: 200` of the static table.
    assert_eq!(ask("localhost").await.first(), Some(&0x88));
}

#[tokio::test]
async fn the_rules_hold_for_http2_too() {
    // A status outside the static table is a literal with the name of index 8.
    let block = ask("evil.example").await;
    assert_ne!(block.first(), Some(&0x88));
    assert!([0x08, 0x48].contains(&block[0]), "{block:?}");
}

#[tokio::test]
async fn the_key_exchange_is_post_quantum() {
    let server = Server::start(short()).await;
    let stream = server.tls("h2").await;
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}
