//! A file that is too large, as a browser sends it, over HTTP/1.1 and HTTP/2.

use std::fs;

use dewar::testing::Browser;
use test_servers::{Frame, Http2};

use crate::site::{Site, app};

/// Over the limit of every body, and less than four times as much.
const LARGE: usize = 100 * 1024;

async fn site() -> Site {
    Site::with(app, &[("DEWAR_HTTPS_LIMITS_BODY", "32KiB")]).await
}

/// A note with a title and a paper of this number of bytes, as a browser encodes it.
async fn note(browser: &Browser, bytes: usize) -> (String, Vec<u8>) {
    let page = browser.get("/notes").await;
    let form = page.form("/notes").fill("title", "Kept title");
    let (kind, body) = form.file("paper", "paper.txt", vec![b'a'; bytes]).encoded();
    (kind, body.to_vec())
}

fn stored(site: &Site) -> usize {
    let folders = ["quarantine", "kept"].map(|name| site.data.path().join("uploads").join(name));
    folders
        .iter()
        .map(|folder| fs::read_dir(folder).map_or(0, Iterator::count))
        .sum()
}

/// ASVS: V5.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_the_limit_of_every_body_comes_back_as_the_form() {
    let site = site().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let form = page.form("/notes").fill("title", "Kept title");
    let answer = ada
        .submit(form.file("paper", "paper.txt", vec![b'a'; LARGE]))
        .await;
    assert_eq!(answer.status(), 413);
    let again = answer.form("/notes");
    assert_eq!(again.value("title").as_deref(), Some("Kept title"));
    assert!(
        answer.text().contains("at most 32 KiB together"),
        "{}",
        answer.text()
    );
    assert_eq!(stored(&site), 0);
    // Five times the limit: Dewar refuses it by its declared length.
    let (kind, body) = note(&ada, 5 * 32 * 1024).await;
    let request = ada
        .raw("POST", "/notes")
        .header("sec-fetch-site", "same-origin");
    let refused = request
        .header("content-type", &kind)
        .body(body)
        .send()
        .await;
    assert_eq!(refused.unwrap().status(), 413);
    let answer = ada
        .submit(again.file("paper", "paper.txt", "Agreed.\n"))
        .await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(stored(&site), 1);
}

/// Sends a body in frames of the largest size that every server accepts.
async fn send_body(http2: &mut Http2, stream: u32, body: &[u8]) {
    let pieces: Vec<&[u8]> = body.chunks(16 * 1024).collect();
    for (number, piece) in pieces.iter().enumerate() {
        let ends = number + 1 == pieces.len();
        let flags = if ends { Frame::END_STREAM } else { 0 };
        let data = Frame::new(Frame::DATA, flags, stream, piece);
        http2.send(&[data]).await.unwrap();
    }
}

/// ASVS: V5.2.1
#[tokio::test(flavor = "multi_thread")]
async fn over_http2_too() {
    let site = site().await;
    let ada = site.member("ada", &[]).await;
    let host = ada
        .base()
        .trim_start_matches("https://")
        .trim_end_matches('/');
    let authority = fs::read(site.running.authority_file().unwrap()).unwrap();
    let cookies: Vec<_> = ada.cookies();
    let cookies = cookies
        .iter()
        .map(|one| format!("{}={}", one.name(), one.value()));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    for (bytes, status) in [(LARGE, 413), (5 * 32 * 1024, 413), (100, 303)] {
        let stream = 1;
        let (kind, body) = note(&ada, bytes).await;
        let mut http2 = Http2::connect(ada.base(), &authority, &[]).await.unwrap();
        // The server's flow-control window for a body counts from the acknowledgement of its settings, the window of the
        // connection from a `WINDOW_UPDATE`. The server ends a client that sends more before.
        http2.next_of(Frame::SETTINGS).await.unwrap();
        http2.next_of(Frame::WINDOW_UPDATE).await.unwrap();
        let taken = Frame::new(Frame::SETTINGS, Frame::ACK, 0, []);
        http2.send(&[taken]).await.unwrap();
        let length = body.len().to_string();
        let block = Frame::block(&[
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", host),
            (":path", "/notes"),
            ("sec-fetch-site", "same-origin"),
            ("accept", "text/html"),
            ("cookie", &cookies),
            ("content-type", &kind),
            ("content-length", &length),
        ]);
        let head = Frame::new(Frame::HEADERS, Frame::END_HEADERS, stream, block);
        http2.send(&[head]).await.unwrap();
        send_body(&mut http2, stream, &body).await;
        let answer = loop {
            let frame = http2.next().await.unwrap();
            if frame.stream == stream && frame.kind == Frame::HEADERS {
                break frame;
            }
        };
        assert_eq!(answer.status(), Some(status), "{bytes}");
        if bytes == LARGE {
            let mut page = Vec::new();
            loop {
                let data = http2.next_of(Frame::DATA).await.unwrap();
                page.extend_from_slice(&data.payload);
                if data.flags & Frame::END_STREAM != 0 {
                    break;
                }
            }
            let page = String::from_utf8_lossy(&page);
            assert!(page.contains("Kept title"), "{page}");
        }
        assert_eq!(stored(&site), usize::from(status == 303), "{bytes}");
    }
}
