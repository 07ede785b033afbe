//! Cookies that other programs, extensions and sites on the same host set beside the portal's own.

use dewar::testing::{Browser, Cookies};
use test_servers::Frame;

use super::{is_signed_in, session};
use crate::company::{PASSWORD, Portal, sign_in};

/// Cookies beside that of the session: letters, bytes without an encoding, quotes, no name, no value.
const FOREIGN: [&[u8]; 7] = [
    "n=Grüße".as_bytes(),
    b"n=\xff\xfe\x80",
    "größe=1".as_bytes(),
    b"\xfc",
    b"n=\"a,b",
    b"=; ;;",
    b"n",
];

async fn over_http1(browser: &Browser, cookies: &[u8]) -> u16 {
    let request = browser.raw("GET", "/account").cookies(Cookies::No);
    let request = request.header("accept", "text/html");
    let answer = request.header("cookie", cookies).send().await.unwrap();
    answer.status().as_u16()
}

async fn over_http2(portal: &Portal, lines: &[&[u8]]) -> u16 {
    let mut connection = portal.http2().await;
    let mut block = Frame::get(1, "/account").payload.to_vec();
    block.extend(Frame::block(&[("accept", "text/html")]));
    for line in lines {
        block.push(0);
        Frame::text(&mut block, "cookie");
        block.push(u8::try_from(line.len()).unwrap());
        block.extend_from_slice(line);
    }
    let flags = Frame::END_HEADERS | Frame::END_STREAM;
    let request = Frame::new(Frame::HEADERS, flags, 1, block);
    connection.send(&[request]).await.unwrap();
    let answer = connection.next_of(Frame::HEADERS).await.unwrap();
    answer.status().unwrap()
}

/// A script of another site on the same host, or an extension, sets a cookie that signed everybody out.
///
/// ASVS: V3.3.1, V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_somebody_else_signs_nobody_out() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let own = format!("__Host-session={}", session(&ada).value());
    let own = own.as_bytes();
    assert_eq!(over_http1(&ada, b"n=1").await, 303, "without the session");
    assert_eq!(over_http2(&portal, &[b"n=1"]).await, 303);
    for foreign in FOREIGN {
        let shown = String::from_utf8_lossy(foreign);
        for line in [
            [foreign, b"; ", own].concat(),
            [own, b"; ", foreign].concat(),
        ] {
            assert_eq!(over_http1(&ada, &line).await, 200, "{shown}");
            assert_eq!(over_http2(&portal, &[&line]).await, 200, "{shown}");
        }
        assert_eq!(over_http2(&portal, &[foreign, own]).await, 200, "{shown}");
        assert_eq!(over_http2(&portal, &[own, foreign]).await, 200, "{shown}");
    }
    // Two session cookies still count as none, whatever the bytes of the second are.
    let tossed = [own, b"; __Host-session=\xff"].concat();
    assert_eq!(over_http1(&ada, &tossed).await, 303);
}

/// A visitor's forms depend on a cookie too, and the message for the next page is in one.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_somebody_else_stops_nobody_from_signing_in() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let browser = portal.visitor();
    browser.plant_cookie("n", "Grüße");
    let answer = sign_in(&browser, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert!(is_signed_in(&browser).await);
}
