//! Obsolete handshakes, written by hand, because no library offers them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::company::Portal;

const TLS_1_2: u16 = 0x0303;
const X25519: u16 = 0x001d;
const GOOD: u16 = 0xc02b; // ECDHE-ECDSA-AES128-GCM-SHA256
const ALERT: u8 = 0x15;
const HANDSHAKE: u8 = 0x16;

/// A `ClientHello` message.
fn hello(version: u16, suites: &[u16], groups: &[u16], compressions: &[u8]) -> Vec<u8> {
    let extensions = [
        extension(
            0x0000,
            &[&[0, 12, 0, 0, 9], b"localhost".as_slice()].concat(),
        ), // the host's name
        extension(0x000a, &vector(&pairs(groups))),
        extension(0x000b, &[1, 0]), // points, uncompressed
        extension(0x000d, &vector(&pairs(&[0x0403, 0x0804, 0x0401, 0x0203]))), // signatures
    ]
    .concat();
    let random = [7; 32];
    let count = u8::try_from(compressions.len()).unwrap();
    let body = [
        &version.to_be_bytes(),
        random.as_slice(),
        &[0],
        &vector(&pairs(suites)),
        &[count],
        compressions,
        &vector(&extensions),
    ]
    .concat();
    let message = [&[1, 0], length(&body).as_slice(), &body].concat();
    [&[HANDSHAKE, 3, 1], length(&message).as_slice(), &message].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), vector(body).as_slice()].concat()
}

fn vector(body: &[u8]) -> Vec<u8> {
    [length(body).as_slice(), body].concat()
}

fn length(body: &[u8]) -> [u8; 2] {
    u16::try_from(body.len()).unwrap().to_be_bytes()
}

fn pairs(numbers: &[u16]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

/// The server's response to these bytes, until it stops or waits.
async fn ask(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut heard = vec![0; 4096];
    let read = stream.read(&mut heard).await;
    heard.truncate(read.unwrap_or(0));
    heard
}

/// Whether the server continued the handshake.
async fn agrees(portal: &Portal, hello: &[u8]) -> bool {
    let heard = ask(portal.running.https(), hello).await;
    match heard.first() {
        Some(&HANDSHAKE) => true,
        Some(&ALERT) | None => false,
        Some(other) => panic!("the server answered with record type {other}"),
    }
}

/// ASVS: V12.1.1
#[tokio::test]
async fn versions_before_tls_1_2_are_refused() {
    let portal = Portal::open().await;
    let suites = [GOOD, 0xc009, 0xc013, 0x002f, 0x000a];
    assert!(agrees(&portal, &hello(TLS_1_2, &suites, &[X25519], &[0])).await);
    for (name, version) in [
        ("SSL 3.0", 0x0300),
        ("TLS 1.0", 0x0301),
        ("TLS 1.1", 0x0302),
    ] {
        let hello = hello(version, &suites, &[X25519], &[0]);
        assert!(!agrees(&portal, &hello).await, "{name}");
    }
    // SSL 2.0 has another format.
    let ssl_2 = [0x80, 0x0f, 1, 0, 2, 0, 3, 0, 0, 0, 3, 1, 0, 0x80, 0, 0, 0];
    assert!(!agrees(&portal, &ssl_2).await);
}

/// No forward secrecy, no authenticated encryption, no authentication, or no encryption.
///
/// ASVS: V12.1.2, V11.3.1, V11.3.2
#[tokio::test]
async fn suites_that_protect_little_are_refused() {
    let portal = Portal::open().await;
    let weak = [
        ("RSA-AES128-CBC", 0x002f),
        ("RSA-AES128-GCM", 0x009c),
        ("RSA-3DES", 0x000a),
        ("RSA-RC4", 0x0005),
        ("RSA-NULL", 0x0002),
        ("DHE-RSA-AES128-CBC", 0x0033),
        ("DHE-RSA-AES128-GCM", 0x009e),
        ("DH-anon-AES128-CBC", 0x0034),
        ("ECDH-anon-AES128-CBC", 0xc018),
        ("ECDHE-ECDSA-NULL", 0xc006),
        ("ECDHE-ECDSA-RC4", 0xc007),
        ("ECDHE-ECDSA-3DES", 0xc008),
        ("ECDHE-ECDSA-AES128-CBC", 0xc009),
        ("ECDHE-ECDSA-AES128-CBC-SHA256", 0xc023),
        ("ECDHE-ECDSA-AES128-CCM-8", 0xc0ae),
        ("RSA-EXPORT-RC4-40", 0x0003),
    ];
    for (name, suite) in weak {
        assert!(
            !agrees(&portal, &hello(TLS_1_2, &[suite], &[X25519], &[0])).await,
            "{name}"
        );
    }
    let all: Vec<u16> = weak.iter().map(|(_, suite)| *suite).collect();
    assert!(!agrees(&portal, &hello(TLS_1_2, &all, &[X25519], &[0])).await);
    assert!(
        agrees(
            &portal,
            &hello(TLS_1_2, &[all, vec![GOOD]].concat(), &[X25519], &[0])
        )
        .await
    );
}

/// ASVS: V11.6.2, V12.1.2
#[tokio::test]
async fn weak_curves_and_compression_are_refused() {
    let portal = Portal::open().await;
    for (name, group) in [
        ("P-192", 0x0013),
        ("sect163k1", 0x0001),
        ("ffdhe2048", 0x0100),
    ] {
        assert!(
            !agrees(&portal, &hello(TLS_1_2, &[GOOD], &[group], &[0])).await,
            "{name}"
        );
    }
    // Only DEFLATE (CRIME, CVE-2012-4929).
    assert!(!agrees(&portal, &hello(TLS_1_2, &[GOOD], &[X25519], &[1])).await);
    assert!(agrees(&portal, &hello(TLS_1_2, &[GOOD], &[X25519], &[0])).await);
}

/// ASVS: V12.2.1
#[tokio::test]
async fn who_does_not_encrypt_learns_nothing() {
    let portal = Portal::open().await;
    let plain = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let heard = ask(portal.running.https(), plain).await;
    assert!(
        !heard.starts_with(b"HTTP"),
        "{}",
        String::from_utf8_lossy(&heard)
    );
    assert!(heard.len() < 16, "an alert is seven bytes");
}
